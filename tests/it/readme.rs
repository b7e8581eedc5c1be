//! What the README says exists.

use std::fs;

use crate::support::{Bench, checkout};

fn readme() -> String {
    fs::read_to_string(checkout().join("README.md")).unwrap()
}

/// The lines of the README's code blocks.
fn code_lines(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```").enumerate().filter(|(number, _)| number % 2 == 1);
    blocks.flat_map(|(_, block)| block.lines().skip(1)).collect()
}

/// The words of one shell command: quotes are taken off, comments left out.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, '#') if word.is_none() => break,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Every `thinggate …` of the code blocks, without `&`.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = code_lines(text);
    let parts = lines.iter().flat_map(|line| line.split(" && "));
    let mut found = Vec::new();
    for part in parts {
        let part = part
            .trim()
            .strip_prefix("cargo run -- ")
            .map_or(part.trim().to_owned(), |rest| format!("thinggate {rest}"));
        let mut words = words(&part);
        if words.first().is_some_and(|word| word == "thinggate") {
            words.retain(|word| word != "&");
            found.push(words);
        }
    }
    found
}

fn refusals(text: &str) -> Vec<String> {
    let parsed = commands(text).into_iter().map(|words| {
        let result = thinggate::cli::command().try_get_matches_from(&words);
        result.err().map(|error| format!("{}: {error}", words.join(" ")))
    });
    parsed.flatten().collect()
}

#[test]
fn every_command_of_the_readme_is_one() {
    let found = commands(&readme());
    assert!(found.len() >= 12, "{found:?}");
    assert_eq!(refusals(&readme()), Vec::<String>::new());
    let planted = "\n```sh\nthinggate device login local.toml --safe x   # shows a code\n```\n";
    assert_eq!(refusals(planted).len(), 1, "a flag that does not exist is seen");
}

/// The commands of the table, such as `device login`, with their flags.
#[test]
fn every_row_of_the_table_of_commands_is_a_command_with_those_flags() {
    let readme = readme();
    let table = readme.split("## Commands").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut seen = Vec::new();
    for row in table.lines().filter_map(|line| line.strip_prefix("| `")?.split("` |").next()) {
        let plain = row.replace("\\|", "|");
        let mut words = plain.split_whitespace();
        let name = words.next().unwrap();
        let command = thinggate::cli::command();
        let command = command.find_subcommand(name).unwrap_or_else(|| panic!("no command `{name}`"));
        seen.push(name.to_owned());
        for word in words {
            if let Some(flag) = word.strip_prefix("[--") {
                let flag = flag.trim_end_matches(']');
                let known = command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                assert!(known, "`{name}` has no flag `--{flag}`");
            } else if word.contains('|') {
                let below: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
                assert_eq!(word.split('|').collect::<Vec<_>>(), below, "{name}");
            }
        }
    }
    let command = thinggate::cli::command();
    let all: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(seen, all);
}

/// The targets of the links in a Markdown text that lead to files of the repository.
fn broken_links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.filter(|target| !checkout().join(target.split('#').next().unwrap_or(target)).exists()).collect()
}

#[test]
fn every_link_of_the_readme_leads_to_a_file() {
    assert_eq!(broken_links(&readme()), Vec::<&str>::new());
    assert_eq!(broken_links("see [it](docs/none.md)"), ["docs/none.md"]);
}

/// `key = value` and `[table]` in the README's running text.
#[test]
fn every_stack_key_that_the_readme_names_is_known() {
    let readme = readme();
    let (mut keys, bench) = (0, Bench::new());
    let base = bench.read("stack.toml");
    for piece in readme.split('`').skip(1).step_by(2).filter(|piece| piece.contains(" = ")) {
        let (key, value) = piece.split_once(" = ").unwrap();
        if !key.chars().all(|c| c.is_ascii_lowercase() || c == '_') || value == "NAME@REGION" {
            continue;
        }
        keys += 1;
        let unknown = format!("unknown key `{key}`");
        let tables = ["", "[token.hs256]", "[token]", "[authorizer]", "[function]", "[identity]"];
        let known = tables.iter().any(|table| {
            let text = if table.is_empty() {
                format!("{key} = {value}\n{base}")
            } else {
                base.replace(&format!("\n{table}\n"), &format!("\n{table}\n{key} = {value}\n"))
            };
            bench.write("edited.toml", &text);
            !bench.run(&["validate", "edited.toml"]).errors.contains(&unknown)
        });
        assert!(known, "`{key}` is no key of a stack file");
    }
    assert!(keys >= 2, "{keys} keys are named");
}
