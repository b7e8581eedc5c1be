//! The target as one value: state, clock, options, and the functions that answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::Clock;
use crate::state::World;

/// The account id of every local target.
pub const ACCOUNT: &str = "000000000000";

/// Limits and the answers to open questions of AWS's behaviour. Serializable, so that a served target
/// can be asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// AWS IoT's cap on one authorizer call. AWS: 5 s.
    pub authorizer_limit: Duration,
    /// How long a new role cannot be assumed by Lambda.
    pub role_propagation: Duration,
    /// How long a function stays Pending, and an update in progress.
    pub function_settling: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            authorizer_limit: Duration::from_secs(5),
            role_propagation: Duration::from_millis(300),
            function_settling: Duration::from_millis(200),
        }
    }
}

/// A whole local AWS.
#[derive(Clone, Debug)]
pub struct Target {
    #[expect(dead_code, reason = "skeleton")]
    inner: Arc<Inner>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "skeleton")]
struct Inner {
    world: Mutex<World>,
    clock: Clock,
    options: Options,
}
