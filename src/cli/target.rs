//! Turns a stack into endpoint, credentials and roots. No other module knows whether a stack lives on
//! AWS or in this binary.

use std::collections::{BTreeMap, BTreeSet};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};

use super::endpoints;
use super::local_target::LocalTarget;
use super::references::{self, LocalIdentity, Resolver};
use super::session::Session;
use crate::aws::{Aws, Connection, Endpoints, Watch};
use crate::door::Http;
use crate::keys::{FileStore, ParameterStore, Secret, Store};
use crate::names::{self, AccountId, Identity, Parameters};
use crate::problem::Problem;
use crate::stack::{Architecture, KeyStore, Reference, Signing, Stack, Target};

/// A stack, connected.
#[derive(Debug)]
pub(crate) struct Connected<'a> {
    pub(crate) stack: Stack,
    pub(crate) aws: Aws,
    pub(crate) http: Http,
    pub(crate) store: Option<Store>,
    pub(crate) resolver: Resolver<'a>,
    pub(crate) local: Option<LocalTarget>,
    /// Until when the credentials are good, where they are not the local target's.
    pub(crate) watch: Option<Watch>,
}

/// Connects `stack`. Nothing is sent yet.
pub(crate) async fn connect(session: &Session, mut stack: Stack) -> Result<Connected<'_>, Problem> {
    let local = match stack.target {
        Target::Local => Some(session.local(&session.state_directory(Some(&stack.file))).await?),
        Target::Aws => None,
    };
    stack.function.architecture.get_or_insert(default_architecture(stack.target));
    let http = match &local {
        Some(local) => local.http(session, &stack.region)?,
        None => session.reach.http(&session.tolls),
    };
    let (credentials, watch, endpoints) = if let Some(local) = &local {
        let (id, secret) = local.credentials();
        let credentials = Credentials::new(id, secret, None, None, "thinggate local target");
        (SharedCredentialsProvider::new(credentials), None, Endpoints::One(local.endpoint(session)))
    } else {
        endpoints::refuse_variables(&session.environment, &stack)?;
        let (credentials, watch) = session.credentials(&http, &stack).await?;
        (credentials, watch, Endpoints::Own(stack.aws.endpoints.clone()))
    };
    let aws = Aws::connect(Connection {
        http: http.clone(),
        stop: session.stop.clone(),
        credentials,
        region: stack.region.clone(),
        endpoints,
        time: session.time.clone(),
        sleep: SharedAsyncSleep::new(TokioSleep::new()),
    });
    let store = match &stack.signing {
        Signing::Generated { store: KeyStore::Folder(folder), .. } => {
            Some(Store::File(FileStore::new(session.files.clone(), folder.clone())))
        }
        Signing::Generated { store: KeyStore::Parameters(path), .. } => {
            let owner = names::owner(&stack.name, &stack.region);
            Some(Store::Parameters(Box::new(ParameterStore::new(aws.clone(), path.clone(), owner))))
        }
        Signing::Public { .. } | Signing::Off => None,
    };
    let resolver = Resolver {
        environment: &session.environment,
        files: &session.files,
        local: local.as_ref().map(|local| local_identity(local, session, &stack)).transpose()?,
        parameters: BTreeMap::new(),
    };
    Ok(Connected { stack, aws, http, store, resolver, local, watch })
}

fn local_identity(local: &LocalTarget, session: &Session, stack: &Stack) -> Result<LocalIdentity, Problem> {
    match local {
        LocalTarget::Hosted { target, .. } => Ok(LocalIdentity {
            hs256: Secret::new(target.identity_hs256_secret()),
            client: Secret::new(target.identity_client_secret()),
            jwks: target.identity_jwks(),
        }),
        LocalTarget::Served(_) => {
            let path = session.state_directory(Some(&stack.file)).join("identity.json");
            let bytes = session.files.read_secret(&path, 64 * 1024)?;
            let keys = local::identity::Secrets::read(&bytes).ok_or_else(|| {
                Problem::failed("state_directory", "the local provider's keys cannot be read")
                    .at(path.display().to_string())
                    .next("thinggate local reset --yes")
            })?;
            Ok(LocalIdentity {
                hs256: Secret::new(keys.hs256_secret),
                client: Secret::new(keys.client_secret),
                jwks: keys.jwks,
            })
        }
    }
}

impl Connected<'_> {
    /// Asks who calls, by ARN, and refuses another account than the stack file's before anything is written.
    pub(crate) async fn identity(&self) -> Result<(Identity, String), Problem> {
        let caller = self.aws.caller().await?;
        if let Some(wanted) = &self.stack.account
            && *wanted != caller.account
        {
            return Err(Problem::refused("wrong_account", "these credentials belong to another account")
                .at(format!("{}: account", self.stack.file.display()))
                .because(format!("the stack file says {wanted}, the credentials are of {}", caller.account))
                .next(match self.stack.target {
                    Target::Aws => {
                        "use credentials of the stack's account, such as with AWS_PROFILE; nothing was changed"
                    }
                    Target::Local => {
                        "leave `account` out of a stack with `target = \"local\"`; nothing was changed"
                    }
                }));
        }
        Ok((identity_in(&self.stack, caller.account, caller.partition), caller.arn))
    }

    /// The key store's place, for people.
    pub(crate) fn store_text(&self) -> String {
        match &self.stack.signing {
            Signing::Generated { store, .. } => store.to_string(),
            Signing::Public { .. } => "public keys of others".to_owned(),
            Signing::Off => "off".to_owned(),
        }
    }
}

/// A stack's identity in an account.
pub(crate) fn identity_in(stack: &Stack, account: AccountId, partition: String) -> Identity {
    Identity {
        stack: stack.name.clone(),
        region: stack.region.clone(),
        account,
        partition,
        authorizer: stack.authorizer.name.clone(),
        parameters: Box::new(parameters_of(stack)),
    }
}

/// The parameters that a stack reads and writes.
fn parameters_of(stack: &Stack) -> Parameters {
    let key_store = match &stack.signing {
        Signing::Generated { store: KeyStore::Parameters(path), .. } => Some(path.clone()),
        Signing::Generated { .. } | Signing::Public { .. } | Signing::Off => None,
    };
    let named = |references: Vec<&Reference>| {
        let names: BTreeSet<_> = references.into_iter().filter_map(references::parameter).cloned().collect();
        names.into_iter().collect()
    };
    Parameters {
        key_store,
        of_deploy: named(references::of_deploy(stack)),
        of_device: named(references::of_device(stack)),
    }
}

/// The processor of a function whose stack file names none: this machine's for `local`, for AWS the one that
/// every Region has.
pub(crate) const fn default_architecture(target: Target) -> Architecture {
    match target {
        Target::Local if cfg!(target_arch = "aarch64") => Architecture::Arm64,
        Target::Local | Target::Aws => Architecture::X8664,
    }
}

/// Where a stack lives, for people.
pub(crate) fn target_text(stack: &Stack, identity: Option<&Identity>) -> String {
    let kind = match stack.target {
        Target::Local => "local".to_owned(),
        Target::Aws => match endpoints::text(stack) {
            Some(elsewhere) => format!("aws; {elsewhere}"),
            None => "aws".to_owned(),
        },
    };
    match identity {
        Some(identity) => format!("{}, account {} ({kind})", stack.region, identity.account),
        None => format!("{} ({kind})", stack.region),
    }
}
