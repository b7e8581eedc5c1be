//! From `authorizer/` to the package that Lambda runs: one static `bootstrap` beside `authorizer.json`.
//!
//! Upload is decided by the hash of the *inputs* (sources, locked dependencies, target, profile,
//! configuration), because a static binary carries traces of the toolchain that linked it.

use std::path::PathBuf;

use crate::stack::Architecture;

/// What a package is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Sources to build, or a ready binary.
    pub source: Source,
    /// The processor it must run on.
    pub architecture: Architecture,
    /// The bytes of `authorizer.json`.
    pub configuration: Vec<u8>,
}

/// Where the binary comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The folder of the authorizer crate, inside a Cargo workspace.
    Crate(PathBuf),
    /// A ready binary.
    Bootstrap(PathBuf),
}

/// SHA-256 of everything a package is made from, as 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputsHash(pub String);

/// A package, ready to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    /// The zip.
    pub zip: Vec<u8>,
    /// Base64 of the zip's SHA-256: what AWS calls `CodeSha256`.
    pub code_sha256: String,
    /// SHA-256 of `bootstrap`, hex.
    pub binary_sha256: String,
    /// SHA-256 of `authorizer.json`, hex.
    pub configuration_sha256: String,
    /// What it was made from.
    pub inputs: InputsHash,
}
