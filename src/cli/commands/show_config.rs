//! `show-config`: every value of a stack with where it comes from, offline.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::args::Stacks;
use crate::cli::load::{self, Loaded};
use crate::cli::session::Session;
use crate::cli::target::default_architecture;
use crate::problem::Problem;
use crate::stack::{StackValue, Target, ValueOrigin, VariableOrigin, values};

/// The widest column of keys and values, in characters; a longer one pushes its origin on.
const WIDTH_MAX: usize = 72;

/// Prints the values of every stack.
pub(in crate::cli) fn run(session: &Session, stacks: &Stacks) -> Result<(), Problem> {
    let loaded = load::all(session, stacks)?;
    let configurations: Vec<_> = loaded.iter().map(|one| (one, effective(session, one))).collect();
    let texts: Vec<String> = configurations.iter().map(|(one, values)| text(one, values)).collect();
    let stacks: Vec<Value> = configurations
        .iter()
        .map(|(one, values)| {
            json!({
                "stack": one.stack.name.as_str(),
                "file": one.stack.file.display().to_string(),
                "values": values.iter().map(value).collect::<Vec<_>>(),
            })
        })
        .collect();
    session.printer.result(&texts.join("\n"), &json!({ "exit": 0, "stacks": stacks }));
    Ok(())
}

/// The values as they hold on this machine: what no file says may be decided here.
fn effective(session: &Session, loaded: &Loaded) -> Vec<StackValue> {
    let stack = &loaded.stack;
    let mut values = values(stack);
    for one in values.iter_mut().filter(|one| one.value.is_null()) {
        match (one.key.as_str(), stack.target) {
            ("function.architecture", target) => one.value = json!(default_architecture(target).as_str()),
            ("aws.profile", Target::Aws) => {
                if let Some(profile) = session.environment.get("AWS_PROFILE") {
                    one.value = json!(profile);
                    one.origin = ValueOrigin::Environment("AWS_PROFILE");
                }
            }
            _ => {}
        }
    }
    values
}

/// One line a value: key, value, origin.
fn text(loaded: &Loaded, values: &[StackValue]) -> String {
    let lines: Vec<(String, String)> = values
        .iter()
        .map(|one| {
            let value = if one.value.is_null() { "(none)".to_owned() } else { spaced(&one.value) };
            (format!("{} = {value}", one.key), origin(&one.origin))
        })
        .collect();
    let width = |line: &(String, String)| line.0.chars().count();
    let column = lines.iter().map(width).filter(|width| *width <= WIDTH_MAX).max().unwrap_or(0);
    let mut text = format!("# {}\n", loaded.stack.file.display());
    for (left, right) in lines {
        let _ = writeln!(text, "{left:<column$}  # {right}");
    }
    text
}

/// A value as TOML has it.
fn spaced(value: &Value) -> String {
    match value.as_array() {
        Some(list) => {
            let elements: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("[{}]", elements.join(", "))
        }
        None => value.to_string(),
    }
}

fn origin(origin: &ValueOrigin) -> String {
    match origin {
        ValueOrigin::Default => "default".to_owned(),
        ValueOrigin::Environment(name) => format!("environment {name}"),
        ValueOrigin::File { place, variables } => {
            let mut text = format!("{}:{}", place.file.display(), place.line);
            for (name, from) in variables {
                let _ = write!(text, ", {name} from {}", from_words(from));
            }
            text
        }
    }
}

fn from_words(origin: &VariableOrigin) -> String {
    match origin {
        VariableOrigin::Environment => format!("environment {origin}"),
        VariableOrigin::CommandLine | VariableOrigin::File(_) => origin.to_string(),
    }
}

fn value(one: &StackValue) -> Value {
    let origin = match &one.origin {
        ValueOrigin::Default => json!({ "kind": "default" }),
        ValueOrigin::Environment(name) => json!({ "kind": "environment", "name": name }),
        ValueOrigin::File { place, variables } => {
            let variables: Vec<Value> = variables
                .iter()
                .map(|(name, from)| match from {
                    VariableOrigin::CommandLine => json!({ "name": name, "kind": "--var" }),
                    VariableOrigin::Environment => {
                        json!({ "name": name, "kind": "environment", "variable": "THINGGATE_VAR" })
                    }
                    VariableOrigin::File(place) => json!({
                        "name": name, "kind": "file", "file": place.file.display().to_string(),
                        "line": place.line, "column": place.column,
                    }),
                })
                .collect();
            json!({
                "kind": "file", "file": place.file.display().to_string(),
                "line": place.line, "column": place.column, "variables": variables,
            })
        }
    };
    json!({ "key": one.key, "value": one.value, "origin": origin })
}
