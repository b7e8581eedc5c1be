//! The RSA pair that signs tokens for AWS IoT, kept in a key store as numbered generations.
//!
//! The store leads and registration follows: the private half is durable before the authorizer names
//! the public one. A generation is never remade; `keys rotate` adds the next.

use std::path::PathBuf;

use super::compare::Comparison;
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource};
use crate::keys::{Generation, Store};
use crate::names::Identity;
use crate::problem::Problem;
use crate::stack::Signing;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SigningKey;

/// What the stack asks for: one live generation at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Bits of a new key.
    pub bits: u16,
    /// The store's folder.
    pub store: PathBuf,
    /// Whether this machine forgets, and a key made here would die with it.
    pub machine_forgets: bool,
}

/// What the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// All generations, oldest first. At least one.
    pub generations: Vec<Generation>,
}

impl Resource for SigningKey {
    type Via = Store;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::SigningKey;

    fn desired(facts: &Facts) -> Option<Desired> {
        let Signing::Generated { bits, store } = &facts.stack.signing else { return None };
        Some(Desired { bits: *bits, store: store.clone(), machine_forgets: facts.machine_forgets })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            // A key that signs nothing any more harms nobody; a key that is gone may.
            (None, Some(_)) => return Change::delete(Impact::All),
            (Some(desired), None) => {
                return Change { refusal: forgets(desired), ..Change::create() };
            }
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live { generations } = live;
        let mut comparison = Comparison::new();
        if generations.iter().all(|generation| generation.retired) {
            comparison.differs(Impact::None, "live generations", Some("signing.generated"), "none", "one");
            if let Some(refusal) = forgets(desired) {
                comparison.refuse(refusal);
            }
        }
        comparison.finish()
    }

    /// A store is the stack's own by its place.
    fn owner(_live: &Live) -> Owner {
        Owner::Ours
    }

    async fn read(store: &Store, _identity: &Identity) -> Result<Option<Live>, Problem> {
        let generations = store.generations().await?;
        Ok((!generations.is_empty()).then_some(Live { generations }))
    }

    /// Makes the next generation. The store makes it if absent, so two runs make one.
    async fn apply(store: &Store, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        let numbers = live.into_iter().flat_map(|live| &live.generations).map(|one| one.number);
        let next = numbers.max().unwrap_or(0) + 1;
        store.create(next, desired.bits).await?;
        Ok(())
    }

    async fn delete(store: &Store, _live: &Live) -> Result<(), Problem> {
        store.delete_all().await
    }
}

fn forgets(desired: &Desired) -> Option<Refusal> {
    desired.machine_forgets.then(|| Refusal {
        code: "key_would_be_lost",
        because: format!(
            "there is no signing key in `{}`, and CI is set: a key made here would die with this machine",
            desired.store.display()
        ),
        next: "run `thinggate deploy` once where the folder stays, and keep its `*.pub.pem` files with the \
               stack file: later runs need only those"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests;
