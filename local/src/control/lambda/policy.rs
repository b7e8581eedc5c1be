//! Resource policies: who may invoke a function. Each qualifier has a policy of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::control::wildcard::like;

/// The policy of one qualifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Statements, oldest first, as `GetPolicy` shows them.
    pub statements: Vec<Value>,
    /// The policy's own revision.
    pub revision: String,
}

impl Policy {
    /// The policy as text.
    pub fn document(statements: &[Value]) -> String {
        let statements: Vec<String> = statements.iter().map(Self::statement).collect();
        format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#, statements.join(","))
    }

    /// A statement as text, its members in AWS's order.
    pub fn statement(statement: &Value) -> String {
        let members = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
        let members = members.iter().filter_map(|name| Some(format!("\"{name}\":{}", statement.get(name)?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// Who asks to invoke a function.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The service principal, such as `iot.amazonaws.com`.
    pub service: &'a str,
    /// The resource on whose behalf the service asks.
    pub source_arn: &'a str,
    /// The account of that resource.
    pub source_account: &'a str,
}

/// The action that an authorizer's caller needs.
const INVOKE: &str = "lambda:InvokeFunction";

impl Policy {
    /// Whether `caller` may invoke `resource`, the ARN with the qualifier it is asked for by. A statement
    /// with an element or a condition that this evaluator does not know allows nothing.
    pub fn allows(&self, caller: Caller<'_>, resource: &str) -> bool {
        let applies = |effect: &str| {
            self.statements.iter().any(|statement| matches(statement, effect, caller, resource))
        };
        applies("Allow") && !applies("Deny")
    }
}

fn matches(statement: &Value, effect: &str, caller: Caller<'_>, resource: &str) -> bool {
    let Some(statement) = statement.as_object() else { return false };
    let one_of = |member: &str, test: &dyn Fn(&str) -> bool| {
        statement.get(member).is_some_and(|value| texts(value).iter().any(|text| test(text)))
    };
    statement.get("Effect").and_then(Value::as_str) == Some(effect)
        && principal_is(statement.get("Principal"), caller.service)
        && one_of("Action", &|action| like(&action.to_ascii_lowercase(), &INVOKE.to_ascii_lowercase()))
        && one_of("Resource", &|pattern| like(pattern, resource))
        && conditions_hold(statement.get("Condition"), caller)
}

/// A principal is `*`, `{"AWS": "*"}`, or names the service.
fn principal_is(principal: Option<&Value>, service: &str) -> bool {
    match principal {
        Some(Value::String(text)) => text == "*",
        Some(Value::Object(kinds)) => kinds.iter().any(|(kind, value)| {
            let names = texts(value);
            match kind.as_str() {
                "Service" => names.contains(&service) || names.contains(&"*"),
                "AWS" => names.contains(&"*"),
                _ => false,
            }
        }),
        _ => false,
    }
}

fn conditions_hold(condition: Option<&Value>, caller: Caller<'_>) -> bool {
    let Some(condition) = condition else { return true };
    let Some(operators) = condition.as_object() else { return false };
    operators
        .iter()
        .all(|(operator, keys)| keys.as_object().is_some_and(|keys| operator_holds(operator, keys, caller)))
}

fn operator_holds(operator: &str, keys: &Map<String, Value>, caller: Caller<'_>) -> bool {
    keys.iter().all(|(key, wanted)| {
        let found = match key.to_ascii_lowercase().as_str() {
            "aws:sourcearn" => caller.source_arn,
            "aws:sourceaccount" => caller.source_account,
            _ => return false,
        };
        texts(wanted).iter().any(|wanted| match operator {
            "StringEquals" => *wanted == found,
            "StringEqualsIgnoreCase" => wanted.eq_ignore_ascii_case(found),
            "StringLike" => like(wanted, found),
            "ArnLike" | "ArnEquals" => arn_like(wanted, found),
            _ => false,
        })
    })
}

/// A string, or the strings of a list.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Each of an ARN's six parts is compared on its own. (IAM user guide, ARN condition operators.)
fn arn_like(pattern: &str, arn: &str) -> bool {
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    patterns.len() == parts.len() && patterns.iter().zip(&parts).all(|(pattern, part)| like(pattern, part))
}
