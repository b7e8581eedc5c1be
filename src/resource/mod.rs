//! The kinds of resource, one file each, all with the same order: doc, `desired`, `Desired`, `Live`,
//! `diff`, `read`, `apply`, `delete`, tests. Read one and you have read eight.
//!
//! The pure half (what is wanted, what differs) stands above, the half with effects below.

pub mod authorizer;
pub mod change;
mod compare;
pub mod configuration;
pub mod default_authorizer;
pub mod facts;
pub mod function;
mod json;
pub mod log_group;
mod made;
pub mod permission;
pub mod picture;
pub mod record;
pub mod release;
pub mod role;
pub mod signing_key;

pub use change::{Action, Change, Difference, Impact, NotCompared, Refusal};
pub use facts::{Code, Environment, Facts, Live, SigningKeys, Value};
pub use picture::{Fact, Picture};

use std::collections::BTreeMap;

use crate::names::{Identity, OWNER_TAG};
use crate::problem::Problem;

/// The kinds, in the order in which a deploy makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The RSA pair that signs tokens for AWS IoT.
    SigningKey,
    /// The function's execution role with its one inline policy.
    Role,
    /// Where the function logs.
    LogGroup,
    /// The Lambda function, `$LATEST`.
    Function,
    /// The published version that the alias `live` names, together with that alias.
    Release,
    /// The statement that lets AWS IoT invoke the alias.
    Permission,
    /// The IoT authorizer.
    Authorizer,
    /// The account's default authorizer in this Region.
    DefaultAuthorizer,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 8] = [
        Self::SigningKey,
        Self::Role,
        Self::LogGroup,
        Self::Function,
        Self::Release,
        Self::Permission,
        Self::Authorizer,
        Self::DefaultAuthorizer,
    ];

    /// The word for people.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::SigningKey => "signing key",
            Self::Role => "role",
            Self::LogGroup => "log group",
            Self::Function => "function",
            Self::Release => "release",
            Self::Permission => "permission",
            Self::Authorizer => "authorizer",
            Self::DefaultAuthorizer => "default authorizer",
        }
    }
}

/// Whose a live resource is, by its [`crate::names::OWNER_TAG`] or by its owned parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This stack's.
    Ours,
    /// Somebody else's: another stack's tag value, or none.
    Foreign(Option<String>),
}

impl Owner {
    /// Judges by the tags of a live resource.
    pub(crate) fn by_tags(tags: &BTreeMap<String, String>, identity: &Identity) -> Self {
        match tags.get(OWNER_TAG) {
            Some(owner) if *owner == identity.owner() => Self::Ours,
            other => Self::Foreign(other.cloned()),
        }
    }
}

/// The tags that a resource of this stack carries: the declared ones and the owner's.
pub(crate) fn tags(facts: &Facts) -> BTreeMap<String, String> {
    let mut tags = facts.stack.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), facts.identity.owner());
    tags
}

/// The tags that are wanted and not there with this value.
pub(crate) fn missing(
    live: &BTreeMap<String, String>,
    desired: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let missing = desired.iter().filter(|(tag, value)| live.get(*tag) != Some(*value));
    missing.map(|(tag, value)| (tag.clone(), value.clone())).collect()
}

/// The problem of a resource at `place` that has our name and is somebody else's.
pub(crate) fn not_ours(place: String, owner: Option<&str>) -> Problem {
    let because = match owner {
        Some(owner) => format!("its tag `{OWNER_TAG}` says that it belongs to the stack `{owner}`"),
        None => format!("it has no tag `{OWNER_TAG}`, so it was made by something else"),
    };
    Problem::refused("not_ours", "a resource of this name is there and is not this stack's")
        .at(place)
        .because(because)
        .next("give this stack another `name`, or delete that resource if nothing needs it, then run again")
}

/// What every kind can do. Crate-private: steps are a closed enum, each arm a concrete type.
pub(crate) trait Resource {
    /// What reads and writes go through: `aws::Aws` or `keys::Store`.
    type Via;
    /// What the stack asks for.
    type Desired: Clone + std::fmt::Debug + PartialEq;
    /// What the target has.
    type Live: Clone + std::fmt::Debug + PartialEq;

    /// The kind.
    const KIND: Kind;

    /// What the stack asks for; `None` where this stack has no such resource.
    fn desired(facts: &Facts) -> Option<Self::Desired>;

    /// What differs, pure. Destructures `Live` without `..`.
    fn diff(desired: Option<&Self::Desired>, live: Option<&Self::Live>) -> Change;

    /// Whose it is. Asked before a write; what is only kept may be anybody's.
    fn owner(live: &Self::Live) -> Owner;

    /// Reads what the target has, without changing anything; `None`: there is no such resource.
    async fn read(via: &Self::Via, identity: &Identity) -> Result<Option<Self::Live>, Problem>;

    /// Brings the live resource to `desired`; safe after any earlier interruption. An answer that was
    /// lost after its effect converges within the call: "already exists" is followed by a read and an
    /// ownership check.
    async fn apply(
        via: &Self::Via,
        desired: &Self::Desired,
        live: Option<&Self::Live>,
    ) -> Result<(), Problem>;

    /// Deletes it; gone already is success.
    async fn delete(via: &Self::Via, live: &Self::Live) -> Result<(), Problem>;
}

#[cfg(test)]
mod contract;
#[cfg(test)]
pub(crate) mod testing;
