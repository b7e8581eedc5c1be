//! Copies that lag behind: for how long an answer may be made from what was, as AWS's services answer from
//! replicas ("eventual consistency": aws-facts 0.2, 0.7, 3.5, 4).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::state::{Regional, World};
use crate::switches::{DelayedCalls, Switches};

/// What the state was, as far back as the longest delay.
#[derive(Debug, Default)]
pub(crate) struct Copies(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The time of each change, and the state before it; the oldest first.
    changes: VecDeque<(SystemTime, World)>,
    /// How many calls of each operation have come.
    calls: BTreeMap<String, u64>,
}

impl Copies {
    /// Remembers the state before a change.
    pub(crate) fn changed(&self, switches: &Switches, now: SystemTime, before: World) {
        let longest = switches.delay_max();
        if longest.is_zero() {
            return;
        }
        let mut kept = self.lock();
        kept.changes.push_back((now, before));
        let over = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age >= longest);
        while kept.changes.front().is_some_and(|(time, _)| over(*time)) {
            kept.changes.pop_front();
        }
    }

    /// The copy that answers this call of `operation`; `None` when it is the newest state.
    pub(crate) fn view(
        &self,
        switches: &Switches,
        now: SystemTime,
        operation: &str,
        newest: &World,
    ) -> Option<World> {
        if switches.delay_max().is_zero() {
            return None;
        }
        let mut kept = self.lock();
        let count = kept.calls.entry(operation.to_owned()).or_default();
        *count += 1;
        if switches.delayed_calls == DelayedCalls::EverySecond && count.is_multiple_of(2) {
            return None;
        }
        let at = |delay_ms| kept.at(newest, now, Duration::from_millis(delay_ms));
        let (iam, lambda) = (at(switches.iam_delay_ms), at(switches.lambda_delay_ms));
        let (iot, tags) = (at(switches.iot_delay_ms), at(switches.tags_delay_ms));
        let ssm = at(switches.ssm_delay_ms);
        let mut view = World { iam: iam.iam.clone(), regions: BTreeMap::new() };
        view.iam.take_tags(&tags.iam);
        let none = Regional::default();
        for (name, regional) in &newest.regions {
            let of = |world: &'_ World| world.regions.get(name).cloned().unwrap_or_else(|| none.clone());
            let mut seen = Regional {
                lambda: of(lambda).lambda,
                iot: of(iot).iot,
                logs: regional.logs.clone(),
                ssm: of(ssm).ssm,
            };
            let tags = tags.regions.get(name).unwrap_or(&none);
            seen.lambda.take_tags(&tags.lambda);
            seen.iot.take_tags(&tags.iot);
            seen.logs.take_tags(&tags.logs);
            seen.ssm.take_tags(&tags.ssm);
            view.regions.insert(name.clone(), seen);
        }
        Some(view)
    }

    /// Every copy has the newest state.
    pub(crate) fn forget(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The state of so long ago.
    fn at<'a>(&'a self, newest: &'a World, now: SystemTime, delay: Duration) -> &'a World {
        let since = |time: SystemTime| now.duration_since(time).unwrap_or_default();
        self.changes.iter().find(|(time, _)| since(*time) < delay).map_or(newest, |(_, before)| before)
    }
}

/// Gives what is there its tags of then; what was not there yet has none.
pub(crate) fn take_tags<T>(
    now: &mut BTreeMap<String, T>,
    then: &BTreeMap<String, T>,
    tags: fn(&T) -> &BTreeMap<String, String>,
    set: fn(&mut T, BTreeMap<String, String>),
) {
    for (name, one) in now {
        set(one, then.get(name).map(|former| tags(former).clone()).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::bench::{Bench, ROLE};

    /// A bench before and after its role gets a tag and a policy at `now`.
    fn changed(copies: &Copies, switches: &Switches) -> (World, SystemTime) {
        let bench = Bench::new();
        let mut newest = bench.world.clone();
        let role = newest.iam.role(ROLE).unwrap().clone();
        let mut roles = serde_json::to_value(&newest.iam).unwrap();
        let name = role.name.as_str();
        roles["roles"][name]["tags"]["a"] = "1".into();
        roles["roles"][name]["description"] = "new".into();
        newest.iam = serde_json::from_value(roles).unwrap();
        copies.changed(switches, bench.now, bench.world);
        (newest, bench.now)
    }

    /// What a copy says of the role so long after the change: whether its tag and its description are new.
    fn says(switches: Switches, after_ms: u64) -> (bool, bool) {
        let copies = Copies::default();
        let (newest, now) = changed(&copies, &switches);
        let view = copies.view(&switches, now + Duration::from_millis(after_ms), "Get", &newest);
        let world = view.unwrap_or(newest);
        let role = world.iam.role(ROLE).unwrap();
        (role.tags.contains_key("a"), role.description.as_deref() == Some("new"))
    }

    #[test]
    fn a_copy_has_a_change_after_its_delay_and_tags_have_their_own() {
        let none = Switches::default();
        assert_eq!(says(none, 0), (true, true));
        let iam = Switches { iam_delay_ms: 100, ..none };
        assert_eq!([says(iam, 99), says(iam, 100)], [(true, false), (true, true)]);
        let tags = Switches { tags_delay_ms: 100, ..none };
        assert_eq!([says(tags, 99), says(tags, 100)], [(false, true), (true, true)]);
        let other = Switches { lambda_delay_ms: 100, iot_delay_ms: 100, ..none };
        assert_eq!(says(other, 0), (true, true));
    }

    #[test]
    fn every_second_call_of_an_operation_meets_the_newest_state() {
        let switches =
            Switches { iam_delay_ms: 100, delayed_calls: DelayedCalls::EverySecond, ..Switches::default() };
        let copies = Copies::default();
        let (newest, now) = changed(&copies, &switches);
        let delayed = |operation: &str| copies.view(&switches, now, operation, &newest).is_some();
        assert_eq!([delayed("A"), delayed("B"), delayed("A"), delayed("A")], [true, true, false, true]);
        copies.forget();
        let view = copies.view(&switches, now, "A", &newest).unwrap();
        assert_eq!(view.iam.role(ROLE).unwrap().description.as_deref(), Some("new"));
    }
}
