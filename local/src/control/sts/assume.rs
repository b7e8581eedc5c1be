//! `AssumeRole` and `AssumeRoleWithWebIdentity`: temporary credentials of a role.

use std::time::Duration;

use super::input::{self, Wanted};
use super::trust::{self, Asks, Grant};
use crate::control::caller::{Caller, Session};
use crate::control::guard::{self, Asked, Decision};
use crate::control::iam::{Role, date};
use crate::control::protocol::query::{Form, Xml};
use crate::control::{Call, ServiceError};
use crate::state::World;

/// How long a role lasts that another role's session assumed. Source: `AssumeRole` of the API Reference,
/// "Role chaining".
const CHAINED_SECONDS_MAX: i64 = 3600;

/// Texts of AWS, as reported in kreuzwerker/awsu#27, coinbase/assume-role#24 and, of a web identity,
/// aws-actions/configure-aws-credentials#1446.
const TOO_LONG: &str = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
const TOO_LONG_CHAINED: &str =
    "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";

pub(super) fn role(world: &World, form: &Form, call: &Call) -> Result<Xml, ServiceError> {
    let wanted = input::role(form)?;
    is_role_arn(wanted.role_arn)?;
    let denied = || {
        let (caller, role) = (call.caller.arn(call.partition(), call.account), wanted.role_arn);
        let text = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}");
        ServiceError::new(403, "AccessDenied", text)
    };
    // Whether there is such a role is not told.
    let role = world.iam.role(wanted.role_arn).ok_or_else(denied)?;
    let own = names(call);
    let root = format!("arn:{}:iam::{}:root", call.partition(), call.account);
    let mut context = vec![
        ("sts:RoleSessionName".to_owned(), wanted.session_name.to_owned()),
        ("aws:PrincipalAccount".to_owned(), call.account.to_owned()),
    ];
    // The principal's ARN is the role's, for a session too.
    context.extend(own.last().map(|arn| ("aws:PrincipalArn".to_owned(), arn.clone())));
    context.extend(wanted.external_id.map(|id| ("sts:ExternalId".to_owned(), id.to_owned())));
    let asks = Asks::Principal { own: &own, account: &[call.account.to_owned(), root] };
    let asked = Asked::with("sts:AssumeRole", wanted.role_arn, context.clone());
    let by_policy = guard::decide(call.guard, call.caller, &world.iam, &asked);
    match (trust::grant(&role.trust_policy, "sts:AssumeRole", &asks, &context), by_policy) {
        (Grant::Named, Decision::Allowed | Decision::NotAllowed) | (Grant::Account, Decision::Allowed) => {}
        _ => return Err(denied()),
    }
    if matches!(call.caller, Caller::Session(_)) && wanted.seconds > CHAINED_SECONDS_MAX {
        return Err(ServiceError::new(400, "ValidationError", TOO_LONG_CHAINED));
    }
    let mut result = Xml::default();
    begin(&mut result, role, &wanted, call)?;
    Ok(result)
}

pub(super) fn with_web_identity(world: &World, form: &Form, call: &Call) -> Result<Xml, ServiceError> {
    let wanted = input::with_web_identity(form)?;
    is_role_arn(wanted.role_arn)?;
    let subject = call.issuers.check(wanted.token, call.now)?;
    let denied =
        || ServiceError::new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    let role = world.iam.role(wanted.role_arn).ok_or_else(denied)?;
    let partition = role.arn.split(':').nth(1).unwrap_or("aws");
    let provider = format!("arn:{partition}:iam::{}:oidc-provider/{}", call.account, subject.host);
    let host = &subject.host;
    let context = [
        (format!("{host}:aud"), subject.audience.clone()),
        (format!("{host}:sub"), subject.name.clone()),
        ("sts:RoleSessionName".to_owned(), wanted.session_name.to_owned()),
    ];
    let action = "sts:AssumeRoleWithWebIdentity";
    if trust::grant(&role.trust_policy, action, &Asks::Federated(&provider), &context) == Grant::None {
        return Err(denied());
    }
    let mut result = Xml::default();
    begin(&mut result, role, &wanted, call)?;
    result.leaf("SubjectFromWebIdentityToken", &subject.name);
    result.leaf("Provider", &subject.issuer);
    result.leaf("Audience", &subject.audience);
    Ok(result)
}

/// Refuses what is no role's ARN; the wording is believed.
fn is_role_arn(arn: &str) -> Result<(), ServiceError> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "iam", "", _, resource] if resource.starts_with("role/") => Ok(()),
        _ => Err(ServiceError::new(400, "ValidationError", format!("{arn} is invalid"))),
    }
}

/// Every name of the caller, the one of `aws:PrincipalArn` last.
fn names(call: &Call) -> Vec<String> {
    let own = call.caller.arn(call.partition(), call.account);
    match call.caller {
        Caller::User => vec![own],
        Caller::Session(session) => vec![own, session.role_arn.clone()],
        Caller::Nobody => Vec::new(),
    }
}

/// Begins the session, and writes what both operations answer.
fn begin(result: &mut Xml, role: &Role, wanted: &Wanted<'_>, call: &Call) -> Result<(), ServiceError> {
    if wanted.seconds > i64::from(role.max_session_seconds) {
        return Err(ServiceError::new(400, "ValidationError", TOO_LONG));
    }
    let until = call.now + Duration::from_secs(wanted.seconds.unsigned_abs());
    let session = Session::begin(role, wanted.session_name, until);
    let temporary = session.credentials(call.key);
    result.element("Credentials", |xml| {
        xml.leaf("AccessKeyId", &temporary.credentials.access_key_id);
        xml.leaf("SecretAccessKey", &temporary.credentials.secret_access_key);
        xml.leaf("SessionToken", &temporary.token);
        xml.leaf("Expiration", &date(until));
    });
    result.element("AssumedRoleUser", |xml| {
        xml.leaf("AssumedRoleId", &session.user_id());
        xml.leaf("Arn", &session.arn());
    });
    Ok(())
}
