//! The token signature: RSASSA-PKCS1-v1_5 with SHA-256 over the token's bytes.
//! (aws-facts 2.5: AWS IoT developer guide, `custom-auth`.)

use std::collections::BTreeMap;

use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whether one of the registered keys made `signature_base64` over `token`.
pub fn verify(public_keys: &BTreeMap<String, String>, token: &str, signature_base64: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature_base64) else { return false };
    public_keys.values().filter_map(|pem| der(pem)).any(|key| {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(token.as_bytes(), &signature).is_ok()
    })
}

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// The bytes of a `PUBLIC KEY` PEM, wrapped or on one line; `None` for any other text.
fn der(pem: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let text: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

/// A key that AWS IoT takes: an RSA `SubjectPublicKeyInfo` of 2048 bits or more, as PEM.
/// (aws-facts 1.2: "public key minimum 2048 bit".)
pub fn is_public_key(pem: &str) -> bool {
    der(pem)
        .and_then(|key| PublicEncryptingKey::from_der(&key).ok())
        .is_some_and(|key| key.key_size_bits() >= PUBLIC_KEY_BITS_MIN)
}

/// The least that a registered key may have.
const PUBLIC_KEY_BITS_MIN: usize = 2048;
