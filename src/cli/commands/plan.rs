//! `plan`: what deploy would do, and why.

use super::{Work, findings, not_compared, step_reports};
use crate::cli::load::Loaded;
use crate::cli::session::Session;
use crate::gather::CodeMode;
use crate::plan::{Intent, SavedPlan, plan};
use crate::problem::Verdict;
use crate::report::{Command, Report};

/// How a plan was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct Wishes {
    /// Whether differences are an exit code of their own.
    pub(in crate::cli) exit_code: bool,
    /// Leave the deployed code as it is.
    pub(in crate::cli) keep_code: bool,
}

/// Plans one stack. The plan that may be saved is one that could be carried out.
pub(in crate::cli) async fn run(
    session: &Session,
    loaded: Loaded,
    wishes: Wishes,
) -> (Report, Option<SavedPlan>) {
    let work = match Work::begin(session, Command::Plan, loaded.stack).await {
        Ok(work) => work,
        Err(report) => return (report, None),
    };
    let mode = if wishes.keep_code { CodeMode::Keep } else { CodeMode::Build };
    let facts = match work.gather(mode).await {
        Ok(facts) => facts,
        Err(problem) => return (work.failed(problem), None),
    };
    let plan = plan(Intent::Deploy, &facts, &work.connected.store_text());
    let guard = plan.guard().err();
    let verdict = match &guard {
        Some(problem) => Verdict::Problem(problem.kind),
        None if wishes.exit_code && plan.changes().next().is_some() => Verdict::Different,
        None => Verdict::Done,
    };
    let saved = guard.is_none().then(|| SavedPlan::new(&facts, &plan));
    let report = Report {
        verdict,
        steps: step_reports(&plan),
        not_compared: not_compared(&plan),
        findings: findings(&facts, &loaded.warnings),
        problem: guard,
        ..work.report()
    };
    (report, saved)
}
