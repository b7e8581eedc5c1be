//! Waiting for a named condition, with a deadline. The only place that sleeps between AWS calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use tokio::time::Instant;

use crate::door::Stop;
use crate::problem::Problem;

/// The pause after the first look; each further pause is twice as long, up to [`PAUSE_MAX`].
pub const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
pub const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often a wait is told about, at most.
pub const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// A wait shorter than this is not told about.
const PROGRESS_FIRST: Duration = Duration::from_secs(2);

/// Who is told about a wait: for what, and for how long already.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&'static str, Duration) + Send + Sync>);

impl Progress {
    /// Tells `listener`.
    pub fn new(listener: impl Fn(&'static str, Duration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self::new(|_, _| ())
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}

/// What a look at the target says about a condition.
#[derive(Debug)]
pub enum Look<T> {
    /// It holds.
    Yes(T),
    /// Not yet; look again.
    NotYet,
    /// It will never hold: why.
    Never(Problem),
}

/// A condition with its name and its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// For people, after "waiting until": such as "the role can be assumed by Lambda".
    pub until: &'static str,
    /// How long it is worth waiting.
    pub within: Duration,
}

/// How waits pass.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) sleep: SharedAsyncSleep,
    pub(crate) stop: Stop,
    pub(crate) progress: Progress,
}

/// Pauses between looks at one condition, and knows when its time is up.
#[derive(Debug)]
pub(crate) struct Patience<'a> {
    condition: Condition,
    waiting: &'a Waiting,
    since: Instant,
    pause: Duration,
    tell_at: Duration,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(condition: Condition, waiting: &'a Waiting) -> Self {
        let since = Instant::now();
        Self { condition, waiting, since, pause: PAUSE_MIN, tell_at: PROGRESS_FIRST }
    }

    /// Pauses; false when the time is up.
    pub(crate) async fn pause(&mut self) -> bool {
        let elapsed = self.since.elapsed();
        let left = self.condition.within.saturating_sub(elapsed);
        if left.is_zero() {
            return false;
        }
        if elapsed >= self.tell_at {
            (self.waiting.progress.0)(self.condition.until, elapsed);
            self.tell_at = elapsed + PROGRESS_EVERY;
        }
        let pause = self.waiting.sleep.sleep(self.pause.min(left));
        // After a stop the next look is refused at the door, which says so better than we could.
        tokio::select! {
            () = pause => {}
            () = self.waiting.stop.stopped() => {}
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}

/// Looks until the condition holds, never will, or its time is up.
pub(crate) async fn until<T, F>(
    condition: Condition,
    waiting: &Waiting,
    mut look: impl FnMut() -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<Look<T>, Problem>>,
{
    let mut patience = Patience::new(condition, waiting);
    loop {
        match look().await? {
            Look::Yes(value) => return Ok(value),
            Look::Never(problem) => return Err(problem),
            Look::NotYet => {}
        }
        if !patience.pause().await {
            return Err(out_of_time(condition));
        }
    }
}

/// The problem of a wait that took too long.
pub(crate) fn out_of_time(condition: Condition) -> Problem {
    let seconds = condition.within.as_secs();
    Problem::failed("timed_out", format!("waited {seconds} s until {}", condition.until))
        .next("run the same command again: it goes on where this one stopped")
}

#[cfg(test)]
mod tests;
