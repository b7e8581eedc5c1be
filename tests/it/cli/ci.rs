//! `ci init`: what it writes, and that it writes over nothing.

use std::fs;

use crate::support::{Bench, Run, shown};

const STACK: &str = include_str!("../../../stacks/oidc-rs256.toml");

/// A folder with one stack for AWS in it, whose key is in Parameter Store.
fn bench() -> Bench {
    let bench = Bench::empty();
    let kept = "[signing.generated]\nstore = \"ssm:/thinggate/keys\"\n\n[token]\n";
    assert!(
        STACK.contains("[token]\n") && !STACK.contains("[signing"),
        "the example is as this test takes it"
    );
    bench.write("stacks/fleet.toml", &STACK.replace("[token]\n", kept));
    bench
}

fn all_files(bench: &Bench) -> Vec<String> {
    bench.files().into_iter().map(|file| file.display().to_string()).collect()
}

fn files(bench: &Bench) -> Vec<String> {
    all_files(bench).into_iter().filter(|file| !file.starts_with("stacks")).collect()
}

/// The run, and every file that it wrote.
fn written(service: &str, repository: &str) -> Run {
    let bench = bench();
    let command = ["ci", "init", service, "stacks/fleet.toml", "--repository", repository];
    let mut told = bench.ends(0, &command);
    for (role, purpose) in [("read", "drift"), ("deploy", "deploy")] {
        let printed = bench.ends(0, &["policy", "stacks/fleet.toml", "--for", purpose]).output;
        assert_eq!(bench.read(&format!("ci/fleet/{role}.policy.json")), printed);
    }
    for file in files(&bench).into_iter().filter(|file| !file.ends_with("policy.json")) {
        told.output.extend(["\n== ", &file, "\n", &bench.read(&file)]);
    }
    // As it would be written again: no obstacle.
    bench.ends(0, &command);
    told
}

#[test]
fn a_workflow_and_two_roles_for_each_service() {
    shown!(written("github", "octo-org/octo-repo"), "ci-github");
    shown!(written("gitlab", "my-group/my-project"), "ci-gitlab");
}

#[test]
fn what_is_there_stays_unless_it_is_said() {
    let bench = bench();
    let command = ["ci", "init", "github", "stacks/fleet.toml", "--repository=o/r"];
    bench.ends(0, &command);
    let trust = files(&bench).into_iter().find(|file| file.ends_with("deploy.trust.json")).unwrap();
    let whole = bench.read(&trust);
    bench.write(&trust, "mine");
    for file in files(&bench).iter().filter(|file| **file != trust) {
        fs::remove_file(bench.path().join(file)).unwrap();
    }
    let refused = bench.ends(64, &command);
    assert!(
        refused.errors.contains("deploy.trust.json") && refused.errors.contains("--force"),
        "{refused:?}"
    );
    assert_eq!(files(&bench), std::slice::from_ref(&trust), "all or nothing");
    assert_eq!(bench.read(&trust), "mine");
    bench.ends(0, &[&command[..], &["--force"]].concat());
    assert_eq!(bench.read(&trust), whole);
}

#[test]
fn what_no_pipeline_could_use_is_refused() {
    let bench = bench();
    bench.write("local.toml", include_str!("../../../stacks/local.toml"));
    for (arguments, says) in [
        (vec!["local.toml", "--repository=o/r"], "target"),
        (vec!["stacks/fleet.toml", "--repository=o"], "OWNER/REPO"),
        (vec!["stacks/fleet.toml", "--repository=o/r", "--branch=*"], "--branch"),
        (vec!["stacks/../stacks/fleet.toml", "--repository=o/r"], "below the repository's folder"),
        (vec!["stacks/none.toml", "--repository=o/r"], "none.toml"),
    ] {
        let run = bench.ends(64, &[&["ci", "init", "github"], &arguments[..]].concat());
        assert!(run.errors.contains(says), "{arguments:?}: {run:?}");
    }
    assert_eq!(all_files(&bench), ["local.toml", "stacks/fleet.toml"], "nothing is written");
}
