//! The Lambda function's `$LATEST`: a staging area. Devices are served by the release behind it.
//!
//! Configuration and code are two calls that must not overlap. Lambda remembers the role by its unique
//! id without showing it, so the id is kept in a tag, written after the configuration, and in the
//! description, so that a new role also makes a new version.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::compare::Comparison;
use super::configuration::{self, Configuration, Found};
use super::facts::Value;
use super::record::Record;
use super::{Change, Facts, Impact, Kind, Owner, Resource};
use crate::aws::Aws;
use crate::build::{InputsHash, Package};
use crate::names::{FunctionName, Identity, ROLE_ID_TAG, RoleName};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: FunctionName,
    /// The role whose id it remembers.
    pub role: RoleName,
    /// Its configuration.
    pub configuration: Configuration,
    /// Its code.
    pub code: Code,
    /// The tags that count, without the role's id.
    pub tags: BTreeMap<String, String>,
    /// To judge what is found under its name.
    pub identity: Identity,
}

/// The code that should be there, as far as this reader knows.
#[derive(Clone, PartialEq, Eq)]
pub enum Code {
    /// A package to upload, if it is not there yet.
    Package(Arc<Package>),
    /// What the live release records: made from the same inputs.
    Recorded(Record),
    /// Made from other inputs than the live release, and this command never builds.
    NotBuilt {
        /// What it would be made from.
        inputs: InputsHash,
        /// What the live release records.
        record: Option<Record>,
    },
    /// There is nothing to make it from here.
    Unseen {
        /// Why.
        because: String,
        /// What the live release records.
        record: Option<Record>,
    },
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Its ARN without a qualifier.
    pub arn: String,
    /// Configuration and code of `$LATEST`.
    pub configuration: Found,
    /// `Active`, `Pending`, `Failed`, …
    pub state: String,
    /// `Successful`, `InProgress`, `Failed`; empty on a new function.
    pub last_update: String,
    /// Executions reserved for it; 0 switches it off.
    pub reserved_concurrency: Option<i32>,
    /// All tags; `None` when this caller may not list them.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whose it is.
    pub owner: Owner,
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(package) => write!(formatter, "Package({})", package.code_sha256),
            Self::Recorded(record) => write!(formatter, "Recorded({})", record.package),
            Self::NotBuilt { inputs, .. } => write!(formatter, "NotBuilt({})", inputs.0),
            Self::Unseen { because, .. } => write!(formatter, "Unseen({because})"),
        }
    }
}

impl Resource for Function {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Function;

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
