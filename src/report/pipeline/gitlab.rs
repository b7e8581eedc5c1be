//! GitLab CI/CD: a code quality report, a dotenv report, a terraform report for its merge request widget,
//! sections of the log.
//!
//! Source: GitLab's documentation: "Code Quality report format", "artifacts:reports:dotenv" with its limits,
//! "artifacts:reports:terraform", "Custom collapsible sections"; how the last but two are read: gitlab-org/gitlab,
//! `app/services/ci/parse_dotenv_artifact_service.rb`, `lib/gitlab/ci/parsers/terraform/tfplan.rb`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Annotation, Level, fingerprint};
use crate::report::Report;
use crate::resource::Action;

/// The longest dotenv report, in bytes.
pub const VALUES_BYTES_MAX: usize = 5 * 1024;
/// Variables of a dotenv report, at most, on the smallest plan.
pub const VALUES_MAX: usize = 20;
/// What each variable begins with.
const PREFIX: &str = "THINGGATE_RESULT_";
/// Those that go first where there are too many.
const FIRST: [&str; 4] = ["exit", "verdict", "changes", "stack"];

/// The findings, each with a line that there is.
pub(super) fn code_quality(annotations: &[Annotation]) -> Value {
    let issue = |annotation: &Annotation| {
        json!({
            "description": format!("{}: {}", annotation.title, annotation.message),
            "check_name": format!("thinggate/{}", annotation.code),
            "fingerprint": fingerprint(annotation),
            "severity": match annotation.level {
                Level::Error => "critical",
                Level::Warning => "major",
                Level::Notice => "info",
            },
            "location": {
                "path": annotation.file,
                "lines": { "begin": annotation.line.unwrap_or(1) },
            },
        })
    };
    // Without a file there is nothing in a merge request to mark.
    annotations.iter().filter(|annotation| annotation.file.is_some()).map(issue).collect()
}

/// `NAME=value` lines: no empty line, no comment, no quotes, no blank, and no `$`, behind which GitLab looks for
/// another variable.
pub(super) fn dotenv(values: &BTreeMap<String, String>) -> String {
    let first = FIRST.iter().filter_map(|name| values.get_key_value(*name));
    let others = values.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    let mut text = String::new();
    for (name, value) in
        first.chain(others).filter(|(_, value)| !value.contains([' ', '"', '\'', '$'])).take(VALUES_MAX)
    {
        let line = format!("{PREFIX}{}={value}\n", name.to_ascii_uppercase());
        if text.len() + line.len() < VALUES_BYTES_MAX {
            let _ = write!(text, "{line}");
        }
    }
    text
}

/// What a plan would do.
pub(super) fn counts(reports: &[Report]) -> Value {
    let steps = || reports.iter().flat_map(|report| &report.steps);
    let count = |action| steps().filter(|step| step.action == action).count();
    json!({
        "create": count(Action::Create),
        "update": count(Action::Update),
        "delete": count(Action::Delete),
    })
}

/// A fold of the log. Times are in seconds since 1970.
pub(super) fn section(name: &str, title: &str, from: u64, until: u64) -> (String, String) {
    (
        format!("\u{1b}[0Ksection_start:{from}:{name}[collapsed=true]\r\u{1b}[0K{title}\n"),
        format!("\u{1b}[0Ksection_end:{until}:{name}\r\u{1b}[0K\n"),
    )
}
