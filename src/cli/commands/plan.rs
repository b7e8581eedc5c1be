//! `plan`: what deploy would do, and why.

use super::{Work, findings, not_compared, step_reports};
use crate::cli::load::Loaded;
use crate::cli::session::Session;
use crate::gather::CodeMode;
use crate::plan::{Intent, plan};
use crate::problem::Verdict;
use crate::report::{Command, Report};

/// Plans one stack.
pub(in crate::cli) async fn run(
    session: &Session,
    loaded: Loaded,
    exit_code: bool,
    keep_code: bool,
) -> Report {
    let work = match Work::begin(session, Command::Plan, loaded.stack).await {
        Ok(work) => work,
        Err(report) => return report,
    };
    let mode = if keep_code { CodeMode::Keep } else { CodeMode::Build };
    let facts = match work.gather(mode).await {
        Ok(facts) => facts,
        Err(problem) => return work.failed(problem),
    };
    let plan = plan(Intent::Deploy, &facts, &work.connected.store_text());
    let guard = plan.guard().err();
    let verdict = match &guard {
        Some(problem) => Verdict::Problem(problem.kind),
        None if exit_code && plan.changes().next().is_some() => Verdict::Different,
        None => Verdict::Done,
    };
    Report {
        verdict,
        steps: step_reports(&plan),
        not_compared: not_compared(&plan),
        findings: findings(&facts, &loaded.warnings),
        problem: guard,
        ..work.report()
    }
}
