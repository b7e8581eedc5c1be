//! The only module that prints. Events while a run goes on, one [`Report`] at its end; human, JSON and
//! JSON lines are renderings of the same two.

use std::collections::BTreeMap;

use crate::problem::{Problem, Verdict};
use crate::resource::{Action, Difference, Impact, Kind, NotCompared};

/// The one result of a command on one stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The stack's name.
    pub stack: String,
    /// For people: `local` or `aws`, account and Region.
    pub target: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Every step of the plan, in order, with how it ended.
    pub steps: Vec<StepReport>,
    /// What is not compared, and why.
    pub not_compared: Vec<(Kind, NotCompared)>,
    /// Warnings about the stack or the target, such as "not proven".
    pub findings: Vec<Finding>,
    /// Endpoint, names, ARNs, key fingerprints.
    pub outputs: BTreeMap<String, String>,
    /// The problem that ended it.
    pub problem: Option<Problem>,
}

/// One step, for the reader.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// On which kind.
    pub kind: Kind,
    /// The resource's name.
    pub name: String,
    /// What is or was to be done.
    pub action: Action,
    /// Why.
    pub differences: Vec<Difference>,
    /// What it does to devices.
    pub impact: Impact,
    /// How it ended; `None` in a plan.
    pub outcome: Option<Outcome>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Not started.
    NotStarted,
}

/// A warning with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable word, such as `not_proven`.
    pub code: &'static str,
    /// What was found.
    pub what: String,
    /// What to do.
    pub next: Option<String>,
}
