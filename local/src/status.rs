//! `GET /_local/status`: who this is, since when, what the account holds, and what is not as usual.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::control::{iot, lambda, logs};
use crate::state::Regional;
use crate::switches::Switches;
use crate::{ACCOUNT, Options, Target, clock};

/// Times are milliseconds since 1970 by the target's clock, and texts of the same for people.
pub(crate) fn of(target: &Target) -> Value {
    let (since_ms, now_ms) = (milliseconds(target.since()), milliseconds(target.clock().now()));
    let (roles, regions) = target.with_world(|world| {
        let roles: Vec<String> = world.iam.role_names().map(str::to_owned).collect();
        let held = world.regions.iter().map(|(name, regional)| (name.clone(), region(regional)));
        let held: Map<String, Value> = held.filter(|(_, held)| !is_empty(held)).collect();
        (roles, held)
    });
    json!({
        "account": ACCOUNT,
        "access_key_id": target.key().access_key_id,
        "since_ms": since_ms,
        "since": clock::rfc3339(since_ms),
        "now_ms": now_ms,
        "now": clock::rfc3339(now_ms),
        "roles": roles,
        "regions": regions,
        "options": options(target.options()),
        "switches": switches(target.options()),
        "unusual": unusual(target),
        "faults": tree(&target.faults().status()),
        "policy_enforced": target.guard().is_enforced(),
    })
}

/// What a Region holds.
fn region(regional: &Regional) -> Value {
    json!({
        "functions": functions(&regional.lambda),
        "authorizers": authorizers(&regional.iot),
        "log_groups": log_groups(&regional.logs),
    })
}

/// Regions come to be by being asked about.
fn is_empty(region: &Value) -> bool {
    region
        .as_object()
        .is_some_and(|kinds| kinds.values().all(|kind| kind.as_array().is_some_and(Vec::is_empty)))
}

fn functions(state: &lambda::State) -> Vec<Value> {
    let shown = |function: &lambda::Function| {
        let aliases = function.aliases.values().map(|alias| (alias.name.clone(), json!(alias.version)));
        json!({
            "name": function.name,
            "versions": function.versions.len(),
            "aliases": aliases.collect::<Map<String, Value>>(),
            "reserved_concurrency": function.reserved_concurrency,
        })
    };
    state.functions.values().map(shown).collect()
}

fn authorizers(state: &iot::State) -> Vec<Value> {
    let shown = |authorizer: &iot::Authorizer| {
        json!({
            "name": authorizer.name,
            "status": authorizer.status,
            "default": state.default.as_ref() == Some(&authorizer.name),
        })
    };
    state.authorizers.values().map(shown).collect()
}

fn log_groups(state: &logs::State) -> Vec<Value> {
    state.group_names().map(|name| json!({ "name": name, "events": state.events_of(name) })).collect()
}

/// Every setting that `--switch` takes, as it is written there.
fn switches(options: &Options) -> Map<String, Value> {
    options.settings().into_iter().map(|(row, value)| (row.name.to_owned(), json!(value))).collect()
}

fn options(options: &Options) -> Value {
    json!({
        "authorizer_limit_ms": in_milliseconds(options.authorizer_limit),
        "role_propagation_ms": in_milliseconds(options.role_propagation),
        "function_settling_ms": in_milliseconds(options.function_settling),
        "page_size": options.page_size,
    })
}

/// Every option, switch and order that differs from the default, by its name, and how far the clock was moved.
fn unusual(target: &Target) -> Map<String, Value> {
    let pairs = [
        (options(target.options()), options(&Options::default())),
        (tree(&target.options().switches), tree(&Switches::default())),
        (tree(&target.faults().status().order), tree(&crate::fault::Order::default())),
        (
            json!({
                "clock_moved_ms": target.clock().moved_ms(),
                "drop_messages": target.gateway().broker.drops_messages(),
                "policy_enforced": target.guard().is_enforced(),
            }),
            json!({ "clock_moved_ms": 0, "drop_messages": false, "policy_enforced": false }),
        ),
    ];
    let mut unusual = Map::new();
    for (is, usual) in pairs {
        let members = is.as_object().into_iter().flatten();
        let changed = members.filter(|(name, value)| usual.get(*name) != Some(*value));
        unusual.extend(changed.map(|(name, value)| (name.clone(), value.clone())));
    }
    unusual
}

/// A value of plain members, which always has a JSON form.
fn tree(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn milliseconds(moment: SystemTime) -> u64 {
    in_milliseconds(moment.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn in_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::control::bench::Bench;
    use crate::fault::Order;
    use crate::switches::HeaderNames;

    fn target(options: Options) -> Target {
        Target::in_memory(Clock::from_source(|| UNIX_EPOCH + Duration::from_secs(100)), options)
    }

    #[test]
    fn a_new_target_holds_nothing_and_is_as_usual() {
        let target = target(Options::default());
        target.with_world(|world| drop(world.region("eu-west-1").clone()));
        let status = of(&target);
        assert_eq!(
            (&status["roles"], &status["regions"], &status["unusual"]),
            (&json!([]), &json!({}), &json!({}))
        );
        assert_eq!(
            (&status["since"], &status["since_ms"]),
            (&json!("1970-01-01T00:01:40Z"), &json!(100_000))
        );
    }

    #[test]
    fn what_the_account_holds_is_named_by_region() {
        let target = target(Options::default());
        let mut bench = Bench::new();
        bench.function("f");
        target.with_world(|world| {
            *world = bench.world;
            let group = json!({ "created_ms": 0, "retention_days": null, "class": "STANDARD",
                "deletion_protected": false, "tags": {}, "streams": {} });
            world.region("eu-west-1").logs =
                serde_json::from_value(json!({ "groups": { "/g": group } })).unwrap();
        });
        target.log_lines("eu-west-1", "/g", "s", &["a line".to_owned()]);
        let status = of(&target);
        assert_eq!(status["roles"], json!(["r"]));
        assert_eq!(
            status["regions"],
            json!({ "eu-west-1": {
                "functions": [{ "name": "f", "versions": 0, "aliases": {}, "reserved_concurrency": null }],
                "authorizers": [],
                "log_groups": [{ "name": "/g", "events": 1 }],
            } })
        );
    }

    #[test]
    fn whatever_differs_from_the_default_is_named() {
        let switches = Switches { header_names: HeaderNames::Capitalised, ..Switches::default() };
        let target =
            target(Options { switches, authorizer_limit: Duration::from_millis(300), ..Options::default() });
        target.faults().order(Order { throttle_each: 2, ..Order::default() });
        target.clock().advance(-5);
        target.gateway().broker.drop_messages(true);
        let expected = json!({ "authorizer_limit_ms": 300, "header_names": "capitalised", "throttle_each": 2,
            "clock_moved_ms": -5, "drop_messages": true });
        assert_eq!(of(&target)["unusual"], expected);
    }
}
