//! IAM roles. Query/XML, version 2010-05-08. Global: one state for all Regions.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Call, Reply, ServiceError};
use crate::state::World;

/// What the service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Roles by lower-cased name: IAM's names are unique whatever their case.
    roles: BTreeMap<String, Role>,
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
    /// ARNs of attached managed policies.
    pub attached_policies: Vec<String>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

impl State {
    /// The role of this ARN, exactly as written.
    pub fn role(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn == arn)
    }
}

/// Answers one call.
pub fn handle(_world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    Err(ServiceError::unknown_operation(call))
}
