//! What a pipeline's own system is told, by the real binary: golden texts, read by eye.

use std::process::Command;

use crate::support::{Bench, Run, run, shown};

/// The binary in a step of GitHub Actions, with a checkout around the folder.
fn github(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = bench.command(arguments);
    command.env("GITHUB_ACTIONS", "true").env("CI", "true").env("GITHUB_WORKSPACE", bench.path());
    for (variable, file) in [("GITHUB_STEP_SUMMARY", "summary.md"), ("GITHUB_OUTPUT", "values.txt")] {
        command.env(variable, bench.path().join(file));
    }
    command
}

/// Takes what was appended to a file.
fn taken(bench: &Bench, file: &str) -> String {
    let text = bench.read(file);
    bench.write(file, "");
    text
}

/// A text among the golden ones.
fn golden(output: String) -> Run {
    Run { code: 0, output, errors: String::new() }
}

/// The random end of a value of several lines.
fn masked(text: &str) -> String {
    let delimiter = text.split("result<<").nth(1).unwrap().lines().next().unwrap();
    assert!(delimiter.starts_with("thinggate_") && delimiter.len() == 42, "{delimiter}");
    assert_eq!(text.matches(delimiter).count(), 2, "it is no line of the value");
    let before = text.split("result<<").next().unwrap();
    format!("{before}result<<DELIMITER\n…\nDELIMITER\n")
}

#[test]
fn github_marks_what_is_wrong_at_its_line() {
    let bench = Bench::empty();
    bench.stack(
        "stacks/wrong.toml",
        &[("region ", "regoin "), ("default        = true", "default        = 1")],
    );
    shown!(run(github(&bench, &["validate", "stacks/wrong.toml", "--quiet"])), "report-github-validate");
    // Named from elsewhere, it is the same file of the repository.
    let mut elsewhere = github(&bench, &["plan", "wrong.toml", "--quiet"]);
    elsewhere.current_dir(bench.path().join("stacks"));
    let told = run(elsewhere);
    assert!(told.errors.contains("::error file=stacks/wrong.toml,line="), "{told}");
    assert_eq!(told.errors.matches("::error ").count(), 2, "each mistake once: {told}");
}

#[test]
fn github_is_told_of_plan_deploy_and_drift() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    let text = bench.read("stack.toml").replace("\n[[allow]]", "\n[tags]\nteam = \"iot\"\n\n[[allow]]");
    bench.write("stack.toml", &text.replace("bootstrap = ", "memory_mb = 512\nbootstrap = "));
    shown!(run(github(&bench, &["plan", "stack.toml", "--exit-code"])), "report-github-plan");
    shown!(golden(taken(&bench, "summary.md")), "report-github-plan-summary");
    shown!(golden(masked(&taken(&bench, "values.txt"))), "report-github-plan-values");
    shown!(run(github(&bench, &["deploy", "stack.toml", "--quiet"])), "report-github-deploy");
    shown!(golden(taken(&bench, "summary.md")), "report-github-deploy-summary");
    shown!(golden(masked(&taken(&bench, "values.txt"))), "report-github-deploy-values");
    bench.write("stack.toml", &bench.read("stack.toml").replace("memory_mb = 512", "memory_mb = 256"));
    let drift = run(github(&bench, &["drift", "stack.toml", "--quiet", "--output", "json"]));
    assert_eq!(drift.code, 2, "{drift}");
    serde_json::from_str::<serde_json::Value>(&drift.output).unwrap();
    assert!(drift.errors.starts_with("::warning file=stack.toml,line="), "{drift}");
    // Both of a step's commands are in its summary.
    run(github(&bench, &["drift", "stack.toml"]));
    assert_eq!(bench.read("summary.md").matches("### thinggate drift").count(), 2);
}

#[test]
fn no_pipeline_is_told_unless_there_is_one() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    let mut none = github(&bench, &["drift", "stack.toml", "--report", "none"]);
    none.env("GITLAB_CI", "true").env("CI_PROJECT_DIR", bench.path());
    let told = run(none);
    assert!(!told.errors.contains("::"), "{told}");
    let mut local = bench.command(&["drift", "stack.toml"]);
    local.env("GITHUB_STEP_SUMMARY", bench.path().join("summary.md"));
    run(local);
    assert!(!bench.path().join("summary.md").exists());
    // A summary that cannot be written changes nothing about the run.
    let mut broken = github(&bench, &["drift", "stack.toml"]);
    broken.env("GITHUB_STEP_SUMMARY", bench.path().join("nowhere/summary.md"));
    let told = run(broken);
    assert_eq!(told.code, 0, "{told}");
    assert!(told.errors.contains("note: this run's report is not complete"), "{told}");
}

#[test]
fn gitlab_is_told_in_its_own_forms() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    bench.write(
        "stack.toml",
        &bench.read("stack.toml").replace("bootstrap = ", "memory_mb = 512\nbootstrap = "),
    );
    let gitlab = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.env("GITLAB_CI", "true").env("CI", "true").env("CI_PROJECT_DIR", bench.path());
        run(command)
    };
    let told = gitlab(&["plan", "stack.toml"]);
    assert!(!bench.path().join("thinggate-plan.env").exists(), "unasked, nothing is written: {told}");
    let told = gitlab(&["plan", "stack.toml", "--report", "gitlab"]);
    assert_eq!(told.code, 0, "{told}");
    for file in ["thinggate-plan.codequality.json", "thinggate-plan.env", "thinggate-plan.terraform.json"] {
        let name = format!("report-gitlab-{}", file.trim_start_matches("thinggate-"));
        crate::support::settings().bind(|| insta::assert_snapshot!(name, bench.read(file)));
    }
    // A step that takes its time is in a section of the log.
    let told = gitlab(&["deploy", "stack.toml", "--report", "gitlab"]);
    assert!(told.errors.contains("\u{1b}[0Ksection_start:"), "{told}");
    assert!(
        told.errors.contains(":thinggate_deploy[collapsed=true]\r\u{1b}[0Kthinggate deploy stack.toml\n"),
        "{told}"
    );
    assert!(told.errors.contains(":thinggate_deploy\r\u{1b}[0K\n"), "{told}");
}

#[test]
fn every_line_of_jsonl_has_its_event() {
    let bench = Bench::new();
    let told = bench.ends(0, &["deploy", "stack.toml", "--output", "jsonl", "--quiet"]);
    let mut lines: Vec<&str> = told.output.lines().collect();
    let last = lines.pop().unwrap();
    // Steps beside each other end in any order, and a wait may take long or not at all.
    lines.retain(|line| !line.contains("\"event\":\"waiting\""));
    lines.sort_unstable();
    shown!(golden(format!("{}\n{last}\n", lines.join("\n"))), "report-jsonl");
    let told = bench.ends(64, &["deploy", "none.toml", "--output", "jsonl"]);
    let error: serde_json::Value = serde_json::from_str(&told.output).unwrap();
    assert_eq!((&error["event"], &error["exit"]), (&"error".into(), &64.into()));
}
