//! `PublishVersion`, `ListVersionsByFunction`, and publishing as part of another call.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{RevisionOf, Violations, function_not_found, invalid_parameter, revision_mismatch};
use super::input::{NameForm, Named, Page, body};
use super::resolve::milliseconds;
use super::state::{Change, ChangeKind, Function, Settings, Version};
use super::view::{self, Detail};
use super::{json, package, update};
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::{Response, random};

/// What `PublishVersion` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the names are the model's")]
struct Publish {
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
    publish_to: Option<String>,
}

/// `PublishTo`, which is for the managed instances that the local target has not.
pub(super) fn check_publish_to(given: Option<&str>) -> Result<(), ServiceError> {
    let Some(given) = given else { return Ok(()) };
    let mut violations = Violations::default();
    let constraint = "satisfy enum value set: [LATEST_PUBLISHED]";
    violations.check(given == "LATEST_PUBLISHED", "publishTo", given, constraint);
    violations.refuse()?;
    Err(invalid_parameter("The local target has no PublishTo."))
}

pub(super) fn publish(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, None)?;
    let wanted: Publish = body(call)?;
    let mut violations = Violations::default();
    if let Some(description) = &wanted.description {
        let short = description.chars().count() <= 256;
        violations.check(short, "description", description, "have length less than or equal to 256");
    }
    violations.refuse()?;
    check_publish_to(wanted.publish_to.as_deref())?;
    let now = milliseconds(call.now);
    let missing = || function_not_found(&named.function_arn(call));
    let function = world.region(call.region).lambda.functions.get_mut(&named.name).ok_or_else(missing)?;
    update::check_settled(&function.latest, now, &named.function_arn(call))?;
    if wanted.revision_id.is_some_and(|revision| revision != function.latest.revision(now)) {
        return Err(revision_mismatch(RevisionOf::Function));
    }
    let current = package::sha256_base64(&function.latest.settings.code.sha256_hex);
    if let Some(given) = wanted.code_sha256.filter(|given| !given.is_empty() && *given != current) {
        return Err(invalid_parameter(format!(
            "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try \
             again with the CodeSHA256 in $LATEST."
        )));
    }
    let number = if let Some(number) = unchanged(function) {
        number
    } else {
        let mut settings = function.latest.settings.clone();
        if let Some(description) = wanted.description {
            settings.description = description;
        }
        let revision = random::uuid();
        let change = Change {
            kind: ChangeKind::Created,
            settled_at: now,
            revision_before: revision.clone(),
            revision_after: revision,
        };
        // Publishing changes the revision of `$LATEST`: aws-facts 3.3.
        function.latest.set_revision(now, random::uuid());
        add(function, settings, change)
    };
    Ok(json(201, &shown(call, function, number)))
}

/// The number that `$LATEST` already has: nothing changed since it was published.
fn unchanged(function: &Function) -> Option<u64> {
    let (number, settings) = function.published.as_ref()?;
    (*settings == function.latest.settings && function.versions.contains_key(number)).then_some(*number)
}

/// Publishes what the change in progress leads to; the version settles when `$LATEST` does.
pub(super) fn publish_with_change(function: &mut Function) -> u64 {
    if let Some(number) = unchanged(function) {
        return number;
    }
    let change = Change::new(ChangeKind::Created, function.latest.change.settled_at);
    add(function, function.latest.settings.clone(), change)
}

fn add(function: &mut Function, settings: Settings, change: Change) -> u64 {
    function.highest_version += 1;
    let number = function.highest_version;
    function.published = Some((number, function.latest.settings.clone()));
    let last_modified = function.latest.last_modified;
    function.versions.insert(number, Version { settings, last_modified, change, serving: None });
    number
}

/// The version as answer of the call that published it.
pub(super) fn shown(call: &Call, function: &Function, number: u64) -> Value {
    let text = number.to_string();
    let version = function.versions.get(&number).unwrap_or(&function.latest);
    view::configuration(call, function, &text, version, Some(&text), Detail::Whole)
}

pub(super) fn list(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, name, NameForm::Namespaced, None)?;
    let page = Page::read(call, 10_000)?;
    let missing = || function_not_found(&named.function_arn(call));
    let function = world.region(call.region).lambda.functions.get(&named.name).ok_or_else(missing)?;
    let (versions, marker) = page.cut(listed(call, function));
    let mut shown = json!({ "Versions": versions });
    if let Some(marker) = marker {
        shown["NextMarker"] = json!(marker);
    }
    Ok(json(200, &shown))
}

/// `$LATEST` and every version, each with the key that pages go by.
pub(super) fn listed(call: &Call, function: &Function) -> impl Iterator<Item = (String, Value)> {
    let one = |number: u64, name: &str, version: &Version| {
        let key = format!("{}:{number:020}", function.name);
        (key, view::configuration(call, function, name, version, Some(name), Detail::Listed))
    };
    let latest = one(0, "$LATEST", &function.latest);
    let published: Vec<(String, Value)> = function
        .versions
        .iter()
        .map(|(number, version)| one(*number, &number.to_string(), version))
        .collect();
    std::iter::once(latest).chain(published)
}
