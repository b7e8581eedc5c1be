//! Help, flags, and the table of exit codes.

use std::collections::BTreeMap;
use std::fs;

use thinggate::problem::{ProblemKind, Verdict};

use crate::support::{Bench, checkout, shown};

#[test]
fn help_of_the_program() {
    let bench = Bench::empty();
    shown!(bench.run(&["--help"]), "help-help");
    shown!(bench.run(&["--version"]), @r#"
    exit 0
    -- output
    thinggate 0.1.0
    "#);
    shown!(bench.run(&[]), "help-nothing");
}

#[test]
fn help_of_the_commands_for_stacks() {
    let bench = Bench::empty();
    shown!(bench.run(&["init", "-h"]), "help-init");
    shown!(bench.run(&["validate", "-h"]), "help-validate");
    shown!(bench.run(&["plan", "-h"]), "help-plan");
    shown!(bench.run(&["deploy", "-h"]), "help-deploy");
    shown!(bench.run(&["drift", "-h"]), "help-drift");
    shown!(bench.run(&["destroy", "-h"]), "help-destroy");
    shown!(bench.run(&["outputs", "-h"]), "help-outputs");
    shown!(bench.run(&["show-config", "-h"]), "help-show-config");
    shown!(bench.run(&["completions", "-h"]), "help-completions");
    shown!(bench.run(&["policy", "-h"]), "help-policy");
}

#[test]
fn help_of_the_others() {
    let bench = Bench::empty();
    shown!(bench.run(&["device", "-h"]), "help-device");
    shown!(bench.run(&["device", "publish", "-h"]), "help-device-publish");
    shown!(bench.run(&["local", "-h"]), "help-local");
    shown!(bench.run(&["local", "follow", "-h"]), "help-local-follow");
    shown!(bench.run(&["demo", "-h"]), "help-demo");
}

#[test]
fn help_names_variables_and_shows_no_value() {
    let mut command = Bench::empty().command(&["device", "publish", "--help"]);
    command.env("THINGGATE_TOKEN_SIGNATURE", "c2lnbmF0dXJl").env("HOME", "/").current_dir("/");
    let shown = crate::support::run(command);
    assert_eq!(shown.code, 0, "{shown}");
    assert!(shown.output.contains("[env: THINGGATE_TOKEN_SIGNATURE]"), "{shown}");
    assert!(!shown.output.contains("c2lnbmF0dXJl"), "{shown}");
}

/// Each flag of each command with its environment variable.
fn flags(command: &clap::Command, path: &str, found: &mut BTreeMap<String, Option<String>>) {
    for argument in command.get_arguments().filter(|argument| !argument.is_positional()) {
        let name = argument.get_id().to_string();
        if name == "help" || name == "version" {
            continue;
        }
        let variable = argument.get_env().map(|variable| variable.to_string_lossy().into_owned());
        found.insert(format!("{path} --{}", argument.get_long().unwrap_or(&name)), variable);
    }
    for below in command.get_subcommands() {
        flags(below, &format!("{path} {}", below.get_name()), found);
    }
}

#[test]
fn every_flag_has_an_environment_variable_of_its_own() {
    let mut found = BTreeMap::new();
    flags(&thinggate::cli::command(), "thinggate", &mut found);
    assert!(found.len() > 20, "{found:?}");
    let without: Vec<&String> =
        found.iter().filter(|(_, variable)| variable.is_none()).map(|(flag, _)| flag).collect();
    assert!(without.is_empty(), "{without:?}");
    let mut flag_of: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, variable) in &found {
        let (variable, flag) = (variable.as_deref().unwrap(), path.rsplit(' ').next().unwrap());
        assert!(variable.starts_with("THINGGATE_"), "{path}: {variable}");
        assert_eq!(*flag_of.entry(variable).or_insert(flag), flag, "{variable} has two meanings");
    }
}

/// All verdicts. A new kind does not compile here before it has a place in the list.
fn verdicts() -> Vec<Verdict> {
    let kinds = [
        ProblemKind::Usage,
        ProblemKind::Credentials,
        ProblemKind::Held,
        ProblemKind::Refused,
        ProblemKind::Disproved,
        ProblemKind::Interrupted,
        ProblemKind::Failed,
    ];
    for kind in kinds {
        match kind {
            ProblemKind::Usage
            | ProblemKind::Credentials
            | ProblemKind::Held
            | ProblemKind::Refused
            | ProblemKind::Disproved
            | ProblemKind::Interrupted
            | ProblemKind::Failed => {}
        }
    }
    [Verdict::Done, Verdict::Different].into_iter().chain(kinds.map(Verdict::Problem)).collect()
}

/// The first words of what a code means, by code.
fn first_words<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<u8, String> {
    lines
        .filter_map(|(code, means)| {
            let words = means.trim().split([':', '(']).next().unwrap_or_default();
            Some((code.trim().parse().ok()?, words.trim().to_owned()))
        })
        .collect()
}

#[test]
fn readme_and_help_tell_the_exit_codes_that_the_program_has() {
    let readme = fs::read_to_string(checkout().join("README.md")).unwrap();
    let table = readme.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let readme = first_words(
        table.lines().filter_map(|line| line.strip_prefix("| ")?.trim_end_matches(" |").split_once(" | ")),
    );
    let help = thinggate::cli::command().render_help().to_string();
    let help = help.split("Exit codes:").nth(1).unwrap();
    let help = first_words(help.lines().filter_map(|line| line.trim().split_once("  ")));
    assert_eq!(readme, help);
    let mut codes: Vec<u8> = verdicts().into_iter().map(Verdict::exit).collect();
    codes.sort_unstable();
    assert_eq!(codes, readme.into_keys().collect::<Vec<_>>());
}
