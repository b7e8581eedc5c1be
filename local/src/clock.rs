//! The target's time: life cycles and signatures go by it. Movable, so that tests need not wait.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// How far a clock can be moved in all: a hundred years. Dates beyond have no form in AWS's protocols.
pub const OFFSET_MAX_MS: i64 = 100 * 366 * 24 * 60 * 60 * 1000;

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
        let moved = if offset >= 0 { now.checked_add(magnitude) } else { now.checked_sub(magnitude) };
        moved.unwrap_or(now)
    }

    /// By how many milliseconds it was moved in all.
    pub fn moved_ms(&self) -> i64 {
        self.offset_milliseconds.load(Ordering::Relaxed)
    }

    /// Moves the clock by so many milliseconds, for good; in all at most [`OFFSET_MAX_MS`] either way.
    pub fn advance(&self, milliseconds: i64) {
        let moved =
            |offset: i64| Some(offset.saturating_add(milliseconds).clamp(-OFFSET_MAX_MS, OFFSET_MAX_MS));
        // The closure always answers, so that the update cannot fail.
        let _ = self.offset_milliseconds.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// A moment in milliseconds since 1970 as people read it: RFC 3339, UTC, to the second.
pub fn rfc3339(milliseconds: u64) -> String {
    let seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    // Dates that have no such form are beyond what a clock can be moved to.
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|moment| moment.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_else(|| format!("{milliseconds} ms since 1970"))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_moment_is_written_for_people() {
        // `date -u -d 2015-08-30T12:36:00Z +%s`: 1440938160.
        assert_eq!(rfc3339(1_440_938_160_999), "2015-08-30T12:36:00Z");
        assert_eq!(rfc3339(u64::MAX), "18446744073709551615 ms since 1970");
    }

    #[test]
    fn a_clock_moves_both_ways_within_bounds() {
        // 2015-08-30T12:36:00Z.
        let noon = UNIX_EPOCH + Duration::from_mins(24_015_636);
        let clock = Clock::from_source(move || noon);
        clock.advance(1500);
        clock.clone().advance(-500);
        assert_eq!(clock.now(), noon + Duration::from_secs(1));
        clock.advance(i64::MAX);
        clock.advance(i64::MAX);
        let most = Duration::from_millis(OFFSET_MAX_MS.unsigned_abs());
        assert_eq!(clock.now(), noon + most);
    }
}
