//! `CreateAuthorizer`, `UpdateAuthorizer`, `DescribeAuthorizer`, `DeleteAuthorizer`, `ListAuthorizers`.
//! Name and signing are for life, everything else changes in place; only an inactive one that is not the
//! default can be deleted. (aws-facts 1.4)

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{
    already_exists, delete_conflict, invalid_request, limit_exceeded, not_found, open_question, require,
};
use super::input::{Tag, body, check_keys, check_name, check_token_key_name, parameter, tags};
use super::signature;
use super::state::{Authorizer, State, Status};
use crate::Response;
use crate::control::lambda::reference::Reference;
use crate::control::{Call, ServiceError};
use crate::state::World;
use crate::switches::{Check, DeactivateDefault, DeleteRefusal, KeysOnUpdate, QualifiedFunction};

/// What `CreateAuthorizer` and `UpdateAuthorizer` take.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    authorizer_function_arn: Option<String>,
    token_key_name: Option<String>,
    token_signing_public_keys: Option<BTreeMap<String, String>>,
    status: Option<String>,
    tags: Option<Vec<Tag>>,
    signing_disabled: Option<bool>,
    enable_caching_for_http: Option<bool>,
}

impl Wanted {
    /// The constraints of the model, which come before anything is looked up.
    fn check(&self) -> Result<Option<Status>, ServiceError> {
        if let Some(arn) = &self.authorizer_function_arn {
            let short = arn.chars().count() <= 2048;
            require(short, "authorizerFunctionArn", "have length less than or equal to 2048")?;
        }
        if let Some(name) = &self.token_key_name {
            check_token_key_name(name)?;
        }
        if let Some(keys) = &self.token_signing_public_keys {
            check_keys(keys)?;
        }
        match self.status.as_deref() {
            None => Ok(None),
            Some("ACTIVE") => Ok(Some(Status::Active)),
            Some("INACTIVE") => Ok(Some(Status::Inactive)),
            Some(_) => require(false, "status", "satisfy enum value set: [INACTIVE, ACTIVE]").map(|()| None),
        }
    }

    /// What is asked of keys and function beyond the model.
    fn check_use(&self, world: &World, call: &Call) -> Result<(), ServiceError> {
        if let Some(keys) = &self.token_signing_public_keys {
            check_key_count(call, keys.len())?;
            let is_checked = call.options.switches.signing_keys == Check::Checked;
            if let Some(name) = keys
                .iter()
                .find(|(_, pem)| is_checked && !signature::is_public_key(pem))
                .map(|(name, _)| name)
            {
                let text = format!(
                    "Invalid request provided: the token signing key {name} is not an RSA public key (PEM, \
                     SubjectPublicKeyInfo) of 2048 bits or more"
                );
                return Err(invalid_request(open_question(4, &text)));
            }
        }
        if let Some(arn) = &self.authorizer_function_arn {
            check_function(world, call, arn)?;
        }
        Ok(())
    }
}

/// The function: one of this Region and account, as far as it is looked at.
fn check_function(world: &World, call: &Call, arn: &str) -> Result<(), ServiceError> {
    let reference = Reference::parse(arn).filter(|_| arn.starts_with("arn:"));
    let Some(reference) = reference else {
        return Err(invalid_request("Invalid request provided: the function ARN is not one of Lambda"));
    };
    let here = reference.region.as_deref() == Some(call.region)
        && reference.account.as_deref() == Some(call.account);
    if !here {
        return Err(invalid_request(
            "Invalid request provided: the function is in another Region or account than the authorizer",
        ));
    }
    let qualifier = reference.qualifier.as_deref();
    if qualifier.is_some() && call.options.switches.qualified_function == QualifiedFunction::Refuse {
        let text = "Invalid request provided: the function ARN has a qualifier";
        return Err(invalid_request(open_question(12, text)));
    }
    if call.options.switches.function_existence == Check::Unchecked {
        return Ok(());
    }
    let functions = world.regions.get(call.region).map(|regional| &regional.lambda.functions);
    let function = functions.and_then(|functions| functions.get(&reference.name));
    if function.and_then(|function| function.version(qualifier)).is_none() {
        let text = "Invalid request provided: the function of the authorizer does not exist";
        return Err(invalid_request(open_question(4, text)));
    }
    Ok(())
}

pub(super) fn create(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    check_name(name)?;
    let wanted: Wanted = body(call)?;
    let status = wanted.check()?.unwrap_or(Status::Inactive);
    wanted.check_use(world, call)?;
    let Some(function_arn) = wanted.authorizer_function_arn else {
        return Err(invalid_request("Invalid request provided: authorizerFunctionArn is missing"));
    };
    let now = milliseconds(call.now);
    let authorizer = Authorizer {
        name: name.to_owned(),
        arn: super::authorizer_arn(call, name),
        function_arn,
        token_key_name: wanted.token_key_name,
        public_keys: wanted.token_signing_public_keys.unwrap_or_default(),
        status,
        signing_disabled: wanted.signing_disabled.unwrap_or(false),
        enable_caching_for_http: wanted.enable_caching_for_http.unwrap_or(false),
        tags: tags(wanted.tags.unwrap_or_default())?,
        created: now,
        modified: now,
    };
    check_signing(&authorizer)?;
    let state = &mut world.region(call.region).iot;
    if let Some(there) = state.authorizer(name) {
        return Err(already_exists(format!("Authorizer {name} already exists"), name, &there.arn));
    }
    if state.authorizers.len() >= call.options.switches.authorizers_max {
        return Err(limit_exceeded("The account has no room for another authorizer"));
    }
    check_active_limit(state, call, &authorizer)?;
    let shown = names(&authorizer);
    state.authorizers.insert(name.to_owned(), authorizer);
    Ok(crate::json_answer(200, &shown))
}

/// Refuses more keys than there may be.
fn check_key_count(call: &Call, count: usize) -> Result<(), ServiceError> {
    let most = call.options.switches.signing_keys_max;
    if count <= most {
        return Ok(());
    }
    let text = format!("An authorizer has at most {most} token signing keys");
    Err(limit_exceeded(open_question(5, &text)))
}

/// With signing, a key name and keys are needed. (aws-facts 1.2)
fn check_signing(authorizer: &Authorizer) -> Result<(), ServiceError> {
    if authorizer.signing_disabled {
        return Ok(());
    }
    let name = &authorizer.name;
    if authorizer.public_keys.is_empty() {
        // Its beginning: aws-cdk#11963 [I].
        return Err(invalid_request(format!(
            "Invalid request provided: Token signing keys map for authorizer {name} cannot be null or empty"
        )));
    }
    if authorizer.token_key_name.is_none() {
        return Err(invalid_request(format!(
            "Invalid request provided: Token key name for authorizer {name} cannot be null or empty"
        )));
    }
    Ok(())
}

/// Refuses one more active authorizer than there may be.
fn check_active_limit(state: &State, call: &Call, authorizer: &Authorizer) -> Result<(), ServiceError> {
    let others = state
        .authorizers
        .values()
        .filter(|other| other.name != authorizer.name && other.status == Status::Active)
        .count();
    if authorizer.status == Status::Active && others >= call.options.switches.active_authorizers_max {
        return Err(limit_exceeded("The account has no room for another active authorizer"));
    }
    Ok(())
}

pub(super) fn update(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    check_name(name)?;
    let wanted: Wanted = body(call)?;
    let status = wanted.check()?;
    find(world, call, name)?;
    wanted.check_use(world, call)?;
    let switches = &call.options.switches;
    let state = &mut world.region(call.region).iot;
    let mut changed = state.authorizer(name).ok_or_else(|| missing(name))?.clone();
    if let Some(status) = status {
        let is_default = state.default.as_deref() == Some(name);
        if status == Status::Inactive
            && is_default
            && switches.deactivate_default == DeactivateDefault::Refuse
        {
            let text = format!(
                "Invalid request provided: authorizer {name} is the default authorizer and cannot be set \
                 INACTIVE"
            );
            return Err(invalid_request(open_question(3, &text)));
        }
        changed.status = status;
    }
    changed.function_arn = wanted.authorizer_function_arn.unwrap_or(changed.function_arn);
    changed.token_key_name = wanted.token_key_name.or(changed.token_key_name);
    if let Some(keys) = wanted.token_signing_public_keys {
        match switches.keys_on_update {
            KeysOnUpdate::Replace => changed.public_keys = keys,
            KeysOnUpdate::Merge => changed.public_keys.extend(keys),
        }
    }
    changed.enable_caching_for_http =
        wanted.enable_caching_for_http.unwrap_or(changed.enable_caching_for_http);
    changed.modified = milliseconds(call.now);
    check_signing(&changed)?;
    check_key_count(call, changed.public_keys.len())?;
    check_active_limit(state, call, &changed)?;
    let shown = names(&changed);
    state.authorizers.insert(name.to_owned(), changed);
    Ok(crate::json_answer(200, &shown))
}

pub(super) fn describe(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    check_name(name)?;
    let authorizer = find(world, call, name)?;
    Ok(crate::json_answer(200, &json!({ "authorizerDescription": description(authorizer) })))
}

pub(super) fn delete(world: &mut World, call: &Call, name: &str) -> Result<Response, ServiceError> {
    check_name(name)?;
    let authorizer = find(world, call, name)?;
    let is_active = authorizer.status == Status::Active;
    let state = &mut world.region(call.region).iot;
    let because = if state.default.as_deref() == Some(name) {
        "it is the default authorizer"
    } else if is_active {
        "it is ACTIVE: set it INACTIVE first"
    } else {
        state.authorizers.remove(name);
        return Ok(crate::json_answer(200, &json!({})));
    };
    let text = open_question(2, &format!("Authorizer {name} cannot be deleted: {because}"));
    Err(match call.options.switches.delete_refusal {
        DeleteRefusal::Conflict => delete_conflict(text),
        DeleteRefusal::InvalidRequest => invalid_request(text),
    })
}

pub(super) fn list(world: &mut World, call: &Call) -> Result<Response, ServiceError> {
    let size = match parameter(call, "pageSize") {
        None => call.options.page_size,
        Some(text) => {
            let size = text.parse().unwrap_or(0);
            require((1..=250).contains(&size), "pageSize", "have value from 1 to 250")?;
            size.min(call.options.page_size)
        }
    };
    let status = parameter(call, "status");
    require(
        status.is_none_or(|status| ["ACTIVE", "INACTIVE"].contains(&status)),
        "status",
        "satisfy enum value set: [INACTIVE, ACTIVE]",
    )?;
    let after =
        match parameter(call, "marker") {
            None => None,
            Some(marker) => Some(
                STANDARD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(
                    || invalid_request("Invalid request provided: the marker is not one of ours"),
                )?,
            ),
        };
    let ascending = parameter(call, "isAscendingOrder") != Some("false");
    let mut wanted: Vec<&Authorizer> = world
        .region(call.region)
        .iot
        .authorizers
        .values()
        .filter(|authorizer| status.is_none_or(|status| authorizer.status.as_str() == status))
        .collect();
    if !ascending {
        wanted.reverse();
    }
    wanted.retain(|authorizer| {
        after
            .as_ref()
            .is_none_or(|after| if ascending { authorizer.name > *after } else { authorizer.name < *after })
    });
    let page: Vec<Value> = wanted.iter().take(size).map(|authorizer| names(authorizer)).collect();
    let mut shown = json!({ "authorizers": page });
    if let Some(last) = wanted.get(size.saturating_sub(1)).filter(|_| wanted.len() > size) {
        shown["nextMarker"] = json!(STANDARD.encode(&last.name));
    }
    Ok(crate::json_answer(200, &shown))
}

/// The authorizer of this name.
pub(super) fn find<'a>(
    world: &'a mut World,
    call: &Call,
    name: &str,
) -> Result<&'a Authorizer, ServiceError> {
    world.region(call.region).iot.authorizer(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> ServiceError {
    not_found(format!("Authorizer {name} does not exist"))
}

/// Name and ARN.
pub(super) fn names(authorizer: &Authorizer) -> Value {
    json!({ "authorizerName": authorizer.name, "authorizerArn": authorizer.arn })
}

/// `AuthorizerDescription`: without tags.
pub(super) fn description(authorizer: &Authorizer) -> Value {
    let mut shown = json!({
        "authorizerName": authorizer.name,
        "authorizerArn": authorizer.arn,
        "authorizerFunctionArn": authorizer.function_arn,
        "tokenSigningPublicKeys": authorizer.public_keys,
        "status": authorizer.status.as_str(),
        "creationDate": seconds(authorizer.created),
        "lastModifiedDate": seconds(authorizer.modified),
        "signingDisabled": authorizer.signing_disabled,
        "enableCachingForHttp": authorizer.enable_caching_for_http,
    });
    if let Some(name) = &authorizer.token_key_name {
        shown["tokenKeyName"] = json!(name);
    }
    shown
}

/// Epoch seconds with milliseconds: how rest-json writes a time in a body.
fn seconds(milliseconds: u64) -> f64 {
    std::time::Duration::from_millis(milliseconds).as_secs_f64()
}

fn milliseconds(now: SystemTime) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
