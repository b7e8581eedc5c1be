//! Finds what the stack file's references name: variables, files, the local provider's own keys.

use std::path::Path;

use super::environment::Environment;
use crate::door::Files;
use crate::gather::References;
use crate::keys::Secret;
use crate::problem::Problem;
use crate::stack::{PublicKeys, Reference, Signing, Stack, TokenKey};

/// The longest secret or key set that is read, in bytes.
const REFERENCE_BYTES_MAX: u64 = 256 * 1024;

/// What the embedded identity provider made for itself.
#[derive(Clone, Debug)]
pub(crate) struct LocalIdentity {
    /// Base64 of the HMAC secret.
    pub(crate) hs256: Secret,
    /// The client's secret.
    pub(crate) client: Secret,
    /// Its public keys.
    pub(crate) jwks: String,
}

/// Finds references for one stack.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    /// The variables.
    pub(crate) environment: &'a Environment,
    /// The door to files.
    pub(crate) files: &'a Files,
    /// The local provider, where the target is local.
    pub(crate) local: Option<LocalIdentity>,
}

impl References for Resolver<'_> {
    fn secret(&self, reference: &Reference) -> Result<Secret, Problem> {
        match reference {
            Reference::Environment(name) => self
                .environment
                .get(name)
                .map(|value| Secret::new(value.to_owned()))
                .ok_or_else(|| unset(name)),
            Reference::File(path) => {
                let bytes = self.files.read_secret(path, REFERENCE_BYTES_MAX)?;
                let text = std::str::from_utf8(&bytes).map_err(|_| not_text(path))?;
                Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            Reference::LocalHs256 => Ok(self.local()?.hs256.clone()),
            Reference::LocalClient => Ok(self.local()?.client.clone()),
            Reference::LocalJwks => Err(Problem::usage("not_a_secret", "`local:jwks` is not a secret")),
        }
    }

    fn text(&self, reference: &Reference) -> Result<String, Problem> {
        match reference {
            Reference::Environment(name) => {
                self.environment.get(name).map(str::to_owned).ok_or_else(|| unset(name))
            }
            Reference::File(path) => {
                let bytes = self.files.read(path, REFERENCE_BYTES_MAX)?;
                String::from_utf8(bytes).map_err(|_| not_text(path))
            }
            Reference::LocalJwks => Ok(self.local()?.jwks.clone()),
            Reference::LocalHs256 | Reference::LocalClient => {
                Err(Problem::usage("a_secret", "a secret stands where a public key is expected"))
            }
        }
    }
}

impl Resolver<'_> {
    fn local(&self) -> Result<&LocalIdentity, Problem> {
        self.local.as_ref().ok_or_else(|| {
            Problem::usage("local_only", "`local:` references name the local target's own provider")
                .because("this stack's target is `aws`")
                .next("use `env:NAME` or `file:PATH`")
        })
    }
}

/// Checks, before any stack starts, that what a deploy of `stack` will read is there. The local
/// provider's own keys always are.
pub(crate) fn available(environment: &Environment, files: &Files, stack: &Stack) -> Result<(), Problem> {
    let resolver = Resolver { environment, files, local: None };
    let kept = |reference: &Reference| matches!(reference, Reference::Environment(_) | Reference::File(_));
    match &stack.token.key {
        TokenKey::Hs256 { secret, .. } if kept(secret) => resolver.secret(secret).map(drop)?,
        TokenKey::Rs256(PublicKeys::Pem(keys) | PublicKeys::Jwks(keys)) if kept(keys) => {
            resolver.text(keys).map(drop)?;
        }
        TokenKey::Hs256 { .. } | TokenKey::Rs256(_) => {}
    }
    if let Signing::Public { keys } = &stack.signing {
        for key in keys.values() {
            resolver.text(key)?;
        }
    }
    Ok(())
}

fn unset(name: &str) -> Problem {
    Problem::usage("variable_unset", format!("the environment variable `{name}` is not set"))
        .because("the stack file refers to it")
        .next(format!("export {name}=… and run the same command again"))
}

fn not_text(path: &Path) -> Problem {
    Problem::usage("not_text", "a file that the stack file refers to is not text")
        .at(path.display().to_string())
}
