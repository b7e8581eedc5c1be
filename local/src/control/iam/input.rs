//! What parameters may be. Source: the shapes of botocore 1.43.11, `iam/2010-05-08/service-2.json`.

use super::no_such_entity;
use crate::control::ServiceError;
use crate::control::page::Page;
use crate::control::protocol::query::{Form, Xml};
use crate::control::validate::{Checks, Text};
use crate::control::{Call, page};
use crate::partition::after_partition;

/// Pages hold this many entries when the caller does not say. Source: IAM API Reference, `MaxItems`.
const PAGE_ENTRIES: i64 = 100;

pub(super) const ROLE_NAME: Text =
    Text { length_min: 1, length_max: 64, pattern: Some((r"[\w+=,.@-]+", is_name)) };
pub(super) const POLICY_NAME: Text =
    Text { length_min: 1, length_max: 128, pattern: Some((r"[\w+=,.@-]+", is_name)) };
pub(super) const PATH: Text = Text {
    length_min: 1,
    length_max: 512,
    pattern: Some((r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", is_path)),
};
pub(super) const PATH_PREFIX: Text =
    Text { length_min: 1, length_max: 512, pattern: Some((r"\u002F[\u0021-\u007F]*", is_path_prefix)) };
pub(super) const POLICY_PATH: Text =
    Text { length_min: 1, length_max: 512, pattern: Some((r"((/[A-Za-z0-9\.,\+@=_-]+)*)/", is_path)) };
pub(super) const DOCUMENT: Text = Text {
    length_min: 1,
    length_max: 131_072,
    pattern: Some((r"[\u0009\u000A\u000D\u0020-\u00FF]+", is_document)),
};
pub(super) const DESCRIPTION: Text = Text {
    length_min: 0,
    length_max: 1000,
    pattern: Some((r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*", is_description)),
};
pub(super) const ARN: Text = Text { length_min: 20, length_max: 2048, pattern: None };
pub(crate) const TAG_KEY: Text =
    Text { length_min: 1, length_max: 128, pattern: Some((r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", is_tag)) };
pub(crate) const TAG_VALUE: Text =
    Text { length_min: 0, length_max: 256, pattern: Some((r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", is_tag)) };
const MARKER: Text = Text { length_min: 1, length_max: 320, pattern: Some((r"[\u0020-\u00FF]+", is_marker)) };

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.ends_with('/') && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

fn is_path_prefix(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|byte| (0x21..=0x7f).contains(&byte))
}

fn is_document(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
}

fn is_description(text: &str) -> bool {
    text.chars().all(|character| matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}'))
}

/// Rust's `is_alphanumeric` is letters and numbers, Unicode's L and N but for a few letter-like marks.
fn is_tag(text: &str) -> bool {
    text.chars().all(|character| character.is_alphanumeric() || "_.:/=+-@ \u{a0}".contains(character))
}

fn is_marker(text: &str) -> bool {
    text.chars().all(|character| matches!(character, ' '..='\u{ff}'))
}

/// The role's name and nothing else.
pub(super) fn role_name(form: &Form) -> Result<&str, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &ROLE_NAME);
    checks.finish("ValidationError")?;
    Ok(name)
}

/// Checks `Marker` and `MaxItems`, beside the checks of the call's own.
pub(super) fn paging(checks: &mut Checks, form: &Form) -> Result<(), ServiceError> {
    checks.optional("marker", form.get("Marker"), &MARKER);
    checks.number("maxItems", form.number("MaxItems")?, 1, 1000);
    Ok(())
}

/// One page of `entries`, sorted by their key.
pub(super) fn one_page<T>(
    entries: impl Iterator<Item = (String, T)>,
    form: &Form,
    call: &Call,
) -> Result<Page<T>, ServiceError> {
    let asked = form.number("MaxItems")?.unwrap_or(PAGE_ENTRIES);
    let most = usize::try_from(asked).unwrap_or(1).min(call.options.page_size);
    page::page(entries, form.get("Marker"), most)
        .map_err(|page::InvalidToken| ServiceError::new(400, "ValidationError", "Invalid Marker."))
}

/// The members with which every list ends.
pub(super) fn page_end<T>(result: &mut Xml, page: &Page<T>) {
    result.leaf("IsTruncated", if page.next.is_some() { "true" } else { "false" });
    if let Some(next) = &page.next {
        result.leaf("Marker", next);
    }
}

/// Whether a managed policy is there to be attached. Every AWS managed policy is; the account has none of
/// its own.
pub(super) fn attachable(arn: &str) -> Result<(), ServiceError> {
    if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
        return Err(ServiceError::new(400, "InvalidInput", format!("ARN {arn} is not valid.")));
    }
    match after_partition(arn).and_then(|rest| rest.strip_prefix("iam::aws:policy/")) {
        Some(name) if !name.is_empty() && !name.ends_with('/') => Ok(()),
        _ => Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable."))),
    }
}
