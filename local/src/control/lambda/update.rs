//! `UpdateFunctionCode` and `UpdateFunctionConfiguration`. Each is in progress for a while, and while it is
//! the next one is refused and the old content serves. (aws-facts 3.2)

use serde::Deserialize;

use super::errors::{RevisionOf, conflict, function_not_found, invalid_parameter, revision_mismatch};
use super::input::{NameForm, Named, body};
use super::package::{self, PackageType, WantedCode};
use super::resolve::milliseconds;
use super::settings::{self, Wanted};
use super::state::{Change, ChangeKind, Function, Milliseconds, Settings, Version};
use super::{function, json, role, version};
use crate::Response;
use crate::control::{Call, ServiceError};
use crate::state::World;

/// What `UpdateFunctionCode` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateCode {
    #[serde(flatten)]
    code: WantedCode,
    publish: Option<bool>,
    publish_to: Option<String>,
    dry_run: Option<bool>,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
}

/// What `UpdateFunctionConfiguration` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateConfiguration {
    revision_id: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

pub(super) fn code(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    package::check_request_size(call, "UpdateFunctionCode")?;
    let named = updatable(call, name)?;
    let wanted: UpdateCode = body(call)?;
    let architecture = settings::architecture(wanted.architectures.as_deref())?;
    wanted.code.check()?;
    version::check_publish_to(wanted.publish_to.as_deref())?;
    let function = ready(world, call, &named, wanted.revision_id.as_deref())?;
    let zip = wanted.code.zip(PackageType::Zip)?;
    if wanted.dry_run == Some(true) {
        return Ok(json(200, &function::latest(call, function)));
    }
    let mut settings = function.latest.settings.clone();
    settings.code = package::keep(call, &zip)?;
    settings.architecture = architecture.unwrap_or(settings.architecture);
    change(call, function, settings);
    let shown = if wanted.publish == Some(true) {
        let number = version::publish_with_change(function);
        version::shown(call, function, number)
    } else {
        function::latest(call, function)
    };
    Ok(json(200, &shown))
}

pub(super) fn configuration(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = updatable(call, name)?;
    let UpdateConfiguration { revision_id, wanted } = body(call)?;
    wanted.check()?;
    ready(world, call, &named, revision_id.as_deref())?;
    let role_id = wanted.role.as_deref().map(|role| role::pass(world, call, role)).transpose()?;
    let function = ready(world, call, &named, None)?;
    let mut settings = wanted.lay_over(function.latest.settings.clone());
    if let Some(role_id) = role_id {
        settings.role_id = role_id;
    }
    change(call, function, settings);
    Ok(json(200, &function::latest(call, function)))
}

/// Only `$LATEST` can be changed.
fn updatable(call: &Call, name: &str) -> Result<Named, ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, None)?;
    match named.qualifier.as_deref() {
        None | Some("$LATEST") => Ok(named),
        Some(_) => Err(invalid_parameter("Only $LATEST can be updated: versions and aliases cannot.")),
    }
}

/// The function, when it is there, settled, and of the revision asked for.
fn ready<'a>(
    world: &'a mut World,
    call: &Call,
    named: &Named,
    revision: Option<&str>,
) -> Result<&'a mut Function, ServiceError> {
    let arn = named.function_arn(call);
    let now = milliseconds(call.now);
    let functions = &mut world.region(call.region).lambda.functions;
    let function = functions.get_mut(&named.name).ok_or_else(|| function_not_found(&arn))?;
    check_settled(&function.latest, now, &arn)?;
    if revision.is_some_and(|revision| revision != function.latest.revision(now)) {
        return Err(revision_mismatch(RevisionOf::Function));
    }
    Ok(function)
}

/// Refuses a change of a version that is still being created or changed.
pub(super) fn check_settled(version: &Version, now: Milliseconds, arn: &str) -> Result<(), ServiceError> {
    if version.is_pending(now) {
        return Err(conflict(
            "The operation cannot be performed at this time. The function is currently in the following \
             state: Pending",
        ));
    }
    if version.is_updating(now) {
        // `test_lambda_concurrent_code_updates` [R].
        return Err(conflict(format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
        )));
    }
    Ok(())
}

/// Lets `settings` follow upon what is there; until it is settled the old ones serve.
fn change(call: &Call, function: &mut Function, settings: Settings) {
    let now = milliseconds(call.now);
    let old = std::mem::replace(&mut function.latest.settings, settings);
    function.latest.serving = Some(Box::new(old));
    function.latest.last_modified = now;
    function.latest.change = Change::new(ChangeKind::Updated, now + super::settling(call));
}
