//! A real process for each behaviour that a function can have.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use local::lambda_host::{Hosts, Invocation, Invokable, Invoked};
use serde_json::Value;

use crate::support;

/// Long enough for any machine; no test waits for it to pass.
const AMPLE: Duration = Duration::from_mins(1);
/// Waited for in full by the tests of time-outs.
const SHORT: Duration = Duration::from_millis(300);

fn function(behaviour: &str) -> Invokable {
    Invokable {
        arn: "arn:aws:lambda:eu-west-1:000000000000:function:thinggate-demo:live".into(),
        region: "eu-west-1".into(),
        function: "thinggate-demo".into(),
        function_id: "first".into(),
        role_id: "AROA".into(),
        version: "7".into(),
        package: "abc123".into(),
        environment: BTreeMap::from([("BEHAVIOUR".into(), behaviour.into())]),
        timeout: AMPLE,
        memory_mb: 256,
        handler: "bootstrap".into(),
        log_group: Some("/thinggate/demo".into()),
        concurrency_max: None,
    }
}

#[track_caller]
fn run(hosts: &Hosts, function: &Invokable, limit: Duration) -> Invocation {
    hosts.invoke(function, || Ok(support::package()), Bytes::from_static(b"{\"n\":1}"), limit)
}

fn answer(invocation: &Invocation) -> Value {
    match &invocation.invoked {
        Invoked::Answered(answer) => serde_json::from_slice(answer).unwrap(),
        other => panic!("{other:?}\n{:#?}", invocation.lines),
    }
}

#[test]
fn a_function_sees_its_event_and_lambdas_variables_and_nothing_else() {
    let hosts = Hosts::default();
    let mut echo = function("echo");
    echo.environment.insert("AWS_REGION".into(), "spoofed".into());
    let invocation = run(&hosts, &echo, AMPLE);
    let seen = answer(&invocation);
    assert_eq!(seen["event"], serde_json::json!({"n": 1}));
    assert_eq!(seen["AWS_LAMBDA_FUNCTION_NAME"], "thinggate-demo");
    assert_eq!(seen["AWS_LAMBDA_FUNCTION_VERSION"], "7");
    assert_eq!(seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(seen["AWS_REGION"], "eu-west-1");
    assert_eq!(seen["_HANDLER"], "bootstrap");
    assert_eq!(seen["AWS_LAMBDA_LOG_GROUP_NAME"], "/thinggate/demo");
    assert_eq!(seen["AWS_LAMBDA_LOG_STREAM_NAME"], invocation.stream);
    assert_eq!(seen["LAMBDA_TASK_ROOT"], seen["directory"]);
    assert_eq!(seen["header lambda-runtime-aws-request-id"], invocation.request_id);
    assert_eq!(seen["header lambda-runtime-invoked-function-arn"], echo.arn);
    let deadline: u64 = seen["header lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    assert!(deadline > 1_700_000_000_000);
    for leaked in ["HOME", "USER", "CARGO_MANIFEST_DIR", "AWS_SECRET_ACCESS_KEY"] {
        assert_eq!(seen[leaked], Value::Null, "{leaked}");
    }
}

/// What is done to a function.
type Change = fn(&mut Invokable);

#[test]
fn a_process_stays_warm_until_its_function_changes() {
    let hosts = Hosts::default();
    let echo = function("echo");
    let (first, second) = (run(&hosts, &echo, AMPLE), run(&hosts, &echo, AMPLE));
    assert_eq!(answer(&first)["pid"], answer(&second)["pid"]);
    assert_eq!(first.stream, second.stream);
    assert_ne!(first.request_id, second.request_id);
    assert!(first.lines.last().unwrap().contains("Init Duration"), "{:?}", first.lines);
    assert!(!second.lines.last().unwrap().contains("Init Duration"), "{:?}", second.lines);
    let changes: [(&str, Change); 4] = [
        ("environment", |changed| drop(changed.environment.insert("MORE".into(), "1".into()))),
        ("timeout", |changed| changed.timeout += Duration::from_secs(1)),
        ("role", |changed| changed.role_id = "AROB".into()),
        ("deleted and made again", |changed| changed.function_id = "second".into()),
    ];
    let (mut now, mut pid) = (echo, answer(&first)["pid"].clone());
    for (what, change) in changes {
        // One after the other, so that this change alone tells it from the process before.
        change(&mut now);
        let next = answer(&run(&hosts, &now, AMPLE))["pid"].clone();
        assert_ne!(pid, next, "{what}");
        assert_ended(&pid);
        pid = next;
    }
    drop(hosts);
    assert_ended(&pid);
}

#[test]
fn the_processes_of_a_function_that_is_gone_end() {
    let hosts = Hosts::default();
    let echo = function("echo");
    let other = Invokable { function: "other".into(), ..echo.clone() };
    let [pid, kept] = [&echo, &other].map(|function| answer(&run(&hosts, function, AMPLE))["pid"].clone());
    drop(hosts.take_orphans(|function| function.name == "thinggate-demo" && function.id == "first"));
    assert_ended(&pid);
    assert_eq!(answer(&run(&hosts, &other, AMPLE))["pid"], kept);
}

/// An ended and reaped process has no entry any more.
#[track_caller]
fn assert_ended(pid: &Value) {
    let entry = format!("/proc/{}", pid.as_str().unwrap());
    assert!(!std::path::Path::new(&entry).exists(), "{entry} is there");
}

#[test]
fn a_second_process_is_started_only_when_the_first_is_busy() {
    let hosts = Hosts::default();
    let hang = function("hang");
    thread::scope(|scope| {
        let busy = scope.spawn(|| run(&hosts, &hang, Duration::from_millis(700)));
        let second = run(&hosts, &hang, SHORT);
        assert_eq!(second.invoked, Invoked::TimedOut);
        let first = busy.join().unwrap();
        assert_eq!(first.invoked, Invoked::TimedOut);
        assert!(first.started && second.started);
        assert_ne!(first.stream, second.stream);
    });
}

#[test]
fn what_it_prints_is_between_lambdas_lines() {
    let mut chatty = function("answer");
    chatty.environment.insert("ANSWER".into(), "{}".into());
    chatty.environment.insert("PRINT".into(), "one\ntwo".into());
    chatty.environment.insert("PRINT_ERROR".into(), "three".into());
    let hosts = Hosts::default();
    for _ in 0..20 {
        let invocation = run(&hosts, &chatty, AMPLE);
        let id = &invocation.request_id;
        let (report, before) = invocation.lines.split_last().unwrap();
        let expected = [
            &format!("START RequestId: {id} Version: 7"),
            "one",
            "two",
            "three",
            &format!("END RequestId: {id}"),
        ];
        assert_eq!(before, expected);
        assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
        assert!(report.contains("\tMemory Size: 256 MB\tMax Memory Used: "), "{report}");
    }
}

#[test]
fn every_way_to_fail_is_told_apart() {
    let hosts = Hosts::default();
    let outcome = |behaviour| run(&hosts, &function(behaviour), AMPLE).invoked;
    let ordered = Invoked::Failed { kind: "Test.Problem".into(), message: "as ordered".into() };
    assert_eq!(outcome("error"), ordered);
    assert_eq!(outcome("init_error"), ordered);
    for behaviour in ["crash", "crash_at_start"] {
        let Invoked::Crashed(text) = outcome(behaviour) else { panic!("{behaviour}") };
        assert!(text.ends_with("Error: Runtime exited with error: exit status 7"), "{text}");
    }
    assert_eq!(outcome("malformed"), Invoked::Answered(Bytes::from_static(b"no JSON")));
}

#[test]
fn one_that_does_not_answer_is_ended_in_time() {
    let hosts = Hosts::default();
    for behaviour in ["hang", "hang_at_start"] {
        let began = Instant::now();
        let invocation = run(&hosts, &function(behaviour), SHORT);
        assert_eq!(invocation.invoked, Invoked::TimedOut, "{behaviour}");
        assert!(began.elapsed() >= SHORT && began.elapsed() < AMPLE / 4, "{:?}", began.elapsed());
        assert!(invocation.lines.iter().any(|line| line.contains("Task timed out after")), "{behaviour}");
    }
    let mut quick = function("hang");
    quick.timeout = SHORT;
    assert_eq!(run(&hosts, &quick, AMPLE).invoked, Invoked::TimedOut);
}

#[test]
fn the_time_that_a_start_takes_is_not_the_functions_own() {
    // Lambda Developer Guide, "Init phase": limited to 10 seconds, whatever the function's timeout is.
    let hosts = Hosts::default();
    let slow = Invokable { timeout: Duration::from_secs(1), ..function("slow_start") };
    let invocation = run(&hosts, &slow, AMPLE);
    assert_eq!(answer(&invocation)["isAuthenticated"], true);
    let report = invocation.lines.last().unwrap();
    let init = report.split("Init Duration: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!(init.parse::<f64>().unwrap() >= 1500.0, "{report}");
}

#[test]
fn one_that_ended_after_its_answer_is_replaced() {
    let hosts = Hosts::default();
    let once = function("answer_once");
    assert_eq!(run(&hosts, &once, AMPLE).invoked, Invoked::Answered(Bytes::from_static(b"1")));
    assert!(matches!(run(&hosts, &once, AMPLE).invoked, Invoked::Crashed(_)));
    assert_eq!(run(&hosts, &once, AMPLE).invoked, Invoked::Answered(Bytes::from_static(b"1")));
}

#[test]
fn what_cannot_start_is_said_as_lambda_says_it() {
    let hosts = Hosts::default();
    let start = |hash: &str, content: &[u8]| {
        let mut function = function("echo");
        function.package = hash.into();
        hosts.invoke(&function, || Ok(support::package_of(content)), Bytes::new(), AMPLE)
    };
    let text = start("a1", b"\x7fELF, but broken");
    assert!(!text.started);
    let Invoked::Failed { kind, message } = text.invoked else { panic!("{text:?}") };
    assert_eq!(kind, "Runtime.InvalidEntrypoint");
    assert!(message.contains("fork/exec /var/task/bootstrap"), "{message}");
    let no_zip = hosts.invoke(
        &Invokable { package: "a2".into(), ..function("echo") },
        || Ok(Bytes::from_static(b"no zip")),
        Bytes::new(),
        AMPLE,
    );
    assert!(matches!(no_zip.invoked, Invoked::Crashed(text) if text.contains("not a zip file")));
}

#[test]
fn a_relative_directory_works_and_what_was_in_it_goes() {
    let here = std::env::current_dir().unwrap();
    let place = tempfile::tempdir_in(&here).unwrap();
    let relative = place.path().strip_prefix(&here).unwrap().join("tasks");
    std::fs::create_dir(&relative).unwrap();
    std::fs::write(relative.join("left"), b"by a host that was killed").unwrap();
    let hosts = Hosts::below(relative.clone());
    assert_eq!(answer(&run(&hosts, &function("echo"), AMPLE))["event"]["n"], 1);
    assert!(!relative.join("left").exists());
}

#[test]
fn many_at_once_are_all_answered() {
    let hosts = Hosts::default();
    let echo = function("echo");
    let answered: usize = thread::scope(|scope| {
        let runs: Vec<_> = (0..40).map(|_| scope.spawn(|| run(&hosts, &echo, AMPLE))).collect();
        runs.into_iter().map(|run| usize::from(answer(&run.join().unwrap())["event"]["n"] == 1)).sum()
    });
    assert_eq!(answered, 40);
}
