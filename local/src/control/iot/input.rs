//! Reading a request: its body, and values with the constraints of the model (aws-facts 1.2).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::errors::{constraint, invalid_request, limit_exceeded, require};
use crate::control::{Call, ServiceError};

/// Per resource. Source: AWS general reference, tagging limits.
const TAGS_MAX: usize = 50;

/// A tag in a list.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: Option<String>,
    value: Option<String>,
}

/// The body as the operation's input; what is wrong is said without a value.
pub(super) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, ServiceError> {
    let bytes: &[u8] = if call.body.is_empty() { b"{}" } else { call.body };
    serde_json::from_slice(bytes).map_err(|error| {
        invalid_request(format!("The request body is not valid JSON: line {}", error.line()))
    })
}

/// The first query parameter of this name.
pub(super) fn parameter<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// 1 to 128 of `[\w=,@-]`.
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || "_=,@-".contains(c));
    let member = "authorizerName";
    require(good && !name.is_empty(), member, r"satisfy regular expression pattern: [\w=,@-]+")?;
    require(name.len() <= 128, member, "have length less than or equal to 128")
}

/// 1 to 128 of `[a-zA-Z0-9_-]`.
pub(super) fn check_token_key_name(name: &str) -> Result<(), ServiceError> {
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let member = "tokenKeyName";
    require(good && !name.is_empty(), member, "satisfy regular expression pattern: [a-zA-Z0-9_-]+")?;
    require(name.len() <= 128, member, "have length less than or equal to 128")
}

/// Names of 1 to 128 of `[a-zA-Z0-9:_-]`, values up to 5120 characters.
pub(super) fn check_keys(keys: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    let member = "tokenSigningPublicKeys";
    for (name, value) in keys {
        let good = name.chars().all(|c| c.is_ascii_alphanumeric() || ":_-".contains(c));
        let length = (1..=128).contains(&name.len());
        require(good && length, member, "satisfy regular expression pattern: [a-zA-Z0-9:_-]+")?;
        require(value.chars().count() <= 5120, member, "have length less than or equal to 5120")?;
    }
    Ok(())
}

/// Tags as a map: keys once each, of 1 to 128 `[\p{L}\p{Z}\p{N}_.:/=+\-@]`, values up to 256, at most 50.
pub(super) fn tags(given: Vec<Tag>) -> Result<BTreeMap<String, String>, ServiceError> {
    let mut tags = BTreeMap::new();
    for Tag { key, value } in given {
        let value = value.unwrap_or_default();
        let key = key.ok_or_else(|| constraint("tags.key", "not be null"))?;
        check_tag_key(&key, "tags.key")?;
        require(value.chars().count() <= 256, "tags.value", "have length less than or equal to 256")?;
        require(!key.to_ascii_lowercase().starts_with("aws:"), "tags.key", "not begin with aws:")?;
        if tags.insert(key, value).is_some() {
            return Err(constraint("tags", "not have the same key twice"));
        }
    }
    check_tag_count(&tags)?;
    Ok(tags)
}

/// 1 to 128 of `[\p{L}\p{Z}\p{N}_.:/=+\-@]`.
pub(super) fn check_tag_key(key: &str, member: &str) -> Result<(), ServiceError> {
    let good = key
        .chars()
        .all(|c| c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c));
    let length = (1..=128).contains(&key.chars().count());
    let constraint = r"satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";
    require(good && length, member, constraint)
}

/// At most 50.
pub(super) fn check_tag_count(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() > TAGS_MAX {
        return Err(limit_exceeded(format!("A resource has at most {TAGS_MAX} tags")));
    }
    Ok(())
}
