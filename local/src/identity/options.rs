//! What can be set: life times, the interval, what tokens look like.

use serde::{Deserialize, Serialize};

/// The longest life that can be set, in seconds: ten years.
const LIFETIME_SECONDS_MAX: u64 = 315_360_000;
/// The longest interval that can be set, in seconds.
const INTERVAL_SECONDS_MAX: u64 = 300;

/// The provider's settings. Defaults are `OpenAM`'s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityOptions {
    /// Life of an access token, 1 second to ten years. Default 3600.
    pub access_token_lifetime_seconds: u64,
    /// Life of a refresh token, 1 second to ten years. Default 604800, a week.
    pub refresh_token_lifetime_seconds: u64,
    /// Life of a device code, 1 second to ten years. Default 300.
    pub device_code_lifetime_seconds: u64,
    /// What a device must wait between polls, 0 to 300 seconds. Default 5.
    pub interval_seconds: u64,
    /// Whether a device that polls too fast is told `slow_down`. Default true.
    pub enforce_interval: bool,
    /// Whether `verification_uri_complete` is in an RFC answer. Default true.
    pub complete_uri: bool,
    /// Issues opaque tokens, as an `OpenAM` whose stateless tokens are off. Default false.
    pub opaque_tokens: bool,
}

impl Default for IdentityOptions {
    fn default() -> Self {
        Self {
            access_token_lifetime_seconds: 3600,
            refresh_token_lifetime_seconds: 604_800,
            device_code_lifetime_seconds: 300,
            interval_seconds: 5,
            enforce_interval: true,
            complete_uri: true,
            opaque_tokens: false,
        }
    }
}

impl IdentityOptions {
    /// Refuses what is out of range, naming it.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, seconds) in [
            ("access_token_lifetime_seconds", self.access_token_lifetime_seconds),
            ("refresh_token_lifetime_seconds", self.refresh_token_lifetime_seconds),
            ("device_code_lifetime_seconds", self.device_code_lifetime_seconds),
        ] {
            if !(1..=LIFETIME_SECONDS_MAX).contains(&seconds) {
                return Err(format!("`{name}` is {seconds}; it must be 1 to {LIFETIME_SECONDS_MAX}"));
            }
        }
        if self.interval_seconds > INTERVAL_SECONDS_MAX {
            let given = self.interval_seconds;
            return Err(format!("`interval_seconds` is {given}; it must be 0 to {INTERVAL_SECONDS_MAX}"));
        }
        Ok(())
    }
}
