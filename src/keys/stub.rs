//! The types of `keys` that others name, until the stores are handed in.

use crate::names::KeyName;
use crate::problem::Problem;

/// A public key, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeyPem(pub String);

impl PublicKeyPem {
    /// The PEM.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// One generation of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// From 1, never reused.
    pub number: u32,
    /// Whether it was retired.
    pub retired: bool,
    /// Its public half.
    pub public: PublicKeyPem,
}

impl Generation {
    /// The name it is registered under at AWS IoT: `key-N`.
    pub fn key_name(&self) -> KeyName {
        KeyName::new(&format!("key-{}", self.number)).expect("digits and letters are legal")
    }
}

/// A key store.
#[derive(Clone, Debug)]
pub enum Store {
    /// None yet.
    Stub,
}

impl Store {
    /// All generations, oldest first.
    pub async fn generations(&self) -> Result<Vec<Generation>, Problem> {
        Err(Problem::failed("stub", "stub"))
    }

    /// Makes generation `number`.
    pub async fn create(&self, _number: u32, _bits: u16) -> Result<Generation, Problem> {
        Err(Problem::failed("stub", "stub"))
    }

    /// Deletes every generation.
    pub async fn delete_all(&self) -> Result<(), Problem> {
        Err(Problem::failed("stub", "stub"))
    }
}
