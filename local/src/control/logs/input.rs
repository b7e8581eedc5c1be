//! What parameters may be. Source: the shapes of botocore 1.43.11, `logs/2014-03-28/service-2.json`.

use super::{Call, ServiceError};
use crate::control::page::{self, Page};
use crate::control::validate::{Checks, Text};

/// The code of every failed check.
pub(super) const INVALID: &str = "InvalidParameterException";

pub(super) const GROUP_NAME: Text =
    Text { length_min: 1, length_max: 512, pattern: Some((r"[\.\-_/#A-Za-z0-9]+", is_group_name)) };
pub(super) const GROUP_IDENTIFIER: Text =
    Text { length_min: 1, length_max: 2048, pattern: Some((r"[\w#+=/:,.@-]*", is_identifier)) };
pub(super) const GROUP_PATTERN: Text =
    Text { length_min: 0, length_max: 512, pattern: Some((r"[\.\-_/#A-Za-z0-9]*", is_group_pattern)) };
pub(super) const ACCOUNT: Text =
    Text { length_min: 12, length_max: 12, pattern: Some((r"^\d{12}$", is_account)) };
pub(super) const NEXT_TOKEN: Text = Text { length_min: 1, length_max: usize::MAX, pattern: None };
pub(super) const MESSAGE: Text = Text { length_min: 1, length_max: usize::MAX, pattern: None };
/// Keys and values of an event's `entity`.
pub(super) const KEY_ATTRIBUTE: Text = Text { length_min: 1, length_max: 32, pattern: None };
pub(super) const ATTRIBUTE: Text = Text { length_min: 1, length_max: 256, pattern: None };
pub(super) const ATTRIBUTE_VALUE: Text = Text { length_min: 1, length_max: 512, pattern: None };
pub(super) const STREAM_NAME: Text =
    Text { length_min: 1, length_max: 512, pattern: Some(("[^:*]*", is_stream_name)) };
pub(super) const RESOURCE_ARN: Text =
    Text { length_min: 1, length_max: 1011, pattern: Some((r"[\w+=/:,.@-]*", is_resource_arn)) };
pub(super) const TAG_KEY: Text =
    Text { length_min: 1, length_max: 128, pattern: Some((r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$", is_tag)) };
pub(super) const TAG_VALUE: Text =
    Text { length_min: 0, length_max: 256, pattern: Some((r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", is_tag)) };
pub(super) const KMS_KEY: Text = Text { length_min: 0, length_max: 256, pattern: None };
pub(super) const FILTER_PATTERN: Text = Text { length_min: 0, length_max: 1024, pattern: None };
/// `logGroupClass`.
pub(super) const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];
/// `retentionInDays`: the values of the API's documentation.
pub(super) const RETENTION_DAYS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
/// The most groups or streams in one page, and when none is asked for.
const DESCRIBED_MAX: i64 = 50;

fn is_group_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte))
}

fn is_group_pattern(text: &str) -> bool {
    text.is_empty() || is_group_name(text)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_#+=/:,.@-".contains(&byte))
}

fn is_resource_arn(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=/:,.@-".contains(&byte))
}

fn is_stream_name(text: &str) -> bool {
    !text.contains([':', '*'])
}

fn is_tag(text: &str) -> bool {
    text.chars().all(|character| character.is_alphanumeric() || "_.:/=+-@ \u{a0}".contains(character))
}

/// The name of a group and nothing else.
pub(super) fn group_name(name: Option<&str>) -> Result<&str, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("logGroupName", name, &GROUP_NAME);
    checks.finish(INVALID)?;
    Ok(name)
}

/// The name in `logGroupName`, or in `logGroupIdentifier`, which may be an ARN; one of them, not both.
pub(super) fn either_name<'a>(
    name: Option<&'a str>,
    identifier: Option<&'a str>,
) -> Result<&'a str, ServiceError> {
    match (name, identifier) {
        (Some(name), None) => group_name(Some(name)),
        (None, Some(identifier)) => {
            let mut checks = Checks::default();
            let identifier = checks.required("logGroupIdentifier", Some(identifier), &GROUP_IDENTIFIER);
            checks.finish(INVALID)?;
            Ok(identifier.rsplit(':').next().unwrap_or(identifier))
        }
        (Some(_), Some(_)) => {
            let text = "LogGroup name and identifier cannot be used together.";
            Err(ServiceError::new(400, INVALID, text))
        }
        (None, None) => {
            let text = "One of logGroupName or logGroupIdentifier must be given.";
            Err(ServiceError::new(400, INVALID, text))
        }
    }
}

/// `limit` of the calls that describe groups or streams.
pub(super) fn described(checks: &mut Checks, limit: Option<i64>, call: &Call) -> usize {
    let most = checks.number("limit", limit, 1, DESCRIBED_MAX).unwrap_or(DESCRIBED_MAX);
    usize::try_from(most).unwrap_or(1).min(call.options.page_size)
}

/// One page of `entries`, sorted by their key.
pub(super) fn one_page<T>(
    entries: impl Iterator<Item = (String, T)>,
    token: Option<&str>,
    most: usize,
) -> Result<Page<T>, ServiceError> {
    page::page(entries, token, most)
        .map_err(|page::InvalidToken| ServiceError::new(400, INVALID, "The specified nextToken is invalid."))
}
