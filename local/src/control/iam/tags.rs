//! Tags of a role.

use std::collections::BTreeMap;

use super::{State, answer, input, limit_exceeded};
use crate::control::protocol::query::{Form, Xml};
use crate::control::validate::Checks;
use crate::control::{Call, ServiceError};

/// The most tags on one role. Source: the model's `tagListType`, and IAM quotas.
const TAGS_MAX: usize = 50;

/// The tags of a call, checked.
pub(super) fn read(form: &Form, checks: &mut Checks) -> Vec<(String, String)> {
    let sent = form.structures("Tags", ["Key", "Value"]);
    if sent.len() > TAGS_MAX {
        checks.fail("tags", "[...]", &format!("Member must have length less than or equal to {TAGS_MAX}"));
    }
    let mut tags = Vec::new();
    for (index, [key, value]) in sent.into_iter().enumerate() {
        let place = format!("tags.{}.member", index + 1);
        let key = checks.required(&format!("{place}.key"), key, &input::TAG_KEY);
        let value = checks.required(&format!("{place}.value"), value, &input::TAG_VALUE);
        tags.push((key.to_owned(), value.to_owned()));
    }
    tags
}

/// Puts `new` over `tags`; a key that differs in case only is the same key.
pub(super) fn merge(
    tags: &mut BTreeMap<String, String>,
    new: Vec<(String, String)>,
) -> Result<(), ServiceError> {
    let mut seen: Vec<String> = new.iter().map(|(key, _)| key.to_lowercase()).collect();
    seen.sort();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(ServiceError::new(400, "InvalidInput", text));
    }
    for (key, value) in new {
        if key.to_lowercase().starts_with("aws:") {
            let text = "The aws: prefix is reserved for AWS and cannot be used in a tag key.";
            return Err(ServiceError::new(400, "InvalidInput", text));
        }
        tags.retain(|known, _| known.to_lowercase() != key.to_lowercase());
        tags.insert(key, value);
    }
    if tags.len() > TAGS_MAX {
        return Err(limit_exceeded(format!("Cannot exceed quota for TagsPerRole: {TAGS_MAX}")));
    }
    Ok(())
}

pub(super) fn tag(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let tags = read(form, &mut checks);
    if tags.is_empty() {
        checks.missing("tags");
    }
    checks.finish("ValidationError")?;
    merge(&mut state.named(name)?.tags, tags)?;
    Ok(None)
}

pub(super) fn untag(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let keys = form.strings("TagKeys");
    if keys.is_empty() {
        checks.missing("tagKeys");
    }
    if keys.len() > TAGS_MAX {
        checks.fail("tagKeys", "[...]", &format!("Member must have length less than or equal to {TAGS_MAX}"));
    }
    for (index, key) in keys.iter().enumerate() {
        checks.optional(&format!("tagKeys.{}.member", index + 1), Some(key), &input::TAG_KEY);
    }
    checks.finish("ValidationError")?;
    let role = state.named(name)?;
    role.tags.retain(|known, _| !keys.iter().any(|key| key.to_lowercase() == known.to_lowercase()));
    Ok(None)
}

pub(super) fn list(state: &mut State, form: &Form, call: &Call) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    let tags = state.named(name)?.tags.iter();
    let page = input::one_page(tags.map(|(key, value)| (key.clone(), (key, value))), form, call)?;
    let mut result = Xml::default();
    result.element("Tags", |xml| {
        for (key, value) in &page.entries {
            answer::tag(xml, key, value);
        }
    });
    input::page_end(&mut result, &page);
    Ok(Some(result))
}
