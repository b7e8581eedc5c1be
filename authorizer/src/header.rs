//! The token's header: what it must say, and what it must not say.

use crate::config::Rules;
use crate::deny::Deny;
use crate::json::{Json, Object};
use crate::key::Keys;

/// The greatest `kid`, in bytes. It is an index into the configured keys and nothing else.
pub(crate) const KEY_ID_BYTES_MAX: usize = 128;

/// Checks everything in the header but the key id (RFC 7515 4.1, RFC 8725 3.1 and 3.10).
pub(crate) fn check(header: &Object<'_>, keys: &Keys, rules: &Rules) -> Result<(), Deny> {
    // Byte for byte: `none`, `None`, `hs256` and every other spelling differ.
    if header.get("alg").and_then(Json::as_text) != Some(keys.algorithm().name()) {
        return Err(Deny::WrongAlgorithm);
    }
    let has = |names: &[&str]| names.iter().any(|name| header.contains_key(*name));
    if has(&["crit", "b64"]) {
        return Err(Deny::CriticalHeader);
    }
    // OpenAM from 14.0 on writes `NONE` into every token.
    if header.get("zip").is_some_and(|zip| zip.as_text() != Some("NONE")) {
        return Err(Deny::Compressed);
    }
    if has(&["jwk", "jku", "x5u", "x5c"]) {
        return Err(Deny::EmbeddedKey);
    }
    let is_allowed = match header.get("typ") {
        None => rules.types.iter().any(String::is_empty),
        Some(Json::Text(found)) => rules.types.iter().any(|allowed| is_same_type(allowed, found)),
        Some(_) => false,
    };
    if is_allowed { Ok(()) } else { Err(Deny::WrongType) }
}

/// The key id, if the header has one.
pub(crate) fn key_id<'a>(header: &'a Object<'_>) -> Result<Option<&'a str>, Deny> {
    match header.get("kid") {
        None => Ok(None),
        Some(Json::Text(key_id)) if key_id.len() <= KEY_ID_BYTES_MAX => Ok(Some(key_id)),
        Some(_) => Err(Deny::BadKeyId),
    }
}

/// Compares media types: case does not count, and a value without `/` stands for `application/`
/// and itself (RFC 7515 4.1.9, RFC 2045 5.1). An empty text is no media type.
pub(crate) fn is_same_type(allowed: &str, found: &str) -> bool {
    let full = |text: &str| {
        let text = text.to_ascii_lowercase();
        if text.contains('/') { text } else { format!("application/{text}") }
    };
    !allowed.is_empty() && !found.is_empty() && full(allowed) == full(found)
}

#[cfg(test)]
mod tests {
    use super::is_same_type;

    #[test]
    fn media_types() {
        assert!(is_same_type("JWT", "jwt"));
        assert!(is_same_type("at+jwt", "application/at+jwt"));
        assert!(is_same_type("application/at+jwt", "AT+JWT"));
        assert!(!is_same_type("JWT", "at+jwt"));
        assert!(!is_same_type("JWT", "text/jwt"));
        assert!(!is_same_type("JWT", "application/application/jwt"));
        assert!(!is_same_type("", ""));
        assert!(!is_same_type("JWT", " JWT"));
    }
}
