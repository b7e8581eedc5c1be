//! One JSON line for each decision. It never holds the token or a claim, except `iss` when it is
//! the configured issuer.

use serde::Serialize;

use crate::config::Rules;
use crate::{Decision, Verdict};

/// What was seen on the way to a decision. A field is empty when the way ended before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The first 8 hex digits of the token's SHA-256.
    pub token_fingerprint: Option<String>,
    /// The header's `kid`, at most 128 bytes, not verified by itself.
    pub key_id: Option<String>,
    /// Whose token it is; known once the signature is verified.
    pub issuer: Option<Issuer>,
    /// Seconds until `exp`, negative after it.
    pub remaining_seconds: Option<i64>,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// The configured issuer's.
    Configured,
    /// Somebody else's. The text is not logged.
    Other,
}

#[derive(Serialize)]
struct Line<'a> {
    decision: &'static str,
    reason: Option<&'static str>,
    token: Option<&'a str>,
    kid: Option<String>,
    iss: Option<&'a str>,
    remaining_seconds: Option<i64>,
    request_id: &'a str,
    duration_us: u64,
}

/// The line for a decision, with its line end.
pub fn line(decision: &Decision, rules: &Rules, request_id: &str, duration_us: u64) -> String {
    let (word, reason) = match &decision.verdict {
        Verdict::Allow(_) => ("allow", None),
        Verdict::Deny(reason) => ("deny", Some(reason.name())),
    };
    let trace = &decision.trace;
    let line = Line {
        decision: word,
        reason,
        token: trace.token_fingerprint.as_deref(),
        kid: trace.key_id.as_deref().map(printable),
        iss: trace.issuer.map(|issuer| match issuer {
            Issuer::Configured => rules.issuer.as_str(),
            Issuer::Other => "other",
        }),
        remaining_seconds: trace.remaining_seconds,
        request_id,
        duration_us,
    };
    to_line(&line)
}

/// The line for a configuration that cannot be used.
pub fn bad_configuration_line(message: &str) -> String {
    #[derive(Serialize)]
    struct BadConfiguration<'a> {
        error: &'static str,
        message: &'a str,
    }
    to_line(&BadConfiguration { error: "bad_configuration", message })
}

fn to_line(value: &impl Serialize) -> String {
    // Texts and numbers always become JSON; an empty line would be the worst that can happen.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Printable ASCII stays; everything else is escaped, so that a terminal shows what is there.
fn printable(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => escaped.push(character),
            _ => escaped.extend(character.escape_default()),
        }
    }
    escaped
}
