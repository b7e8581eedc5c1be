//! Tags of log groups.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Group, ServiceError, State, group_arn, input, invalid, not_found, read};
use crate::control::validate::Checks;

/// The most tags on one group. Source: the model's `Tags`.
const TAGS_MAX: usize = 50;

/// Checks tags that were sent.
pub(super) fn check(checks: &mut Checks, tags: &BTreeMap<String, String>) {
    if tags.is_empty() {
        checks.fail("tags", "{}", "Member must have length greater than or equal to 1");
    }
    if tags.len() > TAGS_MAX {
        checks.fail("tags", "{...}", &format!("Member must have length less than or equal to {TAGS_MAX}"));
    }
    for (key, value) in tags {
        checks.optional("tags.key", Some(key), &input::TAG_KEY);
        checks.optional(&format!("tags.{key}.member"), Some(value), &input::TAG_VALUE);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tag {
    resource_arn: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

pub(super) fn tag(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Tag = read(call)?;
    let mut checks = Checks::default();
    let arn = checks.required("resourceArn", sent.resource_arn.as_deref(), &input::RESOURCE_ARN);
    match &sent.tags {
        Some(tags) => check(&mut checks, tags),
        None => checks.missing("tags"),
    }
    checks.finish(input::INVALID)?;
    let tags = sent.tags.unwrap_or_default();
    if tags.keys().any(|key| key.to_lowercase().starts_with("aws:")) {
        return Err(invalid("aws: prefixed tag key names are not allowed for external use."));
    }
    let group = group(state, call, arn)?;
    let new = tags.keys().filter(|key| !group.tags.contains_key(*key)).count();
    if group.tags.len() + new > TAGS_MAX {
        let mut error =
            ServiceError::new(400, "TooManyTagsException", format!("a resource has at most {TAGS_MAX} tags"));
        error.members.push(("resourceName", arn.to_owned()));
        return Err(error);
    }
    group.tags.extend(tags);
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Untag {
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(super) fn untag(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Untag = read(call)?;
    let mut checks = Checks::default();
    let arn = checks.required("resourceArn", sent.resource_arn.as_deref(), &input::RESOURCE_ARN);
    match &sent.tag_keys {
        Some(keys) => checks.list("tagKeys", keys, (0, TAGS_MAX), &input::TAG_KEY),
        None => checks.missing("tagKeys"),
    }
    checks.finish(input::INVALID)?;
    let group = group(state, call, arn)?;
    for key in sent.tag_keys.unwrap_or_default() {
        group.tags.remove(&key);
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    resource_arn: Option<String>,
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: List = read(call)?;
    let mut checks = Checks::default();
    let arn = checks.required("resourceArn", sent.resource_arn.as_deref(), &input::RESOURCE_ARN);
    checks.finish(input::INVALID)?;
    let tags = &group(state, call, arn)?.tags;
    Ok(Some(json!({ "tags": tags })))
}

/// The group of an ARN, which has no `:*` at its end here (source: `TagResource`, `resourceArn`).
fn group<'a>(state: &'a mut State, call: &Call, arn: &str) -> Result<&'a mut Group, ServiceError> {
    let own = group_arn(call, "");
    let Some(name) = arn.strip_prefix(&own) else {
        if arn.starts_with("arn:") && arn.split(':').count() >= 6 {
            return Err(not_found("The specified resource does not exist."));
        }
        return Err(invalid(format!("{arn} is not a valid ARN")));
    };
    if name.ends_with(":*") {
        return Err(invalid("the ARN of a log group to be tagged does not end in ':*'"));
    }
    state.groups.get_mut(name).ok_or_else(|| not_found("The specified resource does not exist."))
}
