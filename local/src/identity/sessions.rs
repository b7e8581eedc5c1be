//! Browsers on their way through the form, and how often they may guess.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::codes::CodeId;
use crate::random;

/// Browsers at the same time; the oldest makes room.
const SESSIONS_MAX: usize = 1000;
/// How long a browser may take from page to page.
const SESSION_LIFETIME: Duration = Duration::from_mins(10);
/// Wrong user codes or passwords that one browser may try.
pub(super) const FAILURES_MAX: u8 = 5;
/// Wrong user codes and passwords per minute, all browsers together. That is 300 guesses in a code's five
/// minutes; with a thousand of 20^8 codes open, one guess in that time is right with odds of 1 to 85,000.
pub(super) const FAILURES_PER_MINUTE_MAX: usize = 60;

/// Where a browser is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It must give a user code.
    Code,
    /// It must log in.
    Login(CodeId),
    /// It must decide.
    Consent(CodeId, String),
}

/// One browser.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The value that its next form must carry.
    pub(super) csrf: String,
    pub(super) step: Step,
    pub(super) failures: u8,
    expires: SystemTime,
}

/// All browsers, by the digest of their cookie.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    entries: BTreeMap<[u8; 32], Session>,
    failures: VecDeque<SystemTime>,
}

impl Sessions {
    /// Begins or goes on: a new cookie and a new form value at every step. Returns both.
    pub(super) fn put(&mut self, step: Step, failures: u8, now: SystemTime) -> (String, String) {
        self.entries.retain(|_, session| now < session.expires);
        if self.entries.len() >= SESSIONS_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, session)| session.expires);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                self.entries.remove(&id);
            }
        }
        let (cookie, csrf) = (secret(), secret());
        let session = Session { csrf: csrf.clone(), step, failures, expires: now + SESSION_LIFETIME };
        self.entries.insert(id_of(&cookie), session);
        (cookie, csrf)
    }

    /// The browser with this cookie.
    pub(super) fn get(&self, cookie: &str, now: SystemTime) -> Option<&Session> {
        self.entries.get(&id_of(cookie)).filter(|session| now < session.expires)
    }

    /// Forgets a browser.
    pub(super) fn remove(&mut self, cookie: &str) {
        self.entries.remove(&id_of(cookie));
    }

    /// Whether nobody may guess for the moment.
    pub(super) fn exhausted(&mut self, now: SystemTime) -> bool {
        let minute = Duration::from_mins(1);
        self.failures.retain(|then| now.duration_since(*then).unwrap_or_default() < minute);
        self.failures.len() >= FAILURES_PER_MINUTE_MAX
    }

    /// Counts a wrong guess.
    pub(super) fn count_failure(&mut self, now: SystemTime) {
        self.failures.push_back(now);
    }
}

fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<32>())
}

fn id_of(cookie: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, cookie.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
