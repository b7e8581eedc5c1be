//! Bad tokens, made on purpose. Each is wrong in exactly one way.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::keys::Secret;
use crate::problem::Problem;

/// The same token with another subject; its own signature no longer fits.
pub(super) fn tampered(token: &str) -> Result<String, Problem> {
    let (header, claims, signature) = segments(token)?;
    let mut claims = decoded(claims)?;
    claims["sub"] = Value::from("somebody-else");
    Ok(format!("{header}.{}.{signature}", encoded(&claims)))
}

/// The same token as the provider would have made it long ago: rightly signed, and expired.
pub(super) fn expired(token: &str, secret_base64: &Secret, hours: i64) -> Result<String, Problem> {
    let (header, claims, _) = segments(token)?;
    let mut claims = decoded(claims)?;
    for name in ["exp", "iat", "nbf", "auth_time"] {
        if let Some(time) = claims.get(name).and_then(Value::as_i64) {
            claims[name] = Value::from(time - hours * 3600);
        }
    }
    let signed = format!("{header}.{}", encoded(&claims));
    let secret = STANDARD.decode(secret_base64.expose()).map_err(|_| odd("the secret is not base64"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}

/// The same signature with its middle character changed: still base64, no longer a signature.
pub(super) fn flipped(signature: &str) -> String {
    let middle = signature.len() / 2;
    signature
        .char_indices()
        .map(|(place, one)| if place == middle { if one == 'A' { 'B' } else { 'A' } } else { one })
        .collect()
}

fn segments(token: &str) -> Result<(&str, &str, &str), Problem> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(signature), None) => Ok((header, claims, signature)),
        _ => Err(odd("the access token is not a JWT")),
    }
}

fn decoded(segment: &str) -> Result<Value, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).map_err(|_| odd("the claims are not base64url"))?;
    serde_json::from_slice(&bytes).map_err(|_| odd("the claims are not JSON"))
}

fn encoded(claims: &Value) -> String {
    URL_SAFE_NO_PAD.encode(claims.to_string())
}

fn odd(because: &str) -> Problem {
    Problem::failed("forgery", "a bad token could not be made").because(because)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515 A.1: token and key.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==";

    #[test]
    fn an_expired_token_differs_in_its_times_and_is_rightly_signed() {
        let old = expired(TOKEN, &Secret::new(KEY.to_owned()), 2).unwrap();
        let (header, claims, signature) = segments(&old).unwrap();
        assert_eq!(decoded(claims).unwrap()["exp"], 1_300_819_380_i64 - 7200);
        let secret = STANDARD.decode(KEY).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signed = format!("{header}.{claims}");
        hmac::verify(&key, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }

    #[test]
    fn a_tampered_token_keeps_its_signature() {
        let bad = tampered(TOKEN).unwrap();
        assert_eq!(bad.rsplit('.').next(), TOKEN.rsplit('.').next());
        assert_ne!(bad, TOKEN);
    }

    #[test]
    fn a_flipped_signature_has_the_same_form() {
        assert_eq!(flipped("AAAA"), "AABA");
        assert_eq!(flipped("xyzw"), "xyAw");
    }
}
