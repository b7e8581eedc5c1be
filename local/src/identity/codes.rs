//! Device codes: issued, decided by the user, polled by the device, redeemed once. No I/O; `now` is
//! an argument.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Dialect, IdentityOptions};
use crate::random;

/// Codes that are remembered at the same time; further requests are refused until some expire.
pub(super) const CODES_MAX: usize = 1000;
/// How long an expired code is remembered, so that its device is told `expired_token`.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_mins(5);
/// What each `slow_down` adds to the interval (RFC 8628 3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// Letters of a user code: no vowels, so no words; nothing that looks like a digit (RFC 8628 6.1).
const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters in a user code: 20^8 codes, 34.5 bits.
const USER_CODE_LENGTH: usize = 8;

/// A code's name in the store: the digest of the device code, so that looking one up tells nothing by
/// time about the codes that there are.
pub(super) type CodeId = [u8; 32];

/// What the user lets a device have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// Ties the tokens of one approval together; `authGrantId` in them.
    pub(super) id: String,
    pub(super) client: &'static str,
    pub(super) user: String,
    /// In alphabetical order.
    pub(super) scopes: Vec<String>,
}

/// What a device gets at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issued {
    pub(super) device_code: String,
    /// As shown to people: with a dash in the RFC dialect.
    pub(super) user_code: String,
}

/// What a poll finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Poll {
    Pending,
    SlowDown,
    Denied,
    Expired,
    Unknown,
    OtherClient,
    /// Redeemed before; the grant's id, so that its tokens can be revoked.
    Replayed(String),
    Granted(Grant),
}

/// What the user may be shown about a code that waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: CodeId,
    pub(super) user_code: String,
    pub(super) client: &'static str,
    pub(super) scopes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Decision {
    Open,
    Allowed { user: String },
    Denied,
    Redeemed { grant: String },
}

#[derive(Clone, Debug)]
struct Entry {
    dialect: Dialect,
    client: &'static str,
    scopes: Vec<String>,
    user_code: String,
    expires: SystemTime,
    interval: Duration,
    last_poll: Option<SystemTime>,
    decision: Decision,
}

/// All device codes.
#[derive(Debug, Default)]
pub(super) struct Codes {
    entries: BTreeMap<CodeId, Entry>,
}

impl Codes {
    /// Issues a pair of codes; `None` when there are too many already.
    pub(super) fn issue(
        &mut self,
        dialect: Dialect,
        client: &'static str,
        scopes: Vec<String>,
        options: &IdentityOptions,
        now: SystemTime,
    ) -> Option<Issued> {
        self.entries.retain(|_, entry| now < entry.expires + KEPT_AFTER_EXPIRY);
        if self.entries.len() >= CODES_MAX {
            return None;
        }
        let device_code = match dialect {
            Dialect::Rfc8628 => URL_SAFE_NO_PAD.encode(random::bytes::<32>()),
            Dialect::OpenamLegacy => random::uuid(),
        };
        let letters = self.unused_user_code();
        let user_code = match dialect {
            Dialect::Rfc8628 => format!("{}-{}", &letters[..4], &letters[4..]),
            Dialect::OpenamLegacy => letters.clone(),
        };
        let entry = Entry {
            dialect,
            client,
            scopes,
            user_code: letters,
            expires: now + Duration::from_secs(options.device_code_lifetime_seconds),
            interval: Duration::from_secs(options.interval_seconds),
            last_poll: None,
            decision: Decision::Open,
        };
        self.entries.insert(id_of(&device_code), entry);
        Some(Issued { device_code, user_code })
    }

    /// The code that a user typed, if it waits for a decision. Case, dashes and spaces do not matter.
    pub(super) fn waiting(&self, dialect: Dialect, typed: &str, now: SystemTime) -> Option<Waiting> {
        let letters: String =
            typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        let wanted = digest::digest(&digest::SHA256, letters.as_bytes());
        let (id, entry) = self.entries.iter().find(|(_, entry)| {
            entry.dialect == dialect
                && digest::digest(&digest::SHA256, entry.user_code.as_bytes()).as_ref() == wanted.as_ref()
        })?;
        entry.is_open(now).then(|| entry.to_waiting(*id))
    }

    /// A code known by its id, if it still waits for a decision.
    pub(super) fn still_waiting(&self, id: CodeId, now: SystemTime) -> Option<Waiting> {
        self.entries.get(&id).filter(|entry| entry.is_open(now)).map(|entry| entry.to_waiting(id))
    }

    /// Records the user's decision. False when the code does not wait for one any more.
    pub(super) fn decide(&mut self, id: CodeId, user: &str, allow: bool, now: SystemTime) -> bool {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.is_open(now)) else {
            return false;
        };
        entry.decision = if allow { Decision::Allowed { user: user.to_owned() } } else { Decision::Denied };
        true
    }

    /// One poll by an authenticated client.
    pub(super) fn poll(
        &mut self,
        dialect: Dialect,
        client: &str,
        device_code: &str,
        enforce_interval: bool,
        now: SystemTime,
    ) -> Poll {
        let id = id_of(device_code);
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.dialect == dialect) else {
            return Poll::Unknown;
        };
        if entry.client != client {
            return Poll::OtherClient;
        }
        let expired = now >= entry.expires;
        match (&entry.decision, dialect) {
            (Decision::Redeemed { grant }, _) => return Poll::Replayed(grant.clone()),
            // OpenAM hands out the token of an approved code even after its time (openam-recipe 4.1).
            (Decision::Allowed { user }, Dialect::OpenamLegacy) => {
                let user = user.clone();
                return entry.redeem(user);
            }
            (Decision::Allowed { user }, Dialect::Rfc8628) if !expired => {
                let user = user.clone();
                return entry.redeem(user);
            }
            (Decision::Denied, _) => {
                self.entries.remove(&id);
                return Poll::Denied;
            }
            _ => {}
        }
        if expired {
            if dialect == Dialect::OpenamLegacy {
                self.entries.remove(&id);
            }
            return Poll::Expired;
        }
        entry.pending(enforce_interval, now)
    }

    /// A user code that no other device has.
    fn unused_user_code(&self) -> String {
        loop {
            let code = user_code();
            if self.entries.values().all(|entry| entry.user_code != code) {
                return code;
            }
        }
    }
}

impl Entry {
    fn is_open(&self, now: SystemTime) -> bool {
        matches!(self.decision, Decision::Open) && now < self.expires
    }

    fn to_waiting(&self, id: CodeId) -> Waiting {
        let user_code = match self.dialect {
            Dialect::Rfc8628 => format!("{}-{}", &self.user_code[..4], &self.user_code[4..]),
            Dialect::OpenamLegacy => self.user_code.clone(),
        };
        Waiting { id, user_code, client: self.client, scopes: self.scopes.clone() }
    }

    fn redeem(&mut self, user: String) -> Poll {
        let grant = Grant { id: random::uuid(), client: self.client, user, scopes: self.scopes.clone() };
        self.decision = Decision::Redeemed { grant: grant.id.clone() };
        Poll::Granted(grant)
    }

    /// Nothing decided yet: was the device patient? The first poll is never too fast, and each early
    /// one starts the interval anew (openam-recipe 4.1). In the RFC dialect it also grows the interval,
    /// so that a client which does not add its five seconds is caught.
    fn pending(&mut self, enforce_interval: bool, now: SystemTime) -> Poll {
        let last = self.last_poll.replace(now);
        let early = last.is_some_and(|last| now.duration_since(last).unwrap_or_default() < self.interval);
        if !(early && enforce_interval) {
            return Poll::Pending;
        }
        if self.dialect == Dialect::Rfc8628 {
            self.interval += SLOW_DOWN;
        }
        Poll::SlowDown
    }
}

fn id_of(device_code: &str) -> CodeId {
    let digest = digest::digest(&digest::SHA256, device_code.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Letters chosen evenly: a byte that would favour some of them is thrown away.
fn user_code() -> String {
    let mut code = String::new();
    while code.len() < USER_CODE_LENGTH {
        let [byte] = random::bytes::<1>();
        let fair = u8::MAX - u8::MAX % 20;
        if byte < fair {
            code.push(char::from(USER_CODE_LETTERS[usize::from(byte % 20)]));
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "deviceagent";

    struct Device {
        codes: Codes,
        issued: Issued,
        dialect: Dialect,
    }

    /// At `seconds` after the code was issued.
    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn device(dialect: Dialect) -> Device {
        let mut codes = Codes::default();
        let scopes = vec!["cn".to_owned(), "mail".to_owned()];
        let issued =
            codes.issue(dialect, CLIENT, scopes, &IdentityOptions::default(), at(0)).expect("room for one");
        Device { codes, issued, dialect }
    }

    impl Device {
        fn poll(&mut self, seconds: u64) -> Poll {
            self.codes.poll(self.dialect, CLIENT, &self.issued.device_code, true, at(seconds))
        }

        fn decide(&mut self, allow: bool, seconds: u64) {
            let typed = self.issued.user_code.to_lowercase().replace('-', " ");
            let waiting = self.codes.waiting(self.dialect, &typed, at(seconds)).expect("waits");
            assert_eq!(waiting.user_code, self.issued.user_code);
            assert!(self.codes.decide(waiting.id, "demo", allow, at(seconds)));
        }
    }

    #[test]
    fn a_patient_device_waits_and_gets_its_grant_once() {
        for dialect in Dialect::ALL {
            let mut device = device(dialect);
            assert_eq!(device.poll(1), Poll::Pending, "the first poll is never too fast");
            assert_eq!(device.poll(6), Poll::Pending);
            device.decide(true, 7);
            let Poll::Granted(grant) = device.poll(8) else { panic!("granted, even early") };
            assert_eq!((grant.client, grant.user.as_str()), (CLIENT, "demo"));
            assert_eq!(device.poll(13), Poll::Replayed(grant.id));
        }
    }

    #[test]
    fn each_slow_down_costs_five_seconds_in_the_rfc_dialect() {
        let mut device = device(Dialect::Rfc8628);
        assert_eq!(device.poll(5), Poll::Pending);
        assert_eq!(device.poll(9), Poll::SlowDown);
        assert_eq!(device.poll(15), Poll::SlowDown, "6 s are not 10 s");
        assert_eq!(device.poll(29), Poll::SlowDown, "14 s are not 15 s");
        assert_eq!(device.poll(49), Poll::Pending, "20 s");
    }

    #[test]
    fn openam_keeps_its_interval_but_an_early_poll_starts_it_anew() {
        let mut device = device(Dialect::OpenamLegacy);
        assert_eq!(device.poll(5), Poll::Pending);
        for seconds in [8, 11, 14] {
            assert_eq!(device.poll(seconds), Poll::SlowDown);
        }
        assert_eq!(device.poll(19), Poll::Pending);
    }

    #[test]
    fn the_interval_is_not_looked_at_when_it_is_not_enforced() {
        let mut device = device(Dialect::Rfc8628);
        for _ in 0..3 {
            let poll = device.codes.poll(device.dialect, CLIENT, &device.issued.device_code, false, at(1));
            assert_eq!(poll, Poll::Pending);
        }
    }

    #[test]
    fn a_denied_code_is_gone() {
        for dialect in Dialect::ALL {
            let mut device = device(dialect);
            device.decide(false, 1);
            assert_eq!(device.poll(5), Poll::Denied);
            assert_eq!(device.poll(10), Poll::Unknown);
        }
    }

    #[test]
    fn an_expired_code_says_so() {
        let mut rfc = device(Dialect::Rfc8628);
        rfc.decide(true, 299);
        assert_eq!(rfc.poll(300), Poll::Expired);
        assert_eq!(rfc.poll(305), Poll::Expired);
        let mut legacy = device(Dialect::OpenamLegacy);
        assert_eq!(legacy.poll(300), Poll::Expired);
        assert_eq!(legacy.poll(305), Poll::Unknown);
    }

    #[test]
    fn openam_redeems_an_approved_code_after_its_time() {
        let mut device = device(Dialect::OpenamLegacy);
        device.decide(true, 299);
        assert!(matches!(device.poll(301), Poll::Granted(_)));
    }

    #[test]
    fn an_expired_code_cannot_be_approved() {
        let mut device = device(Dialect::Rfc8628);
        let waiting = device.codes.waiting(device.dialect, &device.issued.user_code, at(299)).unwrap();
        assert!(!device.codes.decide(waiting.id, "demo", true, at(300)));
        assert_eq!(device.codes.waiting(device.dialect, &device.issued.user_code, at(300)), None);
    }

    #[test]
    fn a_code_belongs_to_its_client_and_dialect() {
        let mut device = device(Dialect::Rfc8628);
        let code = device.issued.device_code.clone();
        let poll = device.codes.poll(Dialect::Rfc8628, "other", &code, true, at(1));
        assert_eq!(poll, Poll::OtherClient);
        let poll = device.codes.poll(Dialect::OpenamLegacy, CLIENT, &code, true, at(1));
        assert_eq!(poll, Poll::Unknown);
        assert_eq!(device.codes.waiting(Dialect::OpenamLegacy, &device.issued.user_code, at(1)), None);
    }

    #[test]
    fn codes_are_limited_and_forgotten() {
        let mut codes = Codes::default();
        let options = IdentityOptions::default();
        let mut issue = |seconds| codes.issue(Dialect::Rfc8628, CLIENT, Vec::new(), &options, at(seconds));
        for _ in 0..CODES_MAX {
            assert!(issue(0).is_some());
        }
        assert_eq!(issue(599), None);
        assert!(issue(600).is_some(), "300 s of life and 300 s of memory");
    }

    #[test]
    fn user_codes_are_readable() {
        let code = user_code();
        assert_eq!(code.len(), USER_CODE_LENGTH);
        assert!(code.bytes().all(|letter| USER_CODE_LETTERS.contains(&letter)));
    }
}
