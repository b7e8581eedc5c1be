//! The release: the published version that the alias `live` names, together with that alias.
//!
//! A version never changes; what changes is which one the alias names, in one atomic call together with
//! the alias's description, which is the only record of what serves. Versions and aliases carry no
//! tags: they are ours because the function is.

use super::compare::Comparison;
use super::configuration::{self, Configuration, Found};
use super::function::Code;
use super::record::Record;
use super::{Change, Facts, Impact, Kind, Owner, Resource};
use crate::aws::Aws;
use crate::build::InputsHash;
use crate::names::{ALIAS, FunctionName, Identity};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The function.
    pub function: FunctionName,
    /// The version's configuration.
    pub configuration: Configuration,
    /// The version's code.
    pub code: Code,
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The function's name.
    pub function: String,
    /// The version that the alias names; `$LATEST` if somebody moved it there.
    pub version: String,
    /// The alias's description, as it stands.
    pub description: String,
    /// Other versions that get a part of the calls, as `version: share`.
    pub routing: Vec<String>,
    /// The alias's revision.
    pub revision: String,
    /// Configuration and code of the version.
    pub configuration: Found,
}

/// Why a package is needed to bring the function and its release to what `inputs` make; `None`: what is
/// there is made from them and intact, so nothing need be built.
pub fn needs_package(live: &super::Live, inputs: &Result<InputsHash, String>) -> Option<&'static str> {
    let (Some(function), Some(release)) = (&live.function, &live.release) else {
        return Some("nothing serves yet");
    };
    let Some(record) = Record::parse(&release.description) else {
        return Some("the alias's description is no record of what serves");
    };
    if inputs.as_ref().is_ok_and(|inputs| *inputs != record.inputs) {
        return Some("the authorizer or its configuration changed");
    }
    if release.configuration.code_sha256 != record.package {
        return Some("the code that serves is not what was released");
    }
    if function.configuration.code_sha256 != record.package {
        return Some("the code in `$LATEST` is not what was released");
    }
    None
}

impl Resource for Release {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Release;

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
