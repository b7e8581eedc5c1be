//! The function's role: whether Lambda may assume it, whether it is still the same one, and whether it
//! lets the function log.

use std::time::SystemTime;

use serde_json::Value;

use super::errors::invalid_parameter;
use super::policy::texts;
use super::resolve::NotInvokable;
use super::state::Settings;
use crate::control::iam::Role;
use crate::control::wildcard::like;
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::switches::UnpropagatedRole;

/// The service that assumes the role of a function.
const LAMBDA: &str = "lambda.amazonaws.com";

/// Managed policies of AWS that let a function log.
const LOGGING_POLICIES: [&str; 4] = [
    "service-role/AWSLambdaBasicExecutionRole",
    "AWSLambdaExecute",
    "CloudWatchLogsFullAccess",
    "AdministratorAccess",
];

/// The unique id of a role that Lambda can assume now, for a function that is given it.
pub(super) fn pass(world: &World, call: &Call, role_arn: &str) -> Result<String, ServiceError> {
    if role_arn.split(':').nth(4) != Some(call.account) {
        let text = "Cross-account pass role is not allowed.";
        return Err(ServiceError::new(403, "AccessDeniedException", text));
    }
    let role = world.iam.role(role_arn);
    let propagated = |role: &&Role| is_propagated(role, call.now, call.options.role_propagation);
    match role.filter(propagated).filter(|role| role.trusts_service(LAMBDA)) {
        Some(role) => Ok(role.role_id.clone()),
        // (aws-facts 0.7, 3.1)
        None => Err(invalid_parameter(match call.options.switches.unpropagated_role {
            UnpropagatedRole::CannotBeAssumed => {
                "The role defined for the function cannot be assumed by Lambda."
            }
            UnpropagatedRole::LacksPermissions => {
                "The provided execution role does not have permissions to call CreateLogStream on CloudWatchLogs"
            }
        })),
    }
}

fn is_propagated(role: &Role, now: SystemTime, delay: std::time::Duration) -> bool {
    now.duration_since(role.created_at).is_ok_and(|age| age >= delay)
}

/// The role that a function was given, while it is still that one. (aws-facts 13: a role of the same name
/// that was created again is another role.)
pub(super) fn of<'a>(world: &'a World, settings: &Settings) -> Result<&'a Role, NotInvokable> {
    let arn = &settings.role;
    let role = world.iam.role(arn).ok_or_else(|| NotInvokable::RoleMissing(arn.clone()))?;
    if role.role_id != settings.role_id {
        return Err(NotInvokable::RoleReplaced(arn.clone()));
    }
    if !role.trusts_service(LAMBDA) {
        return Err(NotInvokable::RoleDistrusts(arn.clone()));
    }
    Ok(role)
}

/// Whether the role lets a function write to the streams of this log group. A condition is not evaluated: it
/// gives no right, and takes one. Of a boundary only AWS's own policies are known; one that the customer
/// wrote is taken to allow it.
pub(super) fn may_log(role: &Role, region: &str, account: &str, group: &str) -> bool {
    let lets_log = |name: &str| LOGGING_POLICIES.contains(&name);
    let boundary = role.permissions_boundary.as_deref().and_then(managed);
    if boundary.is_some_and(|name| !lets_log(name) && name != "PowerUserAccess") {
        return false;
    }
    let attached = role.attached_policies.iter().filter_map(|arn| managed(arn)).any(lets_log);
    let partition = crate::partition::partition(region);
    let stream = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:any");
    let all: Vec<Value> = role.inline_policies.values().flat_map(|document| statements(document)).collect();
    let says = |effect: &str, action: &str| {
        all.iter().any(|statement| {
            statement.get("Effect").and_then(Value::as_str) == Some(effect)
                && (effect == "Deny" || statement.get("Condition").is_none())
                && covers(statement, "Action", action, true)
                && covers(statement, "Resource", &stream, false)
        })
    };
    ["logs:createlogstream", "logs:putlogevents"]
        .iter()
        .all(|action| (attached || says("Allow", action)) && !says("Deny", action))
}

/// Whether a statement is about `wanted`, by an element or by its `Not…`.
fn covers(statement: &Value, element: &str, wanted: &str, lower: bool) -> bool {
    let but = format!("Not{element}");
    if statement.get(&but).is_some() {
        return !names(statement, &but, wanted, lower);
    }
    names(statement, element, wanted, lower)
}

/// The name of a policy that AWS manages.
fn managed(arn: &str) -> Option<&str> {
    crate::partition::after_partition(arn)?.strip_prefix("iam::aws:policy/")
}

/// The statements of a policy document; none when it cannot be read.
fn statements(document: &str) -> Vec<Value> {
    match serde_json::from_str::<Value>(document)
        .ok()
        .and_then(|mut policy| policy.get_mut("Statement").map(Value::take))
    {
        Some(Value::Array(statements)) => statements,
        Some(statement) => vec![statement],
        None => Vec::new(),
    }
}

/// Whether an element of a statement covers `wanted`. Actions are compared without case.
fn names(statement: &Value, element: &str, wanted: &str, lower: bool) -> bool {
    statement.get(element).is_some_and(|patterns| {
        texts(patterns).iter().any(|pattern| {
            if lower { like(&pattern.to_ascii_lowercase(), wanted) } else { like(pattern, wanted) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::bench::{Bench, REGION, ROLE};

    const BASIC: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

    fn role(statements: &[&str]) -> Role {
        let mut role = Bench::new().world.iam.role(ROLE).unwrap().clone();
        let document = format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
        role.inline_policies.insert("p".to_owned(), document);
        role
    }

    fn logs(role: &Role) -> bool {
        may_log(role, REGION, crate::ACCOUNT, "/thinggate/demo")
    }

    /// Rules of the IAM User Guide, "Policy evaluation logic".
    #[test]
    fn only_what_is_allowed_and_not_denied_is_logged() {
        const ALLOW: &str = r#"{"Effect":"Allow","Action":"logs:*","Resource":"*"}"#;
        for (statements, expected) in [
            (&[ALLOW][..], true),
            (&[], false),
            (
                &[r#"{"Effect":"Allow","Action":"logs:*","Resource":"*","Condition":{"Bool":{"a":"true"}}}"#],
                false,
            ),
            (&[r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#], true),
            (&[r#"{"Effect":"Allow","Action":"logs:*","NotResource":"arn:aws:logs:*"}"#], false),
            (&[ALLOW, r#"{"Effect":"Deny","NotAction":"s3:*","Resource":"*"}"#], false),
            (&[ALLOW, r#"{"Effect":"Deny","NotAction":"logs:*","Resource":"*"}"#], true),
            (&[ALLOW, r#"{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::*"}"#], false),
            (&[ALLOW, r#"{"Effect":"Deny","Action":"logs:Put*","Resource":"*","Condition":{}}"#], false),
        ] {
            assert_eq!(logs(&role(statements)), expected, "{statements:?}");
        }
    }

    #[test]
    fn a_boundary_bounds() {
        let mut role = role(&[]);
        role.attached_policies.push(BASIC.to_owned());
        for (boundary, expected) in [
            (BASIC, true),
            ("arn:aws:iam::aws:policy/PowerUserAccess", true),
            ("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", false),
            ("arn:aws:iam::000000000000:policy/ours", true),
        ] {
            role.permissions_boundary = Some(boundary.to_owned());
            assert_eq!(logs(&role), expected, "{boundary}");
        }
    }
}
