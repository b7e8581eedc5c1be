//! Public keys: one PEM form for every source, and a provider's key set reduced to what is verified with.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs1;
use rsa::pkcs8::der::asn1::BitStringRef;
use rsa::pkcs8::der::{Decode as _, Encode as _};
use rsa::pkcs8::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::problem::Problem;

mod jwks;

pub use jwks::Jwks;

/// The shortest key that AWS IoT takes for a token signature, and RFC 7518 3.3 for RS256.
pub(super) const BITS_MIN: usize = 2048;

/// Longer keys than this are not verified by the authorizer's library.
pub(super) const BITS_MAX: usize = 8192;

/// An RSA public key as canonical PEM: `BEGIN PUBLIC KEY` (SPKI), 64 columns, LF. Two values are equal
/// if and only if the keys are.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeyPem {
    pem: String,
    der: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKeyPem {
    /// Reads a PEM text in any wrapping, with any line ends. Refuses everything that is not one RSA
    /// public key of 2048 to 8192 bits in SPKI form, and says what it is instead.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let (label, body) = block(text).ok_or_else(|| {
            refuse("it is not PEM: there is no `-----BEGIN PUBLIC KEY-----`")
                .next("openssl pkey -pubin -inform DER -in KEY -pubout, if it is a DER file")
        })?;
        check_label(label)?;
        let der =
            STANDARD.decode(body).map_err(|_| refuse("what stands between BEGIN and END is not base64"))?;
        Self::from_der(&der)
    }

    /// Reads a DER `SubjectPublicKeyInfo`, with the same refusals.
    pub fn from_der(der: &[u8]) -> Result<Self, Problem> {
        let malformed = |_| refuse("its bytes are not a public key (SubjectPublicKeyInfo)");
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
        check_algorithm(info.algorithm.oid)?;
        let bits = info.subject_public_key.as_bytes().unwrap_or_default();
        let key = pkcs1::RsaPublicKeyRef::from_der(bits)
            .map_err(|_| refuse("its bytes are not an RSA public key"))?;
        let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
        check_numbers(modulus, exponent).map_err(|reason| refuse(&reason))?;
        // Encoded again: some tools leave the algorithm's NULL parameter out.
        let subject_public_key = BitStringRef::new(0, bits).map_err(malformed)?;
        let der = SubjectPublicKeyInfoRef { algorithm: pkcs1::ALGORITHM_ID, subject_public_key }
            .to_der()
            .map_err(malformed)?;
        Ok(Self { pem: armour(&der), der, modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    /// The PEM text, with a line end after its last line.
    pub fn as_str(&self) -> &str {
        &self.pem
    }

    /// Its DER form, a `SubjectPublicKeyInfo`.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of its DER form as hex pairs with colons: what
    /// `openssl pkey -pubin -outform DER | sha256sum` prints.
    pub fn fingerprint(&self) -> String {
        let hash = digest::digest(&digest::SHA256, &self.der);
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
    }

    /// The length of its modulus in bits.
    pub fn bits(&self) -> usize {
        bit_length(&self.modulus)
    }

    /// Its two numbers, without a key id.
    pub fn components(&self) -> PublicKey {
        PublicKey {
            kid: None,
            n: URL_SAFE_NO_PAD.encode(&self.modulus),
            e: URL_SAFE_NO_PAD.encode(&self.exponent),
        }
    }

    /// Whether `signature` (RSASSA-PKCS1-v1_5, SHA-256, raw bytes) over `message` is this key's.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        aws_lc_rs::signature::RsaPublicKeyComponents { n: &self.modulus[..], e: &self.exponent[..] }
            .verify(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKeyPem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKeyPem({} bit, {})", self.bits(), self.fingerprint())
    }
}

/// An RSA public key as two numbers and maybe a key id: what an RS256 token is verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The key id that a token's header names.
    pub kid: Option<String>,
    /// The modulus, base64url without padding or leading zeros.
    pub n: String,
    /// The exponent, in the same form.
    pub e: String,
}

/// The label and the base64 text of the first PEM block.
fn block(text: &str) -> Option<(&str, String)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    Some((label, body.split_whitespace().collect()))
}

/// PEM with 64 columns and LF.
fn armour(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    pem
}

fn check_label(label: &str) -> Result<(), Problem> {
    let (because, next) = match label {
        "PUBLIC KEY" => return Ok(()),
        "RSA PUBLIC KEY" => (
            "it is in PKCS#1 form (`BEGIN RSA PUBLIC KEY`), which AWS IoT does not take",
            "openssl rsa -RSAPublicKey_in -in KEY -pubout",
        ),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => {
            ("it is a certificate, not a public key", "openssl x509 -in CERTIFICATE -noout -pubkey")
        }
        label if label.ends_with("PRIVATE KEY") => (
            "it is a private key, which does not belong here; if this file is shared, the key is lost: make a new one",
            "openssl pkey -in KEY -pubout",
        ),
        _ => ("it is another kind of PEM, not `BEGIN PUBLIC KEY`", "openssl pkey -in KEY -pubout"),
    };
    Err(refuse(because).next(next))
}

fn check_algorithm(algorithm: ObjectIdentifier) -> Result<(), Problem> {
    // RFC 8017 A.1, RFC 5480 2.1.1, RFC 8410 3, RFC 4055 3.1.
    let found = match algorithm.to_string().as_str() {
        "1.2.840.113549.1.1.1" => return Ok(()),
        "1.2.840.10045.2.1" => "an elliptic-curve key",
        "1.3.101.112" => "an Ed25519 key",
        "1.2.840.113549.1.1.10" => "an RSA-PSS key",
        _ => "a key of another algorithm",
    };
    Err(refuse(&format!("it is {found}; AWS IoT verifies token signatures with RSA only"))
        .next("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"))
}

/// Checks modulus and exponent, big-endian without leading zeros.
pub(super) fn check_numbers(modulus: &[u8], exponent: &[u8]) -> Result<(), String> {
    let bits = bit_length(modulus);
    if bits < BITS_MIN {
        return Err(format!("it has {bits} bits; at least {BITS_MIN} are needed"));
    }
    if bits > BITS_MAX {
        return Err(format!("it has {bits} bits; at most {BITS_MAX} are taken"));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    // The same bounds as aws-lc and ring have: 3 to 2^33 - 1.
    if !odd(exponent) || exponent == [1] || bit_length(exponent) > 33 {
        return Err("its exponent is not an odd number from 3 to 2^33 - 1".to_owned());
    }
    if !odd(modulus) {
        return Err("its modulus is even".to_owned());
    }
    Ok(())
}

/// The bits of a big-endian number.
pub(super) fn bit_length(number: &[u8]) -> usize {
    let number = number.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<_>>();
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn refuse(because: &str) -> Problem {
    Problem::usage("public_key", "this is not a public key that can be used").because(because)
}

#[cfg(test)]
mod tests;
