//! Tags of parameters. Of the resources that can have tags, parameters alone are here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Parameter, ServiceError, State, input, invalid, read};
use crate::control::validate::Checks;

/// The most tags on one parameter. Source: `PutParameter` in AWS's API Reference ("up to 50 tags").
const TAGS_MAX: usize = 50;

/// A tag as it is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: Option<String>,
    value: Option<String>,
}

/// Checks tags that were sent.
pub(super) fn check(checks: &mut Checks, tags: &[Tag]) {
    if tags.len() > input::TAGS_SENT_MAX {
        let most = format!("Member must have length less than or equal to {}", input::TAGS_SENT_MAX);
        checks.fail("tags", "[...]", &most);
    }
    for (index, tag) in tags.iter().enumerate() {
        let member = format!("tags.{}.member", index + 1);
        checks.required(&format!("{member}.key"), tag.key.as_deref(), &input::TAG_KEY);
        checks.required(&format!("{member}.value"), tag.value.as_deref(), &input::TAG_VALUE);
    }
}

/// Gives the parameter these tags too.
pub(super) fn put(state: &mut State, name: &str, tags: Vec<Tag>) -> Result<(), ServiceError> {
    let parameter = of(state, name)?;
    for Tag { key, value } in tags {
        let key = key.unwrap_or_default();
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys can't be prefixed with aws:."));
        }
        parameter.tags.insert(key, value.unwrap_or_default());
    }
    if parameter.tags.len() > TAGS_MAX {
        let text = format!("a parameter has at most {TAGS_MAX} tags");
        return Err(ServiceError::new(400, "TooManyTagsError", text));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    resource_type: Option<String>,
    resource_id: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
}

impl Sent {
    /// The name of the parameter; `checks` has what else was looked at.
    fn name(&self, mut checks: Checks) -> Result<&str, ServiceError> {
        let name = checks.required("resourceId", self.resource_id.as_deref(), &input::RESOURCE_ID);
        let kind = checks.word("resourceType", self.resource_type.as_deref(), input::TAGGED);
        if kind.is_none() {
            checks.missing("resourceType");
        }
        checks.finish(input::INVALID)?;
        if kind != Some("Parameter") {
            return Err(unknown());
        }
        Ok(name)
    }
}

pub(super) fn add(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Sent = read(call)?;
    let mut checks = Checks::default();
    match &sent.tags {
        Some(tags) => check(&mut checks, tags),
        None => checks.missing("tags"),
    }
    let name = sent.name(checks)?.to_owned();
    put(state, &name, sent.tags.unwrap_or_default())?;
    Ok(json!({}))
}

pub(super) fn remove(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Sent = read(call)?;
    let mut checks = Checks::default();
    match &sent.tag_keys {
        Some(keys) => checks.list("tagKeys", keys, (0, usize::MAX), &input::TAG_KEY),
        None => checks.missing("tagKeys"),
    }
    let name = sent.name(checks)?;
    let tags = &mut of(state, name)?.tags;
    for key in sent.tag_keys.iter().flatten() {
        tags.remove(key);
    }
    Ok(json!({}))
}

pub(super) fn list(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Sent = read(call)?;
    let name = sent.name(Checks::default())?;
    let tags: &BTreeMap<String, String> = &of(state, name)?.tags;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "TagList": tags }))
}

fn of<'a>(state: &'a mut State, name: &str) -> Result<&'a mut Parameter, ServiceError> {
    state.parameters.get_mut(name).ok_or_else(unknown)
}

fn unknown() -> ServiceError {
    ServiceError::new(400, "InvalidResourceId", "The resource ID isn't valid.")
}
