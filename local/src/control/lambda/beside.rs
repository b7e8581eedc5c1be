//! What hangs on a function beside its configuration: function URLs and provisioned concurrency. Both are kept
//! and shown, without effect here: nothing listens at the URL, and nothing is kept warm.
//!
//! Members and statuses: model `lambda 2015-03-31` (botocore 1.43.11). Texts of refusals: `LocalStack`,
//! `services/lambda_/provider.py`, which records AWS's.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Violations, conflict, function_not_found, invalid_parameter, not_found, user};
use super::input::{NameForm, Named, Page, body, parameter};
use super::resolve::milliseconds;
use super::state::{Function, FunctionUrl};
use super::{empty, json, reference, view};
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::{Response, random};

/// The greatest page of either list (model: `MaxFunctionUrlConfigListItems`,
/// `MaxProvisionedConcurrencyConfigListItems`).
const ITEMS_MAX: u32 = 50;

/// What `CreateFunctionUrlConfig` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateUrl {
    auth_type: Option<String>,
    invoke_mode: Option<String>,
    // Kept as given, to refuse what the local target has not.
    cors: Option<Value>,
}

/// What `PutProvisionedConcurrencyConfig` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutProvisioned {
    provisioned_concurrent_executions: Option<i64>,
}

fn no_such_url() -> ServiceError {
    not_found("The resource you requested does not exist.")
}

/// The function, and the alias that is meant; `""` is the function itself.
fn of_url<'a>(
    world: &'a mut World,
    call: &Call,
    name: &str,
) -> Result<(&'a mut Function, String), ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, parameter(call, "Qualifier"))?;
    let qualifier = named.qualifier.unwrap_or_default();
    let mut violations = Violations::default();
    let number = !qualifier.is_empty() && qualifier.chars().all(|c| c.is_ascii_digit());
    let constraint = r"satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)";
    violations.check(!number && qualifier != "$LATEST", "qualifier", &qualifier, constraint);
    violations.refuse()?;
    let functions = &mut world.region(call.region).lambda.functions;
    let function = functions.get_mut(&named.name).ok_or_else(|| not_found("Function does not exist"))?;
    if !qualifier.is_empty() && !function.aliases.contains_key(&qualifier) {
        return Err(not_found("Function does not exist"));
    }
    Ok((function, qualifier))
}

pub(super) fn create_url(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let wanted: CreateUrl = body(call)?;
    let mut violations = Violations::default();
    match &wanted.auth_type {
        None => violations.missing("authType"),
        Some(kind) => {
            let good = ["AWS_IAM", "NONE"].contains(&kind.as_str());
            violations.check(good, "authType", kind, "satisfy enum value set: [AWS_IAM, NONE]");
        }
    }
    if let Some(mode) = &wanted.invoke_mode {
        let good = ["BUFFERED", "RESPONSE_STREAM"].contains(&mode.as_str());
        violations.check(good, "invokeMode", mode, "satisfy enum value set: [RESPONSE_STREAM, BUFFERED]");
    }
    violations.refuse()?;
    if wanted.cors.is_some() {
        return Err(invalid_parameter("The local target has no Cors."));
    }
    let (function, qualifier) = of_url(world, call, name)?;
    if function.urls.contains_key(&qualifier) {
        let arn = arn(call, &function.name, &qualifier);
        return Err(conflict(format!(
            "Failed to create function url config for [functionArn = {arn}]. Error message:  \
             FunctionUrlConfig exists for this Lambda function"
        )));
    }
    let url = FunctionUrl {
        id: random::hex(&random::bytes::<16>()),
        authentication: wanted.auth_type.unwrap_or_default(),
        invoke_mode: wanted.invoke_mode.unwrap_or_else(|| "BUFFERED".to_owned()),
        created: milliseconds(call.now),
    };
    let mut shown = shown_url(call, function, &qualifier, &url);
    if let Some(members) = shown.as_object_mut() {
        members.remove("LastModifiedTime");
    }
    function.urls.insert(qualifier, url);
    Ok(json(201, &shown))
}

pub(super) fn get_url(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let (function, qualifier) = of_url(world, call, name)?;
    let url = function.urls.get(&qualifier).ok_or_else(no_such_url)?;
    Ok(json(200, &shown_url(call, function, &qualifier, url)))
}

pub(super) fn delete_url(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let (function, qualifier) = of_url(world, call, name)?;
    function.urls.remove(&qualifier).ok_or_else(no_such_url)?;
    Ok(empty(204))
}

pub(super) fn list_urls(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, None)?;
    let page = Page::read(call, ITEMS_MAX)?;
    let functions = &world.region(call.region).lambda.functions;
    let function = functions.get(&named.name).ok_or_else(|| not_found("Function does not exist"))?;
    let urls = function.urls.iter();
    let (urls, next) =
        page.cut(urls.map(|(alias, url)| (alias.clone(), shown_url(call, function, alias, url))));
    Ok(json(200, &listed("FunctionUrlConfigs", urls, next)))
}

/// The function, and the alias or version that is meant, which must be there.
fn of_provisioned<'a>(
    world: &'a mut World,
    call: &Call,
    name: &str,
) -> Result<(&'a mut Function, String), ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, parameter(call, "Qualifier"))?;
    let mut violations = Violations::default();
    if named.qualifier.is_none() {
        violations.missing("qualifier");
    }
    violations.refuse()?;
    let (arn, qualifier) = (named.arn(call), named.qualifier.unwrap_or_default());
    if qualifier == "$LATEST" {
        return Err(invalid_parameter(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        ));
    }
    let functions = &mut world.region(call.region).lambda.functions;
    let is_version = qualifier.chars().all(|c| c.is_ascii_digit());
    let missing = if is_version { "Function not found" } else { "Cannot find alias arn" };
    let function = functions.get_mut(&named.name).ok_or_else(|| function_not_found(&arn))?;
    if function.version(Some(&qualifier)).is_none() {
        return Err(not_found(format!("{missing}: {arn}")));
    }
    Ok((function, qualifier))
}

pub(super) fn put_provisioned(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let wanted: PutProvisioned = body(call)?;
    let mut violations = Violations::default();
    let Some(number) = wanted.provisioned_concurrent_executions else {
        violations.missing("provisionedConcurrentExecutions");
        violations.refuse()?;
        return Err(invalid_parameter("ProvisionedConcurrentExecutions is missing."));
    };
    let (member, text) = ("provisionedConcurrentExecutions", number.to_string());
    violations.check(number >= 1, member, &text, "have value greater than or equal to 1");
    violations.refuse()?;
    let (function, qualifier) = of_provisioned(world, call, name)?;
    if function.reserved_concurrency.is_some_and(|reserved| number > i64::from(reserved)) {
        return Err(invalid_parameter(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for \
             function",
        ));
    }
    let Ok(number) = u32::try_from(number) else {
        return Err(invalid_parameter(
            "Specified ConcurrentExecutions for function is greater than account's.",
        ));
    };
    function.provisioned.insert(qualifier, number);
    Ok(json(
        202,
        &json!({
            "RequestedProvisionedConcurrentExecutions": number,
            "AllocatedProvisionedConcurrentExecutions": 0,
            "Status": "IN_PROGRESS",
            "LastModified": view::date(milliseconds(call.now)),
        }),
    ))
}

pub(super) fn provisioned(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    if parameter(call, "List") == Some("ALL") {
        return list_provisioned(world, call, name);
    }
    let (function, qualifier) = of_provisioned(world, call, name)?;
    let number = function.provisioned.get(&qualifier).ok_or_else(|| {
        let text = "No Provisioned Concurrency Config found for this function";
        user(404, "ProvisionedConcurrencyConfigNotFoundException", text)
    })?;
    Ok(json(200, &shown_provisioned(*number)))
}

fn list_provisioned(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, name, NameForm::Plain, None)?;
    let page = Page::read(call, ITEMS_MAX)?;
    let functions = &world.region(call.region).lambda.functions;
    let function = functions.get(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))?;
    let (configurations, next) = page.cut(function.provisioned.iter().map(|(qualifier, number)| {
        let mut shown = shown_provisioned(*number);
        shown["FunctionArn"] = json!(arn(call, &function.name, qualifier));
        (qualifier.clone(), shown)
    }));
    Ok(json(200, &listed("ProvisionedConcurrencyConfigs", configurations, next)))
}

pub(super) fn delete_provisioned(
    world: &mut World,
    call: &Call,
    name: &str,
) -> Result<Response, ServiceError> {
    let (function, qualifier) = of_provisioned(world, call, name)?;
    function.provisioned.remove(&qualifier);
    Ok(empty(204))
}

fn shown_provisioned(number: u32) -> Value {
    json!({
        "RequestedProvisionedConcurrentExecutions": number,
        "AvailableProvisionedConcurrentExecutions": number,
        "AllocatedProvisionedConcurrentExecutions": number,
        "Status": "READY",
    })
}

/// `FunctionUrlConfig`.
fn shown_url(call: &Call, function: &Function, qualifier: &str, url: &FunctionUrl) -> Value {
    json!({
        "FunctionUrl": format!("https://{}.lambda-url.{}.on.aws/", url.id, call.region),
        "FunctionArn": arn(call, &function.name, qualifier),
        "AuthType": url.authentication,
        "InvokeMode": url.invoke_mode,
        "CreationTime": view::date(url.created),
        "LastModifiedTime": view::date(url.created),
    })
}

fn listed(member: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let mut shown = json!({});
    shown[member] = Value::Array(items);
    if let Some(next) = next {
        shown["NextMarker"] = json!(next);
    }
    shown
}

fn arn(call: &Call, function: &str, qualifier: &str) -> String {
    let qualifier = (!qualifier.is_empty()).then_some(qualifier);
    reference::arn(call.region, call.account, function, qualifier)
}
