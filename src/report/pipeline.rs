//! What a pipeline's own system shows of a run: marks at lines of the stack file, a summary, values for later
//! steps. All of it is derived from the same reports as everything else.

mod github;
mod gitlab;
mod markdown;

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

pub use github::{ANNOTATIONS_MAX, SUMMARY_BYTES_MAX, neutral};
pub use gitlab::{VALUES_BYTES_MAX, VALUES_MAX};

use super::{Calls, Command, Report, StepReport, json};
use crate::problem::{Problem, ProblemKind, Verdict};
use crate::resource::{Action, Impact};
use crate::stack::{self, KeyPlace, Places};

/// Whose pipeline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI/CD.
    GitLab,
}

/// How bad it is what an annotation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The run did not do what was asked.
    Error,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Notice,
}

/// A mark at a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How bad it is.
    pub level: Level,
    /// A stable word, such as `unknown_key` or `drift`.
    pub code: String,
    /// The file, from the top of the repository; none where nothing was named.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column, from 1, in characters.
    pub column: Option<usize>,
    /// The last column that is meant.
    pub end_column: Option<usize>,
    /// In a few words.
    pub title: String,
    /// What is to be said; may have several lines.
    pub message: String,
}

impl Annotation {
    /// Of something found in a stack file.
    pub fn of_stack(level: Level, finding: &stack::Finding) -> Self {
        let help = finding.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        Self {
            level,
            code: finding.code.to_owned(),
            file: Some(finding.file.display().to_string()),
            line: Some(finding.line),
            column: Some(finding.column),
            end_column: Some(finding.column + finding.length.max(1) - 1),
            title: if finding.key.is_empty() { "stack file".to_owned() } else { finding.key.clone() },
            message: format!("{}{help}", finding.message),
        }
    }

    /// Of a problem; `file` is the stack's, if it is a stack's.
    pub fn of_problem(file: Option<&str>, problem: &Problem) -> Self {
        let mut message = problem.what.clone();
        let place = problem.place.iter().map(|place| format!("at: {place}"));
        let because = problem.because.iter().map(|because| format!("because: {because}"));
        let next = problem.next.iter().map(|next| format!("next: {next}"));
        for line in place.chain(because).chain(next) {
            message.push('\n');
            message.push_str(&line);
        }
        Self {
            level: Level::Error,
            code: problem.code.to_owned(),
            file: file.map(str::to_owned),
            line: None,
            column: None,
            end_column: None,
            title: format!("thinggate: {}", problem.code),
            message,
        }
    }

    fn at(mut self, place: Option<&KeyPlace>) -> Self {
        if let Some(KeyPlace { file, line, column }) = place {
            self.file = Some(file.display().to_string());
            (self.line, self.column) = (Some(*line), Some(*column));
        }
        self
    }
}

/// The annotations of one report: what differs at the line that says otherwise, what is refused, and what
/// ended it.
pub fn annotations(report: &Report) -> Vec<Annotation> {
    let mut found = Vec::new();
    let mut elsewhere = Vec::new();
    let name = place(&report.places, "name");
    for step in &report.steps {
        if let Some((because, next)) = &step.refusal {
            let message = format!("not done by deploy: {because}\nnext: {next}");
            found.push(of_step(report, step, Level::Error, "refused", message).at(name));
        }
        if !matches!(report.command, Command::Plan | Command::Drift) || step.action == Action::Keep {
            continue;
        }
        let level = level(report.command, step);
        let code = report.command.word();
        let mut without_a_line = step.differences.is_empty();
        for difference in &step.differences {
            let text = format!("{}: {} -> {}", difference.field, difference.live, difference.desired);
            match difference.key.and_then(|key| place(&report.places, key)) {
                Some(at) => found.push(of_step(report, step, level, code, text).at(Some(at))),
                None => without_a_line = true,
            }
        }
        if without_a_line {
            elsewhere.push(step);
        }
    }
    if let Some(worst) = elsewhere.iter().map(|step| level(report.command, step)).min() {
        let lines: Vec<String> = elsewhere.iter().map(|step| line(step)).collect();
        found.push(
            Annotation {
                level: worst,
                code: report.command.word().to_owned(),
                file: Some(report.file.clone()),
                line: None,
                column: None,
                end_column: None,
                title: format!("thinggate {}: {}", report.command.word(), report.stack),
                message: lines.join("\n"),
            }
            .at(name),
        );
    }
    if let Some(problem) = &report.problem {
        found.push(Annotation::of_problem(Some(&report.file), problem).at(name));
    }
    found
}

/// A plan is what is wanted; drift is not.
fn level(command: Command, step: &StepReport) -> Level {
    if command == Command::Drift || step.impact > Impact::None { Level::Warning } else { Level::Notice }
}

fn of_step(report: &Report, step: &StepReport, level: Level, code: &str, message: String) -> Annotation {
    Annotation {
        level,
        code: code.to_owned(),
        file: Some(report.file.clone()),
        line: None,
        column: None,
        end_column: None,
        title: format!("thinggate {}: {} {}", report.command.word(), step.kind.noun(), step.name),
        message,
    }
}

/// A step with all its reasons, where no line of the file says otherwise.
fn line(step: &StepReport) -> String {
    let keyless = step.differences.iter().filter(|difference| difference.key.is_none());
    let reasons: Vec<String> =
        keyless.map(|one| format!("{}: {} -> {}", one.field, one.live, one.desired)).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
    format!("{} {} {}{reasons}", step.action.word(), step.kind.noun(), step.name)
}

/// Where a key stands, or the nearest table above it.
fn place<'p>(places: &'p Places, key: &str) -> Option<&'p KeyPlace> {
    let mut key = key;
    loop {
        if let Some(origin) = places.0.get(key) {
            return Some(&origin.place);
        }
        key = key.rsplit_once('.')?.0;
    }
}

/// A verdict in one word, for scripts.
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "done",
        Verdict::Different => "different",
        Verdict::Problem(ProblemKind::Usage) => "usage",
        Verdict::Problem(ProblemKind::Credentials) => "credentials",
        Verdict::Problem(ProblemKind::Held) => "held",
        Verdict::Problem(ProblemKind::Refused) => "refused",
        Verdict::Problem(ProblemKind::Disproved) => "disproved",
        Verdict::Problem(ProblemKind::Interrupted) => "interrupted",
        Verdict::Problem(ProblemKind::Failed) => "failed",
    }
}

/// One command, ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'r> {
    /// The report of each stack, in the order of the command line.
    pub reports: &'r [Report],
    /// What it comes to.
    pub verdict: Verdict,
    /// Its requests.
    pub calls: Calls,
}

impl Ended<'_> {
    /// Values for later steps, by names of lower-case letters, digits and `_`; each on one line. The outputs of
    /// a stack are among them where there is one stack.
    pub fn values(&self) -> BTreeMap<String, String> {
        let steps = || self.reports.iter().flat_map(|report| &report.steps);
        let count = |action| steps().filter(|step| step.action == action).count().to_string();
        let changes = steps().filter(|step| step.action != Action::Keep).count();
        let mut values = BTreeMap::from([
            ("exit".to_owned(), self.verdict.exit().to_string()),
            ("verdict".to_owned(), word(self.verdict).to_owned()),
            ("changes".to_owned(), changes.to_string()),
            ("to_create".to_owned(), count(Action::Create)),
            ("to_update".to_owned(), count(Action::Update)),
            ("to_delete".to_owned(), count(Action::Delete)),
            ("reads".to_owned(), self.calls.reads.to_string()),
            ("writes".to_owned(), self.calls.writes.to_string()),
        ]);
        if let [report] = self.reports {
            values.insert("stack".to_owned(), report.stack.clone());
            for (name, value) in report.outputs.iter().filter(|(_, value)| !value.contains(char::is_control))
            {
                values.entry(plain(name)).or_insert_with(|| value.clone());
            }
        }
        values
    }

    /// The same result as `--output json`.
    pub fn result(&self) -> Value {
        json::result(self.reports, self.verdict, self.calls)
    }

    /// The summary, `problems` of the command itself included, and the values of later steps, as GitHub takes
    /// them. `delimiter` is a line that no value has.
    pub fn github(&self, delimiter: &str, problems: &[Problem]) -> (String, String) {
        let reports = self.reports.iter().map(markdown::report);
        let markdown = reports.chain(problems.iter().map(markdown::problem)).collect::<String>();
        (github::summary(&markdown), github::values(&self.values(), &self.result(), delimiter))
    }

    /// The values as a dotenv file, as GitLab takes it.
    pub fn dotenv(&self) -> String {
        gitlab::dotenv(&self.values())
    }

    /// The counts of a plan for GitLab's merge request widget.
    pub fn counts(&self) -> Value {
        gitlab::counts(self.reports)
    }
}

/// A name that every system takes.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(plain).collect()
}

/// An annotation as a command to GitHub's runner: one line.
pub fn command(annotation: &Annotation) -> String {
    github::command(annotation)
}

/// Annotations as GitLab's code quality report.
pub fn code_quality(annotations: &[Annotation]) -> Value {
    gitlab::code_quality(annotations)
}

/// A part of the log that can be folded away: what opens and what closes it.
pub fn section(system: System, name: &str, title: &str, from: u64, until: u64) -> (String, String) {
    match system {
        System::GitHub => github::section(title),
        System::GitLab => gitlab::section(name, title, from, until),
    }
}

/// The same for the same annotation, and for no other.
fn fingerprint(annotation: &Annotation) -> String {
    let Annotation { level: _, code, file, line: _, column: _, end_column: _, title, message } = annotation;
    let parts = [code.as_str(), file.as_deref().unwrap_or_default(), title, message];
    let text = parts.map(|part| format!("{}:{part}", part.len())).concat();
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests;
