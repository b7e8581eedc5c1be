//! A provider's key set (RFC 7517), reduced to the keys that can verify an RS256 access token.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use serde::Deserialize;

use crate::problem::Problem;

use super::{PublicKey, PublicKeyPem, bit_length, check_numbers};

/// The longest key set that is read.
const BYTES_MAX: usize = 256 * 1024;

/// The most keys that a set may hold.
const KEYS_MAX: usize = 64;

/// The longest key id, as the authorizer takes it.
const KID_BYTES_MAX: usize = 128;

/// The shortest exponent, in bits: the smallest odd number that has them is 65537, from which on the
/// authorizer takes a key.
const EXPONENT_BITS_MIN: usize = 17;

/// Providers are asked for no padding (RFC 7515 2), and some pad.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The RS256 keys of a set, in its order. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Key>,
}

/// The members that matter; a set may have more.
#[derive(Deserialize)]
struct Key {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    #[serde(rename = "key_ops")]
    operations: Option<Vec<String>>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// The private exponent, or an elliptic curve's private number.
    d: Option<serde::de::IgnoredAny>,
}

impl Jwks {
    /// Reads a key set. Keys for other uses (encryption, another algorithm, another key type) are left
    /// out, because Keycloak and others publish them beside the signing keys. Refused: a symmetric or
    /// private key (the set is public), an RS256 key that the authorizer would not start with, two keys of
    /// one id, several keys of which one has no id, a set without any RS256 key.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, Problem> {
        let bytes = text.as_ref();
        if bytes.len() > BYTES_MAX {
            return Err(refuse(format!("it has {} bytes; at most {BYTES_MAX} are read", bytes.len())));
        }
        let set: Set = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            refuse(format!(
                "it is not JSON of the form {{\"keys\": [{{\"kty\": …}}]}} (line {line}, column {column})"
            ))
        })?;
        if set.keys.len() > KEYS_MAX {
            return Err(refuse(format!("it has {} keys; at most {KEYS_MAX} are taken", set.keys.len())));
        }
        let mut keys = Vec::new();
        let mut left_out = Vec::new();
        for (number, key) in (1..).zip(set.keys) {
            let name =
                key.kid.as_deref().map_or_else(|| format!("key {number}"), |kid| format!("key {kid:?}"));
            match reduce(key) {
                Ok(Reduced::Key(key)) => keys.push(key),
                Ok(Reduced::LeftOut(why)) => left_out.push(format!("{name}: {why}")),
                Err(why) => return Err(refuse(format!("{name}: {why}"))),
            }
        }
        check_ids(&keys)?;
        if keys.is_empty() {
            let none = refuse("it has no RSA key for signatures with RS256".to_owned());
            return Err(left_out.into_iter().fold(none, Problem::because));
        }
        Ok(Self { keys })
    }

    /// The set of one key without an id, from its PEM.
    pub fn of_pem(text: &str) -> Result<Self, Problem> {
        let key = PublicKeyPem::parse(text)?;
        check_exponent(&key.exponent).map_err(|because| {
            Problem::usage("public_key", "this is not a public key that can be used").because(because)
        })?;
        Ok(Self { keys: vec![key.components()] })
    }
}

enum Reduced {
    Key(PublicKey),
    LeftOut(&'static str),
}

fn reduce(key: Key) -> Result<Reduced, String> {
    if key.kty == "oct" {
        return Err("a symmetric key: whoever reads the set could sign tokens; make a new one".to_owned());
    }
    if key.d.is_some() {
        return Err("a private key: whoever reads the set could sign tokens; make a new one".to_owned());
    }
    if key.kty != "RSA" {
        return Ok(Reduced::LeftOut("not an RSA key"));
    }
    if key.usage.is_some_and(|usage| usage != "sig") {
        return Ok(Reduced::LeftOut("its `use` is not `sig`"));
    }
    if key.alg.is_some_and(|alg| alg != "RS256") {
        return Ok(Reduced::LeftOut("its `alg` is not `RS256`"));
    }
    if key.operations.is_some_and(|uses| !uses.iter().any(|operation| operation == "verify")) {
        return Ok(Reduced::LeftOut("its `key_ops` have no `verify`"));
    }
    if key.kid.as_ref().is_some_and(|kid| kid.is_empty() || kid.len() > KID_BYTES_MAX) {
        return Err(format!("its `kid` has not 1 to {KID_BYTES_MAX} bytes"));
    }
    let modulus = number(key.n.as_deref(), "n")?;
    let exponent = number(key.e.as_deref(), "e")?;
    check_numbers(&modulus, &exponent)?;
    check_exponent(&exponent)?;
    let text = |number: &[u8]| general_purpose::URL_SAFE_NO_PAD.encode(number);
    Ok(Reduced::Key(PublicKey { kid: key.kid, n: text(&modulus), e: text(&exponent) }))
}

/// A big-endian number without leading zeros, which OpenAM before 14.4.2 has.
fn number(text: Option<&str>, member: &str) -> Result<Vec<u8>, String> {
    let text = text.ok_or_else(|| format!("it has no `{member}`"))?;
    let bytes = TOLERANT.decode(text).map_err(|_| format!("its `{member}` is not base64url"))?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// AWS IoT may take smaller ones for token signatures; the authorizer does not for tokens.
fn check_exponent(exponent: &[u8]) -> Result<(), String> {
    if bit_length(exponent) < EXPONENT_BITS_MIN {
        return Err("its exponent is under 65537, which the authorizer does not take".to_owned());
    }
    Ok(())
}

fn check_ids(keys: &[PublicKey]) -> Result<(), Problem> {
    if keys.len() > 1
        && let Some(nameless) = keys.iter().position(|key| key.kid.is_none())
    {
        return Err(refuse(format!(
            "it has {} keys for RS256, and number {} of them has no `kid`; a token could not choose",
            keys.len(),
            nameless + 1
        )));
    }
    let mut seen = BTreeSet::new();
    for kid in keys.iter().filter_map(|key| key.kid.as_deref()) {
        if !seen.insert(kid) {
            return Err(refuse(format!("two keys have the id {kid:?}")));
        }
    }
    Ok(())
}

fn refuse(because: String) -> Problem {
    Problem::usage("key_set", "this key set (JWKS) cannot be used").because(because)
}

#[cfg(test)]
mod tests;
