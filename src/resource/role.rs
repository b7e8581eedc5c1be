//! The function's execution role with its one inline policy: it may write to the stack's log group and
//! do nothing else.
//!
//! AWS keeps a role's name and path for life. A role deleted and made again keeps its ARN but not its
//! id, and what was granted to the old one is dead: `Live` carries the id, and the function remembers
//! the one that it was given.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::compare::Comparison;
use super::{Change, Facts, Impact, Kind, Owner, Resource};
use crate::aws::Aws;
use crate::names::{INLINE_POLICY, Identity, RoleName};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role;

/// AWS's default, 1 hour. Lambda does not use it.
const SESSION_SECONDS_MAX: i32 = 3_600;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: RoleName,
    /// For people.
    pub description: String,
    /// Who may assume it.
    pub trust: Json,
    /// What it may do.
    pub policy: Json,
    /// The tags that count.
    pub tags: BTreeMap<String, String>,
    /// To judge what is found under its name.
    pub identity: Identity,
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Its unique id, `AROA…`: another one after each creation.
    pub id: String,
    /// Where it is filed.
    pub path: String,
    /// For people.
    pub description: String,
    /// Who may assume it.
    pub trust: Json,
    /// Inline policies by name.
    pub inline: BTreeMap<String, Json>,
    /// ARNs of attached policies.
    pub attached: Vec<String>,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// The longest session.
    pub session_seconds_max: i32,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Whose it is.
    pub owner: Owner,
}

impl Resource for Role {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Role;

    fn desired(_facts: &Facts) -> Option<Desired> {
        None
    }

    fn diff(_desired: Option<&Desired>, _live: Option<&Live>) -> Change {
        Change::keep()
    }

    fn owner(_live: &Live) -> Owner {
        Owner::Ours
    }

    async fn read(_aws: &Aws, _identity: &Identity) -> Result<Option<Live>, Problem> {
        Err(Problem::failed("unfinished", "not written yet"))
    }

    async fn apply(_aws: &Aws, _desired: &Desired, _live: Option<&Live>) -> Result<(), Problem> {
        Err(Problem::failed("unfinished", "not written yet"))
    }

    async fn delete(_aws: &Aws, _live: &Live) -> Result<(), Problem> {
        Err(Problem::failed("unfinished", "not written yet"))
    }
}
