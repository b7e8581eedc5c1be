//! Who calls: the account's one user, or the session of a role with its temporary credentials.
//!
//! Nothing of a session is kept. Its token says what it is, sealed with the target's secret access key, and
//! its own secret follows from its access key: so it outlasts a restart, as AWS's does.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::iam::Role;
use super::sigv4::Refused;
use crate::{Credentials, random};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The holder of the target's own access key.
    User,
    /// Whoever assumed a role.
    Session(Session),
    /// Nobody signed: a call that brings its own proof.
    Nobody,
}

/// A role's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    access_key_id: String,
    /// The role.
    pub role_arn: String,
    /// The role's unique id: a role that is deleted ends its sessions.
    pub role_id: String,
    /// The session's name.
    pub name: String,
    /// When it ends, in seconds since 1970.
    pub until: u64,
}

/// Temporary credentials.
pub struct Temporary {
    /// `ASIA…` and its secret.
    pub credentials: Credentials,
    /// What every request carries beside them.
    pub token: String,
}

impl Session {
    /// A new session of `role`.
    pub fn begin(role: &Role, name: &str, until: SystemTime) -> Self {
        Self {
            access_key_id: random::unique_id("ASIA").chars().take(20).collect(),
            role_arn: role.arn.clone(),
            role_id: role.role_id.clone(),
            name: name.to_owned(),
            until: until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        }
    }

    /// `arn:aws:sts::000000000000:assumed-role/deploy/session`: the role's path is not in it.
    pub fn arn(&self) -> String {
        let (head, path) = self.role_arn.split_once(":role/").unwrap_or((&self.role_arn, ""));
        let role = path.rsplit('/').next().unwrap_or_default();
        format!("{}:assumed-role/{role}/{}", head.replacen(":iam:", ":sts:", 1), self.name)
    }

    /// `AROA…:session`.
    pub fn user_id(&self) -> String {
        format!("{}:{}", self.role_id, self.name)
    }

    /// Its credentials, by the target's `key`.
    pub fn credentials(&self, key: &Credentials) -> Temporary {
        // Texts and a number always have a JSON form.
        let said = serde_json::to_vec(self).unwrap_or_default();
        let token = format!("{}.{}", URL_SAFE_NO_PAD.encode(&said), URL_SAFE_NO_PAD.encode(seal(key, &said)));
        Temporary { credentials: secret_of(key, &self.access_key_id), token }
    }

    /// Whether a token is of a session that this target began, ended or not.
    pub(crate) fn is_ours(key: &Credentials, token: &str) -> bool {
        Self::read(key, token).is_some()
    }

    /// The session that a token of this target speaks of.
    fn read(key: &Credentials, token: &str) -> Option<Self> {
        let (said, sealed) = token.split_once('.')?;
        let (said, sealed) = (URL_SAFE_NO_PAD.decode(said).ok()?, URL_SAFE_NO_PAD.decode(sealed).ok()?);
        hmac::verify(&sealing(key), &said, &sealed).ok()?;
        serde_json::from_slice(&said).ok()
    }
}

impl Caller {
    /// Who has `access_key_id`, with the credentials that the signature must be made with. `role_id` gives
    /// the unique id of the role of an ARN, while there is one.
    pub(crate) fn find(
        key: &Credentials,
        access_key_id: &str,
        token: Option<&str>,
        now: SystemTime,
        role_id: impl FnOnce(&str) -> Option<String>,
    ) -> Result<(Self, Credentials), Refused> {
        let Some(token) = token else {
            let known = access_key_id == key.access_key_id;
            return if known { Ok((Self::User, key.clone())) } else { Err(Refused::UnknownKey) };
        };
        let session = Session::read(key, token).filter(|session| session.access_key_id == access_key_id);
        let session = session.ok_or(Refused::UnknownKey)?;
        if now >= UNIX_EPOCH + Duration::from_secs(session.until) {
            return Err(Refused::Expired);
        }
        if role_id(&session.role_arn).as_deref() != Some(session.role_id.as_str()) {
            return Err(Refused::UnknownKey);
        }
        let credentials = secret_of(key, access_key_id);
        Ok((Self::Session(session), credentials))
    }

    /// The caller's ARN.
    pub fn arn(&self, partition: &str, account: &str) -> String {
        match self {
            Self::User => format!("arn:{partition}:iam::{account}:user/local"),
            Self::Session(session) => session.arn(),
            Self::Nobody => "anonymous".to_owned(),
        }
    }
}

fn sealing(key: &Credentials) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, format!("session token {}", key.secret_access_key).as_bytes())
}

fn seal(key: &Credentials, said: &[u8]) -> hmac::Tag {
    hmac::sign(&sealing(key), said)
}

/// The secret of a temporary access key: 40 characters of base 64.
fn secret_of(key: &Credentials, access_key_id: &str) -> Credentials {
    let own = hmac::Key::new(hmac::HMAC_SHA256, format!("session key {}", key.secret_access_key).as_bytes());
    let secret: String =
        STANDARD.encode(hmac::sign(&own, access_key_id.as_bytes())).chars().take(40).collect();
    Credentials { access_key_id: access_key_id.to_owned(), secret_access_key: secret }
}
