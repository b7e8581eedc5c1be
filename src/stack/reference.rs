//! Where a secret or a file is kept: `env:NAME`, `file:PATH`, `ssm:NAME`, and the local target's own.
//!
//! No message here repeats the text: where a reference belongs, a user may have written the secret.

use std::path::PathBuf;

use super::checks::{Checks, Found, Place};
use super::finding::Shown;
use super::model::{Reference, Target};
use crate::names::ParameterName;

/// The longest name of an environment variable, in characters.
const VARIABLE_LENGTH_MAX: usize = 128;
/// Stores of later versions, by their prefix.
const LATER_PREFIXES: [&str; 2] = ["secretsmanager:", "kms:"];

/// What may stand at one key.
pub(super) struct Expected {
    /// What the reference leads to, such as `the HMAC secret`.
    pub(super) noun: &'static str,
    /// The reference to the embedded provider's own, such as `local:hs256`.
    pub(super) local: Option<(&'static str, Reference)>,
}

/// Reads `found` as a reference.
pub(super) fn reference(
    checks: &mut Checks<'_>,
    found: &Found<String>,
    target: Option<Target>,
    expected: &Expected,
) -> Option<Reference> {
    let text = found.value.as_str();
    if let Some(name) = text.strip_prefix("env:") {
        return environment(checks, &found.place, name);
    }
    if let Some(path) = text.strip_prefix("file:") {
        return path_of(checks, &found.place, path).map(Reference::File);
    }
    if let Some(name) = text.strip_prefix("ssm:") {
        return parameter(checks, &found.place, name).map(Reference::Parameter);
    }
    if let Some((_, local)) = expected.local.as_ref().filter(|(word, _)| *word == text) {
        if target == Some(Target::Aws) {
            let message =
                format!("`{text}` is the embedded provider's own, and this stack's target is `aws`");
            let help = "use `env:NAME`, `file:PATH` or `ssm:NAME`";
            checks.error_with_help(&found.place, "local_only", message, help);
            return None;
        }
        return Some(local.clone());
    }
    if let Some(prefix) = LATER_PREFIXES.iter().find(|prefix| text.starts_with(**prefix)) {
        let message = format!("`{prefix}…` is not yet in this version");
        let help = "use `env:NAME`, `file:PATH` or `ssm:NAME`".to_owned();
        checks.report(&found.place, "not_yet", message, Shown::ToStart, Some(help));
        return None;
    }
    let (key, noun) = (&found.place.key, expected.noun);
    let message = format!("`{key}` says where {noun} is, never the thing itself");
    let local = expected.local.as_ref().map(|(word, _)| format!(", with the local target also `{word}`"));
    let help = format!("write `env:NAME`, `file:PATH` or `ssm:NAME`{}", local.unwrap_or_default());
    checks.report(&found.place, "literal", message, Shown::ToStart, Some(help));
    None
}

/// A path as written, joined to the stack file's folder; an absolute one stays as it is.
pub(super) fn path_of(checks: &mut Checks<'_>, place: &Place, path: &str) -> Option<PathBuf> {
    if path.is_empty() {
        checks.error(place, "bad_reference", format!("`{}` needs a path", place.key));
        return None;
    }
    if path.starts_with('~') {
        let message = format!("`{}` begins with `~`, which is not expanded", place.key);
        let help = "write an absolute path, or one relative to the stack file";
        checks.report(place, "bad_reference", message, Shown::ToStart, Some(help.to_owned()));
        return None;
    }
    Some(checks.folder_of(place).join(path))
}

/// The name of a parameter, without `ssm:`.
pub(super) fn parameter(checks: &mut Checks<'_>, place: &Place, name: &str) -> Option<ParameterName> {
    ParameterName::new(name)
        .map_err(|_| {
            // The text itself is not told, nor what is odd in it: it may be the secret.
            let message = format!("`{}` needs the name of a parameter after `ssm:`", place.key);
            let help = format!(
                "`NAME` or `/PATH/NAME`: letters, digits and `_ . -`, at most {} levels and {} characters, not \
                 beginning with `aws` or `ssm`",
                ParameterName::LEVELS_MAX,
                ParameterName::LENGTH_MAX
            );
            checks.report(place, "bad_reference", message, Shown::ToStart, Some(help));
        })
        .ok()
}

fn environment(checks: &mut Checks<'_>, place: &Place, name: &str) -> Option<Reference> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_legal = name.starts_with(is_first)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= VARIABLE_LENGTH_MAX;
    if is_legal {
        return Some(Reference::Environment(name.to_owned()));
    }
    let message = format!("`{}` needs the name of an environment variable after `env:`", place.key);
    let help = format!("letters, digits and `_`, at most {VARIABLE_LENGTH_MAX}, not a digit first");
    checks.report(place, "bad_reference", message, Shown::ToStart, Some(help));
    None
}
