//! The target's time: life cycles and signatures go by it. Movable, so that tests need not wait.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// A source of time with an offset that a test or `/_local/clock` can move.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    offset_milliseconds: Arc<AtomicI64>,
}

impl Clock {
    /// Wall time.
    pub fn wall() -> Self {
        Self::from_source(SystemTime::now)
    }

    /// A clock that reads `source`, such as a paused test clock.
    pub fn from_source(source: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { source: Arc::new(source), offset_milliseconds: Arc::new(AtomicI64::new(0)) }
    }

    /// Now.
    pub fn now(&self) -> SystemTime {
        let now = (self.source)();
        let offset = self.offset_milliseconds.load(Ordering::Relaxed);
        let magnitude = Duration::from_millis(offset.unsigned_abs());
        if offset >= 0 { now + magnitude } else { now - magnitude }
    }

    /// Moves the clock by so many milliseconds, for good.
    pub fn advance(&self, milliseconds: i64) {
        self.offset_milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").field("now", &self.now()).finish_non_exhaustive()
    }
}
