//! The toll that keeps below AWS's request rates, so that many stacks side by side are not throttled.
//!
//! Rates are those of docs/aws-facts.md: AWS IoT control plane 10 requests a second per operation,
//! Lambda `GetFunction` 100, `GetPolicy` 15, all other control-plane calls 15 together. IAM publishes
//! none; its writes are few and go one after the other, 5 a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::toll::{Crossing, Gate, Toll};

/// Token buckets, one per host and group of operations: quotas count per account and Region. Time is
/// tokio's, so that tests run it in virtual time.
#[derive(Debug, Default)]
pub struct Limiter {
    buckets: Mutex<HashMap<(String, &'static str, String), Bucket>>,
}

impl Limiter {
    /// Full buckets.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Toll for Limiter {
    fn before(&self, crossing: &Crossing) -> Gate {
        let Crossing::Http { service, operation, target, writes } = crossing else { return Gate::Open };
        let Some(rate) = Rate::of(service, operation, *writes) else { return Gate::Open };
        let key =
            (host(target).to_owned(), rate.group, if rate.each { operation.clone() } else { String::new() });
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let delay = buckets.entry(key).or_default().take(rate, Instant::now());
        if delay.is_zero() { Gate::Open } else { Gate::After(delay) }
    }
}

/// How often a group of operations may be called.
#[derive(Clone, Copy, Debug)]
struct Rate {
    group: &'static str,
    /// Whether each operation of the group has a bucket of its own.
    each: bool,
    per_second: u32,
    /// How many may go at once after a quiet second.
    burst: u32,
}

impl Rate {
    fn of(service: &str, operation: &str, writes: bool) -> Option<Self> {
        let rate = |group, each, per_second, burst| Some(Self { group, each, per_second, burst });
        match (service, operation) {
            ("IoT", _) => rate("iot", true, 10, 10),
            ("Lambda", "Invoke") => None,
            ("Lambda", "GetFunction") => rate("lambda-get-function", false, 100, 100),
            ("Lambda", "GetPolicy") => rate("lambda-get-policy", false, 15, 15),
            ("Lambda", _) => rate("lambda", false, 15, 15),
            ("IAM", _) if writes => rate("iam-writes", false, 5, 1),
            _ => None,
        }
    }

    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second
    }
}

/// When the bucket is full again; tokens are that time counted in intervals.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes one token, on credit when there is none: the answer is how long to wait for it.
    fn take(&mut self, rate: Rate, now: Instant) -> Duration {
        let full_at = self.full_at.map_or(now, |full_at| full_at.max(now)) + rate.interval();
        self.full_at = Some(full_at);
        full_at.saturating_duration_since(now).saturating_sub(rate.interval() * rate.burst)
    }
}

fn host(target: &str) -> &str {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(host: &str, service: &str, operation: &str, writes: bool) -> Crossing {
        Crossing::Http {
            service: service.to_owned(),
            operation: operation.to_owned(),
            target: format!("https://{host}/path"),
            writes,
        }
    }

    /// The delays of `count` calls made at once, in milliseconds.
    fn delays(limiter: &Limiter, crossing: &Crossing, count: usize) -> Vec<u128> {
        let delay = |gate| match gate {
            Gate::Open => 0,
            Gate::After(delay) => delay.as_millis(),
            other => panic!("{other:?}"),
        };
        (0..count).map(|_| delay(limiter.before(crossing))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn iot_is_ten_a_second_for_each_operation() {
        let limiter = Limiter::new();
        let describe = crossing("iot.eu-west-1.amazonaws.com", "IoT", "DescribeAuthorizer", false);
        assert_eq!(delays(&limiter, &describe, 12), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200]);
        let other = crossing("iot.eu-west-1.amazonaws.com", "IoT", "CreateAuthorizer", true);
        assert_eq!(delays(&limiter, &other, 1), [0], "another operation has its own bucket");
        let region = crossing("iot.us-east-1.amazonaws.com", "IoT", "DescribeAuthorizer", false);
        assert_eq!(delays(&limiter, &region, 1), [0], "another Region has its own bucket");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(delays(&limiter, &describe, 1), [0], "0.5 s pay back 5 of 12 - 10 + 1 tokens");
    }

    #[tokio::test(start_paused = true)]
    async fn lambda_operations_share_a_bucket_and_invoke_has_none() {
        let limiter = Limiter::new();
        let publish = crossing("lambda", "Lambda", "PublishVersion", true);
        let alias = crossing("lambda", "Lambda", "UpdateAlias", true);
        assert_eq!(delays(&limiter, &publish, 15), [0; 15]);
        assert_eq!(delays(&limiter, &alias, 1), [66]);
        assert_eq!(delays(&limiter, &crossing("lambda", "Lambda", "GetFunction", false), 100), [0; 100]);
        assert_eq!(delays(&limiter, &crossing("lambda", "Lambda", "GetPolicy", false), 15), [0; 15]);
        assert_eq!(delays(&limiter, &crossing("lambda", "Lambda", "Invoke", false), 99), [0; 99]);
    }

    #[tokio::test(start_paused = true)]
    async fn iam_writes_go_one_after_the_other() {
        let limiter = Limiter::new();
        assert_eq!(delays(&limiter, &crossing("iam", "IAM", "CreateRole", true), 3), [0, 200, 400]);
        assert_eq!(delays(&limiter, &crossing("iam", "IAM", "GetRole", false), 30), [0; 30]);
    }
}
