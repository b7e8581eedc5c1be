//! IAM roles. Query/XML, version 2010-05-08. Global: one state for all Regions.
//!
//! Names are unique whatever their case, a path is for life, and a role that is deleted and made again under
//! its name has another unique id. Codes carry no `Exception` suffix on the wire.

mod answer;
mod document;
mod input;
mod policies;
mod roles;
mod simulate;
mod tags;

pub(crate) use answer::date;
pub(crate) use input::{TAG_KEY, TAG_VALUE};

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::protocol::query::{self, Form, Xml};
use super::{Call, Reply, ServiceError};
use crate::state::World;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// Of the API.
pub(crate) const VERSION: &str = "2010-05-08";

/// What the service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Roles by lower-cased name: IAM's names are unique whatever their case.
    roles: BTreeMap<String, Role>,
}

impl State {
    /// The names of the roles, as given.
    pub fn role_names(&self) -> impl Iterator<Item = &str> {
        self.roles.values().map(|role| role.name.as_str())
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Name as given.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `AROA…`: another one each time a role is created, which is how a grant to a former role of the same
    /// name is known to be dead.
    pub role_id: String,
    /// ARN.
    pub arn: String,
    /// When it was created, from which the delay counts until Lambda can assume it.
    pub created_at: SystemTime,
    /// The trust policy, as text.
    pub trust_policy: String,
    /// Free text.
    pub description: Option<String>,
    /// Seconds, 3600 to 43200.
    pub max_session_seconds: u32,
    /// ARN of the policy that bounds it.
    pub permissions_boundary: Option<String>,
    /// Inline policies: document by name.
    pub inline_policies: BTreeMap<String, String>,
    /// ARNs of attached managed policies, sorted.
    pub attached_policies: Vec<String>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

impl State {
    /// Gives everything the tags that it had in `then`.
    pub(crate) fn take_tags(&mut self, then: &Self) {
        crate::copies::take_tags(&mut self.roles, &then.roles, |one| &one.tags, |one, tags| one.tags = tags);
    }

    /// The role of this ARN, exactly as written.
    pub fn role(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn == arn)
    }

    /// The ARN of the role of this name.
    pub(crate) fn arn_of(&self, name: &str) -> Option<String> {
        self.roles.get(&name.to_ascii_lowercase()).map(|role| role.arn.clone())
    }

    /// The role of this name, whatever its case.
    fn named(&mut self, name: &str) -> Result<&mut Role, ServiceError> {
        self.roles
            .get_mut(&name.to_ascii_lowercase())
            .ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
    }
}

impl Role {
    /// Whether the trust policy lets this service principal, such as `lambda.amazonaws.com`, assume it.
    pub fn trusts_service(&self, principal: &str) -> bool {
        document::trusts_service(&self.trust_policy, principal)
    }
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let form = Form::read(call.query, call.body);
    let action = form.action(VERSION)?;
    let state = &mut world.iam;
    let result: Option<Xml> = match action {
        "CreateRole" => roles::create(state, &form, call)?,
        "GetRole" => roles::get(state, &form)?,
        "UpdateRole" => roles::update(state, &form)?,
        "UpdateAssumeRolePolicy" => roles::update_trust(state, &form)?,
        "DeleteRole" => roles::delete(state, &form)?,
        "ListRoles" => roles::list(state, &form, call)?,
        "ListInstanceProfilesForRole" => roles::list_instance_profiles(state, &form)?,
        "PutRolePermissionsBoundary" => roles::put_boundary(state, &form)?,
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(state, &form)?,
        "PutRolePolicy" => policies::put(state, &form)?,
        "GetRolePolicy" => policies::get(state, &form)?,
        "DeleteRolePolicy" => policies::delete(state, &form)?,
        "ListRolePolicies" => policies::list(state, &form, call)?,
        "AttachRolePolicy" => policies::attach(state, &form)?,
        "DetachRolePolicy" => policies::detach(state, &form)?,
        "ListAttachedRolePolicies" => policies::list_attached(state, &form, call)?,
        "TagRole" => tags::tag(state, &form)?,
        "UntagRole" => tags::untag(state, &form)?,
        "ListRoleTags" => tags::list(state, &form, call)?,
        "SimulatePrincipalPolicy" => simulate::simulate(state, &form, call)?,
        other => return Err(query::unknown_action(other, VERSION)),
    };
    Ok(Reply::Answer(query::answer(NAMESPACE, action, call.request_id, result)))
}

/// The ARN of a role; `path` is `/` or `/…/`.
pub(crate) fn role_arn(call: &Call, path: &str, name: &str) -> String {
    format!("arn:{}:iam::{}:role{path}{name}", call.partition(), call.account)
}

fn no_such_entity(message: String) -> ServiceError {
    ServiceError::new(404, "NoSuchEntity", message)
}

fn limit_exceeded(message: String) -> ServiceError {
    ServiceError::new(409, "LimitExceeded", message)
}

#[cfg(test)]
mod tests;
