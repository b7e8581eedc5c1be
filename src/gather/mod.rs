//! The facts: everything a plan is made from, read side by side, without changing anything.
//!
//! A build is read-only too: it is done here, before the plan, and only where the live release was made
//! from other inputs than the stack asks for.

mod code;

pub use code::CodeMode;

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::build::Tools;
use crate::door::Files;
use crate::keys::{PublicKeyPem, Secret, Store, check_hmac};
use crate::names::Identity;
use crate::problem::Problem;
use crate::resource::authorizer::Authorizer;
use crate::resource::default_authorizer::DefaultAuthorizer;
use crate::resource::function::Function;
use crate::resource::log_group::LogGroup;
use crate::resource::permission::Permission;
use crate::resource::release::Release;
use crate::resource::role::Role;
use crate::resource::signing_key::SigningKey;
use crate::resource::{Environment, Facts, Live, Resource, SigningKeys};
use crate::stack::{Reference, Signing, Stack, TokenKey};

/// The variable of the function that holds the HMAC secret.
pub const SECRET_VARIABLE: &str = "THINGGATE_HS256_SECRET";

/// Finds what a [`Reference`] names. Made by the command line's edge.
pub trait References: Sync {
    /// The secret.
    fn secret(&self, reference: &Reference) -> Result<Secret, Problem>;
    /// A public text, such as a key set.
    fn text(&self, reference: &Reference) -> Result<String, Problem>;
}

/// What facts are gathered from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// AWS, or what stands for it.
    pub aws: &'a Aws,
    /// The key store; `None` where others hold the keys.
    pub store: Option<&'a Store>,
    /// The door to files.
    pub files: &'a Files,
    /// Whether a secret that the caller may not read is left out of the comparison: `plan`, for which a
    /// read-only role is enough.
    pub without_secrets: bool,
    /// Finds secrets and public keys.
    pub references: &'a dyn References,
    /// Whether code is built, compared or left alone.
    pub code: CodeMode,
    /// Whether this machine forgets its files, as a CI runner does.
    pub machine_forgets: bool,
    /// What a build is done with.
    pub tools: &'a Tools,
    /// Hears what a build says.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Gathers the facts of `stack`.
pub async fn gather(stack: &Stack, identity: &Identity, sources: &Sources<'_>) -> Result<Facts, Problem> {
    let environment = environment(stack, sources.references, sources.code, sources.without_secrets)?;
    let given = given_keys(stack, sources)?;
    let wanted = code::wanted(stack, identity, sources)?;
    let live = live(identity, sources).await?;
    let code = code::gather(wanted, sources, &live).await?;
    let keys = given.unwrap_or_else(|| {
        let store = live.signing_key.as_ref();
        SigningKeys::Generated(store.map(|store| store.generations.clone()).unwrap_or_default())
    });
    Ok(Facts {
        stack: stack.clone(),
        identity: identity.clone(),
        keys,
        code,
        environment,
        machine_forgets: sources.machine_forgets,
        live,
    })
}

/// What the target has, all kinds at once.
pub async fn live(identity: &Identity, sources: &Sources<'_>) -> Result<Live, Problem> {
    let aws = sources.aws;
    let signing_key = async {
        match sources.store {
            Some(store) => SigningKey::read(store, identity).await,
            None => Ok(None),
        }
    };
    let (signing_key, role, log_group, function, release, permission, authorizer, default_authorizer) = tokio::try_join!(
        signing_key,
        Role::read(aws, identity),
        LogGroup::read(aws, identity),
        Function::read(aws, identity),
        Release::read(aws, identity),
        Permission::read(aws, identity),
        Authorizer::read(aws, identity),
        DefaultAuthorizer::read(aws, identity),
    )?;
    Ok(Live { signing_key, role, log_group, function, release, permission, authorizer, default_authorizer })
}

/// The signing keys where others hold them; `None`: they are what the key store has.
fn given_keys(stack: &Stack, sources: &Sources<'_>) -> Result<Option<SigningKeys>, Problem> {
    match (&stack.signing, sources.store) {
        (Signing::Generated { .. }, Some(_)) => Ok(None),
        (Signing::Generated { .. }, None) => {
            Err(Problem::failed("no_key_store", "this stack's key store was not opened"))
        }
        // What is destroyed needs no key files.
        (Signing::Public { .. }, _) if sources.code == CodeMode::Ignore => {
            Ok(Some(SigningKeys::Provided(BTreeMap::new())))
        }
        (Signing::Public { keys }, _) => {
            let mut given = BTreeMap::new();
            for (name, reference) in keys {
                let text = sources.references.text(reference)?;
                let key = PublicKeyPem::parse(&text).map_err(|error| {
                    Problem::usage("bad_public_key", format!("the public key `{name}` cannot be used"))
                        .at(format!("signing.public.keys.{name}"))
                        .because(error.to_string())
                })?;
                given.insert(name.clone(), key);
            }
            Ok(Some(SigningKeys::Provided(given)))
        }
        (Signing::Off, _) => Ok(Some(SigningKeys::Off)),
    }
}

/// The function's environment. A reader that may lack the secret gets the names alone.
fn environment(
    stack: &Stack,
    references: &dyn References,
    code: CodeMode,
    without_secrets: bool,
) -> Result<Environment, Problem> {
    let TokenKey::Hs256 { secret, encoding, allow_short_secret, .. } = &stack.token.key else {
        return Ok(Environment::Known(BTreeMap::new()));
    };
    let unseen = |because| Ok(Environment::Unseen { names: vec![SECRET_VARIABLE.to_owned()], because });
    if code == CodeMode::Ignore {
        // What is taken down needs no secret: a runner that never had it can destroy.
        return unseen("this command does not look at it".to_owned());
    }
    match references.secret(secret) {
        Ok(secret) => {
            check_hmac(&secret, *encoding, *allow_short_secret)
                .map_err(|problem| problem.at(format!("{}: token.hs256.secret", stack.file.display())))?;
            Ok(Environment::Known(BTreeMap::from([(SECRET_VARIABLE.to_owned(), secret)])))
        }
        Err(problem) if code == CodeMode::Compare => unseen(problem.what),
        Err(problem) if without_secrets && problem.code == "access_denied" => unseen(problem.what),
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests;
