//! The RSA pair that signs tokens for AWS IoT, kept in a key store as numbered generations.
//!
//! The store leads and registration follows: the private half is durable before the authorizer names
//! the public one. A generation is never remade; `keys rotate` adds the next.

use std::collections::BTreeMap;

use super::compare::Comparison;
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource};
use crate::keys::{Contents, Exposed, Foreign, Generation, Store};
use crate::names::Identity;
use crate::problem::Problem;
use crate::stack::{KeyStore, Signing};

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SigningKey;

/// What the stack asks for: one live generation at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Bits of a new key.
    pub bits: u16,
    /// Where keys are kept.
    pub store: KeyStore,
    /// The tags of a key, where the store has some.
    pub tags: BTreeMap<String, String>,
    /// Whether this machine forgets, and a key made here would die with it.
    pub machine_forgets: bool,
}

/// What the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// All generations, oldest first. At least one.
    pub generations: Vec<Generation>,
    /// Numbers of those whose public half is not written yet.
    pub unfinished: Vec<u32>,
    /// Private halves that others than their owner may read.
    pub exposed: Vec<Exposed>,
    /// Something of the store's names that is somebody else's.
    pub foreign: Option<Foreign>,
    /// The tags of each generation, by number, in stores that have some.
    pub tags: BTreeMap<u32, BTreeMap<String, String>>,
}

impl Resource for SigningKey {
    type Via = Store;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::SigningKey;

    fn desired(facts: &Facts) -> Option<Desired> {
        let Signing::Generated { bits, store } = &facts.stack.signing else { return None };
        let (store, tags) = (store.clone(), super::tags(facts));
        Some(Desired { bits: *bits, store, tags, machine_forgets: facts.machine_forgets })
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
        // Whose it is, is asked before a write.
        let Live { generations, unfinished, exposed, foreign: _, tags } = live;
        let mut comparison = Comparison::new();
        if generations.iter().all(|generation| generation.retired) {
            comparison.differs(Impact::None, "live generations", Some("signing.generated"), "none", "one");
            if let Some(refusal) = forgets(desired) {
                comparison.refuse(refusal);
            }
        }
        for number in unfinished {
            comparison.differs(Impact::None, &format!("public half of key-{number}"), None, "none", "a file");
        }
        for one in exposed {
            let path = one.path.display().to_string();
            let mode = format!("{:04o}", one.mode);
            comparison.differs(Impact::None, &format!("mode of {path}"), None, mode, "0600");
            comparison.refuse(readable_by_others(&path));
        }
        for tags in tags.values() {
            comparison.tags(tags, &desired.tags);
        }
        comparison.finish()
    }

    /// A folder is the stack's own by its place, a parameter by its tag.
    fn owner(live: &Live) -> Owner {
        live.foreign.as_ref().map_or(Owner::Ours, |foreign| Owner::Foreign(foreign.owner.clone()))
    }

    async fn read(store: &Store, _identity: &Identity) -> Result<Option<Live>, Problem> {
        let Contents { generations, unfinished, exposed, foreign, tags, next_number: _ } =
            store.contents().await?;
        let is_there = !generations.is_empty() || foreign.is_some();
        Ok(is_there.then_some(Live { generations, unfinished, exposed, foreign, tags }))
    }

    /// Finishes what a crash left unfinished, and makes the next generation where none is live. The store
    /// makes it if absent, so two runs make one.
    async fn apply(store: &Store, desired: &Desired, _live: Option<&Live>) -> Result<(), Problem> {
        let Contents { generations, unfinished, next_number, exposed: _, foreign: _, tags } =
            store.contents().await?;
        let mut numbers = unfinished;
        if generations.iter().all(|generation| generation.retired) {
            numbers.push(next_number);
        }
        for number in numbers {
            store.create(number, desired.bits, &desired.tags).await?;
        }
        for (number, tags) in tags {
            let missing = super::missing(&tags, &desired.tags);
            if !missing.is_empty() {
                store.tag(number, &missing).await?;
            }
        }
        Ok(())
    }

    async fn delete(store: &Store, _live: &Live) -> Result<(), Problem> {
        store.delete_all().await
    }
}

/// Only a person knows who may have read it meanwhile.
fn readable_by_others(path: &str) -> Refusal {
    Refusal {
        code: "secret_readable_by_others",
        because: format!("the private key `{path}` is open to others than its owner, who could sign with it"),
        next: format!("chmod 600 '{path}'   # and replace the key if others may have read it"),
    }
}

fn forgets(desired: &Desired) -> Option<Refusal> {
    let KeyStore::Folder(folder) = &desired.store else { return None };
    desired.machine_forgets.then(|| Refusal {
        code: "key_would_be_lost",
        because: format!(
            "there is no signing key in `{}`, and CI is set: a key made here would die with this machine",
            folder.display()
        ),
        next: "run `thinggate deploy` once where the folder stays, and keep its `*.pub.pem` files with the \
               stack file: later runs need only those; or keep keys where every machine finds them: \
               `store = \"ssm:/PATH\"`"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests;
