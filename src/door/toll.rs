//! Tolls: who is asked at every crossing of the door, and may delay or refuse it.

use std::fmt;
use std::sync::Arc;
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
        /// What is done, such as `write` or `read`: one name per primitive step.
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
    /// Go after this long. HTTP only; a file operation goes at once.
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

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stopped => "stopped: nothing new is started",
            Self::Injected => "an injected fault",
        })
    }
}

/// Found in the source chain of an SDK error whose request was refused at the door.
impl std::error::Error for Refusal {}

impl Refusal {
    /// The refusal that `error` stems from, however deep.
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        std::iter::successors(Some(error), |error| error.source())
            .find_map(|error| error.downcast_ref::<Self>().copied())
    }
}

/// Someone asked at every crossing. All must agree; the first refusal wins.
pub trait Toll: Send + Sync + fmt::Debug {
    /// Asked before the crossing, once.
    fn before(&self, crossing: &Crossing) -> Gate;

    /// Asked again and again while the crossing waits for a delay that another toll wanted.
    fn during_delay(&self) -> Option<Refusal> {
        None
    }

    /// Told after a crossing that was let through; `answered` says whether an answer came. A caller
    /// who gave up waiting counts as unanswered.
    fn after(&self, crossing: &Crossing, answered: bool) {
        let _ = (crossing, answered);
    }
}

/// The tolls of one run, asked in this order: what delays first, what refuses last, so that a delay
/// ends in a fresh question.
#[derive(Clone, Debug, Default)]
pub struct Tolls(Arc<[Arc<dyn Toll>]>);

impl Tolls {
    /// These tolls, in this order.
    pub fn new(tolls: Vec<Arc<dyn Toll>>) -> Self {
        Self(tolls.into())
    }

    /// Asks every toll, sleeping for those that want a delay.
    pub(super) async fn pass(&self, crossing: &Crossing) -> Result<Pass, Refusal> {
        let mut lose_answer = false;
        for toll in self.0.iter() {
            match toll.before(crossing) {
                Gate::Open => {}
                Gate::After(delay) => self.delay(delay).await?,
                Gate::Refused(refusal) => return Err(refusal),
                Gate::LoseAnswer => lose_answer = true,
            }
        }
        Ok(Pass { tolls: self.clone(), crossing: crossing.clone(), lose_answer, answered: false })
    }

    /// Asks every toll; nobody sleeps.
    pub(super) fn pass_now(&self, crossing: &Crossing) -> Result<Pass, Refusal> {
        let mut lose_answer = false;
        for toll in self.0.iter() {
            match toll.before(crossing) {
                Gate::Open | Gate::After(_) => {}
                Gate::Refused(refusal) => return Err(refusal),
                Gate::LoseAnswer => lose_answer = true,
            }
        }
        Ok(Pass { tolls: self.clone(), crossing: crossing.clone(), lose_answer, answered: false })
    }

    /// Sleeps in short pieces, so that Ctrl-C does not have to wait for the rate limiter.
    async fn delay(&self, mut delay: Duration) -> Result<(), Refusal> {
        const PIECE_MAX: Duration = Duration::from_millis(200);
        while !delay.is_zero() {
            let piece = delay.min(PIECE_MAX);
            tokio::time::sleep(piece).await;
            delay = delay.saturating_sub(piece);
            if let Some(refusal) = self.0.iter().find_map(|toll| toll.during_delay()) {
                return Err(refusal);
            }
        }
        Ok(())
    }
}

/// A crossing that was let through. When it is dropped, the tolls are told how it ended.
#[derive(Debug)]
pub(super) struct Pass {
    tolls: Tolls,
    crossing: Crossing,
    /// Whether the answer must be thrown away.
    pub(super) lose_answer: bool,
    answered: bool,
}

impl Pass {
    /// Notes that an answer came.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        for toll in self.tolls.0.iter() {
            toll.after(&self.crossing, self.answered);
        }
    }
}
