//! The account's default authorizer in this Region: one slot, which devices that name no authorizer
//! meet.
//!
//! The slot is ours only if it names our authorizer. Another's is never taken and never cleared.

use super::{Action, Change, Facts, Impact, Kind, Owner, Refusal, Resource};
use crate::aws::Aws;
use crate::names::{AuthorizerName, Identity, Region};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefaultAuthorizer;

/// What the stack asks for: that the slot names this authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Our authorizer.
    pub authorizer: AuthorizerName,
    /// For the command that a refusal prints.
    pub region: Region,
}

/// What the slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The authorizer that it names.
    pub authorizer: String,
    /// Ours, if it names our authorizer.
    pub owner: Owner,
}

impl Resource for DefaultAuthorizer {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::DefaultAuthorizer;

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
