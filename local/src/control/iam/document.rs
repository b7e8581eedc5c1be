//! What IAM checks in a policy document before it keeps it. The texts are the ones that moto 5.2.1 and the
//! `localstack` snapshots know from AWS; wording is believed, codes are modelled.

use serde_json::{Map, Value};

use crate::control::ServiceError;

const TOP_MEMBERS: &[&str] = &["Version", "Id", "Statement"];
const TRUST_MEMBERS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"];
const INLINE_MEMBERS: &[&str] =
    &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// A policy's length as IAM counts it: without white space. Source: "IAM and AWS STS quotas".
pub(super) fn counted_characters(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

/// Checks a trust policy; `role_exists` tells whether a role that it names as principal is there.
pub(super) fn check_trust(document: &str, role_exists: impl Fn(&str) -> bool) -> Result<(), ServiceError> {
    for statement in statements(document)? {
        for prohibited in ["Resource", "NotResource"] {
            if statement.contains_key(prohibited) {
                return Err(malformed(format!("Has prohibited field {prohibited}")));
            }
        }
        known_members(&statement, TRUST_MEMBERS)?;
        effect(&statement)?;
        let actions = actions(&statement)?;
        if !actions.iter().all(|action| action.to_ascii_lowercase().starts_with("sts:")) {
            return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
        }
        let principal = statement
            .get("Principal")
            .or_else(|| statement.get("NotPrincipal"))
            .ok_or_else(|| malformed("Missing required field Principal"))?;
        check_principal(principal, &role_exists)?;
    }
    Ok(())
}

/// Checks an inline policy of a role.
pub(super) fn check_inline(document: &str) -> Result<(), ServiceError> {
    for statement in statements(document)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        known_members(&statement, INLINE_MEMBERS)?;
        effect(&statement)?;
        for action in actions(&statement)? {
            if action != "*" && !action.contains(':') {
                let text = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
                return Err(malformed(text));
            }
        }
        let resource = one_of(&statement, "Resource", "NotResource")?
            .ok_or_else(|| malformed("Policy statement must contain resources."))?;
        let resources = texts(resource).ok_or_else(syntax)?;
        if resources.is_empty() {
            return Err(malformed("Policy statement must contain resources."));
        }
        if let Some(wrong) = resources.iter().find(|text| **text != "*" && !text.starts_with("arn:")) {
            return Err(malformed(format!("Resource {wrong} must be in ARN format or \"*\".")));
        }
    }
    Ok(())
}

/// Whether a kept trust policy lets a service principal assume the role. A Deny wins; conditions are taken
/// as not met, so that an Allow with one does not count.
pub(super) fn trusts_service(document: &str, principal: &str) -> bool {
    let Ok(statements) = statements(document) else { return false };
    let names = |statement: &Map<String, Value>| match statement.get("Principal") {
        Some(Value::String(all)) => all == "*",
        Some(Value::Object(kinds)) => {
            kinds.get("Service").and_then(texts).is_some_and(|services| services.contains(&principal))
        }
        _ => false,
    };
    let assumes = |statement: &Map<String, Value>| {
        statement.get("Action").and_then(texts).is_some_and(|actions| {
            actions
                .iter()
                .any(|action| matches!(action.to_ascii_lowercase().as_str(), "sts:assumerole" | "sts:*"))
        })
    };
    let relevant: Vec<_> =
        statements.iter().filter(|statement| names(statement) && assumes(statement)).collect();
    let is = |statement: &Map<String, Value>, effect: &str| {
        statement.get("Effect").and_then(Value::as_str) == Some(effect)
    };
    relevant.iter().any(|statement| is(statement, "Allow") && !statement.contains_key("Condition"))
        && !relevant.iter().any(|statement| is(statement, "Deny"))
}

fn malformed(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "MalformedPolicyDocument", text)
}

fn syntax() -> ServiceError {
    malformed("Syntax errors in policy.")
}

/// The statements of a document, which may be one without a list around it.
fn statements(document: &str) -> Result<Vec<Map<String, Value>>, ServiceError> {
    let invalid = || malformed("This policy contains invalid Json");
    let value: Value = serde_json::from_str(document).map_err(|_| invalid())?;
    let Value::Object(mut top) = value else { return Err(invalid()) };
    known_members(&top, TOP_MEMBERS)?;
    match top.get("Version") {
        None => {}
        Some(Value::String(version)) if matches!(version.as_str(), "2012-10-17" | "2008-10-17") => {}
        Some(_) => return Err(syntax()),
    }
    let statements = match top.remove("Statement") {
        Some(Value::Object(one)) => vec![one],
        Some(Value::Array(several)) => several.into_iter().map(object).collect::<Result<_, _>>()?,
        _ => return Err(syntax()),
    };
    if statements.is_empty() {
        return Err(syntax());
    }
    unique_ids(&statements)?;
    Ok(statements)
}

fn object(value: Value) -> Result<Map<String, Value>, ServiceError> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(syntax()),
    }
}

fn unique_ids(statements: &[Map<String, Value>]) -> Result<(), ServiceError> {
    let mut seen = Vec::new();
    for id in statements.iter().filter_map(|statement| statement.get("Sid")) {
        let id = id.as_str().ok_or_else(syntax)?;
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let text = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular \
                        expression [0-9A-Za-z]*";
            return Err(malformed(text));
        }
        if seen.contains(&id) {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
        seen.push(id);
    }
    Ok(())
}

fn known_members(members: &Map<String, Value>, known: &[&str]) -> Result<(), ServiceError> {
    if members.keys().all(|member| known.contains(&member.as_str())) { Ok(()) } else { Err(syntax()) }
}

fn effect(statement: &Map<String, Value>) -> Result<(), ServiceError> {
    match statement.get("Effect").map(Value::as_str) {
        None => Err(malformed("Missing required field Effect")),
        Some(Some("Allow" | "Deny")) => Ok(()),
        Some(Some(other)) => Err(malformed(format!("Invalid effect: {other}"))),
        Some(None) => Err(syntax()),
    }
}

fn actions(statement: &Map<String, Value>) -> Result<Vec<&str>, ServiceError> {
    let missing = || malformed("Policy statement must contain actions.");
    let actions = one_of(statement, "Action", "NotAction")?.ok_or_else(missing)?;
    let actions = texts(actions).ok_or_else(syntax)?;
    if actions.is_empty() { Err(missing()) } else { Ok(actions) }
}

/// The value of one of two members that exclude each other.
fn one_of<'a>(
    statement: &'a Map<String, Value>,
    first: &str,
    second: &str,
) -> Result<Option<&'a Value>, ServiceError> {
    match (statement.get(first), statement.get(second)) {
        (Some(_), Some(_)) => Err(syntax()),
        (one, other) => Ok(one.or(other)),
    }
}

/// A text or a list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn check_principal(principal: &Value, role_exists: &impl Fn(&str) -> bool) -> Result<(), ServiceError> {
    let kinds = match principal {
        Value::String(all) if all == "*" => return Ok(()),
        Value::Object(kinds) if !kinds.is_empty() => kinds,
        _ => return Err(syntax()),
    };
    for (kind, named) in kinds {
        for name in texts(named).ok_or_else(syntax)? {
            let good = match kind.as_str() {
                "Service" => name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn"),
                "AWS" => is_account_principal(name, role_exists),
                "Federated" | "CanonicalUser" => true,
                _ => return Err(syntax()),
            };
            if !good {
                let kind = kind.to_ascii_uppercase();
                return Err(malformed(format!("Invalid principal in policy: \"{kind}\":\"{name}\"")));
            }
        }
    }
    Ok(())
}

/// An account, anybody, or a role of this account that exists; what other accounts have is not known here.
fn is_account_principal(name: &str, role_exists: &impl Fn(&str) -> bool) -> bool {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if name == "*" || is_account(name) {
        return true;
    }
    match name.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "iam", "", crate::ACCOUNT, resource] if resource.starts_with("role/") => role_exists(name),
        ["arn", _, "iam" | "sts", "", account, _] => is_account(account),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(principal: &str, action: &str) -> String {
        format!(r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":{action}}}]}}"#)
    }

    #[test]
    fn trust_policies() {
        let lambda = r#"{"Service":"lambda.amazonaws.com"}"#;
        let assume = r#""sts:AssumeRole""#;
        for (document, expected) in [
            (trust(lambda, assume), None),
            (trust(r#"{"AWS":["000000000000","arn:aws:iam::000000000000:root"]}"#, assume), None),
            (trust(r#"{"AWS":"arn:aws:iam::000000000000:role/here"}"#, assume), None),
            ("{".to_owned(), Some("This policy contains invalid Json")),
            ("[]".to_owned(), Some("This policy contains invalid Json")),
            (r#"{"Statement":[]}"#.to_owned(), Some("Syntax errors in policy.")),
            (r#"{"Statement":[],"More":1}"#.to_owned(), Some("Syntax errors in policy.")),
            (trust(lambda, r#""s3:GetObject""#), Some("AssumeRole policy may only specify STS AssumeRole actions.")),
            (
                trust(r#"{"Service":"lambda"}"#, assume),
                Some(r#"Invalid principal in policy: "SERVICE":"lambda""#),
            ),
            (
                trust(r#"{"AWS":"arn:aws:iam::000000000000:role/gone"}"#, assume),
                Some(r#"Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/gone""#),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}"#.to_owned(),
                Some("Missing required field Principal"),
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}}"#
                    .to_owned(),
                Some("Has prohibited field Resource"),
            ),
        ] {
            let found = check_trust(&document, |arn| arn.ends_with("/here")).err();
            assert_eq!(found.as_ref().map(|error| error.message.as_str()), expected, "{document}");
            assert!(found.is_none_or(|error| (error.status, error.code) == (400, "MalformedPolicyDocument")));
        }
    }

    #[test]
    fn inline_policies() {
        let statement = |members: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
        for (members, expected) in [
            (r#""Effect":"Allow","Action":["logs:*"],"Resource":"arn:aws:logs:*:*:*""#, None),
            (r#""Effect":"Deny","NotAction":"s3:*","NotResource":"*""#, None),
            (r#""Action":"logs:*","Resource":"*""#, Some("Missing required field Effect")),
            (r#""Effect":"Allow","Resource":"*""#, Some("Policy statement must contain actions.")),
            (r#""Effect":"Allow","Action":"logs:*""#, Some("Policy statement must contain resources.")),
            (
                r#""Effect":"Allow","Action":"logs","Resource":"*""#,
                Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
            ),
            (
                r#""Effect":"Allow","Action":"logs:*","Resource":"bucket""#,
                Some(r#"Resource bucket must be in ARN format or "*"."#),
            ),
            (
                r#""Effect":"Allow","Principal":"*","Action":"logs:*","Resource":"*""#,
                Some("Policy document should not specify a principal."),
            ),
            (r#""Effect":"Allow","Actions":"logs:*","Resource":"*""#, Some("Syntax errors in policy.")),
        ] {
            let found = check_inline(&statement(members)).err().map(|error| error.message);
            assert_eq!(found.as_deref(), expected, "{members}");
        }
    }

    #[test]
    fn who_may_assume() {
        let assume = r#""sts:AssumeRole""#;
        for (document, trusted) in [
            (trust(r#"{"Service":["iot.amazonaws.com","lambda.amazonaws.com"]}"#, assume), true),
            (trust(r#"{"Service":"iot.amazonaws.com"}"#, assume), false),
            (trust(r#"{"Service":"lambda.amazonaws.com"}"#, r#""sts:TagSession""#), false),
            (trust(r#"{"Service":"lambda.amazonaws.com"}"#, assume).replace("Allow", "Deny"), false),
        ] {
            assert_eq!(trusts_service(&document, "lambda.amazonaws.com"), trusted, "{document}");
        }
    }
}
