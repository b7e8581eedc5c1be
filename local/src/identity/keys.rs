//! The provider's keys: one HMAC secret, one RSA pair, one client secret. Made once per state
//! directory and kept there as JSON (mode 0600, written by whoever owns the directory).

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::random;

/// Bytes of the HMAC secret: RFC 7518 3.2 wants at least the 32 of SHA-256.
const HS256_SECRET_BYTES: usize = 32;
/// Bytes of randomness in the client secret.
const CLIENT_SECRET_BYTES: usize = 24;
/// Bytes of digest in a key id: as many as `OpenAM`'s, whose ids are SHA-1 sums in standard base64.
const KEY_ID_BYTES: usize = 20;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// HMAC with SHA-256, the secret shared with the verifier.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The JWS name.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Everything secret that the provider has.
pub(super) struct Keys {
    hs256_secret: [u8; HS256_SECRET_BYTES],
    client_secret: String,
    rs256: KeyPair,
    rs256_pkcs8: Vec<u8>,
}

/// What is kept in `identity.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u8,
    hs256_secret: String,
    client_secret: String,
    rs256_pkcs8: String,
}

/// Why kept keys cannot be used. Never quotes what it read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum KeysError {
    /// Not the JSON that [`Keys::to_json`] writes.
    #[error("the identity provider's keys are damaged: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Written by another version.
    #[error("the identity provider's keys have version {0}, and this program knows version 1")]
    Version(u8),
    /// A member does not hold what its name says.
    #[error("the identity provider's keys are damaged: `{0}` cannot be used")]
    Member(&'static str),
}

impl Keys {
    /// New keys, from the operating system's randomness.
    pub(super) fn generate() -> Self {
        let rs256 = KeyPair::generate(KeySize::Rsa2048).expect("an RSA key can be made on every host");
        let der = rs256.as_der().expect("a key just made can be written down");
        Self {
            hs256_secret: random::bytes(),
            client_secret: URL_SAFE_NO_PAD.encode(random::bytes::<CLIENT_SECRET_BYTES>()),
            rs256_pkcs8: der.as_ref().to_vec(),
            rs256,
        }
    }

    /// The keys as text to keep. Secret: the file must be readable by its owner alone.
    pub(super) fn to_json(&self) -> String {
        let kept = Kept {
            version: 1,
            hs256_secret: self.hs256_secret(),
            client_secret: self.client_secret.clone(),
            rs256_pkcs8: STANDARD.encode(&self.rs256_pkcs8),
        };
        let mut text = serde_json::to_string_pretty(&kept).expect("texts and a number always serialise");
        text.push('\n');
        text
    }

    /// The keys that [`Keys::to_json`] wrote.
    pub(super) fn from_json(text: &[u8]) -> Result<Self, KeysError> {
        let kept: Kept = serde_json::from_slice(text)
            .map_err(|error| KeysError::Json { line: error.line(), column: error.column() })?;
        if kept.version != 1 {
            return Err(KeysError::Version(kept.version));
        }
        let hs256_secret = STANDARD
            .decode(&kept.hs256_secret)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(KeysError::Member("hs256_secret"))?;
        if kept.client_secret.is_empty() {
            return Err(KeysError::Member("client_secret"));
        }
        let rs256_pkcs8 = STANDARD.decode(&kept.rs256_pkcs8).map_err(|_| KeysError::Member("rs256_pkcs8"))?;
        let rs256 = KeyPair::from_pkcs8(&rs256_pkcs8).map_err(|_| KeysError::Member("rs256_pkcs8"))?;
        Ok(Self { hs256_secret, client_secret: kept.client_secret, rs256, rs256_pkcs8 })
    }

    /// The HMAC secret in standard base64, as `OpenAM`'s setting holds it.
    pub(super) fn hs256_secret(&self) -> String {
        STANDARD.encode(self.hs256_secret)
    }

    /// The secret of the confidential clients.
    pub(super) fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The id of the RSA key: standard base64, so it may hold `+`, `/` and `=`, as `OpenAM`'s do.
    pub(super) fn key_id(&self) -> String {
        let (modulus, exponent) = self.public_numbers();
        let digest = digest::digest(&digest::SHA256, &[b"thinggate", modulus, exponent].concat());
        STANDARD.encode(&digest.as_ref()[..KEY_ID_BYTES])
    }

    /// The public key set. `leading_zero` writes the modulus as `OpenAM` before 14.4.2 does, with a
    /// zero octet in front (identity-providers 1.3).
    pub(super) fn jwks(&self, leading_zero: bool) -> String {
        let (modulus, exponent) = self.public_numbers();
        let zero: &[u8] = if leading_zero { &[0] } else { &[] };
        let key = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id(),
            "n": URL_SAFE_NO_PAD.encode([zero, modulus].concat()),
            "e": URL_SAFE_NO_PAD.encode(exponent),
        });
        json!({ "keys": [key] }).to_string()
    }

    /// The signature over `text`.
    pub(super) fn sign(&self, algorithm: Algorithm, text: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Hs256 => hmac::sign(&self.hmac(), text).as_ref().to_vec(),
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rs256.public_modulus_len()];
                self.rs256
                    .sign(&signature::RSA_PKCS1_SHA256, &rand::SystemRandom::new(), text, &mut signature)
                    .expect("a key that was checked when read signs any text");
                signature
            }
        }
    }

    /// Whether `signature` is ours over `text`.
    pub(super) fn verifies(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Hs256 => hmac::verify(&self.hmac(), text, signature).is_ok(),
            Algorithm::Rs256 => {
                let public = self.rs256.public_key();
                UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public)
                    .verify(text, signature)
                    .is_ok()
            }
        }
    }

    /// Modulus and exponent, big-endian, without a leading zero.
    fn public_numbers(&self) -> (&[u8], &[u8]) {
        let document = self.rs256.public_key().as_ref();
        let read = || {
            let (0x30, sequence, _) = der_element(document)? else { return None };
            let (0x02, modulus, rest) = der_element(sequence)? else { return None };
            let (0x02, exponent, _) = der_element(rest)? else { return None };
            Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent))
        };
        read().expect("a public key is written as RFC 8017 A.1.1 has it: modulus, exponent")
    }

    fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.hs256_secret)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// The first element of a DER text: its tag, its content, and what follows it.
fn der_element(text: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = text.split_first_chunk()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Compares without telling by time where the difference is, or how long the secret is.
pub(super) fn equal(given: &str, secret: &str) -> bool {
    let given = digest::digest(&digest::SHA256, given.as_bytes());
    let secret = digest::digest(&digest::SHA256, secret.as_bytes());
    aws_lc_rs::constant_time::verify_slices_are_equal(given.as_ref(), secret.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_keys_sign_what_the_first_ones_verify() {
        let first = Keys::generate();
        let second = Keys::from_json(first.to_json().as_bytes()).unwrap();
        for algorithm in [Algorithm::Hs256, Algorithm::Rs256] {
            let signature = second.sign(algorithm, b"text");
            assert!(first.verifies(algorithm, b"text", &signature));
            assert!(!first.verifies(algorithm, b"texT", &signature));
        }
        assert_eq!(first.client_secret(), second.client_secret());
        assert_eq!(first.jwks(false), second.jwks(false));
    }

    #[test]
    fn damaged_keys_are_refused_without_being_quoted() {
        let text = Keys::generate().to_json();
        let secret = |member: &str| {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value[member].as_str().unwrap().to_owned()
        };
        let cases = [
            ("{".to_owned(), KeysError::Json { line: 1, column: 1 }),
            (text.replace("\"version\": 1", "\"version\": 2"), KeysError::Version(2)),
            (text.replace(&secret("hs256_secret"), "c2hvcnQ="), KeysError::Member("hs256_secret")),
            (text.replace(&secret("client_secret"), ""), KeysError::Member("client_secret")),
            (text.replace(&secret("rs256_pkcs8"), "AAAA"), KeysError::Member("rs256_pkcs8")),
        ];
        for (text, expected) in cases {
            let error = Keys::from_json(text.as_bytes()).unwrap_err();
            assert_eq!(error, expected);
        }
        assert_eq!(format!("{:?}", Keys::generate()), "Keys { .. }");
    }

    #[test]
    fn the_old_key_set_has_one_octet_more() {
        let keys = Keys::generate();
        let modulus = |leading_zero| {
            let set: serde_json::Value = serde_json::from_str(&keys.jwks(leading_zero)).unwrap();
            URL_SAFE_NO_PAD.decode(set["keys"][0]["n"].as_str().unwrap()).unwrap()
        };
        assert_eq!(modulus(false).len(), 256);
        assert_eq!(modulus(true)[0], 0);
        assert_eq!(modulus(true)[1..], modulus(false));
    }
}
