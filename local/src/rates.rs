//! How many requests are let through: token buckets per Region, which hold what may come in one second.
//! Numbers: aws-facts 1.5 (AWS IoT), 3.6 (Lambda).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::switches::Rates;

/// Requests that share a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its name: an operation of AWS IoT, or one that begins with `lambda`.
    pub(crate) name: &'static str,
    /// Requests a second.
    pub(crate) per_second: u32,
}

/// The buckets of one target.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<BTreeMap<(String, &'static str), SystemTime>>);

impl Buckets {
    /// Takes a token for a request of `group`; false when there is none.
    pub(crate) fn take(&self, rates: Rates, region: &str, group: Group, now: SystemTime) -> bool {
        let per_second = match rates {
            Rates::Unlimited => return true,
            Rates::Published => group.per_second,
            Rates::Shared => (group.per_second / 5).max(1),
        };
        let interval = Duration::from_secs(1) / per_second;
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // When the bucket is full again: its tokens are that time, counted in intervals.
        let full_at = buckets.entry((region.to_owned(), group.name)).or_insert(now);
        let taken = (*full_at).max(now) + interval;
        let room = taken.duration_since(now).unwrap_or_default() <= interval * per_second;
        if room {
            *full_at = taken;
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: Group = Group { name: "iot.DescribeAuthorizer", per_second: 10 };

    /// How many of `count` requests at `now` are let through.
    fn let_through(buckets: &Buckets, rates: Rates, now: SystemTime, count: usize) -> usize {
        (0..count).filter(|_| buckets.take(rates, "eu-west-1", GROUP, now)).count()
    }

    #[test]
    fn a_bucket_holds_one_second_and_fills_evenly() {
        let now = SystemTime::UNIX_EPOCH;
        let buckets = Buckets::default();
        assert_eq!(let_through(&buckets, Rates::Published, now, 20), 10);
        let later = now + Duration::from_millis(300);
        assert_eq!(let_through(&buckets, Rates::Published, later, 20), 3);
        assert!(
            buckets.take(Rates::Published, "us-east-1", GROUP, later),
            "another Region is another bucket"
        );
        let other = Group { name: "iot.UpdateAuthorizer", ..GROUP };
        assert!(buckets.take(Rates::Published, "eu-west-1", other, later), "another operation too");
        assert_eq!(let_through(&Buckets::default(), Rates::Shared, now, 20), 2);
        assert_eq!(let_through(&Buckets::default(), Rates::Unlimited, now, 20), 20);
    }
}
