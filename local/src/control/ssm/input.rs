//! What parameters of calls may be. Source: the shapes of botocore 1.43.11, `ssm/2014-11-06/service-2.json`, and
//! the documentation in them.

use super::{Call, ServiceError, invalid, parameter_arn};
use crate::control::validate::Text;

/// The code of every failed check.
pub(super) const INVALID: &str = "ValidationException";

pub(super) const NAME: Text = Text { length_min: 1, length_max: 2048, pattern: None };
pub(super) const DESCRIPTION: Text = Text { length_min: 0, length_max: 1024, pattern: None };
pub(super) const VALUE: Text = Text { length_min: 1, length_max: usize::MAX, pattern: None };
pub(super) const KEY_ID: Text =
    Text { length_min: 1, length_max: 256, pattern: Some(("^([a-zA-Z0-9:/_-]+)$", is_key_id)) };
pub(super) const ALLOWED_PATTERN: Text = Text { length_min: 0, length_max: 1024, pattern: None };
pub(super) const POLICIES: Text = Text { length_min: 1, length_max: 4096, pattern: None };
pub(super) const DATA_TYPE: Text = Text { length_min: 0, length_max: 128, pattern: None };
pub(super) const TAG_KEY: Text =
    Text { length_min: 1, length_max: 128, pattern: Some((r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", is_tag)) };
pub(super) const TAG_VALUE: Text =
    Text { length_min: 0, length_max: 256, pattern: Some((r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$", is_tag)) };
pub(super) const FILTER_KEY: Text = Text {
    length_min: 1,
    length_max: 132,
    pattern: Some(("tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType", is_filter_key)),
};
pub(super) const RESOURCE_ID: Text = Text { length_min: 0, length_max: usize::MAX, pattern: None };
pub(super) const FILTER_OPTION: Text = Text { length_min: 1, length_max: 10, pattern: None };
pub(super) const FILTER_VALUE: Text = Text { length_min: 1, length_max: 1024, pattern: None };

pub(super) const KINDS: &[&str] = &["String", "StringList", "SecureString"];
pub(super) const TIERS: &[&str] = &["Standard", "Advanced", "Intelligent-Tiering"];
pub(super) const TAGGED: &[&str] = &[
    "Document",
    "ManagedInstance",
    "MaintenanceWindow",
    "Parameter",
    "PatchBaseline",
    "OpsItem",
    "OpsMetadata",
    "Automation",
    "Association",
];

/// The most tags in one call. Source: the model's `TagList`.
pub(super) const TAGS_SENT_MAX: usize = 1000;
/// The most characters of a value of the standard tier.
const VALUE_CHARACTERS_MAX: usize = 4096;
/// The most characters of a parameter's ARN. Source: `PutParameter`, `Name`.
const ARN_CHARACTERS_MAX: usize = 1011;
/// The most levels of a hierarchy. Source: the same.
const LEVELS_MAX: usize = 15;

fn is_key_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte))
}

fn is_tag(text: &str) -> bool {
    text.chars().all(|character| character.is_alphanumeric() || "_.:/=+-@ \u{a0}".contains(character))
}

fn is_filter_key(text: &str) -> bool {
    text.strip_prefix("tag:").is_some_and(|tag| !tag.is_empty())
        || ["Name", "Type", "KeyId", "Path", "Label", "Tier", "DataType"].contains(&text)
}

/// Whether a new parameter may have this name. Texts: moto 5.2.1, `ssm/models.py`.
pub(super) fn new_name(call: &Call, name: &str) -> Result<(), ServiceError> {
    let inner = name.strip_prefix('/').unwrap_or(name);
    let lower = inner.to_ascii_lowercase();
    let is_legal = |character: char| character.is_ascii_alphanumeric() || "/_.-".contains(character);
    if lower.starts_with("aws") && name.starts_with('/') && inner.contains('/') {
        let text = format!("No access to reserved parameter name: {name}.");
        return Err(ServiceError::new(403, "AccessDeniedException", text));
    }
    if lower.starts_with("aws") || lower.starts_with("ssm") || !name.chars().all(is_legal) {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If formed as a path, it \
             can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, \
             numbers and the following 3 symbols .-_",
        ));
    }
    if inner.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    if inner.is_empty() || inner.split('/').any(str::is_empty) {
        return Err(invalid("Parameter name: a sub-path must not be empty."));
    }
    let levels = inner.split('/').count();
    if levels > LEVELS_MAX {
        let text = format!("Hierarchy level of name exceeds {LEVELS_MAX}.");
        return Err(ServiceError::new(400, "HierarchyLevelLimitExceededException", text));
    }
    if parameter_arn(call, name).len() > ARN_CHARACTERS_MAX {
        return Err(invalid(format!(
            "Parameter name: with its ARN it has at most {ARN_CHARACTERS_MAX} characters."
        )));
    }
    Ok(())
}

/// Whether a parameter of the standard tier may have this value.
pub(super) fn new_value(value: &str) -> Result<(), ServiceError> {
    if value.contains("{{") {
        return Err(invalid(
            "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.",
        ));
    }
    if value.chars().count() > VALUE_CHARACTERS_MAX {
        return Err(invalid(format!(
            "Standard tier parameters support a maximum parameter value of {VALUE_CHARACTERS_MAX} characters."
        )));
    }
    Ok(())
}
