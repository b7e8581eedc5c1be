//! Decides which access tokens may talk to AWS IoT Core.
//!
//! [`decide`] is pure: an event, the configured keys and rules, and the time go in, a [`Decision`]
//! comes out. An allow is written from a [`token::Verified`] value, which only verification makes.
//! Around it stand three thin parts: [`config`] reads `authorizer.json` once, [`runtime`] speaks
//! the Lambda Runtime API, and `log` writes one line for each decision.
//!
//! The algorithm and the key come from the configuration, never from the token. Nothing here opens
//! a connection, reads a file or looks at a clock because of what a token says.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod answer;
mod claims;
pub mod config;
pub mod deny;
pub mod event;
mod fingerprint;
mod header;
mod http;
pub mod json;
pub mod key;
pub mod log;
pub mod policy;
pub mod runtime;
pub mod template;
pub mod token;

#[cfg(test)]
mod tests;

use config::Rules;
use deny::Deny;
use event::Event;
use key::Keys;
use log::Trace;
use policy::Document;

/// The shortest time after which AWS asks again or disconnects, in seconds (AWS IoT quota).
pub const REFRESH_SECONDS_MIN: u64 = 300;
/// The longest time after which AWS asks again or disconnects, in seconds (AWS IoT quota).
pub const REFRESH_SECONDS_MAX: u64 = 86_400;

/// What becomes of one request, and what the log may say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Allow with what AWS needs, or deny with the reason.
    pub verdict: Verdict,
    /// What the log may say: never the token, never a claim that is not configured.
    pub trace: Trace,
}

/// Allow or deny.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The token is good.
    Allow(Allowed),
    /// The token is not good, or no policy can be written for it. The device is not told why.
    Deny(Deny),
}

/// What AWS gets to know about a good token.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    /// 32 hex digits: AWS allows letters and digits only.
    pub principal: String,
    /// Seconds until AWS asks again, and until it disconnects: 300 to 86,400.
    pub lifetime_seconds: u64,
    /// One to ten policy documents of at most 2,048 characters.
    pub documents: Vec<Document>,
}

/// Decides about one event at `now_seconds` (since 1970). The same arguments give the same answer.
pub fn decide(event: &Event<'_>, keys: &Keys, rules: &Rules, now_seconds: u64) -> Decision {
    let mut trace = Trace::default();
    let verdict = match allow(event, keys, rules, now_seconds, &mut trace) {
        Ok(allowed) => Verdict::Allow(allowed),
        Err(reason) => Verdict::Deny(reason),
    };
    Decision { verdict, trace }
}

/// Decides about the bytes that Lambda hands over. What is no event at all is a deny as well.
pub fn decide_bytes(bytes: &[u8], keys: &Keys, rules: &Rules, now_seconds: u64) -> Decision {
    match Event::parse(bytes) {
        Ok(event) => decide(&event, keys, rules, now_seconds),
        Err(reason) => Decision::refused(reason),
    }
}

impl Decision {
    /// A deny about which nothing more is known than its reason.
    pub fn refused(reason: Deny) -> Self {
        Self { verdict: Verdict::Deny(reason), trace: Trace::default() }
    }
}

fn allow(
    event: &Event<'_>,
    keys: &Keys,
    rules: &Rules,
    now_seconds: u64,
    trace: &mut Trace,
) -> Result<Allowed, Deny> {
    let token = event.token().ok_or(Deny::TokenMissing)?;
    let signed = token::open(token, keys, rules, trace)?;
    let verified = signed.verify(rules, now_seconds, trace)?;
    let must_fit = rules.strict_expiry && event.opens_connection();
    Ok(Allowed {
        lifetime_seconds: lifetime_seconds(verified.expires_at_seconds(), now_seconds, must_fit)?,
        principal: policy::principal(&verified),
        documents: policy::for_device(&verified, &rules.grants)?,
    })
}

/// How long a connection may live: to the end of the token, within AWS's limits. AWS disconnects no
/// sooner than after 300 s, so a token with less left is overrun by the rest, unless it `must_fit`.
fn lifetime_seconds(expires_at_seconds: u64, now_seconds: u64, must_fit: bool) -> Result<u64, Deny> {
    let remaining_seconds = expires_at_seconds.saturating_sub(now_seconds);
    if must_fit && remaining_seconds < REFRESH_SECONDS_MIN {
        return Err(Deny::ExpiresTooSoon);
    }
    Ok(remaining_seconds.clamp(REFRESH_SECONDS_MIN, REFRESH_SECONDS_MAX))
}
