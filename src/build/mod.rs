//! From `authorizer/` to the package that Lambda runs: one static `bootstrap` beside `authorizer.json`.
//!
//! Upload is decided by the hash of the *inputs* (sources, locked dependencies, target, profile,
//! configuration), because a static binary carries traces of the toolchain that linked it.

use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::door::Files;
use crate::problem::Problem;
use crate::stack::Architecture;

mod cargo;
mod check;
mod configuration;
mod inputs;
mod lock;
mod source;
mod tools;
mod zip;

pub use configuration::configuration;
pub use inputs::{Inputs, inputs, listed};
pub use source::find_source;
pub use tools::Tools;

/// The greatest bootstrap, before compression: Lambda's limit for an unzipped package.
/// Source: Lambda quotas, "Deployment package size".
const BOOTSTRAP_BYTES_MAX: u64 = 250 * 1024 * 1024;

/// The greatest `authorizer.json`: the authorizer reads no more.
const CONFIGURATION_BYTES_MAX: usize = 256 * 1024;

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

impl fmt::Debug for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Package({} bytes, {}, inputs {})", self.zip.len(), self.code_sha256, self.inputs.0)
    }
}

/// Makes the package of `recipe`: builds the crate, or takes the ready binary, and refuses a binary that
/// Lambda could not start, and sources that change meanwhile. `progress` hears one line at a time what Cargo does.
pub async fn package(
    files: &Files,
    recipe: &Recipe,
    tools: &Tools,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Package, Problem> {
    if recipe.configuration.len() > CONFIGURATION_BYTES_MAX {
        let length = recipe.configuration.len();
        return Err(Problem::usage("configuration_too_long", "the authorizer's configuration is too long")
            .because(format!(
                "authorizer.json has {length} bytes; at most {CONFIGURATION_BYTES_MAX} are read"
            )));
    }
    let inputs = inputs(files, recipe)?;
    let binary = match &recipe.source {
        Source::Crate(folder) => cargo::build(files, folder, recipe.architecture, tools, progress).await?,
        Source::Bootstrap(path) => path.clone(),
    };
    let bootstrap = files.read(&binary, BOOTSTRAP_BYTES_MAX).map_err(|problem| match &recipe.source {
        Source::Crate(_) => problem,
        Source::Bootstrap(_) => Problem {
            what: "the file that `[function] bootstrap` names cannot be read".to_owned(),
            ..problem
        },
    })?;
    if self::inputs(files, recipe)? != inputs {
        return Err(Problem::failed("inputs_changed", "the authorizer changed while it was built")
            .because("nobody could say later which state the binary was made from")
            .next("run the same command again"));
    }
    check::runs_on_lambda(&bootstrap, recipe.architecture).map_err(|reason| {
        Problem::failed("bootstrap_unusable", "this bootstrap cannot run on Lambda")
            .at(binary.display().to_string())
            .because(reason)
            .next(match &recipe.source {
                Source::Crate(_) => "report this: the build gave no static executable",
                Source::Bootstrap(_) => {
                    "build it static: cargo build --profile lambda --target x86_64-unknown-linux-gnu with RUSTFLAGS=-Ctarget-feature=+crt-static"
                }
            })
    })?;
    let zip = zip::pack(&recipe.configuration, &bootstrap)?;
    Ok(Package {
        code_sha256: STANDARD.encode(digest::digest(&digest::SHA256, &zip)),
        binary_sha256: sha256_hex(&bootstrap),
        configuration_sha256: sha256_hex(&recipe.configuration),
        inputs,
        zip,
    })
}

/// SHA-256, lower-case hex.
fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Rust's name of the target that Lambda runs.
const fn triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X8664 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    }
}

#[cfg(test)]
mod tests;
