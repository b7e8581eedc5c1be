//! Answers of an authorizer that are kept for one HTTP connection, where the authorizer asks for it
//! (`enableCachingForHttp`: AWS IoT Developer Guide, "Creating and managing custom authorizers").

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{Context, SHA256};

use super::policy::Policies;

/// Answers in memory; when there are more, all are forgotten, and the function runs again.
const ANSWERS_MAX: usize = 1024;

/// What an answer is for: this connection, this authorizer, these credentials. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn new(connection: &str, authorizer_arn: &str, token: &str, signature: &str) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [connection, authorizer_arn, token, signature] {
            // The lengths keep the parts apart.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }
}

/// The answers of all connections.
#[derive(Debug, Default)]
pub(super) struct HttpCache {
    answers: Mutex<HashMap<Key, (Policies, SystemTime)>>,
}

impl HttpCache {
    /// The policies that were answered, if they hold at `now`.
    pub(super) fn get(&self, key: &Key, now: SystemTime) -> Option<Policies> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key).filter(|(_, until)| now < *until).map(|(policies, _)| policies.clone())
    }

    /// Keeps an answer for `refreshAfterInSeconds`.
    pub(super) fn keep(&self, key: Key, policies: &Policies, now: SystemTime, refresh_after_seconds: u64) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= ANSWERS_MAX {
            answers.clear();
        }
        answers.insert(key, (policies.clone(), now + Duration::from_secs(refresh_after_seconds)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_key_are_kept_apart() {
        let keys = [
            Key::new("a", "b", "c", "d"),
            Key::new("ab", "", "c", "d"),
            Key::new("a", "b", "cd", ""),
            Key::new("a", "c", "b", "d"),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(keys.iter().skip(place + 1).all(|other| other != key));
        }
    }

    #[test]
    fn an_answer_holds_until_its_refresh() {
        let cache = HttpCache::default();
        let (key, policies) = (Key::new("a", "b", "c", "d"), Policies::read(&[]).unwrap());
        let now = SystemTime::UNIX_EPOCH;
        cache.keep(key.clone(), &policies, now, 300);
        assert!(cache.get(&key, now + Duration::from_secs(299)).is_some());
        assert!(cache.get(&key, now + Duration::from_mins(5)).is_none());
        for number in 0..ANSWERS_MAX {
            cache.keep(Key::new(&number.to_string(), "", "", ""), &policies, now, 300);
        }
        assert!(cache.answers.lock().unwrap().len() <= ANSWERS_MAX);
    }
}
