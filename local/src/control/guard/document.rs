//! An identity-based policy, evaluated as "Policy evaluation logic" in the IAM User Guide says: an explicit
//! deny wins, then an allow, else nothing is allowed.

use serde_json::{Map, Value};

use super::Asked;
use crate::control::wildcard::like;

/// A policy that was understood whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document(Vec<Statement>);

/// What a policy says to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// An allow, and no deny.
    Allowed,
    /// A deny.
    Denied,
    /// Neither.
    NotAllowed,
}

#[derive(Clone, Debug, PartialEq)]
struct Statement {
    allows: bool,
    actions: Listed,
    resources: Listed,
    conditions: Vec<Condition>,
}

/// Patterns that must match, or must not.
#[derive(Clone, Debug, PartialEq)]
struct Listed {
    patterns: Vec<String>,
    inverted: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    operator: Operator,
    /// Lower case: names of keys have no case.
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringLike,
    StringNotEquals,
    ForAllStringEquals,
}

impl Document {
    /// Reads a policy; the error says what is not understood.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let Value::Object(members) = value else { return Err("a policy is an object".to_owned()) };
        known(&members, &["Version", "Id", "Statement"])?;
        if members.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
            return Err("`Version` must be 2012-10-17".to_owned());
        }
        let statements = match members.get("Statement") {
            Some(Value::Array(list)) => list.iter().map(statement).collect::<Result<_, _>>()?,
            Some(one @ Value::Object(_)) => vec![statement(one)?],
            _ => return Err("`Statement` is missing".to_owned()),
        };
        Ok(Self(statements))
    }

    pub(crate) fn decide(&self, asked: &Asked) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in self.0.iter().filter(|statement| statement.applies(asked)) {
            if !statement.allows {
                return Decision::Denied;
            }
            decision = Decision::Allowed;
        }
        decision
    }
}

/// Whether all conditions of a statement hold for a request of which this is known; `None` when one is not
/// understood.
pub(crate) fn conditions_hold(operators: &Map<String, Value>, context: &[(String, String)]) -> Option<bool> {
    let conditions = conditions(operators).ok()?;
    Some(conditions.iter().all(|condition| condition.holds(context)))
}

impl Statement {
    fn applies(&self, asked: &Asked) -> bool {
        // Actions have no case; resources do.
        let action = asked.action.to_ascii_lowercase();
        self.actions.matches(|pattern| like(&pattern.to_ascii_lowercase(), &action))
            && self.resources.matches(|pattern| like(pattern, &asked.resource))
            && self.conditions.iter().all(|condition| condition.holds(&asked.context))
    }
}

impl Listed {
    fn matches(&self, test: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| test(pattern)) != self.inverted
    }
}

impl Condition {
    /// All values of a key that is not in the request fail, except for the negated operator and for `ForAllValues`.
    fn holds(&self, context: &[(String, String)]) -> bool {
        let found: Vec<&str> = context
            .iter()
            .filter(|(key, _)| key.to_ascii_lowercase() == self.key)
            .map(|(_, value)| value.as_str())
            .collect();
        let equal = |value: &&str| self.values.iter().any(|wanted| wanted == value);
        let alike = |value: &&str| self.values.iter().any(|wanted| like(wanted, value));
        match self.operator {
            Operator::StringEquals => found.iter().any(equal),
            Operator::StringLike => found.iter().any(alike),
            Operator::StringNotEquals => !found.iter().any(equal),
            Operator::ForAllStringEquals => found.iter().all(equal),
        }
    }
}

fn statement(value: &Value) -> Result<Statement, String> {
    let Value::Object(members) = value else { return Err("a statement is an object".to_owned()) };
    known(members, &["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"])?;
    let allows = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("`Effect` must be Allow or Deny".to_owned()),
    };
    let conditions = match members.get("Condition") {
        None => Vec::new(),
        Some(Value::Object(operators)) => conditions(operators)?,
        Some(_) => return Err("`Condition` is an object".to_owned()),
    };
    Ok(Statement {
        allows,
        actions: listed(members, "Action", "NotAction")?,
        resources: listed(members, "Resource", "NotResource")?,
        conditions,
    })
}

fn listed(members: &Map<String, Value>, only: &str, all_but: &str) -> Result<Listed, String> {
    let (value, inverted) = match (members.get(only), members.get(all_but)) {
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
        _ => return Err(format!("one of `{only}` and `{all_but}` is needed")),
    };
    Ok(Listed { patterns: texts(value, only)?, inverted })
}

fn conditions(operators: &Map<String, Value>) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let operator = match name.as_str() {
            "StringEquals" => Operator::StringEquals,
            "StringLike" => Operator::StringLike,
            "StringNotEquals" => Operator::StringNotEquals,
            "ForAllValues:StringEquals" => Operator::ForAllStringEquals,
            other => return Err(format!("the condition operator `{other}` is not known here")),
        };
        let Value::Object(keys) = keys else { return Err(format!("`{name}` is an object")) };
        for (key, values) in keys {
            conditions.push(Condition {
                operator,
                key: key.to_ascii_lowercase(),
                values: texts(values, key)?,
            });
        }
    }
    Ok(conditions)
}

fn texts(value: &Value, name: &str) -> Result<Vec<String>, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => text(one).map(|text| vec![text]),
    }
    .ok_or_else(|| format!("`{name}` is a text or a list of texts"))
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("`{name}` is not known here")),
        None => Ok(()),
    }
}
