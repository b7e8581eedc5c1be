//! `[[allow]]`: the IoT policy that a good token gets.

use super::checks::{Checks, Found};
use super::model::Allow;
use super::policy_size::{Fit, fit};
use super::reader::TableReader;
use super::template::{Slot, check};

/// The most tables; the authorizer takes as many.
const ALLOW_MAX: usize = 64;

/// Reads every `[[allow]]`.
pub(super) fn allow(checks: &mut Checks<'_>, top: &mut TableReader<'_>) -> Vec<Allow> {
    let help = "`[[allow]]` with `connect`, `publish` or `subscribe` says what a good token may do";
    top.require(checks, "allow", help);
    let place = top.place_of("allow");
    let Some(tables) = top.tables(checks, "allow") else { return Vec::new() };
    if tables.is_empty() || tables.len() > ALLOW_MAX {
        checks.error(&place, "bad_value", format!("there are 1 to {ALLOW_MAX} `[[allow]]` tables"));
    }
    let allow: Vec<Allow> = tables.into_iter().map(|table| one(checks, table)).collect();
    match fit(&allow) {
        Fit::Always => {}
        Fit::Sometimes => {
            let message = "the policy may not fit: AWS IoT takes 10 documents of 2048 characters";
            let help = "tokens with long claim values would be denied; grant fewer or shorter entries";
            checks.warn(&place, "large_policy", message, Some(help));
        }
        Fit::Never => {
            let message = "the policy does not fit: AWS IoT takes 10 documents of 2048 characters";
            checks.error_with_help(&place, "too_large", message, "grant fewer or shorter entries");
        }
    }
    let has_device_to_refuse = allow.iter().any(|one| !one.publish.is_empty() || !one.subscribe.is_empty());
    if has_device_to_refuse && allow.iter().all(|one| one.connect.is_empty()) {
        let help = "add `connect = [\"{sub}/*\"]` for MQTT; every MQTT client is refused without it";
        checks.warn(&place, "no_connect", "no `connect` entry: HTTP publish only", Some(help));
    }
    allow
}

fn one(checks: &mut Checks<'_>, mut table: TableReader<'_>) -> Allow {
    let mut entries = |checks: &mut Checks<'_>, key, slot| {
        let found: Vec<Found<String>> = table.texts(checks, key).unwrap_or_default();
        for entry in &found {
            check(checks, entry, slot);
        }
        found.into_iter().map(|entry| entry.value).collect::<Vec<String>>()
    };
    let connect = entries(checks, "connect", Slot::Connect);
    let publish = entries(checks, "publish", Slot::Publish);
    let subscribe = entries(checks, "subscribe", Slot::Subscribe);
    let place = table.place.clone();
    let allows_nothing =
        ["connect", "publish", "subscribe"].iter().all(|key| !table.has(key) || table.is_empty(key));
    table.finish(checks);
    if allows_nothing {
        let help = "add `connect`, `publish` or `subscribe`, each a list";
        checks.missing(&place, format!("`{}` allows nothing", place.key), help);
    }
    Allow { connect, publish, subscribe }
}
