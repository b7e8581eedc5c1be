//! Where the private halves of signing keys live, and the only place that sees them.
//!
//! A [`Store`] holds numbered generations, each live or retired; numbers are never reused. Others get
//! a public half or a signature. A private half is durable before any call publishes its public half.

mod file;
mod hmac;
mod pair;
mod parameters;
mod public;
mod secret;

pub use file::FileStore;
pub use hmac::check_hmac;
pub use parameters::{ParameterStore, read_parameter};
pub use public::{Jwks, PublicKey, PublicKeyPem};
pub use secret::Secret;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::names::{KeyName, OWNER_TAG};
use crate::problem::Problem;

/// One generation of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// From 1, never reused.
    pub number: u32,
    /// Whether it was retired: kept from reuse, no longer registered.
    pub retired: bool,
    /// Its public half, readable without the secret.
    pub public: PublicKeyPem,
}

impl Generation {
    /// The name it is registered under at AWS IoT: `key-N`.
    ///
    /// # Panics
    /// Never: the name is made of letters and digits.
    pub fn key_name(&self) -> KeyName {
        KeyName::new(&format!("key-{}", self.number)).expect("digits and letters are legal")
    }
}

/// What a store has, told without its private halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// All generations, oldest first.
    pub generations: Vec<Generation>,
    /// Numbers of those whose public half is not written yet: a crash came between the two.
    pub unfinished: Vec<u32>,
    /// The number that no generation has had yet, those that were deleted included.
    pub next_number: u32,
    /// Private halves that others than their owner may read.
    pub exposed: Vec<Exposed>,
    /// Something of the store's names that is somebody else's.
    pub foreign: Option<Foreign>,
    /// The tags of each generation, by number, in stores that have some.
    pub tags: BTreeMap<u32, BTreeMap<String, String>>,
}

impl Default for Contents {
    /// What an empty store has.
    fn default() -> Self {
        Self {
            generations: Vec::new(),
            unfinished: Vec::new(),
            next_number: 1,
            exposed: Vec::new(),
            foreign: None,
            tags: BTreeMap::new(),
        }
    }
}

/// Something of a store's names that is not this stack's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, for people.
    pub place: String,
    /// The stack that its tag names; `None`: it has no such tag.
    pub owner: Option<String>,
}

impl Foreign {
    fn problem(self) -> Problem {
        let because = match self.owner {
            Some(owner) => format!("its tag `{OWNER_TAG}` says that it belongs to the stack `{owner}`"),
            None => format!("it has no tag `{OWNER_TAG}`, so it was made by something else"),
        };
        Problem::refused("not_ours", "a parameter of the key store's name is there and is not this stack's")
            .at(self.place)
            .because(because)
            .next("give the stack a path of its own in `signing.generated.store`")
    }
}

/// A private half that others than its owner may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The file.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
}

/// A key store. Closed: the kinds of store that there are.
#[derive(Clone, Debug)]
pub enum Store {
    /// A folder: `1.pem` (0600) beside `1.pub.pem`.
    File(FileStore),
    /// Parameters below a path of Systems Manager.
    Parameters(Box<ParameterStore>),
}

impl Store {
    /// All generations, oldest first; needs only public halves, and writes nothing.
    pub async fn generations(&self) -> Result<Vec<Generation>, Problem> {
        Ok(self.contents().await?.generations)
    }

    /// What the store has; needs only public halves, and writes nothing.
    pub async fn contents(&self) -> Result<Contents, Problem> {
        match self {
            Self::File(store) => store.contents(),
            Self::Parameters(store) => store.contents().await,
        }
    }

    /// Makes generation `number`, durably, create-if-absent: when it is there already, it is returned. It gets
    /// `tags` where the store has some.
    pub async fn create(
        &self,
        number: u32,
        bits: u16,
        tags: &BTreeMap<String, String>,
    ) -> Result<Generation, Problem> {
        match self {
            Self::File(store) => store.create(number, bits).await,
            Self::Parameters(store) => store.create(number, bits, tags).await,
        }
    }

    /// Gives a generation these tags too, where the store has some.
    pub async fn tag(&self, number: u32, tags: &BTreeMap<String, String>) -> Result<(), Problem> {
        match self {
            Self::File(_) => Ok(()),
            Self::Parameters(store) => store.tag(number, tags).await,
        }
    }

    /// Signs `message` (RSASSA-PKCS1-v1_5, SHA-256) with the oldest live generation; standard base64.
    pub async fn sign(&self, message: &[u8]) -> Result<String, Problem> {
        match self {
            Self::File(store) => store.sign(message),
            Self::Parameters(store) => store.sign(message).await,
        }
    }

    /// Deletes every generation, private halves first.
    pub async fn delete_all(&self) -> Result<(), Problem> {
        match self {
            Self::File(store) => store.delete_all(),
            Self::Parameters(store) => store.delete_all().await,
        }
    }
}
