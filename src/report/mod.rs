//! The only module that prints. Events while a run goes on, one [`Report`] a stack at its end; human,
//! JSON and JSON lines are renderings of the same two.
//!
//! Streams: standard output is data, standard error is talk. With `json` standard output is exactly one
//! JSON value, a result or an error.

mod human;
mod json;
pub mod pipeline;
mod printer;
mod table;

pub use printer::{Calls, Output, Printer};

use std::collections::BTreeMap;

use crate::apply::Outcome;
use crate::problem::{Problem, Verdict};
use crate::resource::{Action, Difference, Impact, Kind, NotCompared};
use crate::stack::Places;

/// Which command a report is the result of; decides its closing words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `plan`
    Plan,
    /// `deploy`
    Deploy,
    /// `drift`
    Drift,
    /// `destroy`
    Destroy,
    /// `validate`
    Validate,
    /// `outputs`
    Outputs,
}

impl Command {
    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Deploy => "deploy",
            Self::Drift => "drift",
            Self::Destroy => "destroy",
            Self::Validate => "validate",
            Self::Outputs => "outputs",
        }
    }
}

/// The one result of a command on one stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The command.
    pub command: Command,
    /// The stack's name, or its file where it has none yet.
    pub stack: String,
    /// The stack file, as the user named it.
    pub file: String,
    /// For people: `local` or `aws`, Region and account.
    pub target: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Every step of the plan, in order, with how it ended.
    pub steps: Vec<StepReport>,
    /// What is not compared, and why.
    pub not_compared: Vec<(Kind, NotCompared)>,
    /// Warnings about the stack or the target, such as "not proven".
    pub findings: Vec<Finding>,
    /// The end of the credentials' session, when it is near; it ends up among the findings.
    pub session_end: Option<Finding>,
    /// Endpoint, names, ARNs, key fingerprints.
    pub outputs: BTreeMap<String, String>,
    /// The problem that ended it.
    pub problem: Option<Problem>,
    /// Where each key of the stack file stands.
    pub places: Places,
}

impl Report {
    /// An empty report that ends in `problem`.
    pub fn of_problem(command: Command, stack: &str, file: &str, target: &str, problem: Problem) -> Self {
        Self::empty(command, stack, file, target).ending_in(problem)
    }

    /// The same report, ended by `problem`.
    #[must_use]
    pub fn ending_in(self, problem: Problem) -> Self {
        Self { verdict: Verdict::Problem(problem.kind), problem: Some(problem), ..self }
    }

    /// A report with nothing in it, done.
    pub fn empty(command: Command, stack: &str, file: &str, target: &str) -> Self {
        Self {
            command,
            stack: stack.to_owned(),
            file: file.to_owned(),
            target: target.to_owned(),
            verdict: Verdict::Done,
            steps: Vec::new(),
            not_compared: Vec::new(),
            findings: Vec::new(),
            session_end: None,
            outputs: BTreeMap::new(),
            problem: None,
            places: Places::default(),
        }
    }
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
    /// Why it is not done, with the command that resolves it.
    pub refusal: Option<(String, String)>,
    /// How it ended; `None` in a plan.
    pub outcome: Option<Outcome>,
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

#[cfg(test)]
mod tests;
