//! Faults that a test orders: a reply held after its effect, or a call refused before it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest a reply is held when nobody releases it.
pub const HOLD_MAX: Duration = Duration::from_secs(300);

/// What to do to which mutating call. Calls are counted from 1, from the moment of the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The effect of this call happens and is durable; its reply is held until released.
    #[serde(default)]
    pub hold_reply_of: Option<u64>,
    /// This call is answered 503 and has no effect.
    #[serde(default)]
    pub refuse: Option<u64>,
}

/// What has happened since the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// How many mutating calls have come.
    pub mutating_calls: u64,
    /// Whether a reply is being held right now.
    pub held: bool,
    /// The operation whose reply is or was held, such as `iam.CreateRole`.
    pub held_operation: Option<String>,
    /// Whether a call has been refused.
    pub refused: bool,
}

/// The number of a mutating call since the last order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    order: u64,
    call: u64,
}

/// The faults of one target.
#[derive(Debug, Default)]
pub struct Faults {
    kept: Mutex<Kept>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    status: Status,
    /// Which order it is, so that a reply held under an earlier one is let go.
    order: u64,
}

impl Faults {
    /// Replaces the order, counts afresh, and releases what is held.
    pub fn order(&self, order: Order) {
        let mut kept = self.lock();
        kept.order += 1;
        kept.status = Status { order, ..Status::default() };
        self.changed.notify_all();
    }

    /// Releases what is held; the count goes on.
    pub fn release(&self) {
        let mut kept = self.lock();
        kept.status.held = false;
        kept.status.order.hold_reply_of = None;
        self.changed.notify_all();
    }

    /// No faults, counting from zero.
    pub fn clear(&self) {
        self.order(Order::default());
    }

    /// What has happened.
    pub fn status(&self) -> Status {
        self.lock().status.clone()
    }

    /// Counts a mutating call; `None` when it must be refused before its effect.
    pub(crate) fn admit(&self) -> Option<Number> {
        let mut kept = self.lock();
        kept.status.mutating_calls += 1;
        if kept.status.order.refuse == Some(kept.status.mutating_calls) {
            kept.status.refused = true;
            return None;
        }
        Some(Number { order: kept.order, call: kept.status.mutating_calls })
    }

    /// Holds the reply of a call if that was ordered; blocks the caller.
    pub(crate) fn before_reply(&self, number: Number, operation: &str) {
        let mut kept = self.lock();
        if kept.order != number.order || kept.status.order.hold_reply_of != Some(number.call) {
            return;
        }
        kept.status.held = true;
        kept.status.held_operation = Some(operation.to_owned());
        self.changed.notify_all();
        let (mut kept, _) = self
            .changed
            .wait_timeout_while(kept, HOLD_MAX, |kept| kept.order == number.order && kept.status.held)
            .unwrap_or_else(PoisonError::into_inner);
        if kept.order == number.order {
            kept.status.held = false;
        }
    }

    /// Waits until a reply is held, at most `limit`; whether it is.
    pub fn wait_until_held(&self, limit: Duration) -> bool {
        let (kept, _) = self
            .changed
            .wait_timeout_while(self.lock(), limit, |kept| !kept.status.held)
            .unwrap_or_else(PoisonError::into_inner);
        kept.status.held
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
