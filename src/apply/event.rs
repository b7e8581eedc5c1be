//! What the executor says while it works. Closed; reporters render it.

use std::time::Duration;

use crate::problem::Problem;
use crate::resource::{Action, Kind};

/// One thing that happened during a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A step began.
    Started {
        /// On which kind.
        kind: Kind,
        /// What it does.
        action: Action,
    },
    /// A step waits for a named condition; at most one every ten seconds for one wait.
    Waiting {
        /// On which kind.
        kind: Kind,
        /// For what, such as "the role can be assumed by Lambda".
        until: &'static str,
        /// For how long already.
        elapsed: Duration,
    },
    /// A step is done.
    Done {
        /// On which kind.
        kind: Kind,
        /// What it did.
        action: Action,
        /// How long it took.
        took: Duration,
    },
    /// A step failed.
    Failed {
        /// On which kind.
        kind: Kind,
        /// Why.
        problem: Problem,
    },
    /// A step was not started.
    Skipped {
        /// On which kind.
        kind: Kind,
        /// Because of the failure of which; `None`: because the run was stopped.
        after: Option<Kind>,
    },
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

impl Outcome {
    /// The word for people and machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::NotStarted => "not started",
        }
    }
}
