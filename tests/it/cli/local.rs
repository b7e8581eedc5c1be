//! `local …` beside `local follow`: what the target says about itself and about a refusal.

use serde_json::Value;

use crate::support::{Bench, Served, shown};

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
