//! `CreateFunction`, `GetFunction`, `GetFunctionConfiguration`, `ListFunctions`, `DeleteFunction`.

use std::collections::BTreeMap;

use http::header::HOST;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{Violations, conflict, function_not_found, invalid_parameter};
use super::input::{NameForm, Named, Page, body, parameter};
use super::package::{self, PackageType, WantedCode};
use super::reference::is_region;
use super::resolve::milliseconds;
use super::settings::{self, Wanted};
use super::state::{Architecture, Change, ChangeKind, Function, Logging, Settings, State, Version};
use super::view::{self, Detail};
use super::{empty, json, role, tags, version};
use crate::Response;
use crate::control::{Call, ServiceError};
use crate::random;
use crate::state::World;

/// A function's own name, as opposed to its ARN.
const NAME_CHARACTERS_MAX: usize = 64;

/// What `CreateFunction` takes beside the configuration.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    function_name: Option<String>,
    code: Option<WantedCode>,
    publish: Option<bool>,
    publish_to: Option<String>,
    package_type: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    architectures: Option<Vec<String>>,
    #[serde(flatten)]
    wanted: Wanted,
}

pub(super) fn create(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    package::check_request_size(call, "CreateFunction")?;
    let create: Create = body(call)?;
    let Create { function_name, code, publish, publish_to, package_type, tags, architectures, wanted } =
        create;
    let mut violations = Violations::default();
    for (member, given) in
        [("functionName", function_name.is_some()), ("role", wanted.role.is_some()), ("code", code.is_some())]
    {
        if !given {
            violations.missing(member);
        }
    }
    if let Some(kind) = &package_type {
        let good = ["Zip", "Image"].contains(&kind.as_str());
        violations.check(good, "packageType", kind, "satisfy enum value set: [Zip, Image]");
    }
    violations.refuse()?;
    let (Some(name), Some(code)) = (function_name, code) else {
        return Err(invalid_parameter("The function has no name or no code."));
    };
    let name = new_name(call, &name)?;
    wanted.check()?;
    code.check()?;
    version::check_publish_to(publish_to.as_deref())?;
    if package_type.as_deref().is_some_and(|kind| kind != "Zip") {
        return Err(invalid_parameter("The local target has no container images."));
    }
    if wanted.handler.is_none() || wanted.runtime.is_none() {
        return Err(invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let tags = tags.unwrap_or_default();
    tags::check(&tags)?;
    let architecture = settings::architecture(architectures.as_deref())?.unwrap_or(Architecture::X86);
    let zip = code.zip(PackageType::New)?;
    if world.region(call.region).lambda.functions.contains_key(&name) {
        return Err(conflict(format!("Function already exist: {name}")));
    }
    let role_id = role::pass(world, call, wanted.role.as_deref().unwrap_or_default())?;
    let mut blank = blank(&name, architecture, package::keep(call, &zip)?);
    blank.role_id = role_id;
    let mut function = new_function(call, name, wanted.lay_over(blank), tags);
    let shown = if publish == Some(true) {
        let number = version::publish_with_change(&mut function);
        // The ARN is without its number here: `test_publish_version_on_create` [R].
        function.versions.get(&number).map(|version| {
            view::configuration(call, &function, &number.to_string(), version, None, Detail::Whole)
        })
    } else {
        None
    };
    let shown = shown.unwrap_or_else(|| latest(call, &function));
    world.region(call.region).lambda.functions.insert(function.name.clone(), function);
    Ok(json(201, &shown))
}

/// The name of a new function: the plain name is at most 64 characters, in whatever form it is written.
fn new_name(call: &Call, text: &str) -> Result<String, ServiceError> {
    let named = Named::read(call, text, NameForm::Plain, None)?;
    if named.qualifier.is_some() {
        return Err(invalid_parameter("A function is created without a qualifier."));
    }
    if named.name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(invalid_parameter(format!(
            "1 validation error detected: Value '{}' at 'functionName' failed to satisfy constraint: Member \
             must have length less than or equal to {NAME_CHARACTERS_MAX}",
            named.name
        )));
    }
    Ok(named.name)
}

/// What a function has when nothing is said. (aws-facts 3.1)
fn blank(name: &str, architecture: Architecture, code: super::state::Code) -> Settings {
    Settings {
        description: String::new(),
        runtime: String::new(),
        role: String::new(),
        role_id: String::new(),
        handler: String::new(),
        timeout_seconds: 3,
        memory_mb: 128,
        ephemeral_storage_mb: 512,
        environment: None,
        architecture,
        code,
        logging: Logging { group: format!("/aws/lambda/{name}") },
        tracing_active: false,
        snap_start: false,
    }
}

fn new_function(call: &Call, name: String, settings: Settings, tags: BTreeMap<String, String>) -> Function {
    let now = milliseconds(call.now);
    let change = Change::new(ChangeKind::Created, now + super::settling(call));
    Function {
        name,
        id: random::uuid(),
        latest: Version { settings, last_modified: now, change, serving: None },
        versions: BTreeMap::new(),
        highest_version: 0,
        published: None,
        aliases: BTreeMap::new(),
        policies: BTreeMap::new(),
        tags,
        reserved_concurrency: None,
        urls: BTreeMap::new(),
        provisioned: BTreeMap::new(),
    }
}

/// `$LATEST`, with the function's own ARN.
pub(super) fn latest(call: &Call, function: &Function) -> Value {
    view::configuration(call, function, "$LATEST", &function.latest, None, Detail::Whole)
}

/// What a path and a qualifier name.
struct Found<'a> {
    function: &'a Function,
    version: &'a Version,
    qualifier: Option<String>,
    configuration: Value,
}

fn find<'a>(world: &'a mut World, call: &Call, path_name: &str) -> Result<Found<'a>, ServiceError> {
    let named = Named::read(call, path_name, NameForm::Namespaced, parameter(call, "Qualifier"))?;
    let missing = || function_not_found(&named.arn(call));
    let function = world.region(call.region).lambda.functions.get(&named.name).ok_or_else(missing)?;
    let qualifier = named.qualifier.as_deref();
    let (number, version) = function.version(qualifier).ok_or_else(missing)?;
    let configuration = view::configuration(call, function, &number, version, qualifier, Detail::Whole);
    Ok(Found { function, version, qualifier: named.qualifier, configuration })
}

pub(super) fn get(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let Found { function, version, qualifier, configuration } = find(world, call, name)?;
    let location = location(call, &version.settings.code.sha256_hex);
    let mut shown = json!({
        "Configuration": configuration,
        "Code": { "RepositoryType": "S3", "Location": location },
    });
    if !function.tags.is_empty() {
        shown["Tags"] = json!(function.tags);
    }
    // With a qualifier there is none. (aws-facts 3.6)
    if let (None, Some(reserved)) = (qualifier, function.reserved_concurrency) {
        shown["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    Ok(json(200, &shown))
}

/// Where the package can be fetched: at the target itself.
fn location(call: &Call, sha256_hex: &str) -> String {
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}/_local/packages/{sha256_hex}.zip")
}

pub(super) fn get_configuration(
    world: &mut World,
    call: &Call,
    name: &str,
) -> Result<Response, ServiceError> {
    find(world, call, name).map(|found| json(200, &found.configuration))
}

/// No function here has one: `get_function_csc_fnwithoutcsc` \[R\].
pub(super) fn get_code_signing(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    find(world, call, name).map(|_| json(200, &json!({})))
}

pub(super) fn list(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let all = parameter(call, "FunctionVersion");
    let mut violations = Violations::default();
    if let Some(text) = all {
        violations.check(text == "ALL", "functionVersion", text, "satisfy enum value set: [ALL]");
    }
    if let Some(text) = parameter(call, "MasterRegion") {
        let constraint = r"satisfy regular expression pattern: ALL|[a-z]{2}(-gov)?-[a-z]+-\d{1}";
        violations.check(text == "ALL" || is_region(text), "masterRegion", text, constraint);
    }
    violations.refuse()?;
    let page = Page::read(call, 10_000)?;
    let state = &world.region(call.region).lambda;
    let (functions, marker) = if all.is_some() {
        page.cut(state.functions.values().flat_map(|function| version::listed(call, function)))
    } else {
        page.cut(state.functions.values().map(|function| {
            let shown =
                view::configuration(call, function, "$LATEST", &function.latest, None, Detail::Listed);
            (function.name.clone(), shown)
        }))
    };
    let mut shown = json!({ "Functions": functions });
    if let Some(marker) = marker {
        shown["NextMarker"] = json!(marker);
    }
    Ok(json(200, &shown))
}

pub(super) fn delete(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, name, NameForm::Namespaced, parameter(call, "Qualifier"))?;
    let state = &mut world.region(call.region).lambda;
    match named.qualifier.as_deref() {
        None => delete_all(state, call, &named)?,
        Some("$LATEST") => {
            return Err(invalid_parameter(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        Some(qualifier) => delete_version(state, call, &named, qualifier)?,
    }
    Ok(empty(204))
}

fn delete_all(state: &mut State, call: &Call, named: &Named) -> Result<(), ServiceError> {
    match state.functions.remove(&named.name) {
        Some(_) => Ok(()),
        None => Err(function_not_found(&named.function_arn(call))),
    }
}

/// Deletes one version. A version that is not there is no error: `test_delete_on_nonexisting_version` \[R\].
fn delete_version(
    state: &mut State,
    call: &Call,
    named: &Named,
    qualifier: &str,
) -> Result<(), ServiceError> {
    let number: Option<u64> = qualifier.parse().ok();
    if number.is_none() && !qualifier.contains('$') {
        return Err(invalid_parameter("Deletion of aliases is not currently supported."));
    }
    let missing = || function_not_found(&named.function_arn(call));
    let function = state.functions.get_mut(&named.name).ok_or_else(missing)?;
    let Some(number) = number else { return Err(missing()) };
    let text = number.to_string();
    let users: Vec<&str> = function
        .aliases
        .values()
        .filter(|alias| alias.version == text || alias.routing.contains_key(&text))
        .map(|alias| alias.name.as_str())
        .collect();
    if !users.is_empty() {
        // Text: [B]; that it is refused: API reference of DeleteFunction [D].
        return Err(conflict(format!(
            "Unable to delete version because the following aliases reference it: [{}]",
            users.join(", ")
        )));
    }
    function.versions.remove(&number);
    function.policies.remove(&text);
    Ok(())
}
