//! `SetDefaultAuthorizer`, `DescribeDefaultAuthorizer`, `ClearDefaultAuthorizer`: one slot per account and
//! Region. (aws-facts 0.3, 1.4)

use serde::Deserialize;
use serde_json::json;

use super::authorizer::{description, find, names};
use super::errors::{already_exists, invalid_request, not_found, open_question};
use super::input::{body, check_name};
use super::state::Status;
use crate::Response;
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::switches::SetDefaultAgain;

/// What `SetDefaultAuthorizer` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Set {
    authorizer_name: Option<String>,
}

pub(super) fn set(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let wanted: Set = body(call)?;
    let name = wanted.authorizer_name.unwrap_or_default();
    check_name(&name)?;
    let authorizer = find(world, call, &name)?;
    if authorizer.status != Status::Active {
        return Err(invalid_request(format!("Invalid request provided: authorizer {name} is not ACTIVE")));
    }
    let shown = names(authorizer);
    let state = &mut world.region(call.region).iot;
    let refused = |there: &str| match call.options.switches.set_default_again {
        SetDefaultAgain::Refuse => true,
        SetDefaultAgain::RefuseOther => there != name,
        SetDefaultAgain::Overwrite => false,
    };
    if let Some(there) = state.default_authorizer().filter(|there| refused(&there.name)) {
        let text = format!("Authorizer {} is the default authorizer: clear it first", there.name);
        let text = open_question(1, &text);
        return Err(already_exists(text, &there.name, &there.arn));
    }
    state.default = Some(name);
    Ok(crate::json_answer(200, &shown))
}

pub(super) fn describe(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let authorizer = world.region(call.region).iot.default_authorizer().ok_or_else(none)?;
    Ok(crate::json_answer(200, &json!({ "authorizerDescription": description(authorizer) })))
}

pub(super) fn clear(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    world.region(call.region).iot.default.take().ok_or_else(none)?;
    Ok(crate::json_answer(200, &json!({})))
}

fn none() -> ServiceError {
    not_found("There is no default authorizer")
}
