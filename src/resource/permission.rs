//! The statement that lets AWS IoT invoke the alias, and nobody else anything.
//!
//! It names the *authorizer's* ARN and the account. Statements stand per qualifier, so the function's
//! own policy, the alias's and the serving version's are read, and anything more than ours is removed.
//! Lambda cannot change a statement: a new one is added before the old one goes, so that no device
//! meets a moment without permission. Two AddPermission at the same time lose one, so there is never
//! more than one.

use serde_json::Value as Json;

use super::compare::Comparison;
use super::{Change, Facts, Impact, Kind, Owner, Resource};
use crate::aws::Aws;
use crate::names::{ALIAS, FunctionName, Identity, STATEMENT_ID};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permission;

/// Who may invoke.
const PRINCIPAL: &str = "iot.amazonaws.com";
/// What they may do.
const ACTION: &str = "lambda:InvokeFunction";

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The function.
    pub function: FunctionName,
    /// The ARN of the alias, which the statement is on.
    pub alias_arn: String,
    /// The ARN of the authorizer, which may invoke.
    pub authorizer_arn: String,
    /// The account that the authorizer must be in.
    pub account: String,
}

/// What AWS has: every statement that lets somebody do something with the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The function's name.
    pub function: String,
    /// Every statement, each with the qualifier that it stands on. At least one.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The alias or version it stands on; `None`: the function itself.
    pub qualifier: Option<String>,
    /// Its id.
    pub id: String,
    /// The whole of it.
    pub body: Json,
}

impl Resource for Permission {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Permission;

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
