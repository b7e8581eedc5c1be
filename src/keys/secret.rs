//! Secrets in memory: wiped when dropped, never shown.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use zeroize::Zeroizing;

/// A secret text, such as an HMAC secret in base64 or a client secret. It has no `Display`, its
/// `Debug` shows nothing, and it compares in constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// Shorter secrets have no fingerprint: it could be guessed back.
const FINGERPRINTED_BYTES_MIN: usize = 32;

impl Secret {
    /// Takes `text` over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. Every caller is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first 8 hex digits of its SHA-256: enough to tell two secrets apart, too little to check a
    /// guess of a random one. A text under 32 bytes has none.
    pub fn fingerprint(&self) -> String {
        if self.0.len() < FINGERPRINTED_BYTES_MIN {
            return "(short)".to_owned();
        }
        let hash = digest::digest(&digest::SHA256, self.0.as_bytes());
        hash.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_secret() {
        let secret = Secret::new("canary-canary-canary-canary-canary");
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(…) Secret(…)");
        assert_eq!(secret, Secret::new("canary-canary-canary-canary-canary"));
        assert_ne!(secret, Secret::new("canary"));
        // `printf %s canary-… | sha256sum`
        assert_eq!(secret.fingerprint(), "a8db9cc9");
        assert_eq!(Secret::new("canary").fingerprint(), "(short)");
    }
}
