//! Everything a plan is made from, gathered read-only by `gather`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::build::{InputsHash, Package};
use crate::keys::{Generation, PublicKeyPem, Secret};
use crate::names::{Identity, KeyName};
use crate::stack::Stack;

use super::{authorizer, default_authorizer, function, log_group, permission, release, role, signing_key};

/// A value that is known now, or made by an earlier step and read by name from where it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<T> {
    /// Known while planning.
    Known(T),
    /// Not made yet.
    Later {
        /// Why it is not known.
        because: &'static str,
    },
}

/// Everything a plan is made from.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is asked for.
    pub stack: Stack,
    /// Names and ARNs, with the account and partition that STS answered.
    pub identity: Identity,
    /// The public halves that should be registered.
    pub keys: SigningKeys,
    /// The code that should serve.
    pub code: Code,
    /// The function's environment that should be, as far as this reader can know it.
    pub environment: Environment,
    /// Whether this runs on a machine that forgets: a key made into a folder would die with it.
    pub machine_forgets: bool,
    /// What the target has.
    pub live: Live,
}

/// The signing keys, as this reader finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningKeys {
    /// Our store: all generations, oldest first. Empty: not made yet.
    Generated(Vec<Generation>),
    /// Public keys that others gave.
    Provided(BTreeMap<KeyName, PublicKeyPem>),
    /// No signature is checked.
    Off,
}

/// The code that should serve.
#[derive(Clone)]
pub struct Code {
    /// Hash of what it is made from; `None` where there are no sources to hash, with the reason.
    pub inputs: Result<InputsHash, String>,
    /// SHA-256 of each part of that, hex, by its name: to say which one moved.
    pub parts: BTreeMap<String, String>,
    /// The package, where one was built; `None` in commands that never build, and where the live
    /// release is already made from `inputs`.
    pub package: Option<Arc<Package>>,
}

impl Code {
    /// Nothing is said about code, and why.
    pub fn unknown(because: String) -> Self {
        Self { inputs: Err(because), parts: BTreeMap::new(), package: None }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = self.package.as_ref().map(|package| &package.code_sha256);
        let mut shown = formatter.debug_struct("Code");
        shown.field("inputs", &self.inputs).field("package", &package).finish_non_exhaustive()
    }
}

/// The function's environment that should be.
#[derive(Clone, Debug)]
pub enum Environment {
    /// Every variable, known.
    Known(BTreeMap<String, Secret>),
    /// The names are known, the values are not: the reason.
    Unseen {
        /// Names of the variables that must be there.
        names: Vec<String>,
        /// Which secret is missing.
        because: String,
    },
}

/// What the target has, per kind.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The store's generations.
    pub signing_key: Option<signing_key::Live>,
    /// The role.
    pub role: Option<role::Live>,
    /// The log group.
    pub log_group: Option<log_group::Live>,
    /// The function's `$LATEST`.
    pub function: Option<function::Live>,
    /// The alias and the version behind it.
    pub release: Option<release::Live>,
    /// The alias's resource policy.
    pub permission: Option<permission::Live>,
    /// The authorizer.
    pub authorizer: Option<authorizer::Live>,
    /// The account's default authorizer, whoever's it is.
    pub default_authorizer: Option<default_authorizer::Live>,
}
