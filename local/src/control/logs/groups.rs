//! Log groups.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call, Group, ServiceError, State, Streams, already_exists, group_arn, input, invalid, milliseconds, read,
    tags,
};
use crate::control::validate::Checks;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: Option<String>,
    kms_key_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Create = read(call)?;
    let mut checks = Checks::default();
    let name = checks.required("logGroupName", sent.log_group_name.as_deref(), &input::GROUP_NAME).to_owned();
    let kms_key = checks.optional("kmsKeyId", sent.kms_key_id.as_deref(), &input::KMS_KEY);
    let class = checks.word("logGroupClass", sent.log_group_class.as_deref(), input::CLASSES);
    if let Some(sent_tags) = &sent.tags {
        tags::check(&mut checks, sent_tags);
    }
    checks.finish(input::INVALID)?;
    if name.starts_with("aws/") {
        // Source: CreateLogGroup, "Log group names can't start with the string aws/".
        return Err(invalid("Log groups starting with aws/ are reserved for AWS."));
    }
    if state.groups.contains_key(&name) {
        return Err(already_exists("The specified log group already exists"));
    }
    if kms_key.is_some() {
        // The target has no KMS, so no key exists; the code for that is CreateLogGroup's.
        return Err(invalid(
            "The specified KMS key does not exist or is not allowed to be used with this log group.",
        ));
    }
    let group = Group {
        created_ms: milliseconds(call.now),
        retention_days: None,
        class: class.unwrap_or("STANDARD").to_owned(),
        deletion_protected: sent.deletion_protection_enabled.unwrap_or(false),
        tags: sent.tags.unwrap_or_default(),
        streams: Streams::default(),
    };
    state.groups.insert(name, group);
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: Option<String>,
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Named = read(call)?;
    let name = input::group_name(sent.log_group_name.as_deref())?;
    if state.group(name)?.deletion_protected {
        let text =
            "The log group has deletion protection enabled. Disable it before you delete the log group.";
        return Err(ServiceError::new(400, "ValidationException", text));
    }
    state.groups.remove(name);
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutRetention {
    log_group_name: Option<String>,
    retention_in_days: Option<i64>,
}

pub(super) fn put_retention(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: PutRetention = read(call)?;
    let mut checks = Checks::default();
    let name = checks.required("logGroupName", sent.log_group_name.as_deref(), &input::GROUP_NAME);
    match sent.retention_in_days {
        None => checks.missing("retentionInDays"),
        Some(days) if !input::RETENTION_DAYS.contains(&days) => {
            let known: Vec<String> = input::RETENTION_DAYS.iter().map(i64::to_string).collect();
            let constraint = format!("Member must satisfy enum value set: [{}]", known.join(", "));
            checks.fail("retentionInDays", &days.to_string(), &constraint);
        }
        Some(_) => {}
    }
    checks.finish(input::INVALID)?;
    state.group(name)?.retention_days = sent.retention_in_days;
    Ok(None)
}

pub(super) fn delete_retention(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Named = read(call)?;
    state.group(input::group_name(sent.log_group_name.as_deref())?)?.retention_days = None;
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    account_identifiers: Option<Vec<String>>,
    next_token: Option<String>,
    limit: Option<i64>,
}

/// A search by prefix, or by any part of the name; the latter whatever the case of its letters (source:
/// `DescribeLogGroups`, `logGroupNamePattern`).
pub(super) fn describe(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Describe = read(call)?;
    let mut checks = Checks::default();
    let prefix =
        checks.optional("logGroupNamePrefix", sent.log_group_name_prefix.as_deref(), &input::GROUP_NAME);
    let pattern = checks
        .optional("logGroupNamePattern", sent.log_group_name_pattern.as_deref(), &input::GROUP_PATTERN)
        .map(str::to_lowercase);
    if let Some(identifiers) = &sent.log_group_identifiers {
        checks.list("logGroupIdentifiers", identifiers, (1, 50), &input::GROUP_IDENTIFIER);
    }
    if let Some(accounts) = &sent.account_identifiers {
        checks.list("accountIdentifiers", accounts, (0, 20), &input::ACCOUNT);
    }
    let class = checks.word("logGroupClass", sent.log_group_class.as_deref(), input::CLASSES);
    let most = input::described(&mut checks, sent.limit, call);
    checks.optional("nextToken", sent.next_token.as_deref(), &input::NEXT_TOKEN);
    checks.finish(input::INVALID)?;
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let named = sent.log_group_identifiers.map(|identifiers| {
        identifiers.iter().map(|text| text.rsplit(':').next().unwrap_or(text).to_owned()).collect::<Vec<_>>()
    });
    let accounts = sent.account_identifiers.unwrap_or_default();
    let own = accounts.is_empty() || accounts.iter().any(|account| account == call.account);
    let groups = state.groups.iter().filter(|(name, group)| {
        own && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && pattern.as_ref().is_none_or(|pattern| name.to_lowercase().contains(pattern.as_str()))
            && class.is_none_or(|class| group.class == class)
            && named.as_ref().is_none_or(|named| named.contains(name))
    });
    let keyed = groups.map(|(name, group)| (name.clone(), shown(call, name, group)));
    let page = input::one_page(keyed, sent.next_token.as_deref(), most)?;
    let mut answer = json!({ "logGroups": page.entries });
    if let Some(next) = page.next {
        answer["nextToken"] = next.into();
    }
    Ok(Some(answer))
}

/// A group as it is described: `arn` ends in `:*`, `logGroupArn` does not.
fn shown(call: &Call, name: &str, group: &Group) -> Value {
    let arn = group_arn(call, name);
    let bytes = group.streams.bytes();
    let mut shown = json!({
        "logGroupName": name,
        "creationTime": group.created_ms,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "storedBytes": bytes,
        "logGroupClass": group.class,
        "logGroupArn": arn,
        "deletionProtectionEnabled": group.deletion_protected,
    });
    if let Some(days) = group.retention_days {
        shown["retentionInDays"] = days.into();
    }
    shown
}
