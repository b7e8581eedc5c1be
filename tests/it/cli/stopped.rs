//! Ctrl-C, SIGTERM, and a state directory that somebody else has.

use std::time::Duration;

use rustix::process::Signal;

use super::drift::configuration;
use crate::support::{Bench, Served, Talk, shown};

/// A deploy whose third mutating call has had its effect, and waits for the reply.
fn held(bench: &Bench, served: &Served) -> Talk {
    served.admin("POST", "/_local/faults", "{\"hold_reply_of\": 3}");
    let talk = Talk::start(bench.command(&["deploy", "stack.toml"]));
    let faults = served.admin("GET", "/_local/faults?wait_ms=50000", "");
    assert_eq!(faults["held"], true, "{faults}");
    talk
}

fn interrupted(signal: Signal) {
    let bench = Bench::new();
    let served = Served::start(&bench, &[]);
    let mut talk = held(&bench, &served);
    talk.signal(signal);
    talk.until("stopping: calls in flight finish");
    served.admin("DELETE", "/_local/faults", "");
    let ended = talk.finish();
    assert_eq!(ended.code, 130, "{ended}");
    // What is done, and how to go on.
    let done = ended.output.matches(" created").count();
    assert!((1..8).contains(&done), "{ended}");
    assert!(ended.output.contains(&format!("{done} of 8 steps done, then stopped")), "{ended}");
    assert!(ended.errors.contains("next: run the same command again"), "{ended}");
    bench.ends(0, &["deploy", "stack.toml"]);
    bench.ends(0, &["drift", "stack.toml"]);
}

#[test]
fn a_first_ctrl_c_lets_calls_finish() {
    interrupted(Signal::INT);
}

#[test]
fn sigterm_is_as_ctrl_c() {
    interrupted(Signal::TERM);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let bench = Bench::new();
    let served = Served::start(&bench, &[]);
    let mut talk = held(&bench, &served);
    talk.signal(Signal::INT);
    talk.until("stopping: calls in flight finish");
    talk.signal(Signal::INT);
    let ended = talk.finish();
    assert_eq!(ended.code, 130, "{ended}");
    assert_eq!(served.admin("GET", "/_local/faults", "")["held"], true, "the call was still in flight");
    served.admin("DELETE", "/_local/faults", "");
    bench.ends(0, &["deploy", "stack.toml"]);
}

/// Takes the lock of the bench's state directory, as another process would.
fn holder(bench: &Bench) -> local::state_directory::StateDirectory {
    let folder = bench.path().join(".thinggate");
    let command = "thinggate deploy other.toml";
    local::state_directory::StateDirectory::open(&folder, command, Duration::ZERO).unwrap()
}

#[test]
fn a_state_directory_that_another_process_has() {
    let bench = Bench::new();
    let held = holder(&bench);
    shown!(bench.run(&["plan", "stack.toml", "--lock-timeout", "0"]), @r#"
    exit 5
    -- errors
    error: another process holds the local target's state
      at: .thinggate
      because: process PID holds it: thinggate deploy other.toml

    next: wait for it, or run `thinggate local up` once: it serves many commands at the same time
    "#);
    shown!(bench.run(&["local", "up", "--lock-timeout", "0"]), @r#"
    exit 5
    -- errors
    error: another process holds the local target's state
      at: .thinggate
      because: process PID holds it: thinggate deploy other.toml

    next: wait for it, or run `thinggate local up` once: it serves many commands at the same time
    "#);
    let mut talk = Talk::start(bench.command(&["plan", "stack.toml"]));
    talk.until("waiting for process");
    drop(held);
    let ended = talk.finish();
    assert_eq!(ended.code, 0, "{ended}");

    let held = holder(&bench);
    let mut talk = Talk::start(bench.command(&["plan", "stack.toml"]));
    talk.until("waiting for process");
    talk.signal(Signal::INT);
    let ended = talk.finish();
    drop(held);
    assert_eq!(ended.code, 130, "{ended}");
}

#[test]
fn a_target_that_is_served_already() {
    let bench = Bench::new();
    let _served = Served::start(&bench, &[]);
    shown!(bench.run(&["local", "up"]), @r#"
    exit 5
    -- errors
    error: another process serves this local target already
      at: .thinggate
      because: process PID serves it at http://127.0.0.1:PORT

    next: use it as it is, end that process, or name another folder with --state-dir
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_resources_of_the_same_names() {
    let bench = Bench::new();
    let served = Served::start(&bench, &[]);
    let configuration = configuration(&served);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&configuration);
    logs.create_log_group().log_group_name("/thinggate/local-demo").send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(&configuration);
    let trust = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\
                 {\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
    let role = iam.create_role().role_name("thinggate-local-demo-eu-west-1");
    let tag =
        aws_sdk_iam::types::Tag::builder().key("thinggate:stack").value("other@eu-west-1").build().unwrap();
    role.assume_role_policy_document(trust).tags(tag).send().await.unwrap();
    served.admin("POST", "/_local/faults", "{}");
    shown!(bench.run(&["deploy", "stack.toml", "--quiet"]), @r#"
    exit 4
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

      + signing key         keys/local-demo@eu-west-1       create
      ~ role                thinggate-local-demo-eu-west-1  update
          description:  -> Lets the function of thinggate local-demo@eu-west-1 write its log
          inline policy thinggate-logs: none -> {"Statement":[{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":"arn:aws:logs:eu-west-1:000000000000:log-group:/thinggate/local-demo:*"}],"Version":"2012-10-17"}
          tag thinggate:stack: other@eu-west-1 -> local-demo@eu-west-1
      ~ log group           /thinggate/local-demo           update
          retention_days: never expires -> 30   [function.log_retention_days]
          tag thinggate:stack: none -> local-demo@eu-west-1
      + function            thinggate-local-demo            create
      + release             thinggate-local-demo:live       create
      + permission          thinggate-iot                   create
      + authorizer          iot-openam-authorizer           create
      + default authorizer  iot-openam-authorizer           create

    nothing was changed
    -- errors
    error: resources of this stack's names exist and are not this stack's; nothing was changed
      because: role thinggate-local-demo-eu-west-1: its tag `thinggate:stack` says other@eu-west-1
      because: log group /thinggate/local-demo: it has no tag `thinggate:stack`

    next: choose another `name` in the stack file, or delete what is listed if nobody needs it
    "#);
    shown!(bench.run(&["destroy", "stack.toml", "--yes", "--delete-key", "--quiet"]), @r#"
    exit 4
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

      - log group  /thinggate/local-demo           delete
      - role       thinggate-local-demo-eu-west-1  delete  devices: all devices

    nothing was changed
    -- errors
    error: resources of this stack's names exist and are not this stack's; nothing was changed
      because: role thinggate-local-demo-eu-west-1: its tag `thinggate:stack` says other@eu-west-1
      because: log group /thinggate/local-demo: it has no tag `thinggate:stack`

    next: choose another `name` in the stack file, or delete what is listed if nobody needs it
    "#);
    bench.ends(2, &["drift", "stack.toml"]);
    assert_eq!(served.admin("GET", "/_local/faults", "")["mutating_calls"], 0);
    assert!(!bench.path().join("keys").exists(), "no key was made");
}
