//! `[tags]`: tags for every resource that takes some.

use std::collections::BTreeMap;

use super::checks::{Checks, Found};
use super::finding::quoted;
use super::reader::TableReader;

/// AWS takes 50 tags per resource, and two are ours: `thinggate:stack` and `thinggate:role-id`.
pub(super) const TAGS_MAX: usize = 48;
/// AWS IoT `TagKey`: 1 to 128 characters (botocore 1.43.11, `iot`); IAM and Lambda have the same.
pub(super) const KEY_LENGTH_MAX: usize = 128;
/// AWS IoT `TagValue`: at most 256 characters (botocore 1.43.11, `iot`); IAM and Lambda have the same.
pub(super) const VALUE_LENGTH_MAX: usize = 256;
/// Prefixes that belong to somebody else, or to us.
const RESERVED_PREFIXES: [&str; 2] = ["aws:", "thinggate:"];

/// Reads `[tags]`.
pub(super) fn tags(checks: &mut Checks<'_>, top: &mut TableReader<'_>) -> BTreeMap<String, String> {
    let place = top.place_of("tags");
    let found = top.text_map(checks, "tags");
    if found.len() > TAGS_MAX {
        let message =
            format!("at most {TAGS_MAX} tags: AWS takes 50 and two are ours; there are {}", found.len());
        checks.error(&place, "too_large", message);
    }
    let mut lower_case = BTreeMap::new();
    for (key, value) in &found {
        tag(checks, key, value);
        if let Some(other) = lower_case.insert(key.value.to_lowercase(), &key.value) {
            let (other, same) = (quoted(other), quoted(&key.value));
            let message =
                format!("the tags {other} and {same} differ in case only, and IAM takes them for one");
            checks.error(&key.place, "duplicate", message);
        }
    }
    found.into_iter().map(|(key, value)| (key.value, value.value)).collect()
}

fn tag(checks: &mut Checks<'_>, key: &Found<String>, value: &Found<String>) {
    let lower = key.value.to_lowercase();
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| lower.starts_with(**prefix)) {
        checks.error(&key.place, "reserved", format!("tag keys that begin with `{prefix}` are reserved"));
        return;
    }
    for (text, what, length_min, length_max) in
        [(key, "key", 1, KEY_LENGTH_MAX), (value, "value", 0, VALUE_LENGTH_MAX)]
    {
        let length = text.value.chars().count();
        if !(length_min..=length_max).contains(&length) {
            let message =
                format!("a tag {what} has {length_min} to {length_max} characters; this one has {length}");
            checks.error(&text.place, "too_large", message);
        }
        if let Some(odd) = text.value.chars().find(|c| !is_legal(*c)) {
            let message = format!(
                "a tag {what} is made of letters, digits, spaces and `_ . : / = + - @`; found {odd:?}"
            );
            checks.error(&text.place, "bad_value", message);
        }
    }
}

/// AWS IoT: `[\p{L}\p{Z}\p{N}_.:/=+\-@]`. Combining marks, which are not letters there, are refused.
fn is_legal(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}
