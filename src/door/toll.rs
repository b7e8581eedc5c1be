//! Tolls: who is asked at every crossing of the door, and may delay or refuse it.

use std::time::Duration;

/// What is about to cross the door, or has crossed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// An HTTP request.
    Http {
        /// The AWS service, such as `IoT`; empty for other servers.
        service: String,
        /// The AWS operation, such as `CreateAuthorizer`; the method for other servers.
        operation: String,
        /// Scheme, host and path, without the query, which can hold a token.
        target: String,
        /// Whether it changes anything.
        writes: bool,
    },
    /// An operation on a file.
    File {
        /// What is done, such as `create` or `read`.
        operation: &'static str,
        /// On which path.
        path: std::path::PathBuf,
        /// Whether it changes anything.
        writes: bool,
    },
}

impl Crossing {
    /// Whether this crossing changes the world.
    pub fn writes(&self) -> bool {
        match self {
            Self::Http { writes, .. } | Self::File { writes, .. } => *writes,
        }
    }
}

/// What a toll says before a crossing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Go.
    Open,
    /// Go after this long. HTTP only.
    After(Duration),
    /// Do not go; the reason becomes a connection or file error.
    Refused(Refusal),
    /// Go, but lose the answer: the effect happens and the caller sees a broken connection.
    /// Fault injection only.
    LoseAnswer,
}

/// Why a crossing was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The user pressed Ctrl-C: nothing new may start.
    Stopped,
    /// A fault that a test injected.
    Injected,
}

/// Someone asked at every crossing. All must agree; the first refusal wins.
pub trait Toll: Send + Sync + std::fmt::Debug {
    /// Asked before the crossing.
    fn before(&self, crossing: &Crossing) -> Gate;

    /// Told after a crossing that was let through; `answered` says whether an answer came.
    fn after(&self, crossing: &Crossing, answered: bool) {
        let _ = (crossing, answered);
    }
}
