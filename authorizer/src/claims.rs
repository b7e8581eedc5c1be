//! The token's claims: who issued it, for whom, until when, and for what (RFC 7519 4.1, RFC 8725 3.8-3.12).

use crate::config::Rules;
use crate::deny::Deny;
use crate::json::{Json, Object};
use crate::log::{Issuer, Trace};

/// Whole numbers are exact in a JSON number below this.
const TIME_END: f64 = 9_007_199_254_740_992.0; // 2^53

/// What the checks found out.
pub(crate) struct Checked {
    /// `sub`.
    pub(crate) subject: String,
    /// `exp`, rounded down.
    pub(crate) expires_at_seconds: u64,
}

/// Checks every claim that has a rule.
pub(crate) fn check(
    claims: &Object<'_>,
    rules: &Rules,
    now_seconds: u64,
    trace: &mut Trace,
) -> Result<Checked, Deny> {
    let is_ours = claims.get("iss").and_then(Json::as_text) == Some(rules.issuer.as_str());
    trace.issuer = Some(if is_ours { Issuer::Configured } else { Issuer::Other });
    if !is_ours {
        return Err(Deny::WrongIssuer);
    }
    check_audience(claims, rules)?;
    let expires_at_seconds = check_times(claims, rules, now_seconds, trace)?;
    let subject = match claims.get("sub") {
        Some(Json::Text(subject)) if !subject.is_empty() => subject.clone().into_owned(),
        _ => return Err(Deny::SubjectMissing),
    };
    if claims.get("jti").is_some_and(|token_id| token_id.as_text().is_none()) {
        return Err(Deny::MalformedTokenId);
    }
    for (name, value) in &rules.require {
        if claims.get(name.as_str()).and_then(Json::as_text) != Some(value.as_str()) {
            return Err(Deny::RequiredClaim);
        }
    }
    check_scopes(claims, rules)?;
    Ok(Checked { subject, expires_at_seconds })
}

/// The first of `names` that is present.
fn first_present<'a, 'j>(claims: &'a Object<'j>, names: &[String]) -> Option<&'a Json<'j>> {
    names.iter().find_map(|name| claims.get(name.as_str()))
}

/// The texts of a list; `None` if any element is something else.
fn texts<'a>(list: &'a [Json<'_>]) -> Option<Vec<&'a str>> {
    list.iter().map(Json::as_text).collect()
}

fn check_audience(claims: &Object<'_>, rules: &Rules) -> Result<(), Deny> {
    let found = match first_present(claims, &rules.audience_claims) {
        None => return Err(Deny::AudienceMissing),
        Some(Json::Text(text)) => vec![&**text],
        Some(Json::List(list)) => texts(list).ok_or(Deny::MalformedAudience)?,
        Some(_) => return Err(Deny::MalformedAudience),
    };
    if found.iter().any(|audience| rules.audience.iter().any(|ours| ours == audience)) {
        Ok(())
    } else {
        Err(Deny::WrongAudience)
    }
}

fn check_scopes(claims: &Object<'_>, rules: &Rules) -> Result<(), Deny> {
    if rules.scopes.is_empty() {
        return Ok(());
    }
    let granted: Vec<&str> = match first_present(claims, &rules.scope_claims) {
        None => return Err(Deny::ScopeMissing),
        Some(Json::Text(text)) => text.split(' ').collect(),
        Some(Json::List(list)) => texts(list).ok_or(Deny::MalformedScope)?,
        Some(_) => return Err(Deny::MalformedScope),
    };
    if rules.scopes.iter().all(|scope| granted.contains(&scope.as_str())) {
        Ok(())
    } else {
        Err(Deny::ScopeMissing)
    }
}

/// Times may have a fraction (RFC 7519 2). It is rounded to the side on which less is allowed.
fn check_times(claims: &Object<'_>, rules: &Rules, now_seconds: u64, trace: &mut Trace) -> Result<u64, Deny> {
    let expires_at = time(claims, "exp", f64::floor)?.ok_or(Deny::ExpiryMissing)?;
    trace.remaining_seconds = Some(signed(expires_at) - signed(now_seconds));
    if now_seconds >= expires_at + rules.leeway_seconds {
        return Err(Deny::Expired);
    }
    let latest_start = now_seconds.saturating_add(rules.leeway_seconds);
    if time(claims, "nbf", f64::ceil)?.is_some_and(|not_before| not_before > latest_start) {
        return Err(Deny::NotYetValid);
    }
    if time(claims, "iat", f64::ceil)?.is_some_and(|issued_at| issued_at > latest_start) {
        return Err(Deny::IssuedInFuture);
    }
    Ok(expires_at)
}

fn time(claims: &Object<'_>, name: &str, round: fn(f64) -> f64) -> Result<Option<u64>, Deny> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Number(seconds)) if (0.0..TIME_END).contains(seconds) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= x < 2^53")]
            let whole = round(*seconds) as u64;
            Ok(Some(whole))
        }
        Some(_) => Err(Deny::MalformedTime),
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
