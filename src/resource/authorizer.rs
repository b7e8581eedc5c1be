//! The AWS IoT custom authorizer: which header carries the token, which public keys check its
//! signature, and which function decides.
//!
//! AWS keeps the name and whether signatures are checked for life; everything else changes in place. An
//! update replaces the whole map of keys. It refuses to delete an active one, so `delete` switches it
//! off first.

use std::collections::BTreeMap;

use super::compare::Comparison;
use super::facts::{SigningKeys, Value};
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource};
use crate::aws::Aws;
use crate::keys::{Generation, PublicKeyPem};
use crate::names::{AuthorizerName, Identity, KeyName, TokenKeyName};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authorizer;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: AuthorizerName,
    /// The alias that decides.
    pub function_arn: String,
    /// The header or parameter that carries the token.
    pub token_key_name: TokenKeyName,
    /// Which signatures are good.
    pub keys: Keys,
    /// Whether AWS caches answers on kept-alive HTTP connections.
    pub http_caching: bool,
    /// The tags that count.
    pub tags: BTreeMap<String, String>,
    /// To judge what is found under its name.
    pub identity: Identity,
}

/// Which signatures are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those of the key store's live generations.
    Generated {
        /// The live generations' public halves; later, when the first one is not made yet.
        live: Value<BTreeMap<KeyName, PublicKeyPem>>,
        /// Public halves of retired generations: known, and to be removed.
        retired: Vec<PublicKeyPem>,
    },
    /// Those that the stack file names.
    Provided(BTreeMap<KeyName, PublicKeyPem>),
    /// No signature is checked.
    Off,
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The function that decides.
    pub function_arn: String,
    /// The header or parameter that carries the token.
    pub token_key_name: Option<String>,
    /// The registered public keys, by name.
    pub keys: BTreeMap<String, String>,
    /// `ACTIVE` or `INACTIVE`.
    pub status: String,
    /// Whether no signature is checked.
    pub signing_disabled: bool,
    /// Whether answers are cached.
    pub http_caching: bool,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Whose it is.
    pub owner: Owner,
}

/// The keys that a step registers, once the signing key's step is done: `keys` with what was to be made
/// later filled in from the store.
pub fn with_generations(keys: &Keys, generations: &[Generation]) -> Keys {
    match keys {
        Keys::Generated { live: Value::Later { .. }, .. } => generated(generations),
        known => known.clone(),
    }
}

fn generated(generations: &[Generation]) -> Keys {
    let (retired, live): (Vec<_>, Vec<_>) = generations.iter().partition(|generation| generation.retired);
    let live: BTreeMap<_, _> = live.iter().map(|one| (one.key_name(), one.public.clone())).collect();
    Keys::Generated {
        live: if live.is_empty() {
            Value::Later { because: "the signing key is made by an earlier step" }
        } else {
            Value::Known(live)
        },
        retired: retired.iter().map(|generation| generation.public.clone()).collect(),
    }
}

impl Resource for Authorizer {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Authorizer;

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
