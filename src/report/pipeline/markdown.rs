//! A report as Markdown: what GitHub shows on the page of a run.

use std::fmt::Write as _;

use super::word;
use crate::device::printable;
use crate::problem::Problem;
use crate::report::{Command, Report, StepReport, human};
use crate::resource::{Action, Impact};

pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "### thinggate {}: {}\n", report.command.word(), code(&report.stack));
    let exit = format!("exit {} ({})", report.verdict.exit(), word(report.verdict));
    let place =
        if report.target.is_empty() { String::new() } else { format!("{} · ", code(&report.target)) };
    let _ = writeln!(text, "{place}{} · {exit}\n", code(&report.file));
    let closing = human::closing(report);
    let told = !matches!(report.command, Command::Validate | Command::Outputs) && !closing.is_empty();
    if told && (report.problem.is_none() || !report.steps.is_empty()) {
        let _ = writeln!(text, "**{}**\n", escaped(&printable(&closing)));
    }
    if let Some(problem) = &report.problem {
        text.push_str(&fenced("text", &human::problem(problem)));
    }
    if !report.steps.is_empty() {
        text.push_str(&steps(&report.steps));
    }
    let not_compared = report.not_compared.iter().map(|(kind, missing)| {
        format!("{} {} not compared: {}", kind.noun(), missing.field, missing.because)
    });
    let findings = report.findings.iter().map(|finding| match &finding.next {
        Some(next) => format!("{}; next: {next}", finding.what),
        None => finding.what.clone(),
    });
    let remarks: Vec<String> =
        not_compared.chain(findings).map(|remark| format!("- {}\n", escaped(&printable(&remark)))).collect();
    if !remarks.is_empty() {
        let _ = writeln!(text, "{}", remarks.concat());
    }
    if report.command != Command::Drift && !report.outputs.is_empty() {
        text.push_str("| output | value |\n|---|---|\n");
        for (name, value) in &report.outputs {
            let _ = writeln!(text, "| {} | {} |", code(name), code(value));
        }
        text.push('\n');
    }
    text
}

/// A problem of the command itself.
pub(super) fn problem(problem: &Problem) -> String {
    format!("### thinggate: {}\n\n{}", code(problem.code), fenced("text", &human::problem(problem)))
}

/// A table of all steps, and the fields of those that change something as a diff.
fn steps(steps: &[StepReport]) -> String {
    let mut text = "| | resource | name | | devices |\n|---|---|---|---|---|\n".to_owned();
    for step in steps {
        let devices = match (step.action, step.impact) {
            (Action::Keep, _) | (_, Impact::None) => String::new(),
            (_, impact) => format!("**{}**", impact.words()),
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {devices} |",
            step.action.mark(),
            step.kind.noun(),
            code(&step.name),
            human::word(step),
        );
    }
    text.push('\n');
    let changed: Vec<&StepReport> = steps.iter().filter(|step| step.action != Action::Keep).collect();
    let mut diff = String::new();
    for step in changed.iter().filter(|step| !step.differences.is_empty() || step.refusal.is_some()) {
        let _ = writeln!(diff, "@@ {} {} @@", step.kind.noun(), printable(&step.name));
        for difference in &step.differences {
            let field = printable(&difference.field);
            let _ = writeln!(diff, "- {field}: {}", printable(&difference.live));
            let _ = writeln!(diff, "+ {field}: {}", printable(&difference.desired));
        }
        if let Some((because, next)) = &step.refusal {
            let _ = writeln!(diff, "! not done by deploy: {}", printable(because));
            let _ = writeln!(diff, "! next: {}", printable(next));
        }
    }
    if !diff.is_empty() {
        text.push_str(&fenced("diff", &diff));
    }
    text
}

/// A block in which nothing is Markdown: its fence is longer than any in it.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n\n", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// A span in which nothing is Markdown, in a table too.
fn code(text: &str) -> String {
    let text = printable(text).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text in which nothing is Markdown or HTML.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let special = "\\`*_{}[]<>()#+!|~&@".contains(c);
            special.then_some('\\').into_iter().chain(std::iter::once(c))
        })
        .collect()
}
