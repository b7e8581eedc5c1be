//! Who may assume a role, by its trust policy. Source: IAM User Guide, "Policy evaluation logic" and "AWS JSON
//! policy elements: Principal".

use serde_json::{Map, Value};

use crate::control::guard::conditions_hold;
use crate::control::wildcard::like;

/// Who asks.
pub(super) enum Asks<'a> {
    /// A principal of the account, by every name that a policy can have for it.
    Principal {
        /// ARNs of the user, or of the session and its role.
        own: &'a [String],
        /// The account's id and the ARN of its root, which stand for everybody in it.
        account: &'a [String],
    },
    /// Whoever brings a token of this `OpenID` Connect provider (its ARN).
    Federated(&'a str),
}

/// What a trust policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// The policy names the caller.
    Named,
    /// It names the account, which leaves it to the caller's own policies.
    Account,
    /// It does not, or denies.
    None,
}

/// Whether `policy` lets `asks` do `action`, such as `sts:AssumeRole`, with what is known of the request. A
/// condition that is not understood does not hold for an allow, and holds for a deny.
pub(super) fn grant(policy: &str, action: &str, asks: &Asks<'_>, context: &[(String, String)]) -> Grant {
    let statements = match serde_json::from_str::<Value>(policy)
        .ok()
        .and_then(|mut one| one.get_mut("Statement").map(Value::take))
    {
        Some(Value::Array(several)) => several,
        Some(one) => vec![one],
        None => return Grant::None,
    };
    let mut grant = Grant::None;
    for statement in statements.iter().filter_map(Value::as_object) {
        let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let Some(named) = principal(statement, asks) else { continue };
        let holds = match statement.get("Condition") {
            None => true,
            Some(Value::Object(operators)) => conditions_hold(operators, context).unwrap_or(denies),
            Some(_) => denies,
        };
        if !holds || !is_action(statement, action) {
            continue;
        }
        if denies {
            return Grant::None;
        }
        if grant != Grant::Named {
            grant = named;
        }
    }
    grant
}

fn is_action(statement: &Map<String, Value>, action: &str) -> bool {
    let any = |member: &str| {
        let patterns = statement.get(member).map(texts).unwrap_or_default();
        patterns.iter().any(|pattern| like(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
    };
    if statement.contains_key("NotAction") { !any("NotAction") } else { any("Action") }
}

/// How the statement names who asks. `NotPrincipal` is not understood, and names nobody.
fn principal(statement: &Map<String, Value>, asks: &Asks<'_>) -> Option<Grant> {
    let kinds = match statement.get("Principal")? {
        Value::String(all) if all == "*" => return Some(Grant::Named),
        Value::Object(kinds) => kinds,
        _ => return None,
    };
    let names = |kind: &str| kinds.get(kind).map(texts).unwrap_or_default();
    match asks {
        Asks::Principal { own, account } => {
            let listed = names("AWS");
            let any = |known: &[String]| listed.iter().any(|name| known.iter().any(|one| one == name));
            if listed.contains(&"*") || any(own) {
                Some(Grant::Named)
            } else if any(account) {
                Some(Grant::Account)
            } else {
                None
            }
        }
        Asks::Federated(provider) => names("Federated").contains(provider).then_some(Grant::Named),
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}
