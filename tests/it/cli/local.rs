//! `local …` beside `local follow`: what the target says about itself and about a refusal.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Bench, Served, ended, finish, shown};

/// A token that looks like one, under a signature that no key made.
fn refused(bench: &Bench, more: &[&str]) -> (String, String) {
    bench.write("token.jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJkZW1vIn0.AAAA\n");
    bench.mode("token.jwt", 0o600);
    let arguments =
        ["device", "publish", "stack.toml", "customauthtesting", "--token", "file:token.jwt", "--signature"];
    let run = bench.ends(1, &[&arguments[..], &["AAAA", "--output", "json"], more].concat());
    let problem: Value = serde_json::from_str(&run.output).unwrap();
    let text = |name: &str| problem["error"][name].as_str().unwrap_or_else(|| panic!("{run}")).to_owned();
    (text("request_id"), text("next"))
}

#[test]
fn a_refused_message_leads_to_who_refused_it_and_why() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    let told = |id: &str| {
        let run = bench.ends(0, &["local", "log", id]);
        assert!(run.output.contains("  gateway: bad_token_signature\n"), "{run}");
        assert!(run.output.contains("registered keys made this token signature\n"), "{run}");
        let about = format!("topic customauthtesting, Region eu-west-1, 0 invocations, trace id {id}\n");
        assert!(run.output.ends_with(&about), "{run}");
        let run = bench.ends(0, &["local", "log", id, "--output", "json"]);
        let entry: Value = serde_json::from_str(&run.output).unwrap();
        assert_eq!((&entry["trace_id"], &entry["who"]), (&id.into(), &"gateway".into()), "{run}");
    };
    // With nobody serving, each command hosts the target itself.
    let (alone, next) = refused(&bench, &[]);
    assert_eq!(next, format!("thinggate local log {alone}"));
    told(&alone);
    let _served = Served::start(&bench, &[]);
    let (served, next) = refused(&bench, &["--state-dir", ".thinggate"]);
    assert_eq!(next, format!("thinggate local log {served} --state-dir .thinggate"));
    told(&served);
    told(&alone);
    let last = bench.ends(0, &["local", "log", "--last", "1", "--output", "json"]).output;
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(last["entries"][0]["trace_id"], served.as_str());
    assert_eq!(bench.ends(0, &["local", "log"]).output.matches("gateway: ").count(), 2);
    shown!(bench.run(&["local", "log", "t-0"]), @r#"
    exit 1
    -- errors
    error: the local target's log has no such trace id
      at: .thinggate
      because: `t-0` is not in it

    next: thinggate local log shows the last ones; --state-dir names another local target
    "#);
}

#[test]
fn a_log_of_no_target_makes_none() {
    let bench = Bench::empty();
    shown!(bench.run(&["local", "log"]), @r#"
    exit 1
    -- errors
    error: there is no log of a local target
      at: .thinggate
      because: no local target was used here

    next: thinggate local up, in another terminal and the same folder
    "#);
    assert!(!bench.path().join(".thinggate").exists());
}

#[test]
fn status_says_where_since_when_and_what_is_there() {
    let bench = Bench::new();
    let _served = Served::start(&bench, &["--authorizer-limit-ms", "900"]);
    let since = |text: String| {
        let (before, rest) = text.split_once(" since ").unwrap();
        let (moment, after) = rest.split_once('\n').unwrap();
        assert!(moment.len() == "2015-08-30T12:36:00Z".len() && moment.ends_with('Z'), "{moment}");
        format!("{before} since MOMENT\n{after}")
    };
    shown!(since(bench.ends(0, &["local", "status"]).output), @r#"
    served by process PID since MOMENT
      state                .thinggate
      AWS APIs             http://127.0.0.1:PORT
      device gateway       https://thinggatelocal-ats.iot.REGION.amazonaws.com (127.0.0.1:PORT)
      identity provider    http://127.0.0.1:PORT
      account              000000000000
    it holds nothing
    not as by default
      authorizer_limit_ms  900
    "#);
    bench.ends(0, &["deploy", "stack.toml"]);
    shown!(since(bench.ends(0, &["local", "status"]).output), @r#"
    served by process PID since MOMENT
      state                .thinggate
      AWS APIs             http://127.0.0.1:PORT
      device gateway       https://thinggatelocal-ats.iot.REGION.amazonaws.com (127.0.0.1:PORT)
      identity provider    http://127.0.0.1:PORT
      account              000000000000
    all Regions
      role                 thinggate-local-demo-eu-west-1
    eu-west-1
      function             thinggate-local-demo (1 version, live = 1)
      authorizer           iot-openam-authorizer (ACTIVE, the default)
      log group            /thinggate/local-demo (0 events)
    not as by default
      authorizer_limit_ms  900
    "#);
    let json: Value =
        serde_json::from_str(&bench.ends(0, &["local", "status", "--output", "json"]).output).unwrap();
    for member in
        ["account", "access_key_id", "since_ms", "now", "options", "switches", "faults", "control_url"]
    {
        assert!(!json[member].is_null(), "{member}: {json:#}");
    }
    assert_eq!(json["regions"]["eu-west-1"]["authorizers"][0]["status"], "ACTIVE");
}

#[test]
fn a_target_whose_state_directory_is_moved_away_ends_and_says_so() {
    let bench = Bench::empty();
    let mut child = bench.command(&["local", "up"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line == "ready"), "it is served");
    // Under its own name, by which the search for secrets knows a store.
    std::fs::create_dir(bench.path().join("elsewhere")).unwrap();
    std::fs::rename(bench.path().join(".thinggate"), bench.path().join("elsewhere/.thinggate")).unwrap();
    ended(&mut child, Duration::from_mins(1));
    let run = finish(child);
    assert_eq!(run.code, 1, "{run}");
    shown!(run.errors.lines().skip(1).collect::<Vec<_>>().join("\n"), @r#"
    error: the state directory was moved or removed; the target has ended
      at: .thinggate
      because: other commands no longer found the target, and no change could be written

    next: thinggate local up serves a new target; --state-dir names a directory that was moved
    "#);
    assert!(!bench.path().join(".thinggate").exists());
}
