//! The meeting point of one process and the invocation it works on.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Invoked;

/// How often a waiting invocation looks whether the process is still there.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// An event on its way to the process, with what the Runtime API says beside it.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) request_id: String,
    pub(super) deadline_unix_milliseconds: u128,
    pub(super) arn: String,
    pub(super) event: Bytes,
}

/// Where the process stands.
#[derive(Debug)]
enum Phase {
    /// It has not asked for its first event yet.
    Starting,
    /// It has nothing to do.
    Idle,
    /// An event waits for it.
    Offered(Offer),
    /// It works on the event of this request.
    Running(String),
    /// It answered.
    Answered(Invoked),
    /// It gave up before its first event: `errorType` and `errorMessage`.
    InitFailed(String, String),
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// The newest request for an event; an older one gives way to it.
    asked: u64,
    ended: bool,
}

/// One process's side of the Runtime API and the host's side of it, under one lock.
#[derive(Debug)]
pub(super) struct Exchange {
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// Why waiting for the process ended without what was waited for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The time is over.
    TimedOut,
    /// The process ended.
    Gone,
    /// It reported that it cannot start: `errorType` and `errorMessage`.
    InitFailed(String, String),
}

impl Exchange {
    pub(super) fn new() -> Self {
        let inner = Inner { phase: Phase::Starting, asked: 0, ended: false };
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, for the process, for its next event; `None` when there will be none on this connection.
    pub(super) fn next(&self) -> Option<Offer> {
        let mut inner = self.lock();
        inner.asked += 1;
        let mine = inner.asked;
        if matches!(inner.phase, Phase::Starting) {
            inner.phase = Phase::Idle;
        }
        self.changed.notify_all();
        loop {
            if inner.ended || inner.asked != mine {
                return None;
            }
            match std::mem::replace(&mut inner.phase, Phase::Idle) {
                Phase::Offered(offer) => {
                    inner.phase = Phase::Running(offer.request_id.clone());
                    return Some(offer);
                }
                other => inner.phase = other,
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the process's answer to `request_id`; false when it does not work on that request.
    pub(super) fn answer(&self, request_id: &str, invoked: Invoked) -> bool {
        let mut inner = self.lock();
        let expected = matches!(&inner.phase, Phase::Running(running) if running == request_id);
        if expected {
            inner.phase = Phase::Answered(invoked);
            self.changed.notify_all();
        }
        expected
    }

    /// Takes the process's word that it cannot start.
    pub(super) fn init_error(&self, kind: String, message: String) {
        let mut inner = self.lock();
        if matches!(inner.phase, Phase::Starting) {
            inner.phase = Phase::InitFailed(kind, message);
            self.changed.notify_all();
        }
    }

    /// Waits until the process has asked for its first event.
    pub(super) fn wait_ready(&self, until: Instant, alive: impl FnMut() -> bool) -> Result<(), Lost> {
        self.wait(until, alive, |phase| !matches!(phase, Phase::Starting | Phase::InitFailed(..))).map(drop)
    }

    /// Gives the event to the process, and waits for its answer.
    pub(super) fn run(
        &self,
        offer: Offer,
        until: Instant,
        alive: impl FnMut() -> bool,
    ) -> Result<Invoked, Lost> {
        self.lock().phase = Phase::Offered(offer);
        self.changed.notify_all();
        let mut inner = self.wait(until, alive, |phase| matches!(phase, Phase::Answered(_)))?;
        match std::mem::replace(&mut inner.phase, Phase::Idle) {
            Phase::Answered(invoked) => Ok(invoked),
            _ => Err(Lost::Gone),
        }
    }

    fn wait(
        &self,
        until: Instant,
        mut alive: impl FnMut() -> bool,
        reached: impl Fn(&Phase) -> bool,
    ) -> Result<MutexGuard<'_, Inner>, Lost> {
        let mut inner = self.lock();
        let mut was_alive = true;
        loop {
            if let Phase::InitFailed(kind, message) = &inner.phase {
                return Err(Lost::InitFailed(kind.clone(), message.clone()));
            }
            if reached(&inner.phase) {
                return Ok(inner);
            }
            if !was_alive {
                return Err(Lost::Gone);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Lost::TimedOut);
            }
            let waited = self.changed.wait_timeout(inner, left.min(LOOK_EVERY));
            let (guard, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
            inner = guard;
            if timed_out.timed_out() {
                // The process may have answered and then ended: its answer still counts, so one more
                // round follows before it is given up.
                was_alive = alive();
                if !was_alive {
                    drop(inner);
                    inner = self.settle();
                }
            }
        }
    }

    /// Gives the connection of an ended process a moment to hand over what it already sent.
    fn settle(&self) -> MutexGuard<'_, Inner> {
        let inner = self.lock();
        let waited = self.changed.wait_timeout(inner, LOOK_EVERY * 4);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends every wait of the process.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// True when the process was ended.
    pub(super) fn ended(&self) -> bool {
        self.lock().ended
    }
}
