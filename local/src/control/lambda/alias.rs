//! `CreateAlias`, `UpdateAlias`, `GetAlias`, `ListAliases`, `DeleteAlias`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{
    RevisionOf, Violations, conflict, function_not_found, invalid_parameter, not_found, revision_mismatch,
};
use super::input::{NameForm, Named, Page, body, parameter};
use super::reference::{self, is_word};
use super::state::{Alias, Function};
use super::view;
use super::{empty, json};
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::{Response, random};

/// What `CreateAlias` and `UpdateAlias` take.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    name: Option<String>,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<Routing>,
    revision_id: Option<String>,
}

/// `RoutingConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Routing {
    additional_version_weights: Option<BTreeMap<String, f64>>,
}

impl Wanted {
    /// The second version and its weight; `None` leaves what is there.
    fn weights(&self) -> Option<BTreeMap<String, f64>> {
        let routing = self.routing_config.as_ref()?;
        Some(routing.additional_version_weights.clone().unwrap_or_default())
    }

    fn check(&self, violations: &mut Violations) {
        if let Some(description) = &self.description {
            let short = description.chars().count() <= 256;
            violations.check(short, "description", description, "have length less than or equal to 256");
        }
        if let Some(version) = &self.function_version {
            check_version(violations, version);
        }
        let weights = self.weights().unwrap_or_default();
        let shown: Vec<String> =
            weights.iter().map(|(version, weight)| format!("{version}={weight:?}")).collect();
        let shown = format!("{{{}}}", shown.join(", "));
        let member = "routingConfig.additionalVersionWeights";
        if weights.keys().any(|version| !is_number(version) || version.len() > VERSION_CHARACTERS_MAX) {
            violations.add(format!(
                "Value '{shown}' at '{member}' failed to satisfy constraint: Map keys must satisfy \
                 constraint: [Member must have length less than or equal to 1024, Member must have length \
                 greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"
            ));
        }
        if weights.values().any(|weight| !(0.0..=1.0).contains(weight)) {
            violations.add(format!(
                "Value '{shown}' at '{member}' failed to satisfy constraint: Map value must satisfy \
                 constraint: [Member must have value less than or equal to 1.0, Member must have value \
                 greater than or equal to 0.0, Member must not be null]"
            ));
        }
    }
}

/// Shape `VersionWithLatestPublished`.
const VERSION_CHARACTERS_MAX: usize = 1024;

fn check_version(violations: &mut Violations, version: &str) {
    let good = version == "$LATEST" || is_number(version);
    let constraint = r"satisfy regular expression pattern: (\$LATEST|[0-9]+)";
    violations.check(good, "functionVersion", version, constraint);
    violations.length(1..=VERSION_CHARACTERS_MAX, "functionVersion", version);
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`, 1 to 128 characters.
fn check_name(violations: &mut Violations, name: &str) {
    let constraint = "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
    violations.check(is_word(name) && !is_number(name), "name", name, constraint);
    violations.check(name.len() <= 128, "name", name, "have length less than or equal to 128");
}

pub(super) fn create(world: &mut World, call: &Call, function: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, function, NameForm::Plain, None)?;
    let wanted: Wanted = body(call)?;
    let mut violations = Violations::default();
    match &wanted.name {
        Some(name) => check_name(&mut violations, name),
        None => violations.missing("name"),
    }
    if wanted.function_version.is_none() {
        violations.missing("functionVersion");
    }
    wanted.check(&mut violations);
    violations.refuse()?;
    let routing = wanted.weights().unwrap_or_default();
    let name = wanted.name.unwrap_or_default();
    let version = wanted.function_version.unwrap_or_default();
    let function = function_with(world, call, &named, &version)?;
    check_versions(call, function, &version, &routing)?;
    if function.aliases.contains_key(&name) {
        let arn = reference::arn(call.region, call.account, &function.name, Some(&name));
        return Err(conflict(format!("Alias already exists: {arn}")));
    }
    let description = wanted.description.unwrap_or_default();
    let alias = Alias { name, version, description, revision: random::uuid(), routing };
    let shown = view::alias(call, &function.name, &alias);
    function.aliases.insert(alias.name.clone(), alias);
    Ok(json(201, &shown))
}

pub(super) fn update(
    world: &mut World,
    call: &Call,
    function: &str,
    alias: &str,
) -> Result<Response, ServiceError> {
    let named = Named::read(call, function, NameForm::Plain, None)?;
    let wanted: Wanted = body(call)?;
    let mut violations = Violations::default();
    check_name(&mut violations, alias);
    wanted.check(&mut violations);
    violations.refuse()?;
    let routing = wanted.weights();
    let arn = reference::arn(call.region, call.account, &named.name, Some(alias));
    let missing = || not_found(format!("Alias not found: {arn}"));
    let functions = &mut world.region(call.region).lambda.functions;
    let function = functions.get_mut(&named.name).ok_or_else(missing)?;
    let mut changed = function.aliases.get(alias).ok_or_else(missing)?.clone();
    if wanted.revision_id.is_some_and(|revision| revision != changed.revision) {
        return Err(revision_mismatch(RevisionOf::Function));
    }
    changed.version = wanted.function_version.unwrap_or(changed.version);
    changed.description = wanted.description.unwrap_or(changed.description);
    changed.routing = routing.unwrap_or(changed.routing);
    changed.revision = random::uuid();
    check_versions(call, function, &changed.version, &changed.routing)?;
    let shown = view::alias(call, &function.name, &changed);
    function.aliases.insert(changed.name.clone(), changed);
    Ok(json(200, &shown))
}

/// The function of an alias that is to name `version`. The refusal names the version: `[R]`
/// `routing_config_exc_fn_doesnotexist`.
fn function_with<'a>(
    world: &'a mut World,
    call: &Call,
    named: &Named,
    version: &str,
) -> Result<&'a mut Function, ServiceError> {
    let arn = reference::arn(call.region, call.account, &named.name, Some(version));
    let functions = &mut world.region(call.region).lambda.functions;
    functions.get_mut(&named.name).ok_or_else(|| function_not_found(&arn))
}

/// Texts: `test_notfound_and_invalid_routingconfigs` \[R\].
fn check_versions(
    call: &Call,
    function: &Function,
    version: &str,
    routing: &BTreeMap<String, f64>,
) -> Result<(), ServiceError> {
    if routing.len() > 1 {
        return Err(invalid_parameter(
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ));
    }
    if routing.contains_key(version) {
        return Err(invalid_parameter(format!(
            "Invalid function version {version}. Function version {version} is already included in routing \
             configuration."
        )));
    }
    if version == "$LATEST" && !routing.is_empty() {
        return Err(ServiceError::new(
            400,
            "InvalidParameterValueException",
            "$LATEST is not supported for an alias pointing to more than 1 version",
        ));
    }
    for number in routing.keys().map(String::as_str).chain([version]) {
        let exists =
            number == "$LATEST" || number.parse().is_ok_and(|number| function.versions.contains_key(&number));
        if !exists {
            let arn = reference::arn(call.region, call.account, &function.name, Some(number));
            return Err(function_not_found(&arn));
        }
    }
    Ok(())
}

/// The function of a path that names an alias too.
fn named(call: &Call, function: &str, alias: &str) -> Result<Named, ServiceError> {
    let mut violations = Violations::default();
    check_name(&mut violations, alias);
    violations.refuse()?;
    Named::read(call, function, NameForm::Plain, None)
}

pub(super) fn get(
    world: &mut World,
    call: &Call,
    function: &str,
    alias: &str,
) -> Result<Response, ServiceError> {
    let named = named(call, function, alias)?;
    let arn = reference::arn(call.region, call.account, &named.name, Some(alias));
    let functions = &world.region(call.region).lambda.functions;
    let found = functions.get(&named.name).and_then(|function| function.aliases.get(alias));
    let found = found.ok_or_else(|| not_found(format!("Cannot find alias arn: {arn}")))?;
    Ok(json(200, &view::alias(call, &named.name, found)))
}

pub(super) fn list(world: &mut World, call: &Call, function: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, function, NameForm::Plain, None)?;
    let page = Page::read(call, 10_000)?;
    let version = parameter(call, "FunctionVersion");
    let mut violations = Violations::default();
    if let Some(version) = version {
        check_version(&mut violations, version);
    }
    violations.refuse()?;
    let functions = &world.region(call.region).lambda.functions;
    let function = functions.get(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))?;
    let wanted =
        function.aliases.values().filter(|alias| version.is_none_or(|version| alias.version == version));
    let (aliases, marker): (Vec<Value>, _) =
        page.cut(wanted.map(|alias| (alias.name.clone(), view::alias(call, &function.name, alias))));
    let mut shown = json!({ "Aliases": aliases });
    if let Some(marker) = marker {
        shown["NextMarker"] = json!(marker);
    }
    Ok(json(200, &shown))
}

/// An alias that is not there is no error: `test_non_existent_alias_deletion` \[R\].
pub(super) fn delete(
    world: &mut World,
    call: &Call,
    function: &str,
    alias: &str,
) -> Result<Response, ServiceError> {
    let named = named(call, function, alias)?;
    let functions = &mut world.region(call.region).lambda.functions;
    let function =
        functions.get_mut(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))?;
    if function.aliases.remove(alias).is_some() {
        function.policies.remove(alias);
        function.urls.remove(alias);
        function.provisioned.remove(alias);
    }
    Ok(empty(204))
}
