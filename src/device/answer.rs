//! What an OAuth endpoint answers. The JSON member `error` decides, whatever the status: pending is 400
//! at some providers and 403 at others, and some refuse with 200 (identity-providers 0.2, 5.1).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::text::printable;
use crate::door::{HttpError, Refusal};
use crate::problem::{Problem, ProblemKind};

/// The longest answer that is looked at, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The longest `Retry-After` and `interval` that are believed, in seconds.
const WAIT_SECONDS_MAX: u64 = 300;
/// The longest description that is repeated, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 200;

/// An answer, sorted.
#[derive(Debug)]
pub(super) enum Sorted {
    /// A success status, a JSON object, no error in it.
    Good(Map<String, Value>),
    /// An OAuth error.
    Refused(Refused),
    /// Too many requests, and no OAuth error that says more.
    TooMany(Option<Duration>),
    /// The server is in trouble; later it may not be.
    Trouble(String),
    /// Nothing that can be understood.
    Strange(String),
}

/// An OAuth error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The `error` member, raw.
    pub(super) error: String,
    description: Option<String>,
    /// How long the provider wants to be left alone: `interval` or `Retry-After`.
    pub(super) wait: Option<Duration>,
}

/// Sorts an answer.
pub(super) fn sort(answer: &http::Response<Bytes>) -> Sorted {
    let status = answer.status();
    let body = answer.body();
    let object = match serde_json::from_slice(body) {
        Ok(Value::Object(object)) if body.len() <= ANSWER_BYTES_MAX => Some(object),
        _ => None,
    };
    let retry_after = retry_after(answer.headers());
    if let Some(object) = &object
        && let Some(error) = object.get("error").and_then(Value::as_str)
    {
        let description = object.get("error_description").and_then(Value::as_str).map(str::to_owned);
        let interval = object.get("interval").and_then(seconds).map(wait);
        return Sorted::Refused(Refused {
            error: error.to_owned(),
            description,
            wait: interval.max(retry_after),
        });
    }
    match object {
        Some(object) if status.is_success() => Sorted::Good(object),
        _ if status == http::StatusCode::TOO_MANY_REQUESTS => Sorted::TooMany(retry_after),
        _ if status.is_server_error() => Sorted::Trouble(format!("it answers {status}")),
        _ if status.is_success() => Sorted::Strange(format!("it answers {status} without a JSON object")),
        _ => Sorted::Strange(format!("it answers {status} without an OAuth error")),
    }
}

/// A number of seconds: JSON number or digits in a text, rounded up; `None` for anything else.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64().filter(|number| (0.0..1e9).contains(number))?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range, just checked"
            )]
            Some(number.ceil() as u64)
        }),
        Value::String(text) if text.len() <= 10 => text.parse().ok(),
        _ => None,
    }
}

/// A wait that a provider asks for, within reason.
pub(super) fn wait(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(WAIT_SECONDS_MAX))
}

/// `Retry-After` in seconds; a date is not looked at, since devices have no clock to trust.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(wait)
}

/// The problem of an OAuth error at `place`. `secrets` are what was sent: a description that repeats one
/// is not shown.
pub(super) fn problem(refused: &Refused, place: &str, secrets: &[&str]) -> Problem {
    let (code, what, next) = meaning(&refused.error);
    let mut problem = Problem::failed(code, what).at(place);
    let known = code != "provider_refused";
    if !known {
        problem = problem.because(format!("the error is `{}`", shortened(&refused.error)));
    }
    if let Some(description) = &refused.description
        && !secrets.iter().any(|secret| !secret.is_empty() && description.contains(secret))
    {
        problem = problem.because(format!("the provider says: {}", shortened(description)));
    }
    problem.next(next)
}

/// Stable code, what it means, and what helps.
fn meaning(error: &str) -> (&'static str, &'static str, &'static str) {
    const AGAIN: &str = "thinggate device login STACK starts a new login";
    match error {
        "access_denied" => ("access_denied", "the login was denied", AGAIN),
        // OpenAM says so too for a code that it does not know, or that was used (openam-recipe 4.1).
        "authorization_declined" => {
            ("access_denied", "the login was denied, or its code is not known any more", AGAIN)
        }
        "expired_token" => ("expired_token", "nobody approved the login in time", AGAIN),
        "invalid_grant" | "bad_verification_code" => {
            ("invalid_grant", "the provider does not know this code or token, or it was used already", AGAIN)
        }
        "invalid_client" | "unauthorized_client" => (
            "invalid_client",
            "the provider does not accept this client",
            "check `identity.client_id`, `identity.client_secret` and `identity.client_auth`, and that the \
             provider lets this client use the device flow",
        ),
        "unsupported_grant_type" => (
            "unsupported_grant_type",
            "the provider does not know this grant",
            "set `identity.dialect` to \"rfc8628\" or \"openam-legacy\"",
        ),
        "invalid_scope" => {
            ("invalid_scope", "the provider does not give these scopes", "check `identity.scope`")
        }
        "invalid_request" | "bad_request" => (
            "invalid_request",
            "the provider misses something in the request",
            "OpenAM needs `identity.extra = { response_type = \"token\" }` and a scope",
        ),
        _ => ("provider_refused", "the provider refused", "look at the provider's log"),
    }
}

/// The problem of an answer that cannot be understood.
pub(super) fn strange(place: &str, because: impl Into<String>) -> Problem {
    Problem::failed("strange_answer", "the provider's answer cannot be understood")
        .at(place)
        .because(because)
        .next("check the addresses in `[identity]`: one of them may be another page of the provider")
}

/// The problem of a server that cannot be asked.
pub(super) fn unreachable(place: &str, error: &HttpError) -> Problem {
    match error {
        HttpError::Refused(Refusal::Stopped) => {
            Problem::new(ProblemKind::Interrupted, "interrupted", "the run was stopped")
                .next("run the same command again")
        }
        _ => Problem::failed("unreachable", "there is no answer")
            .at(place)
            .because(error.to_string())
            .next("check the address, the network and the proxy"),
    }
}

fn shortened(text: &str) -> String {
    printable(&text.chars().take(DESCRIPTION_CHARACTERS_MAX).collect::<String>())
}
