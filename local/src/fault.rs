//! Faults that a test orders: a reply held after its effect, a call refused before it, calls throttled,
//! credentials that expire.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest a reply is held when nobody releases it.
pub const HOLD_MAX: Duration = Duration::from_mins(5);

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
    /// Every call, reading or not, is throttled this often before it is let through. Attempts of one call
    /// share the SDKs' `amz-sdk-invocation-id`; a request without it is never throttled.
    #[serde(default)]
    pub throttle_each: u32,
    /// From this call on, counted with those that only read, the caller's credentials have expired.
    #[serde(default)]
    pub expire_from: Option<u64>,
}

/// Why a call is refused on arrival, as ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Too many requests.
    Throttled,
    /// The credentials have expired.
    Expired,
}

/// What has happened since the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// How many calls have come, those that only read included.
    pub calls: u64,
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
    /// How often each call was throttled.
    throttled: BTreeMap<String, u32>,
    /// Which order it is, so that a reply held under an earlier one is let go.
    order: u64,
}

impl Faults {
    /// Replaces the order, counts afresh, and releases what is held.
    pub fn order(&self, order: Order) {
        let mut kept = self.lock();
        kept.order += 1;
        kept.status = Status { order, ..Status::default() };
        kept.throttled.clear();
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

    /// Counts a call; `Some` when it must be refused before anything else. `invocation` tells the calls
    /// apart whose attempts these are.
    pub(crate) fn arrive(&self, invocation: Option<&str>) -> Option<Trouble> {
        let mut kept = self.lock();
        kept.status.calls += 1;
        let Order { throttle_each, expire_from, .. } = kept.status.order;
        if expire_from.is_some_and(|from| kept.status.calls >= from) {
            return Some(Trouble::Expired);
        }
        let invocation = invocation.filter(|_| throttle_each > 0)?;
        let count = kept.throttled.entry(invocation.to_owned()).or_default();
        *count += 1;
        (*count <= throttle_each).then_some(Trouble::Throttled)
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn order(hold_reply_of: Option<u64>, refuse: Option<u64>) -> Order {
        Order { hold_reply_of, refuse, ..Order::default() }
    }

    #[test]
    fn the_ordered_call_is_refused_once() {
        let faults = Faults::default();
        faults.order(order(None, Some(2)));
        let admitted: Vec<bool> = (0..3).map(|_| faults.admit().is_some()).collect();
        assert_eq!(admitted, [true, false, true]);
        let Status { mutating_calls, refused, .. } = faults.status();
        assert_eq!((mutating_calls, refused), (3, true));
        faults.clear();
        assert_eq!(faults.status(), Status::default());
    }

    #[test]
    fn each_call_is_throttled_as_often_as_ordered() {
        let faults = Faults::default();
        faults.order(Order { throttle_each: 2, ..Order::default() });
        let arrive = |call: Option<&str>| faults.arrive(call);
        assert_eq!(
            [(); 3].map(|()| arrive(Some("a"))),
            [Some(Trouble::Throttled), Some(Trouble::Throttled), None]
        );
        assert_eq!((arrive(Some("b")), arrive(None)), (Some(Trouble::Throttled), None));
        assert_eq!(faults.status().calls, 5);
    }

    #[test]
    fn credentials_stay_expired() {
        let faults = Faults::default();
        faults.order(Order { expire_from: Some(2), ..Order::default() });
        assert_eq!(
            [(); 3].map(|()| faults.arrive(None)),
            [None, Some(Trouble::Expired), Some(Trouble::Expired)]
        );
        faults.clear();
        assert_eq!(faults.arrive(None), None);
    }

    #[test]
    fn a_held_reply_waits_for_its_release() {
        let faults = &Faults::default();
        faults.order(order(Some(2), None));
        thread::scope(|scope| {
            for _ in 0..2 {
                let number = faults.admit().unwrap();
                scope.spawn(move || faults.before_reply(number, "iam.CreateRole"));
            }
            assert!(faults.wait_until_held(SOON));
            assert_eq!(faults.status().held_operation.as_deref(), Some("iam.CreateRole"));
            faults.release();
        });
        assert!(!faults.status().held);
    }

    #[test]
    fn a_new_order_lets_go_what_the_old_one_held() {
        let faults = &Faults::default();
        faults.order(order(Some(1), None));
        thread::scope(|scope| {
            let number = faults.admit().unwrap();
            scope.spawn(move || faults.before_reply(number, "first"));
            assert!(faults.wait_until_held(SOON));
            faults.order(order(Some(1), None));
        });
        assert_eq!(faults.status(), Status { order: order(Some(1), None), ..Status::default() });
    }
}
