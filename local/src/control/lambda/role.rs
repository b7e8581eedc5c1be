//! The function's role: whether Lambda may assume it, whether it is still the same one, and whether it
//! lets the function log.

use std::time::SystemTime;

use serde_json::Value;

use super::errors::invalid_parameter;
use super::policy::{like, texts};
use super::resolve::NotInvokable;
use super::state::Settings;
use crate::control::iam::Role;
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

/// Whether the role lets a function write to the streams of this log group.
pub(super) fn may_log(role: &Role, region: &str, account: &str, group: &str) -> bool {
    let attached = role.attached_policies.iter().any(|arn| {
        arn.strip_prefix("arn:aws:iam::aws:policy/").is_some_and(|name| LOGGING_POLICIES.contains(&name))
    });
    let stream = format!("arn:aws:logs:{region}:{account}:log-group:{group}:log-stream:any");
    let says = |effect: &str, action: &str| {
        role.inline_policies.values().flat_map(|document| statements(document)).any(|statement| {
            statement.get("Effect").and_then(Value::as_str) == Some(effect)
                && names(&statement, "Action", action, true)
                && names(&statement, "Resource", &stream, false)
        })
    };
    ["logs:createlogstream", "logs:putlogevents"]
        .iter()
        .all(|action| (attached || says("Allow", action)) && !says("Deny", action))
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
