//! Asks before the first write whether every step is allowed: a run that ends half-way for a missing permission
//! is worse than one that does not begin.

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use crate::aws::{Question, Unasked};
use crate::names::Identity;
use crate::plan::Plan;
use crate::policy::{self, Scope};
use crate::problem::{Problem, ProblemKind};
use crate::report::{Command, Finding};

/// Refuses a plan with a step that IAM would not allow. What cannot be asked is a finding, and no obstacle.
pub(super) async fn check(work: &Work<'_>, plan: &Plan) -> Result<Option<Finding>, Problem> {
    let questions = questions(plan, &work.identity);
    if questions.is_empty() {
        return Ok(None);
    }
    match work.aws().not_allowed(&work.caller, &questions).await {
        Ok(refused) if refused.is_empty() => Ok(None),
        Ok(refused) => Err(missing(work, refused)),
        Err(unasked) => Ok(Some(cannot_check(&unasked))),
    }
}

/// One question for each scope that the plan's steps touch. What is written is read back: a look at what is
/// not there yet needs fewer permissions than the look afterwards.
fn questions(plan: &Plan, identity: &Identity) -> Vec<Question> {
    let mut actions: BTreeMap<Scope, BTreeSet<&'static str>> = BTreeMap::new();
    for step in plan.changes() {
        let needs = policy::to_change(step.kind, step.change.action);
        for need in needs.into_iter().chain(policy::to_read(step.kind)) {
            actions.entry(need.scope).or_default().insert(need.action);
        }
    }
    let question = |(scope, actions): (Scope, BTreeSet<&'static str>)| {
        let resource = scope.asked_on(identity)?;
        Some(Question { actions: actions.into_iter().collect(), resource, context: scope.condition() })
    };
    actions.into_iter().filter_map(question).collect()
}

fn missing(work: &Work<'_>, refused: Vec<(String, String)>) -> Problem {
    let purpose = if work.command == Command::Destroy { "destroy" } else { "deploy" };
    let what = "permissions are missing for this plan; nothing was changed";
    let mut problem =
        Problem::new(ProblemKind::Credentials, "permission_missing", what).at(work.caller.clone());
    for (action, resource) in refused {
        problem = problem.because(format!("{action} is not allowed on {resource}"));
    }
    problem.next(format!("attach what `thinggate policy --for {purpose} STACK` prints"))
}

fn cannot_check(unasked: &Unasked) -> Finding {
    let because = match unasked {
        Unasked::NoPrincipal => "IAM cannot be asked about a root or federated user",
        Unasked::NoAnswer(because) => because,
    };
    Finding {
        code: "permissions_not_checked",
        what: format!("cannot check beforehand whether every step is allowed: {because}"),
        next: Some("allow iam:SimulatePrincipalPolicy to the caller on itself, or go on without".to_owned()),
    }
}
