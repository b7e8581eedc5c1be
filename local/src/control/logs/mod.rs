//! logs (skeleton).

use serde::{Deserialize, Serialize};

use super::{Call, Reply, ServiceError};
use crate::state::World;

/// What the service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {}

/// Answers one call.
pub fn handle(_world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    Err(ServiceError::unknown_operation(call))
}

impl State {
    /// Appends lines of a function's output, when the group is there.
    pub fn append_lines(
        &mut self,
        _group: &str,
        _stream: &str,
        _lines: &[String],
        _now: std::time::SystemTime,
    ) {
    }
}
