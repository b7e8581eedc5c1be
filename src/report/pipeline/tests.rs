use std::path::PathBuf;

use super::*;
use crate::report::Finding;
use crate::resource::{Difference, Kind};
use crate::stack::Origin;

fn difference(field: &str, key: Option<&'static str>, live: &str, desired: &str) -> Difference {
    Difference { field: field.to_owned(), key, live: live.to_owned(), desired: desired.to_owned() }
}

fn step(kind: Kind, name: &str, action: Action, differences: Vec<Difference>) -> StepReport {
    let (impact, name) = (Impact::None, name.to_owned());
    StepReport { kind, name, action, differences, impact, refusal: None, outcome: None }
}

fn at(line: usize, column: usize) -> Origin {
    let file = PathBuf::from("stacks/demo.toml");
    Origin { place: KeyPlace { file, line, column }, variables: Vec::new() }
}

/// A drift that has everything, some of it as nasty as an account can make it.
fn drifted() -> Report {
    let memory = difference("memory_mb", Some("function.memory_mb"), "512", "256");
    let tag = difference("tag team", Some("tags"), "```\n::error::x ##[error]y", "a|b");
    let status = difference("status", None, "INACTIVE", "ACTIVE");
    let mut authorizer = step(Kind::Authorizer, "door", Action::Update, vec![status]);
    authorizer.impact = Impact::All;
    let foreign = difference("authorizer", Some("authorizer.default"), "theirs", "door");
    let mut slot = step(Kind::DefaultAuthorizer, "door", Action::Update, vec![foreign]);
    slot.refusal = Some(("it is somebody else's".to_owned(), "aws iot clear-default-authorizer".to_owned()));
    let keys =
        [("name", at(1, 1)), ("tags", at(9, 1)), ("function", at(20, 2)), ("function.memory_mb", at(22, 1))];
    Report {
        verdict: Verdict::Different,
        steps: vec![
            step(Kind::Role, "thinggate-demo-eu-west-1", Action::Create, Vec::new()),
            step(Kind::LogGroup, "/thinggate/demo", Action::Keep, Vec::new()),
            step(Kind::Function, "thinggate-demo", Action::Update, vec![memory, tag]),
            authorizer,
            slot,
        ],
        findings: vec![Finding { code: "not_proven", what: "<b>not</b> proven".to_owned(), next: None }],
        places: Places(keys.map(|(key, origin)| (key.to_owned(), origin)).into()),
        ..Report::empty(Command::Drift, "demo", "stacks/demo.toml", "eu-west-1, account 000000000000 (local)")
    }
}

fn ended(reports: &[Report]) -> Ended<'_> {
    Ended { reports, verdict: Verdict::Different, calls: Calls { reads: 12, writes: 0 } }
}

#[test]
fn differences_are_marked_at_their_lines() {
    let lines: String = annotations(&drifted()).iter().map(command).collect();
    insta::assert_snapshot!(lines, @r"
    ::warning file=stacks/demo.toml,line=22,col=1,title=thinggate drift%3A function thinggate-demo::memory_mb: 512 -> 256
    ::warning file=stacks/demo.toml,line=9,col=1,title=thinggate drift%3A function thinggate-demo::tag team: ```%0A::error::x ##[error]y -> a|b
    ::error file=stacks/demo.toml,line=1,col=1,title=thinggate drift%3A default authorizer door::not done by deploy: it is somebody else's%0Anext: aws iot clear-default-authorizer
    ::warning file=stacks/demo.toml,line=1,col=1,title=thinggate drift%3A demo::create role thinggate-demo-eu-west-1%0Aupdate authorizer door (status: INACTIVE -> ACTIVE)%0Aupdate default authorizer door
    ");
}

/// actions/toolkit, `packages/core/src/command.ts`: `%`, CR and LF in data, `:` and `,` in properties too.
#[test]
fn what_means_something_to_the_runner_is_escaped() {
    let annotation = Annotation {
        level: Level::Error,
        code: "x".to_owned(),
        file: Some("a,b:c%.toml".to_owned()),
        line: Some(3),
        column: Some(4),
        end_column: Some(9),
        title: "50%, a: b\r\n".to_owned(),
        message: "100%\r\nline: two, three".to_owned(),
    };
    assert_eq!(
        command(&annotation),
        "::error file=a%2Cb%3Ac%25.toml,line=3,col=4,endColumn=9,title=50%25%2C a%3A b%0D%0A::100%25%0D%0Aline: two, three\n"
    );
    let without_a_file =
        Annotation { file: None, title: "x".to_owned(), message: "y".to_owned(), ..annotation };
    assert_eq!(command(&without_a_file), "::error title=x::y\n");
}

/// actions/runner, `ActionCommand.cs`: `##[` is looked for in all of a line, `::` where it begins.
#[test]
fn no_text_of_others_is_a_command() {
    assert_eq!(
        neutral("a\n  ::stop-commands::x\n::error::y\n a ::b:: c\n"),
        "a\n  : :stop-commands::x\n: :error::y\n a ::b:: c\n"
    );
    assert_eq!(neutral("x ##[add-mask]y"), "x ## [add-mask]y");
    assert_eq!(neutral("plain: text\n"), "plain: text\n");
}

#[test]
fn a_summary_shows_the_diff_and_nothing_in_it_is_markdown() {
    insta::assert_snapshot!("summary", ended(&[drifted()]).github("END", &[]).0);
}

#[test]
fn a_summary_says_what_went_wrong() {
    let problem =
        Problem::refused("wrong_account", "these credentials belong to another account").next("use others");
    let report = Report::of_problem(Command::Deploy, "demo", "demo.toml", "eu-west-1 (aws)", problem.clone());
    let (summary, _) = ended(&[report]).github("END", &[problem]);
    insta::assert_snapshot!(summary, @r"
    ### thinggate deploy: `demo`

    `eu-west-1 (aws)` · `demo.toml` · exit 4 (refused)

    ```text
    error: these credentials belong to another account

    next: use others
    ```

    ### thinggate: `wrong_account`

    ```text
    error: these credentials belong to another account

    next: use others
    ```
    ");
}

/// One that is longer than GitHub takes would be refused whole.
#[test]
fn a_long_summary_is_cut_between_characters() {
    let steps =
        (0..5000).map(|n| step(Kind::Role, &format!("é-{n}-{}", "é".repeat(100)), Action::Keep, Vec::new()));
    let report = Report { steps: steps.collect(), ..drifted() };
    let (summary, _) = ended(&[report]).github("END", &[]);
    assert!(summary.len() < SUMMARY_BYTES_MAX / 2 && summary.ends_with("… and more, in the log\n\n"));
}

#[test]
fn values_for_later_steps() {
    let outputs =
        [("function_arn", "arn:aws:lambda:x"), ("signing_key.key-1", "aa:bb"), ("odd", "two\nlines")];
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let report = Report { outputs, ..drifted() };
    let (_, values) = ended(std::slice::from_ref(&report)).github("END", &[]);
    let (lines, result) = values.split_once("result<<END\n").unwrap();
    insta::assert_snapshot!(lines, @r"
    changes=4
    exit=2
    function_arn=arn:aws:lambda:x
    reads=12
    signing_key_key_1=aa:bb
    stack=demo
    to_create=1
    to_delete=0
    to_update=3
    verdict=different
    writes=0
    ");
    let result: Value = serde_json::from_str(result.strip_suffix("\nEND\n").unwrap()).unwrap();
    assert_eq!(result["stacks"][0]["steps"].as_array().unwrap().len(), 5);
    let two = [report.clone(), report];
    assert!(!ended(&two).github("END", &[]).1.contains("function_arn="), "whose would it be?");
    let (_, values) = ended(&two).github("memory_mb", &[]);
    assert!(!values.contains("result<<"), "a delimiter that the value has would end it early");
}

/// GitLab, `parse_dotenv_artifact_service.rb`: each line has a `=`, at most 20 variables, under 5 KiB, and what
/// follows a `$` is filled in.
#[test]
fn a_dotenv_report_keeps_gitlab_s_limits() {
    let outputs = (0..40).map(|n| (format!("value_{n:02}"), "v".repeat(400)));
    let odd = [("dollar", "a$HOME"), ("blank", "a b"), ("quote", "a\"b")];
    let odd = odd.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let report = Report { outputs: outputs.chain(odd).collect(), ..drifted() };
    let text = ended(&[report]).dotenv();
    assert!(text.len() < VALUES_BYTES_MAX && text.lines().count() <= VALUES_MAX, "{text}");
    assert!(text.lines().all(|line| line.starts_with("THINGGATE_RESULT_") && line.contains('=')), "{text}");
    assert!(text.starts_with("THINGGATE_RESULT_EXIT=2\nTHINGGATE_RESULT_VERDICT=different\n"), "{text}");
    for name in ["DOLLAR", "BLANK", "QUOTE"] {
        assert!(!text.contains(name), "{text}");
    }
}

#[test]
fn a_code_quality_report() {
    let found = annotations(&drifted());
    let report = code_quality(&found);
    insta::assert_snapshot!(format!("{:#}", report[0]), @r#"
    {
      "check_name": "thinggate/drift",
      "description": "thinggate drift: function thinggate-demo: memory_mb: 512 -> 256",
      "fingerprint": "8ab2a03bb96d29a58c7d2f91c77cf0142afadd863547172d5059a91cb9bf2e11",
      "location": {
        "lines": {
          "begin": 22
        },
        "path": "stacks/demo.toml"
      },
      "severity": "major"
    }
    "#);
    let issues = report.as_array().unwrap();
    let mut prints: Vec<&str> = issues.iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!((prints.len(), issues.len()), (4, 4), "each has its own");
    let moved: Vec<Annotation> =
        found.into_iter().map(|one| Annotation { line: one.line.map(|line| line + 7), ..one }).collect();
    assert_eq!(code_quality(&moved)[0]["fingerprint"], report[0]["fingerprint"], "lines move");
    assert_eq!(ended(&[drifted()]).counts(), serde_json::json!({"create": 1, "update": 3, "delete": 0}));
}

/// GitLab, "Custom collapsible sections"; GitHub, "Grouping log lines".
#[test]
fn sections_of_a_log() {
    let (open, close) =
        section(System::GitLab, "thinggate_plan", "thinggate plan a.toml", 1_600_000_000, 1_600_000_009);
    assert_eq!(
        open,
        "\x1b[0Ksection_start:1600000000:thinggate_plan[collapsed=true]\r\x1b[0Kthinggate plan a.toml\n"
    );
    assert_eq!(close, "\x1b[0Ksection_end:1600000009:thinggate_plan\r\x1b[0K\n");
    let (open, close) = section(System::GitHub, "thinggate_plan", "50%", 0, 0);
    assert_eq!((open.as_str(), close.as_str()), ("::group::50%25\n", "::endgroup::\n"));
}
