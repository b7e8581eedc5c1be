//! The two endpoints that devices call: `device/code` and `access_token`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::client::{self, Client};
use super::codes::{Grant, Poll};
use super::form::{Form, Refusal};
use super::tokens::{self, Kind};
use super::{Dialect, Provider, SCOPES};
use crate::Request;
use crate::random::uuid;

/// Spent refresh tokens and revoked grants that are remembered; when full, nothing is refreshed until
/// some expire.
const REVOCATIONS_MAX: usize = 10_000;
/// The longest scope text, in bytes.
const SCOPE_BYTES_MAX: usize = 256;

/// Answers a device's first request.
pub(super) fn device_code(
    provider: &Provider,
    dialect: Dialect,
    request: &Request,
    now: SystemTime,
) -> Result<Value, Refusal> {
    let form = Form::read(request, dialect)?;
    let (client, scopes) = match dialect {
        Dialect::Rfc8628 => {
            let client = client::proven(dialect, request.headers(), &form, provider.keys())?;
            (client, known_scopes(form.get("scope"), &SCOPES)?)
        }
        Dialect::OpenamLegacy => {
            let scope = form.get("scope").filter(|_| form.get("response_type").is_some());
            let (Some(scope), Some(_)) = (scope, form.get("client_id")) else {
                let text = "client_id, scope and response_type are required parameters";
                return Err(Refusal::new(400, "bad_request", text));
            };
            // Neither the secret nor the scope is looked at yet; the page refuses unknown scopes.
            (client::named(dialect, &form)?, split_scopes(scope)?)
        }
    };
    let base = provider.base();
    let mut state = provider.state();
    let options = state.options.clone();
    let issued = state.codes.issue(dialect, client.id, scopes, &options, now).ok_or_else(|| {
        let text = "too many device codes are open; try again when some have expired";
        Refusal::new(503, "temporarily_unavailable", text)
    })?;
    let page = format!("{base}{}/device/user", dialect.prefix());
    let mut answer = json!({
        "device_code": issued.device_code, "user_code": issued.user_code,
        "expires_in": options.device_code_lifetime_seconds, "interval": options.interval_seconds,
    });
    match dialect {
        Dialect::OpenamLegacy => answer["verification_url"] = json!(page),
        Dialect::Rfc8628 => {
            if options.complete_uri {
                answer["verification_uri_complete"] = json!(format!("{page}?user_code={}", issued.user_code));
            }
            answer["verification_uri"] = json!(page);
        }
    }
    Ok(answer)
}

/// Answers a poll or a refresh.
pub(super) fn access_token(
    provider: &Provider,
    dialect: Dialect,
    request: &Request,
    now: SystemTime,
) -> Result<Value, Refusal> {
    let form = Form::read(request, dialect)?;
    let grant_type =
        form.get("grant_type").ok_or(Refusal::new(400, "invalid_request", "Grant type is not set"))?;
    if grant_type != dialect.device_grant() && grant_type != "refresh_token" {
        return Err(Refusal::new(400, "unsupported_grant_type", "Grant type is not supported"));
    }
    let client = client::proven(dialect, request.headers(), &form, provider.keys())?;
    if grant_type == "refresh_token" {
        refresh(provider, dialect, client, &form)
    } else {
        poll(provider, dialect, client, &form, now)
    }
}

fn poll(
    provider: &Provider,
    dialect: Dialect,
    client: &Client,
    form: &Form,
    now: SystemTime,
) -> Result<Value, Refusal> {
    let (parameter, missing) = match dialect {
        Dialect::Rfc8628 => {
            ("device_code", Refusal::new(400, "invalid_request", "device_code is a required parameter"))
        }
        Dialect::OpenamLegacy => ("code", Refusal::new(400, "bad_request", "code is a required parameter")),
    };
    let device_code = form.get(parameter).ok_or(missing)?;
    let found = {
        let mut state = provider.state();
        let enforce = state.options.enforce_interval;
        let found = state.codes.poll(dialect, client.id, device_code, enforce, now);
        // Redeemed twice: one of the two is not the device, so neither keeps a way to new tokens.
        if let (Poll::Replayed(grant), Dialect::Rfc8628) = (&found, dialect) {
            let until =
                provider.stamps.now() + Duration::from_secs(state.options.refresh_token_lifetime_seconds);
            state.revocations.revoke(grant.clone(), until);
        }
        found
    };
    match found {
        Poll::Granted(grant) => Ok(issue(provider, dialect, client, &grant)),
        other => Err(refusal_of(&other, dialect)),
    }
}

/// The table of identity-providers 1.2 for the legacy dialect, RFC 8628 3.5 for the other.
fn refusal_of(poll: &Poll, dialect: Dialect) -> Refusal {
    let legacy = dialect == Dialect::OpenamLegacy;
    match poll {
        Poll::Pending => {
            let text = "The user has not yet completed authorization";
            Refusal::new(if legacy { 403 } else { 400 }, "authorization_pending", text)
        }
        Poll::SlowDown => {
            let text = "The polling interval has not elapsed since the last request";
            Refusal::new(400, "slow_down", text)
        }
        Poll::Expired => {
            let text = "The request contains a token no longer valid.";
            Refusal::new(if legacy { 401 } else { 400 }, "expired_token", text)
        }
        Poll::Denied | Poll::Unknown | Poll::Replayed(_) if legacy => {
            Refusal::new(403, "authorization_declined", "The user has declined authorization")
        }
        Poll::Denied => Refusal::new(400, "access_denied", "The user has declined authorization"),
        Poll::Unknown | Poll::Replayed(_) | Poll::OtherClient | Poll::Granted(_) => invalid_grant(),
    }
}

fn refresh(provider: &Provider, dialect: Dialect, client: &Client, form: &Form) -> Result<Value, Refusal> {
    let missing = Refusal::new(400, "invalid_request", "refresh_token is a required parameter");
    let token = form.get("refresh_token").ok_or(missing)?;
    let now = provider.stamps.now();
    let mut old = tokens::read_refresh(provider.keys(), client.algorithm, client.id, token, now)
        .ok_or_else(invalid_grant)?;
    if let Some(scope) = form.get("scope") {
        let granted: Vec<&str> = old.grant.scopes.iter().map(String::as_str).collect();
        old.grant.scopes = known_scopes(Some(scope), &granted)?;
    }
    let spent = provider.state().revocations.spend(old.id, old.grant.id.clone(), old.expires, now);
    match spent {
        Spent::Now => Ok(issue(provider, dialect, client, &old.grant)),
        Spent::Before => Err(invalid_grant()),
        Spent::Full => {
            let text = "too many refresh tokens were used lately";
            Err(Refusal::new(503, "temporarily_unavailable", text))
        }
    }
}

fn issue(provider: &Provider, dialect: Dialect, client: &Client, grant: &Grant) -> Value {
    let options = provider.options();
    let now = provider.stamps.now();
    let token = |kind, seconds| {
        if options.opaque_tokens {
            return uuid();
        }
        let lifetime = Duration::from_secs(seconds);
        tokens::mint(provider.keys(), dialect, client.algorithm, kind, grant, now, lifetime)
    };
    json!({
        "access_token": token(Kind::Access, options.access_token_lifetime_seconds),
        "refresh_token": token(Kind::Refresh, options.refresh_token_lifetime_seconds),
        "token_type": "Bearer",
        "expires_in": options.access_token_lifetime_seconds,
        "scope": grant.scopes.join(" "),
    })
}

fn invalid_grant() -> Refusal {
    let text = "The provided access grant is invalid, expired, or revoked.";
    Refusal::new(400, "invalid_grant", text)
}

/// Scopes from a text, sorted; all of `allowed` when there is no text.
fn known_scopes(text: Option<&str>, allowed: &[&str]) -> Result<Vec<String>, Refusal> {
    let Some(text) = text else {
        return Ok(allowed.iter().map(|scope| (*scope).to_owned()).collect());
    };
    let scopes = split_scopes(text)?;
    if scopes.is_empty() || scopes.iter().any(|scope| !allowed.contains(&scope.as_str())) {
        return Err(Refusal::new(400, "invalid_scope", "a scope is unknown, or was not granted"));
    }
    Ok(scopes)
}

fn split_scopes(text: &str) -> Result<Vec<String>, Refusal> {
    if text.len() > SCOPE_BYTES_MAX {
        return Err(Refusal::new(400, "invalid_scope", "the scope is longer than 256 bytes"));
    }
    let mut scopes: Vec<String> = text.split_ascii_whitespace().map(str::to_owned).collect();
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// Refresh tokens that were used, and grants whose tokens refresh no more; each until it would expire.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    spent: BTreeMap<String, SystemTime>,
    grants: BTreeMap<String, SystemTime>,
}

#[derive(Debug, PartialEq, Eq)]
enum Spent {
    Now,
    Before,
    Full,
}

impl Revocations {
    /// Uses a refresh token up. One used before revokes its whole grant: somebody has a copy.
    fn spend(&mut self, token: String, grant: String, expires: SystemTime, now: SystemTime) -> Spent {
        self.spent.retain(|_, until| now < *until);
        self.grants.retain(|_, until| now < *until);
        if self.grants.contains_key(&grant) {
            return Spent::Before;
        }
        if self.spent.contains_key(&token) {
            self.revoke(grant, expires);
            return Spent::Before;
        }
        if self.spent.len() + self.grants.len() >= REVOCATIONS_MAX {
            return Spent::Full;
        }
        self.spent.insert(token, expires);
        Spent::Now
    }

    /// At most one per device code or spent token, so its size follows theirs.
    fn revoke(&mut self, grant: String, until: SystemTime) {
        self.grants.insert(grant, until);
    }
}
