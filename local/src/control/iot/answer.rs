//! What an authorizer's function may answer. One reader for the device gateway and for
//! `TestInvokeAuthorizer`. (aws-facts 2.7: AWS IoT developer guide, `custom-auth-lambda`.)

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::strict_json;

/// At most so many policy documents.
pub const POLICY_DOCUMENTS_MAX: usize = 10;
/// At most so many characters in each.
pub const POLICY_DOCUMENT_CHARACTERS_MAX: usize = 2048;
/// At most so many characters in a principal id.
pub const PRINCIPAL_ID_CHARACTERS_MAX: usize = 128;
/// Bounds of `refreshAfterInSeconds` and `disconnectAfterInSeconds`.
pub const LIFETIME_SECONDS: RangeInclusive<u64> = 300..=86_400;

/// What the function decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not authenticated; whatever else it said is ignored.
    Refused,
    /// Authenticated, with these rights.
    Accepted(Grant),
}

/// The rights of an authenticated device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// 1 to 128 letters and digits.
    pub principal_id: String,
    /// IoT policies as JSON text, each an object.
    pub policy_documents: Vec<String>,
    /// When the policies are asked for again.
    pub refresh_after_seconds: u64,
    /// When the connection is ended.
    pub disconnect_after_seconds: u64,
}

/// Why an answer is not one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Neither a JSON object nor a JSON string that holds one, or one with a repeated key.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// `isAuthenticated` is missing or no boolean.
    #[error("isAuthenticated is missing or not a boolean")]
    IsAuthenticated,
    /// `principalId` is missing, empty, too long, or has other characters.
    #[error("principalId is not 1 to 128 letters and digits")]
    PrincipalId,
    /// `policyDocuments` is missing or no list.
    #[error("policyDocuments is missing or not a list")]
    PolicyDocuments,
    /// Too many documents.
    #[error("{0} policy documents are more than 10")]
    TooManyDocuments(usize),
    /// A document is neither an object nor the text of one.
    #[error("policy document {0} is not a JSON object")]
    Document(usize),
    /// A document is too long.
    #[error("policy document {place} has {characters} characters, more than 2048")]
    LongDocument {
        /// Which, from 0.
        place: usize,
        /// How long it is.
        characters: usize,
    },
    /// A lifetime is missing or out of bounds.
    #[error("{0} is not a whole number from 300 to 86400")]
    Lifetime(&'static str),
}

impl Answer {
    /// Reads what the function returned.
    pub fn read(answer: &[u8]) -> Result<Self, Malformed> {
        let object = strict_json::read(answer).and_then(object).ok_or(Malformed::NotAnObject)?;
        let authenticated =
            object.get("isAuthenticated").and_then(Value::as_bool).ok_or(Malformed::IsAuthenticated)?;
        if !authenticated {
            return Ok(Self::Refused);
        }
        Ok(Self::Accepted(Grant {
            principal_id: principal_id(&object)?,
            policy_documents: policy_documents(&object)?,
            refresh_after_seconds: lifetime(&object, "refreshAfterInSeconds")?,
            disconnect_after_seconds: lifetime(&object, "disconnectAfterInSeconds")?,
        }))
    }
}

/// An object, or a string that holds one.
fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        Value::String(text) => match strict_json::read(text.as_bytes()) {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

fn principal_id(object: &Map<String, Value>) -> Result<String, Malformed> {
    let text = object.get("principalId").and_then(Value::as_str).ok_or(Malformed::PrincipalId)?;
    let good = (1..=PRINCIPAL_ID_CHARACTERS_MAX).contains(&text.len())
        && text.chars().all(|character| character.is_ascii_alphanumeric());
    good.then(|| text.to_owned()).ok_or(Malformed::PrincipalId)
}

fn policy_documents(object: &Map<String, Value>) -> Result<Vec<String>, Malformed> {
    let list = object.get("policyDocuments").and_then(Value::as_array).ok_or(Malformed::PolicyDocuments)?;
    if list.len() > POLICY_DOCUMENTS_MAX {
        return Err(Malformed::TooManyDocuments(list.len()));
    }
    list.iter().enumerate().map(|(place, document)| policy_document(place, document)).collect()
}

fn policy_document(place: usize, document: &Value) -> Result<String, Malformed> {
    let text = match document {
        Value::Object(_) => document.to_string(),
        Value::String(text) => text.clone(),
        _ => return Err(Malformed::Document(place)),
    };
    let characters = text.chars().count();
    if characters > POLICY_DOCUMENT_CHARACTERS_MAX {
        return Err(Malformed::LongDocument { place, characters });
    }
    match strict_json::read(text.as_bytes()) {
        Some(Value::Object(_)) => Ok(text),
        _ => Err(Malformed::Document(place)),
    }
}

fn lifetime(object: &Map<String, Value>, member: &'static str) -> Result<u64, Malformed> {
    object
        .get(member)
        .and_then(Value::as_u64)
        .filter(|seconds| LIFETIME_SECONDS.contains(seconds))
        .ok_or(Malformed::Lifetime(member))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "isAuthenticated": true, "principalId": "TEST123", "disconnectAfterInSeconds": 86400,
            "refreshAfterInSeconds": 300,
            "policyDocuments": [{"Version": "2012-10-17", "Statement": []}]
        })
    }

    fn with(member: &str, value: Value) -> Value {
        let mut answer = good();
        answer[member] = value;
        answer
    }

    fn read(answer: &Value) -> Result<Answer, Malformed> {
        Answer::read(answer.to_string().as_bytes())
    }

    #[test]
    fn objects_and_strings_of_objects_are_answers() {
        // [D] aws-facts 2.7: "JSON serialized or non-serialized object".
        let plain = read(&good()).unwrap();
        let wrapped = read(&Value::String(good().to_string())).unwrap();
        assert_eq!(plain, wrapped);
        let Answer::Accepted(grant) = plain else { panic!("accepted") };
        assert_eq!(grant.principal_id, "TEST123");
        assert_eq!(grant.policy_documents, [r#"{"Statement":[],"Version":"2012-10-17"}"#]);
        let text_document = with("policyDocuments", json!([r#"{"Statement":[]}"#]));
        assert!(matches!(read(&text_document), Ok(Answer::Accepted(_))));
    }

    #[test]
    fn an_answer_that_says_two_things_is_none() {
        let twice = good().to_string().replacen('{', r#"{"isAuthenticated":false,"#, 1);
        assert_eq!(Answer::read(twice.as_bytes()), Err(Malformed::NotAnObject));
        assert_eq!(read(&Value::String(twice)), Err(Malformed::NotAnObject));
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow"}]}"#;
        assert_eq!(read(&with("policyDocuments", json!([document]))), Err(Malformed::Document(0)));
    }

    #[test]
    fn a_refusal_needs_nothing_else() {
        // [D] aws-facts 2.7: "If isAuthenticated is false the rest is ignored".
        assert_eq!(read(&json!({"isAuthenticated": false, "principalId": "a b"})), Ok(Answer::Refused));
    }

    #[test]
    fn every_limit_is_kept() {
        // [D] aws-facts 2.7: 10 documents, 2048 characters, 300..86400, `[a-zA-Z0-9]{1,128}`.
        let document = json!({"Version": "2012-10-17", "Statement": []});
        let long = format!(r#"{{"Sid":"{}"}}"#, "x".repeat(2048 - 10 + 1));
        let cases = [
            (json!([]), Malformed::NotAnObject),
            (json!({}), Malformed::IsAuthenticated),
            (with("isAuthenticated", json!("true")), Malformed::IsAuthenticated),
            (with("principalId", json!("")), Malformed::PrincipalId),
            (with("principalId", json!("a-b")), Malformed::PrincipalId),
            (with("principalId", json!("a".repeat(129))), Malformed::PrincipalId),
            (with("principalId", Value::Null), Malformed::PrincipalId),
            (with("policyDocuments", json!("x")), Malformed::PolicyDocuments),
            (with("policyDocuments", json!([1])), Malformed::Document(0)),
            (with("policyDocuments", json!(["x"])), Malformed::Document(0)),
            (with("policyDocuments", json!(vec![document; 11])), Malformed::TooManyDocuments(11)),
            (with("policyDocuments", json!([long])), Malformed::LongDocument { place: 0, characters: 2049 }),
            (with("refreshAfterInSeconds", json!(299)), Malformed::Lifetime("refreshAfterInSeconds")),
            (with("disconnectAfterInSeconds", json!(86401)), Malformed::Lifetime("disconnectAfterInSeconds")),
            (with("disconnectAfterInSeconds", json!(300.5)), Malformed::Lifetime("disconnectAfterInSeconds")),
        ];
        for (answer, expected) in cases {
            assert_eq!(read(&answer), Err(expected), "{answer}");
        }
        assert!(read(&with("principalId", json!("a".repeat(128)))).is_ok());
    }
}
