//! Policies as values: AWS reorders members and writes a list of one as its only element.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// A policy in one form, so that two that mean the same are equal: every list of one is its element, and
/// lists of texts are sorted. Condition keys and operators are case-insensitive to AWS: lower case.
pub(crate) fn normal(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(normal).collect();
            if elements.iter().all(Value::is_string) {
                elements.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                elements.dedup();
            }
            if elements.len() == 1 { elements.remove(0) } else { Value::Array(elements) }
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let value = if name == "Condition" { lower_keys(value) } else { normal(value) };
                (name.clone(), value)
            });
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

fn lower_keys(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let lower = |(name, value): (&String, &Value)| (name.to_ascii_lowercase(), lower_keys(value));
            Value::Object(members.iter().map(lower).collect::<Map<_, _>>())
        }
        other => normal(other),
    }
}

/// A policy as IAM sends it: percent-encoded. What is no JSON stays a text, which equals no policy.
pub(crate) fn from_percent_encoded(text: &str) -> Value {
    let decoded = percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text));
    serde_json::from_str(&decoded).unwrap_or_else(|_| Value::String(decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_means_the_same_is_equal() {
        let plain =
            json!({"Statement": {"Action": "a", "Condition": {"StringEquals": {"AWS:SourceArn": "x"}}}});
        let same = json!({"Statement": [{"Condition": {"stringequals": {"aws:sourcearn": ["x"]}}, "Action": ["a"]}]});
        assert_eq!(normal(&plain), normal(&same));
        assert_eq!(normal(&json!({"Action": ["b", "a"]})), normal(&json!({"Action": ["a", "b", "b"]})));
    }

    #[test]
    fn what_means_something_else_is_not() {
        for (one, other) in [
            (json!({"Action": "a"}), json!({"Action": "A"})),
            (json!({"Action": ["a", "b"]}), json!({"Action": ["a"]})),
            (
                json!({"Condition": {"StringLike": {"k": "x"}}}),
                json!({"Condition": {"StringEquals": {"k": "x"}}}),
            ),
            (
                json!({"Condition": {"StringEquals": {"k": "x"}}}),
                json!({"Condition": {"StringEquals": {"k": "X"}}}),
            ),
            (json!([{"Sid": "1"}, {"Sid": "2"}]), json!([{"Sid": "1"}])),
        ] {
            assert_ne!(normal(&one), normal(&other), "{one} {other}");
        }
    }

    #[test]
    fn iam_sends_policies_percent_encoded() {
        assert_eq!(
            from_percent_encoded("%7B%22Version%22%3A%222012-10-17%22%7D"),
            json!({"Version": "2012-10-17"})
        );
        assert_eq!(from_percent_encoded("no json"), json!("no json"));
    }
}
