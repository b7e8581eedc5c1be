//! The keys that verify access tokens. One set of keys is of one algorithm, which the
//! configuration names and the token must repeat. Parsed once, before the first event.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::deny::Deny;
use crate::header::KEY_ID_BYTES_MAX;

/// The shortest HS256 secret, in bytes (RFC 7518 3.2).
pub const SECRET_BYTES_MIN: usize = 32;
/// The longest HS256 secret as text, in bytes: what fits in a function's environment.
pub const SECRET_TEXT_BYTES_MAX: usize = 4096;
/// The smallest RSA modulus, in bits (RFC 7518 3.3).
pub const RSA_BITS_MIN: usize = 2048;
/// The greatest RSA modulus, in bits.
pub const RSA_BITS_MAX: usize = 8192;
/// The smallest RSA exponent.
pub const RSA_EXPONENT_MIN: u64 = 65_537;
/// The greatest RSA exponent that the verifier takes.
pub const RSA_EXPONENT_MAX: u64 = (1 << 33) - 1;

/// The algorithms. Closed: another one is a new variant here and in [`Keys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The value of `alg` (RFC 7518 3.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
        }
    }
}

/// How the text of an HS256 secret becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Standard base64, padded or not: OpenAM's setting.
    Base64,
    /// The text itself.
    Utf8,
}

/// The keys of one algorithm.
#[derive(Debug)]
pub enum Keys {
    /// One shared secret.
    Hs256(Secret),
    /// One or more public keys.
    Rs256(RsaKeys),
}

impl Keys {
    /// The algorithm that a token must name.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
            Self::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Whether `signature` is that of the key over `signed`. The key id chooses among the
    /// configured keys; it never reaches a key's bytes.
    pub fn verify(&self, key_id: Option<&str>, signed: &[u8], signature: &[u8]) -> Result<(), Deny> {
        match self {
            // In constant time. There is one secret; what the token calls it does not matter.
            Self::Hs256(secret) => hmac::verify(&secret.0, signed, signature),
            Self::Rs256(keys) => {
                keys.choose(key_id)?.components.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
        }
        .map_err(|_| Deny::BadSignature)
    }
}

/// An HS256 secret. Nothing shows it.
pub struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// Takes a secret from its text. The error ends a sentence that begins with the secret's place,
    /// and does not repeat it.
    pub fn new(text: &str, encoding: Encoding, allow_short: bool) -> Result<Self, String> {
        if text.len() > SECRET_TEXT_BYTES_MAX {
            return Err(format!("has {} bytes; at most {SECRET_TEXT_BYTES_MAX} are allowed", text.len()));
        }
        // Before decoding, for a better message: a key's text is hardly ever base64 itself.
        if looks_like_key(text.as_bytes()) {
            return Err(LIKE_A_KEY.to_owned());
        }
        let bytes = match encoding {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Base64 => STANDARD.decode(text).map_err(
                |_| "is not standard base64 (no spaces, no line ends); or is its encoding `utf8`?",
            )?,
        };
        if looks_like_key(&bytes) {
            return Err(LIKE_A_KEY.to_owned());
        }
        if bytes.is_empty() {
            return Err("is empty".to_owned());
        }
        if bytes.len() < SECRET_BYTES_MIN && !allow_short {
            return Err(format!(
                "has {} bytes; HS256 needs at least {SECRET_BYTES_MIN} (RFC 7518 3.2), unless `allow_short_secret` is set",
                bytes.len()
            ));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

/// Ends a sentence that begins with a secret's place.
const LIKE_A_KEY: &str = "looks like a public or private key; an HS256 secret is random bytes";

/// Standard base64 without set bits after the last byte; padding may be missing.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether bytes are a key's text or DER: a public key as HMAC secret would let everybody sign.
fn looks_like_key(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let contains = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    contains(b"-----BEGIN")
        || begins(b"ssh-")
        || begins(b"ecdsa-sha2-")
        || begins(b"sk-ssh-")
        || begins(b"---- BEGIN SSH2")
        || (begins(b"{") && contains(b"\"kty\""))
        || (begins(b"{") && contains(b"\"keys\""))
        || is_der_sequence(bytes)
        || is_base64_of_der(bytes)
}

/// A PEM without its first and last line, or the key of a realm's page.
fn is_base64_of_der(text: &[u8]) -> bool {
    let body: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(body).is_ok_and(|bytes| is_der_sequence(&bytes))
}

/// A DER sequence that fills `bytes`, but for line ends: PKCS #1, PKCS #8, SPKI and certificates are such.
/// Of random secrets, only one in some 2^24 of those with more than 130 bytes begins like this.
fn is_der_sequence(bytes: &[u8]) -> bool {
    let (length, rest) = match bytes {
        [0x30, 0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x82, high @ 1..=0xff, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return false,
    };
    rest.get(length..).is_some_and(|after| after.trim_ascii().is_empty())
}

/// RS256 public keys, chosen by `kid`.
#[derive(Debug)]
pub struct RsaKeys(Vec<RsaKey>);

/// One RSA public key.
#[derive(Debug)]
pub struct RsaKey {
    key_id: Option<String>,
    components: RsaPublicKeyComponents<Vec<u8>>,
}

impl RsaKey {
    /// Takes a key as a JWK has it: `n` and `e` in base64url. The error ends a sentence that begins
    /// with the key's place.
    pub fn new(key_id: Option<String>, modulus: &str, exponent: &str) -> Result<Self, String> {
        if key_id.as_ref().is_some_and(|key_id| key_id.len() > KEY_ID_BYTES_MAX) {
            return Err(format!("has a `kid` of over {KEY_ID_BYTES_MAX} bytes"));
        }
        let number = |name: &str, text: &str| {
            let bytes =
                URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("has an `{name}` that is not base64url"))?;
            // OpenAM before 14.4.2 writes a leading zero octet.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Ok::<_, String>(bytes.into_iter().skip(zeros).collect::<Vec<u8>>())
        };
        let n = number("n", modulus)?;
        let e = number("e", exponent)?;
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
            return Err(format!("has {bits} bits; {RSA_BITS_MIN} to {RSA_BITS_MAX} are allowed"));
        }
        if n.last().is_none_or(|last| last % 2 == 0) {
            return Err("has an even modulus, so it is no RSA key".to_owned());
        }
        let value = (e.len() <= 8).then(|| e.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)));
        match value {
            Some(RSA_EXPONENT_MIN..=RSA_EXPONENT_MAX) if e.last().is_some_and(|last| last % 2 == 1) => {}
            _ => {
                return Err(format!(
                    "has an exponent that is not an odd number from {RSA_EXPONENT_MIN} to {RSA_EXPONENT_MAX}"
                ));
            }
        }
        Ok(Self { key_id, components: RsaPublicKeyComponents { n, e } })
    }
}

impl RsaKeys {
    /// Takes the keys together. With more than one, each needs a `kid` of its own.
    pub fn new(keys: Vec<RsaKey>) -> Result<Self, String> {
        if keys.is_empty() {
            return Err("is empty".to_owned());
        }
        let mut key_ids: Vec<_> = keys.iter().map(|key| key.key_id.as_deref()).collect();
        key_ids.sort_unstable();
        if keys.len() > 1 && key_ids.first() == Some(&None) {
            return Err("has several keys, one of them without `kid`; a token could not choose".to_owned());
        }
        key_ids.dedup();
        if key_ids.len() < keys.len() {
            return Err("has two keys with the same `kid`".to_owned());
        }
        Ok(Self(keys))
    }

    fn choose(&self, key_id: Option<&str>) -> Result<&RsaKey, Deny> {
        match (self.0.as_slice(), key_id) {
            // A lone key may have no name (a PEM file); then every name means it, since there is no other.
            ([only], Some(_)) if only.key_id.is_none() => Ok(only),
            ([only], None) => Ok(only),
            (_, None) => Err(Deny::KeyIdMissing),
            (keys, wanted) => {
                keys.iter().find(|key| key.key_id.as_deref() == wanted).ok_or(Deny::UnknownKeyId)
            }
        }
    }
}

#[cfg(test)]
mod tests;
