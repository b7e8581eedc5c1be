//! Reports and events as text for people. Marks have words beside them; colour never carries meaning.

use std::fmt::Write as _;

use super::table::aligned;
use super::{Command, Finding, Report, StepReport};
use crate::apply::{Event, Outcome};
use crate::device::printable;
use crate::problem::{Problem, ProblemKind};
use crate::resource::{Action, Impact, Kind};

/// A report, whole, as it goes to standard output.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    if report.command == Command::Outputs {
        return outputs(report);
    }
    if report.command == Command::Validate {
        if report.problem.is_none() {
            let _ = writeln!(text, "{}: valid", report.file);
        }
        return text;
    }
    if report.steps.is_empty() && report.problem.is_some() {
        return text;
    }
    let _ = writeln!(text, "{} in {}", report.stack, report.target);
    if !report.steps.is_empty() {
        text.push('\n');
        text.push_str(&steps(&report.steps));
    }
    for (kind, missing) in &report.not_compared {
        let _ = writeln!(
            text,
            "  ? {} {} not compared: {}",
            kind.noun(),
            missing.field,
            printable(&missing.because)
        );
    }
    text.push('\n');
    let _ = writeln!(text, "{}", closing(report));
    text
}

fn outputs(report: &Report) -> String {
    // A command stands alone, so that it can be pasted, or run by `sh`.
    if let (1, Some(command)) = (report.outputs.len(), report.outputs.get("curl")) {
        return format!("{command}\n");
    }
    let rows: Vec<Vec<String>> =
        report.outputs.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    aligned(&rows, 0)
}

/// The steps, one line each, with the differences below.
fn steps(steps: &[StepReport]) -> String {
    let mut rows = Vec::new();
    for step in steps {
        let mut row =
            vec![format!("{} {}", step.action.mark(), step.kind.noun()), step.name.clone(), word(step)];
        if step.impact > Impact::None && step.action != Action::Keep {
            row.push(format!("devices: {}", step.impact.words()));
        }
        rows.push((row, step));
    }
    let table = aligned(&rows.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>(), 2);
    let mut text = String::new();
    for (line, (_, step)) in table.lines().zip(&rows) {
        text.push_str(line);
        text.push('\n');
        if step.action == Action::Create {
            continue;
        }
        for difference in &step.differences {
            let (live, desired) = (printable(&difference.live), printable(&difference.desired));
            let _ = write!(text, "      {}: {live} -> {desired}", printable(&difference.field));
            if let Some(key) = difference.key {
                let _ = write!(text, "   [{key}]");
            }
            text.push('\n');
        }
        if let Some((because, next)) = &step.refusal {
            let _ = writeln!(text, "      not done by deploy: {}", printable(because));
            let _ = writeln!(text, "      next: {}", lines(next));
        }
    }
    text
}

/// What is or was done, in a few words.
pub(super) fn word(step: &StepReport) -> String {
    match (step.outcome, step.action) {
        (_, Action::Keep) => "in step".to_owned(),
        (None, action) => action.word().to_owned(),
        (Some(Outcome::Done), action) => past(action).to_owned(),
        (Some(outcome), action) => format!("{} {}", action.word(), outcome.word()),
    }
}

const fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Delete => "deleted",
        Action::Replace => "replaced",
        Action::Keep => "in step",
    }
}

/// Where a run goes on that ended for its credentials: whoever renews them has something to wait for.
fn first_undone(report: &Report) -> String {
    let ended = report.problem.as_ref().is_some_and(|problem| problem.kind == ProblemKind::Credentials);
    let undone = report.steps.iter().find(|step| {
        step.action != Action::Keep && step.outcome.is_some_and(|outcome| outcome != Outcome::Done)
    });
    match undone.filter(|_| ended) {
        Some(step) => format!("; first undone: {} {}", step.kind.noun(), printable(&step.name)),
        None => String::new(),
    }
}

/// The last line: what it comes to.
pub(super) fn closing(report: &Report) -> String {
    let changed = report.steps.iter().filter(|step| step.action != Action::Keep).count();
    let not_compared = match report.not_compared.len() {
        0 => String::new(),
        1 => ", 1 value not compared".to_owned(),
        count => format!(", {count} values not compared"),
    };
    let done = report.steps.iter().filter(|step| step.outcome == Some(Outcome::Done)).count();
    let started = report.steps.iter().filter(|step| step.outcome == Some(Outcome::Failed)).count();
    match (report.command, changed) {
        (_, _) if report.problem.is_some() && done > 0 => {
            format!("{done} of {changed} steps done, then stopped{}", first_undone(report))
        }
        (_, _) if report.problem.is_some() && started > 0 => {
            format!("stopped half-way through a step{}", first_undone(report))
        }
        (_, _) if report.problem.is_some() => "nothing was changed".to_owned(),
        (Command::Plan | Command::Deploy | Command::Drift, 0) => format!("in step{not_compared}"),
        (Command::Destroy, 0) => "nothing left to destroy".to_owned(),
        (Command::Plan, _) => format!("{}{not_compared}", counts(&report.steps, false)),
        (Command::Drift, _) => differing(report, changed, &not_compared),
        (Command::Deploy, _) => format!("deployed: {}{not_compared}", counts(&report.steps, true)),
        (Command::Destroy, _) => "destroyed: nothing is left".to_owned(),
        (Command::Validate | Command::Outputs, _) => String::new(),
    }
}

/// What drift comes to. Where nothing is deployed, that is what to say; the key is made before everything else
/// and stays behind everything else.
fn differing(report: &Report, changed: usize, not_compared: &str) -> String {
    let of_target = || report.steps.iter().filter(|step| step.kind != Kind::SigningKey);
    // What is replaced is there: its old form is deleted in a step of its own.
    let deleted = |kind| of_target().any(|step| step.kind == kind && step.action == Action::Delete);
    let missing = of_target().filter(|step| step.action == Action::Create && !deleted(step.kind)).count();
    let (total, file) = (report.steps.len(), printable(&report.file));
    if missing == of_target().count() {
        return format!("not deployed yet: thinggate deploy {file}");
    }
    let differ = format!("{changed} of {total} resources differ{not_compared}");
    match missing {
        0 => differ,
        1 => format!("{differ}; 1 is not there: thinggate deploy {file}"),
        _ => format!("{differ}; {missing} are not there: thinggate deploy {file}"),
    }
}

/// How many steps of each action, such as `3 to create, 1 to update`, or once done `3 created`.
fn counts(steps: &[StepReport], done: bool) -> String {
    let parts: Vec<String> = [Action::Create, Action::Update, Action::Replace, Action::Delete]
        .iter()
        .filter_map(|action| {
            let count = steps.iter().filter(|step| step.action == *action).count();
            let words = if done { past(*action).to_owned() } else { format!("to {}", action.word()) };
            (count > 0).then(|| format!("{count} {words}"))
        })
        .collect();
    parts.join(", ")
}

/// Our own text of several lines, which can quote foreign text: each line made safe to show.
fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// A problem, whole, as it goes to standard error.
pub(super) fn problem(problem: &Problem) -> String {
    let mut text = format!("error: {}\n", printable(&problem.what));
    if let Some(place) = &problem.place {
        let _ = writeln!(text, "  at: {}", printable(place));
    }
    for cause in &problem.because {
        let _ = writeln!(text, "  because: {}", lines(cause));
    }
    if let Some(id) = &problem.request_id {
        let _ = writeln!(text, "  AWS request id: {id}");
    }
    if let Some(next) = &problem.next {
        let _ = writeln!(text, "\nnext: {}", lines(next));
    }
    text
}

/// A finding, as it goes to standard error.
pub(super) fn finding(finding: &Finding) -> String {
    match &finding.next {
        Some(next) => format!("note: {}\n      next: {next}\n", finding.what),
        None => format!("note: {}\n", finding.what),
    }
}

/// An event as one line, or nothing when people need not see it.
pub(super) fn event(event: &Event) -> Option<String> {
    match event {
        Event::Started { .. } => None,
        Event::Waiting { kind, until, elapsed } => {
            Some(format!("… {}: waiting until {until} ({} s)", kind.noun(), elapsed.as_secs()))
        }
        Event::Done { kind, action, took } => {
            Some(format!("{} {} {} ({:.1} s)", action.mark(), kind.noun(), past(*action), took.as_secs_f64()))
        }
        Event::Failed { kind, .. } => Some(format!("! {} failed", kind.noun())),
        Event::Skipped { kind, after: Some(after) } => {
            Some(format!(". {} not started, after {} failed", kind.noun(), after.noun()))
        }
        Event::Skipped { kind, after: None } => Some(format!(". {} not started", kind.noun())),
    }
}
