//! `TagResource`, `UntagResource`, `ListTags`: on the function itself only.
//! Texts: `TestLambdaTags` of aws-facts \[R\].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::errors::{Violations, function_not_found, invalid_parameter};
use super::input::{NameForm, Named, body};
use super::resolve::milliseconds;
use super::state::Function;
use super::{empty, json};
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::{Response, random};

/// Per function. (aws-facts 3.6)
const TAGS_MAX: usize = 50;

const RESOURCE_PATTERN: &str = r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)";

/// What `TagResource` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    tags: Option<BTreeMap<String, String>>,
}

/// Refuses tags that no resource may have.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if tags.len() > TAGS_MAX {
        return Err(invalid_parameter("Number of tags exceeds resource tag limit."));
    }
    for (key, value) in tags {
        let lengths = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !lengths || key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid_parameter(
                "Tag keys are 1 to 128 characters without aws:, values up to 256.",
            ));
        }
    }
    Ok(())
}

fn find<'a>(world: &'a mut World, call: &Call, resource: &str) -> Result<&'a mut Function, ServiceError> {
    let mut violations = Violations::default();
    let is_function = resource.starts_with("arn:aws") && resource.split(':').nth(5) == Some("function");
    let constraint = format!("satisfy regular expression pattern: {RESOURCE_PATTERN}");
    violations.check(is_function, "resource", resource, &constraint);
    violations.refuse()?;
    let named = Named::read(call, resource, NameForm::Namespaced, None)?;
    if named.qualifier.is_some() {
        return Err(invalid_parameter(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ));
    }
    let functions = &mut world.region(call.region).lambda.functions;
    functions.get_mut(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))
}

pub(super) fn tag(world: &mut World, call: &Call, resource: &str) -> Result<Response, ServiceError> {
    let wanted: Tag = body(call)?;
    let mut violations = Violations::default();
    if wanted.tags.is_none() {
        violations.missing("tags");
    }
    violations.refuse()?;
    let function = find(world, call, resource)?;
    let tags = wanted.tags.unwrap_or_default();
    if tags.is_empty() {
        return Err(invalid_parameter("An error occurred and the request cannot be processed."));
    }
    let mut all = function.tags.clone();
    all.extend(tags);
    check(&all)?;
    function.tags = all;
    moved(function, call);
    Ok(empty(204))
}

pub(super) fn untag(world: &mut World, call: &Call, resource: &str) -> Result<Response, ServiceError> {
    let keys: Vec<&String> =
        call.query.iter().filter(|(name, _)| name == "tagKeys").map(|(_, key)| key).collect();
    let mut violations = Violations::default();
    if keys.is_empty() {
        violations.missing("tagKeys");
    }
    violations.refuse()?;
    let function = find(world, call, resource)?;
    for key in keys {
        function.tags.remove(key);
    }
    moved(function, call);
    Ok(empty(204))
}

/// A change of tags moves the function's revision: `test_tag_lifecycle` \[R\].
fn moved(function: &mut Function, call: &Call) {
    function.latest.set_revision(milliseconds(call.now), random::uuid());
}

pub(super) fn list(world: &mut World, call: &Call, resource: &str) -> Result<Response, ServiceError> {
    let function = find(world, call, resource)?;
    Ok(json(200, &json!({ "Tags": function.tags })))
}
