//! GitHub Actions: workflow commands, the job summary, step outputs.
//!
//! Source: "Workflow commands for GitHub Actions"; how the runner reads them: actions/runner,
//! `src/Runner.Common/ActionCommand.cs` and `src/Runner.Worker/FileCommandManager.cs`; how actions write them:
//! actions/toolkit, `packages/core/src/command.ts`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::{Annotation, Level};

/// Annotations of one level that GitHub shows of a step.
pub const ANNOTATIONS_MAX: usize = 10;
/// The longest summary of a step, in bytes; a longer one is refused whole.
pub const SUMMARY_BYTES_MAX: usize = 1024 * 1024;
/// How much of it one command takes: several may run in a step.
const OWN_BYTES_MAX: usize = SUMMARY_BYTES_MAX / 4;
/// The longest result that is handed on as an output, in bytes: all outputs of a job have 1 MiB.
const RESULT_BYTES_MAX: usize = 256 * 1024;

/// `::error file=…,line=…,col=…::…`
pub(super) fn command(annotation: &Annotation) -> String {
    let Annotation { level, code: _, file, line, column, end_column, title, message } = annotation;
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let numbers = [("line", line), ("col", column), ("endColumn", end_column)];
    let mut properties = Vec::new();
    if let Some(file) = file {
        properties.push(format!("file={}", property(file)));
        properties.extend(
            numbers.iter().filter_map(|(name, number)| number.map(|number| format!("{name}={number}"))),
        );
    }
    properties.push(format!("title={}", property(title)));
    format!("::{word} {}::{}\n", properties.join(","), data(message))
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A fold of the log.
pub(super) fn section(title: &str) -> (String, String) {
    (format!("::group::{}\n", data(title)), "::endgroup::\n".to_owned())
}

/// Text for the log in which nothing is a command to the runner: it takes `##[` anywhere, and `::` where a line
/// begins.
pub fn neutral(text: &str) -> String {
    let text = text.replace("##[", "## [");
    let lines = text.split_inclusive('\n').map(|line| {
        let start = line.len() - line.trim_start().len();
        match line[start..].strip_prefix("::") {
            Some(rest) => format!("{}: :{rest}", &line[..start]),
            None => line.to_owned(),
        }
    });
    lines.collect()
}

/// A summary that fits beside others.
pub(super) fn summary(markdown: &str) -> String {
    if markdown.len() <= OWN_BYTES_MAX {
        return markdown.to_owned();
    }
    let mut end = OWN_BYTES_MAX;
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    // A fence that was open ends here; where none was, an empty one is harmless.
    let fence = "`".repeat(64);
    format!("{}\n{fence}\n\n… and more, in the log\n\n", &markdown[..end])
}

/// `name=value` lines, and the whole result between delimiters.
pub(super) fn values(values: &BTreeMap<String, String>, result: &Value, delimiter: &str) -> String {
    let mut text = String::new();
    for (name, value) in values {
        let _ = writeln!(text, "{name}={value}");
    }
    let result = result.to_string();
    if result.len() <= RESULT_BYTES_MAX && !result.contains(delimiter) {
        let _ = writeln!(text, "result<<{delimiter}\n{result}\n{delimiter}");
    }
    text
}
