//! `destroy`: the reverse order, and a look at the end that proves nothing is left.

use super::deploy::{carry_out, end, settle};
use super::{Work, preflight, step_reports, until_settled};
use crate::cli::ask;
use crate::cli::load::Loaded;
use crate::cli::session::Session;
use crate::gather::CodeMode;
use crate::plan::{Intent, Plan, plan};
use crate::problem::Problem;
use crate::report::{Command, Finding, Report};

/// How a destroy was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct Wishes {
    /// Do not ask.
    pub(in crate::cli) yes: bool,
    /// Also delete the signing key.
    pub(in crate::cli) delete_key: bool,
}

/// Destroys one stack.
pub(in crate::cli) async fn run(session: &Session, loaded: Loaded, wishes: Wishes) -> Report {
    let work = match Work::begin(session, Command::Destroy, loaded.stack).await {
        Ok(work) => work,
        Err(report) => return report,
    };
    let intent = Intent::Destroy { delete_key: wishes.delete_key };
    let (plan, has_key) = match planned(&work, intent).await {
        Ok(planned) => planned,
        Err(problem) => return work.failed(problem),
    };
    let findings = if has_key && !wishes.delete_key { key_stays(&work) } else { Vec::new() };
    let mut report = Report { steps: step_reports(&plan), findings, ..work.report() };
    if let Err(problem) = guard(&work, &plan, wishes).await {
        return end(report, Err(problem));
    }
    if plan.changes().next().is_none() {
        return report;
    }
    let not_checked = match Box::pin(preflight::check(&work, &plan)).await {
        Ok(finding) => finding,
        Err(problem) => return end(report, Err(problem)),
    };
    report.findings.extend(not_checked);
    let applied = Box::pin(carry_out(&work, &plan)).await;
    settle(&mut report, &applied);
    if let Some(problem) = applied.ran.problem {
        return end(report, Err(problem));
    }
    end(report, Box::pin(until_settled(work.aws(), LEFTOVERS, || nothing_left(&work, intent))).await)
}

/// The plan, and whether the key store holds a key.
async fn planned(work: &Work<'_>, intent: Intent) -> Result<(Plan, bool), Problem> {
    let facts = work.gather(CodeMode::Ignore).await?;
    let kept = facts.live.signing_key.iter().flat_map(|store| &store.generations);
    let has_key = kept.into_iter().any(|generation| !generation.retired);
    Ok((plan(intent, &facts, &work.connected.store_text()), has_key))
}

async fn guard(work: &Work<'_>, plan: &Plan, wishes: Wishes) -> Result<(), Problem> {
    plan.guard()?;
    if plan.changes().next().is_none() {
        return Ok(());
    }
    let stack = work.stack();
    if stack.protect {
        return Err(Problem::refused(
            "protected",
            format!("the stack `{}` is protected; nothing was changed", stack.name),
        )
        .at(format!("{}: protect", stack.file.display()))
        .next("set `protect = false` in the stack file first"));
    }
    if wishes.yes {
        return Ok(());
    }
    let question = format!(
        "This takes down {} in {}; its devices will be refused.\nType the stack's name to go on:",
        stack.name, stack.region
    );
    if work.session.printer.can_ask() && ask::text(work.session, &question).await == stack.name.as_str() {
        return Ok(());
    }
    Err(Problem::refused("not_confirmed", "destroy was not confirmed; nothing was changed")
        .next("thinggate destroy --yes STACK"))
}

fn key_stays(work: &Work<'_>) -> Vec<Finding> {
    vec![Finding {
        code: "key_stays",
        what: format!("the signing key in {} stays", work.connected.store_text()),
        next: Some("--delete-key deletes it as well".to_owned()),
    }]
}

/// The code of a destroy that left something.
const LEFTOVERS: &str = "leftovers";

/// Reads everything again: what is still there is named.
async fn nothing_left(work: &Work<'_>, intent: Intent) -> Result<(), Problem> {
    let (left, _) = planned(work, intent).await?;
    let mut problem = Problem::failed(LEFTOVERS, "everything was deleted, and something is still there");
    if left.changes().next().is_none() {
        return Ok(());
    }
    for step in left.changes() {
        problem = problem.because(format!("{} {}", step.kind.noun(), step.name));
    }
    Err(problem.next("run the same command again"))
}
