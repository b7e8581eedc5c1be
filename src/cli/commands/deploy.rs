//! `deploy`: plan, guard, apply, and look again: what it calls deployed was read back.

use std::collections::BTreeMap;

use super::{Work, findings, not_compared, outputs, preflight, step_reports, until_settled};
use crate::apply::{self, Applied, World};
use crate::cli::ask;
use crate::cli::load::Loaded;
use crate::cli::plan_file::Planned;
use crate::cli::session::Session;
use crate::cli::shell_word;
use crate::gather::CodeMode;
use crate::plan::{self, Intent, Plan, SavedPlan, plan};
use crate::problem::{Problem, Verdict};
use crate::report::{Command, Finding, Report};
use crate::resource::{Action, Facts, Impact};
use crate::stack::Warning;

/// How a deploy was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct Wishes {
    /// Do steps that devices notice.
    pub(in crate::cli) allow_impact: bool,
    /// Leave the deployed code as it is.
    pub(in crate::cli) keep_code: bool,
}

/// Deploys one stack; one that has a plan as the plan says, or not at all. The plan is the agreement to what
/// devices notice: it was told there.
pub(in crate::cli) async fn run(session: &Session, loaded: Loaded, wishes: Wishes) -> Report {
    let Loaded { stack, warnings, planned, .. } = loaded;
    let wishes = match &planned {
        Some(planned) => Wishes { allow_impact: true, keep_code: planned.keep_code },
        None => wishes,
    };
    let work = match Work::begin(session, Command::Deploy, stack).await {
        Ok(work) => work,
        Err(report) => return report,
    };
    let mode = if wishes.keep_code { CodeMode::Keep } else { CodeMode::Build };
    let facts = match work.gather(mode).await {
        Ok(facts) => facts,
        Err(problem) => return work.failed(problem),
    };
    let plan = plan(Intent::Deploy, &facts, &work.connected.store_text());
    if let Some(Err(problem)) = planned.as_ref().map(|planned| still_holds(&work, planned, &facts, &plan)) {
        return work.failed(problem);
    }
    let mut report = Report {
        steps: step_reports(&plan),
        not_compared: not_compared(&plan),
        findings: findings(&facts, &warnings),
        ..work.report()
    };
    if let Err(problem) = guard(&work, &plan, wishes).await {
        return end(report, Err(problem));
    }
    if plan.changes().next().is_none() {
        report.outputs = outputs::named(&work, &facts.live);
        return report;
    }
    // These parts live on the heap: a deploy with all of them in it would not fit on a thread's stack.
    let not_checked = match Box::pin(preflight::check(&work, &plan)).await {
        Ok(finding) => finding,
        Err(problem) => return end(report, Err(problem)),
    };
    report.findings.extend(not_checked.clone());
    let applied = Box::pin(carry_out(&work, &plan)).await;
    settle(&mut report, &applied);
    if let Some(problem) = applied.ran.problem {
        return end(report, Err(problem));
    }
    let look = || look_again(&work, mode, &warnings);
    let checked = Box::pin(until_settled(work.aws(), NOT_SETTLED, look)).await;
    let checked = checked.map(|(found, outputs)| {
        report.findings = found;
        report.findings.extend(not_checked);
        report.outputs = outputs;
    });
    end(report, checked)
}

/// Refuses a plan that was made for other facts, or that has come to mean other steps.
fn still_holds(work: &Work<'_>, planned: &Planned, facts: &Facts, plan: &Plan) -> Result<(), Problem> {
    let now = SavedPlan::new(facts, plan);
    let file = planned.file.display().to_string();
    let made_again = |problem: Problem| {
        let next = format!("thinggate plan STACK -o {}, and look at it again", shell_word(&file));
        problem.at(file.clone()).next(next)
    };
    plan::unmoved(&planned.saved, &now, &work.stack().places).map_err(made_again)?;
    plan.guard()?;
    plan::same_steps(&planned.saved, &now).map_err(made_again)
}

/// Refuses what must not be applied, and asks about what devices notice.
async fn guard(work: &Work<'_>, plan: &Plan, wishes: Wishes) -> Result<(), Problem> {
    plan.guard()?;
    let session = work.session;
    let impact = plan.impact();
    if impact == Impact::None || wishes.allow_impact {
        return Ok(());
    }
    let steps: Vec<String> = plan
        .changes()
        .filter(|step| step.change.impact > Impact::None)
        .map(|step| {
            format!(
                "{} {} {}: {}",
                step.change.action.word(),
                step.kind.noun(),
                step.name,
                step.change.impact.words()
            )
        })
        .collect();
    let question = format!("Devices will notice:\n  {}\nGo on?", steps.join("\n  "));
    if session.printer.can_ask() && ask::yes(session, &question).await {
        return Ok(());
    }
    let mut problem =
        Problem::refused("device_impact", "devices would notice this deploy; nothing was changed");
    for step in steps {
        problem = problem.because(step);
    }
    Err(problem.next("thinggate deploy --allow-impact STACK, when devices may notice"))
}

/// Applies a plan, telling every event.
pub(super) async fn carry_out(work: &Work<'_>, plan: &Plan) -> Applied {
    let world = World { aws: work.aws().clone(), store: work.connected.store.clone() };
    let name = work.stack().name.to_string();
    let printer = work.session.printer.clone();
    let stop = work.session.stop.clone();
    apply::apply(plan, &world, || stop.is_stopped(), move |event| printer.event(&name, &event)).await
}

/// Writes into the report how each step ended.
pub(super) fn settle(report: &mut Report, applied: &Applied) {
    for (place, outcome) in applied.places.iter().zip(&applied.ran.outcomes) {
        if let Some(step) = report.steps.get_mut(*place) {
            step.outcome = Some(*outcome);
        }
    }
}

/// Closes a report.
pub(super) fn end(report: Report, result: Result<(), Problem>) -> Report {
    match result {
        Ok(()) => Report { verdict: Verdict::Done, ..report },
        Err(problem) => report.ending_in(problem),
    }
}

/// The code of a deploy that does not hold.
const NOT_SETTLED: &str = "not_settled";

/// Gathers everything again after the last write: a deploy that does not hold is a failure.
async fn look_again(
    work: &Work<'_>,
    mode: CodeMode,
    warnings: &[Warning],
) -> Result<(Vec<Finding>, BTreeMap<String, String>), Problem> {
    let mode = if mode == CodeMode::Keep { CodeMode::Keep } else { CodeMode::Compare };
    let facts = work.gather(mode).await?;
    let plan = plan(Intent::Deploy, &facts, &work.connected.store_text());
    let mut problem = Problem::failed(NOT_SETTLED, "everything was done, and the target still differs");
    let mut differs = false;
    for step in plan.changes() {
        differs = true;
        let fields: Vec<&str> = step.change.differences.iter().map(|d| d.field.as_str()).collect();
        let action = if step.change.action == Action::Update {
            String::new()
        } else {
            format!("to {}: ", step.change.action.word())
        };
        problem =
            problem.because(format!("{} {}: {action}{}", step.kind.noun(), step.name, fields.join(", ")));
    }
    if differs {
        return Err(
            problem.next("run the same command again; if it stays, somebody else changes the same resources")
        );
    }
    Ok((findings(&facts, warnings), outputs::named(work, &facts.live)))
}
