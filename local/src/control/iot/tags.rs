//! `TagResource`, `UntagResource`, `ListTagsForResource`, of authorizers.

use serde::Deserialize;
use serde_json::json;

use super::errors::{invalid_request, not_found};
use super::input::{Tag, body, check_tag_count, check_tag_key, parameter, tags};
use super::state::Authorizer;
use crate::Response;
use crate::control::page::{InvalidToken, page};
use crate::control::{Call, ServiceError};
use crate::state::World;

/// What `TagResource` and `UntagResource` take.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
}

/// The authorizer of an ARN of this Region and account.
fn find<'a>(
    world: &'a mut World,
    call: &Call,
    arn: Option<&str>,
) -> Result<&'a mut Authorizer, ServiceError> {
    let arn = arn.ok_or_else(|| missing("resourceArn"))?;
    let prefix = format!("arn:{}:iot:{}:{}:authorizer/", call.partition(), call.region, call.account);
    let Some(name) = arn.strip_prefix(&prefix) else {
        return Err(invalid_request(
            "Invalid request provided: the resource ARN is not one of an authorizer here",
        ));
    };
    let authorizers = &mut world.region(call.region).iot.authorizers;
    authorizers.get_mut(name).ok_or_else(|| not_found(format!("Resource {arn} does not exist")))
}

pub(super) fn tag(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let wanted: Wanted = body(call)?;
    let new = tags(wanted.tags.ok_or_else(|| missing("tags"))?)?;
    let authorizer = find(world, call, wanted.resource_arn.as_deref())?;
    let mut all = authorizer.tags.clone();
    all.extend(new);
    check_tag_count(&all)?;
    authorizer.tags = all;
    Ok(crate::json_answer(200, &json!({})))
}

pub(super) fn untag(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let wanted: Wanted = body(call)?;
    let keys = wanted.tag_keys.ok_or_else(|| missing("tagKeys"))?;
    keys.iter().try_for_each(|key| check_tag_key(key, "tagKeys"))?;
    let authorizer = find(world, call, wanted.resource_arn.as_deref())?;
    authorizer.tags.retain(|key, _| !keys.contains(key));
    Ok(crate::json_answer(200, &json!({})))
}

pub(super) fn list(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let authorizer = find(world, call, parameter(call, "resourceArn"))?;
    let tags =
        authorizer.tags.iter().map(|(key, value)| (key.clone(), json!({ "Key": key, "Value": value })));
    let page = page(tags, parameter(call, "nextToken"), call.options.page_size)
        .map_err(|InvalidToken| invalid_request("Invalid request provided: nextToken is not one of ours"))?;
    let mut shown = json!({ "tags": page.entries });
    if let Some(next) = page.next {
        shown["nextToken"] = json!(next);
    }
    Ok(crate::json_answer(200, &shown))
}

fn missing(member: &str) -> ServiceError {
    invalid_request(format!("Invalid request provided: {member} is missing"))
}
