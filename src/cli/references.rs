//! Finds what the stack file's references name: variables, files, parameters, the local provider's own keys.

use std::collections::BTreeMap;
use std::path::Path;

use super::environment::Environment;
use crate::aws::Aws;
use crate::door::Files;
use crate::gather::References;
use crate::keys::{Secret, read_parameter};
use crate::names::ParameterName;
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
#[derive(Clone, Debug)]
pub(crate) struct Resolver<'a> {
    /// The variables.
    pub(crate) environment: &'a Environment,
    /// The door to files.
    pub(crate) files: &'a Files,
    /// The local provider, where the target is local.
    pub(crate) local: Option<LocalIdentity>,
    /// The parameters that were read, or why they were not: see [`Resolver::with_parameters`].
    pub(crate) parameters: BTreeMap<ParameterName, Result<Secret, Problem>>,
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
            Reference::Parameter(name) => self.parameter(name),
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
            Reference::Parameter(name) => Ok(self.parameter(name)?.expose().to_owned()),
            Reference::LocalJwks => Ok(self.local()?.jwks.clone()),
            Reference::LocalHs256 | Reference::LocalClient => {
                Err(Problem::usage("a_secret", "a secret stands where a public key is expected"))
            }
        }
    }
}

impl Resolver<'_> {
    /// The same, with the parameters that these references name. One that cannot be read is a problem only of
    /// who asks for it.
    pub(crate) async fn with_parameters(&self, aws: &Aws, references: Vec<&Reference>) -> Self {
        let mut resolver = self.clone();
        for name in references.into_iter().filter_map(parameter) {
            if !resolver.parameters.contains_key(name) {
                resolver.parameters.insert(name.clone(), read_parameter(aws, name).await);
            }
        }
        resolver
    }

    fn parameter(&self, name: &ParameterName) -> Result<Secret, Problem> {
        let not_read =
            || Problem::failed("parameter_not_read", format!("the parameter `{name}` was not read"));
        self.parameters.get(name).ok_or_else(not_read)?.clone()
    }

    fn local(&self) -> Result<&LocalIdentity, Problem> {
        self.local.as_ref().ok_or_else(|| {
            Problem::usage("local_only", "`local:` references name the local target's own provider")
                .because("this stack's target is `aws`")
                .next("use `env:NAME`, `file:PATH` or `ssm:NAME`")
        })
    }
}

/// Checks, before any stack starts, that what a deploy of `stack` will read is there. The local
/// provider's own keys always are.
pub(crate) fn available(environment: &Environment, files: &Files, stack: &Stack) -> Result<(), Problem> {
    let resolver = Resolver { environment, files, local: None, parameters: BTreeMap::new() };
    let kept = |reference: &Reference| matches!(reference, Reference::Environment(_) | Reference::File(_));
    match &stack.token.key {
        TokenKey::Hs256 { secret, .. } if kept(secret) => resolver.secret(secret).map(drop)?,
        TokenKey::Rs256(PublicKeys::Pem(keys) | PublicKeys::Jwks(keys)) if kept(keys) => {
            resolver.text(keys).map(drop)?;
        }
        TokenKey::Hs256 { .. } | TokenKey::Rs256(_) => {}
    }
    if let Signing::Public { keys } = &stack.signing {
        for key in keys.values().filter(|key| kept(key)) {
            resolver.text(key)?;
        }
    }
    Ok(())
}

/// What a deploy of `stack` reads by reference.
pub(crate) fn of_deploy(stack: &Stack) -> Vec<&Reference> {
    let mut references: Vec<&Reference> = match &stack.token.key {
        TokenKey::Hs256 { secret, .. } => vec![secret],
        TokenKey::Rs256(PublicKeys::Pem(keys) | PublicKeys::Jwks(keys)) => vec![keys],
    };
    if let Signing::Public { keys } = &stack.signing {
        references.extend(keys.values());
    }
    references
}

/// What the device tool reads by reference.
pub(crate) fn of_device(stack: &Stack) -> Vec<&Reference> {
    stack.identity.iter().filter_map(|identity| identity.client_secret.as_ref()).collect()
}

/// The parameter that a reference names.
pub(crate) fn parameter(reference: &Reference) -> Option<&ParameterName> {
    match reference {
        Reference::Parameter(name) => Some(name),
        Reference::Environment(_)
        | Reference::File(_)
        | Reference::LocalHs256
        | Reference::LocalJwks
        | Reference::LocalClient => None,
    }
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
