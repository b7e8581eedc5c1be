//! The demo: every line with the real authorizer, and each way in which a line can be wrong.

use std::process::Command;

use rustix::process::Signal;

use crate::cli::configuration;
use crate::support::{
    Behaviour, Bench, Run, Served, Talk, bootstrap, checkout, finish, run, shown, with_cargo,
};

/// The demo in the bench's folder. OpenAM's interval between two polls is left out.
fn demo(bench: &Bench, flags: &[&str]) -> Command {
    bench.command(&[&["demo", "--identity-interval-s", "0", "--state-dir", ".thinggate"], flags].concat())
}

/// The demo with a binary of one behaviour.
fn with(behaviour: Behaviour, flags: &[&str]) -> Run {
    let (bench, binary) = (Bench::empty(), bootstrap(behaviour));
    run(demo(&bench, &[&["--bootstrap", binary.to_str().unwrap()], flags].concat()))
}

/// The numbers and names of the lines that held.
fn lines(run: &Run) -> Vec<String> {
    let names = run.output.lines().map(|line| line.get(..28).unwrap_or(line).trim().to_owned());
    names.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What differs from run to run in a line of the demo.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let (bare, space) = word.split_at(word.trim_end().len());
        let is_code = bare.len() == 9 && bare.as_bytes()[4] == b'-' && bare.to_ascii_uppercase() == bare;
        let is_number = bare.starts_with('(') && bare[1..].trim_end_matches(')').parse::<u32>().is_ok();
        masked += match bare {
            _ if is_code => "CODE",
            _ if is_number => "(PID)",
            _ if bare.starts_with("http://127.0.0.1:") => "ADDRESS",
            other => other,
        };
        masked += space;
    }
    masked
}

/// The demo as a newcomer runs it: the authorizer is built from the sources. Its lines are the README's.
#[test]
fn the_whole_story_with_the_real_authorizer() {
    let bench = Bench::empty();
    let state = bench.path().join(".thinggate");
    let flags = ["demo", "--identity-interval-s", "0", "--state-dir", state.to_str().unwrap()];
    let mut command = bench.command(&flags);
    with_cargo(command.current_dir(checkout()));
    let ended = run(command);
    assert_eq!(ended.code, 0, "{ended}");
    shown!(masked(&ended.output), "demo");
    let readme = std::fs::read_to_string(checkout().join("README.md")).unwrap();
    assert!(masked(&readme).contains(masked(&ended.output).trim_end()), "the README shows other lines");
    nothing_left(&bench);
}

/// The account is empty, and so is the folder of keys.
fn nothing_left(bench: &Bench) {
    let state: serde_json::Value = serde_json::from_str(&bench.read(".thinggate/state.json")).unwrap();
    let text = state.to_string();
    for name in ["thinggate-local-demo", "iot-openam-authorizer", "/thinggate/local-demo"] {
        assert!(!text.contains(name), "{name} is left: {text}");
    }
    let files = bench.files();
    assert!(
        files.iter().all(|file| file.extension().is_none_or(|end| end != "pem") || file.ends_with("ca.pem")),
        "{files:?}"
    );
}

const UP_TO_LOGIN: [&str; 4] = ["1 local target", "2 deploy", "3 follower", "4 device login"];

#[test]
fn an_authorizer_that_always_allows_fails_at_the_tampered_token() {
    let ended = with(Behaviour::Allows, &[]);
    assert_eq!((ended.code, lines(&ended).len()), (1, 6), "{ended}");
    assert_eq!(lines(&ended).last().unwrap(), "6 wrong token signature");
    assert!(ended.errors.contains("error: line 7 does not hold: tampered, re-signed"), "{ended}");
    assert!(ended.errors.contains("because: the device got 200"), "{ended}");
}

/// Fails where a good token's message is published, because of `word` in the target's log.
fn fails_at_publish(ended: &Run, word: &str) {
    assert_eq!((ended.code, lines(ended)), (1, UP_TO_LOGIN.map(str::to_owned).to_vec()), "{ended}");
    assert!(ended.errors.contains("error: line 5 does not hold: "), "{ended}");
    assert!(ended.errors.contains(word), "{ended}");
    assert!(ended.errors.contains("\nnext: "), "{ended}");
}

#[test]
fn an_authorizer_that_always_denies_fails_at_the_good_message() {
    fails_at_publish(&with(Behaviour::Denies, &[]), "denied_by_authorizer");
}

#[test]
fn an_authorizer_that_crashes_fails_at_the_good_message() {
    fails_at_publish(&with(Behaviour::Crashes, &[]), "function_crash");
}

#[test]
fn an_authorizer_that_never_answers_fails_at_the_good_message() {
    let ended = with(Behaviour::NeverAnswers, &["--authorizer-limit-ms", "300"]);
    fails_at_publish(&ended, "function_timeout");
}

/// A demo that waits after each line, at line `number`.
fn stepping(bench: &Bench, number: usize) -> Talk {
    let binary = bootstrap(Behaviour::Allows);
    let mut talk = Talk::start(demo(bench, &["--step", "--bootstrap", binary.to_str().unwrap()]));
    talk.until(" 1  local target");
    for line in 2..=number {
        talk.enter();
        talk.until(&format!("{line:>2}  "));
    }
    talk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_permission_fails_at_the_good_message() {
    let bench = Bench::empty();
    let talk = stepping(&bench, 4);
    let lambda = aws_sdk_lambda::Client::new(&configuration(&Served::of(&bench)));
    let remove = lambda.remove_permission().function_name("thinggate-local-demo").qualifier("live");
    remove.statement_id("thinggate-iot").send().await.unwrap();
    fails_at_publish(&talk.finish(), "missing_invoke_permission");
}

#[test]
fn a_broker_that_drops_fails_at_the_good_message() {
    let bench = Bench::empty();
    let talk = stepping(&bench, 1);
    Served::of(&bench).admin("POST", "/_local/broker", "{\"drop_messages\": true}");
    fails_at_publish(&talk.finish(), "the follower does not see the message");
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let bench = Bench::empty();
    let mut talk = stepping(&bench, 3);
    talk.signal(Signal::INT);
    talk.until("stopping: ");
    let ended = talk.finish();
    assert_eq!(ended.code, 130, "{ended}");
    assert!(ended.errors.contains("thinggate demo, which goes on from there"), "{ended}");
}

#[test]
fn a_kept_demo_stays_until_ctrl_c() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    let source = checkout().join("authorizer");
    bench
        .stack("real.toml", &[("[authorizer]", &format!("[function]\nsource = {source:?}\n\n[authorizer]"))]);
    let mut command = demo(&bench, &["--keep", "real.toml"]);
    with_cargo(&mut command);
    let mut talk = Talk::start(command);
    talk.until("everything stays as it is until Ctrl-C");
    let seen = finish(bench.command(&["drift", "real.toml", "--quiet"]).spawn().unwrap());
    assert_eq!(seen.code, 0, "{seen}");
    talk.signal(Signal::INT);
    let ended = talk.finish();
    assert_eq!(ended.code, 0, "{ended}");
}

#[test]
fn json_is_one_value_and_json_lines_are_lines() {
    let ended = with(Behaviour::Denies, &["--output", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!((value["exit"].as_i64(), value["error"]["code"].as_str()), (Some(1), Some("demo_line")));
    let ended = with(Behaviour::Denies, &["--output", "jsonl"]);
    for line in ended.output.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}
