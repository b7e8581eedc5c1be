//! `drift`: compares, read-only, without any secret.

use super::{Work, findings, not_compared, step_reports};
use crate::cli::load::Loaded;
use crate::cli::session::Session;
use crate::gather::CodeMode;
use crate::plan::{Intent, plan};
use crate::problem::Verdict;
use crate::report::{Command, Report};

/// Compares one stack. `strict`: what cannot be compared counts as a difference.
pub(in crate::cli) async fn run(session: &Session, loaded: Loaded, strict: bool) -> Report {
    let work = match Work::begin(session, Command::Drift, loaded.stack).await {
        Ok(work) => work,
        Err(report) => return report,
    };
    let facts = match work.gather(CodeMode::Compare).await {
        Ok(facts) => facts,
        Err(problem) => return work.failed(problem),
    };
    let plan = plan(Intent::Deploy, &facts, &work.connected.store_text());
    let not_compared = not_compared(&plan);
    let differs = plan.changes().next().is_some()
        || !plan.collisions.is_empty()
        || plan.steps.iter().any(|step| step.change.refusal.is_some())
        || (strict && !not_compared.is_empty());
    Report {
        verdict: if differs { Verdict::Different } else { Verdict::Done },
        steps: step_reports(&plan),
        not_compared,
        findings: findings(&facts, &loaded.warnings),
        ..work.report()
    }
}
