//! The target as one value: state, clock, options, and the functions that answer.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::control::guard::Guard;
use crate::control::logs::kept::{FILE as EVENTS, Saved};
use crate::control::sts::issuers::Issuers;
use crate::copies::Copies;
use crate::data::Gateway;
use crate::data::broker::{Message, Subscription, TooManySubscribers};
use crate::data::topic::Filter;
use crate::fault::Faults;
use crate::identity::Provider;
use crate::lambda_host::{Hosts, Invocation, Invokable, Invoked};
use crate::package_store::PackageStore;
use crate::rates::Buckets;
use crate::refusal_log::RefusalLog;
use crate::state::World;
use crate::state_directory::{OpenError, PACKAGES, StateDirectory};
use crate::switches::Switches;
use crate::{Request, Response, admin, control, data, identity, random};

/// The account id of every local target.
pub const ACCOUNT: &str = "000000000000";

/// The form of `state.json` that this program writes and reads.
const STATE_VERSION: u32 = 1;

/// Limits and the answers to open questions of AWS's behaviour. Serializable, so that a served target
/// can be asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// AWS IoT's cap on one authorizer call. AWS: 5 s.
    pub authorizer_limit: Duration,
    /// How long a new role cannot be assumed by Lambda.
    pub role_propagation: Duration,
    /// How long a function stays Pending, and an update in progress.
    pub function_settling: Duration,
    /// The most entries in one page of a list, whatever the caller asks for. AWS: 100 (IAM), 50 (Logs).
    pub page_size: usize,
    /// How the open questions about AWS are answered.
    pub switches: Switches,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            authorizer_limit: Duration::from_secs(5),
            role_propagation: Duration::from_millis(300),
            function_settling: Duration::from_millis(200),
            page_size: 50,
            switches: Switches::default(),
        }
    }
}

/// The one access key of a target, made with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// `AKIA…`.
    pub access_key_id: String,
    /// 40 characters. Gives every right on this target.
    pub secret_access_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    fn generate() -> Self {
        Self {
            access_key_id: random::unique_id("AKIA").chars().take(20).collect(),
            secret_access_key: random::secret_access_key(),
        }
    }
}

/// A whole local AWS.
#[derive(Clone, Debug)]
pub struct Target {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    directory: Option<StateDirectory>,
    packages: PackageStore,
    credentials: Credentials,
    clock: Clock,
    since: SystemTime,
    options: Options,
    refusals: RefusalLog,
    faults: Faults,
    copies: Copies,
    buckets: Buckets,
    guard: Guard,
    issuers: Issuers,
    /// How often each function was run, by Region and name.
    invocations: Mutex<BTreeMap<(String, String), u64>>,
    hosts: Hosts,
    gateway: Gateway,
    provider: Provider,
}

/// The content of `state.json`.
#[derive(Serialize, Deserialize)]
struct StateFile<W> {
    version: u32,
    world: W,
}

impl Target {
    /// A target that lasts as long as its last clone.
    pub fn in_memory(clock: Clock, options: Options) -> Self {
        let parts = Parts {
            world: World::default(),
            directory: None,
            packages: PackageStore::in_memory(),
            credentials: Credentials::generate(),
            provider: Provider::in_memory(),
        };
        Self::from_parts(parts, clock, options)
    }

    /// The target in `directory`, made when it is not there. Fails when a file there is damaged.
    pub fn open(directory: &StateDirectory, clock: Clock, options: Options) -> Result<Self, OpenError> {
        let credentials = if let Some(known) = directory.read_json("credentials.json")? {
            known
        } else {
            let made = Credentials::generate();
            directory.write_json("credentials.json", &made).map_err(|source| OpenError::Io {
                path: directory.path().join("credentials.json"),
                source,
            })?;
            made
        };
        let mut world = read_world(directory)?;
        read_events(directory, &mut world)?;
        let packages = PackageStore::in_directory(directory);
        packages
            .keep_only(&world.packages())
            .map_err(|source| OpenError::Io { path: directory.path().join(PACKAGES), source })?;
        let parts = Parts {
            world,
            directory: Some(directory.clone()),
            packages,
            credentials,
            provider: Provider::open(directory)?,
        };
        Ok(Self::from_parts(parts, clock, options))
    }

    fn from_parts(parts: Parts, clock: Clock, options: Options) -> Self {
        let Parts { world, directory, packages, credentials, provider } = parts;
        let inner = Inner {
            world: Mutex::new(world),
            refusals: RefusalLog::new(directory.clone()),
            hosts: directory
                .as_ref()
                .map_or_else(Hosts::default, |kept| Hosts::below(kept.path().join("tasks"))),
            directory,
            packages,
            credentials,
            since: clock.now(),
            clock,
            options,
            faults: Faults::default(),
            copies: Copies::default(),
            buckets: Buckets::default(),
            guard: Guard::default(),
            issuers: Issuers::default(),
            invocations: Mutex::default(),
            gateway: Gateway::default(),
            provider,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Answers the AWS APIs. May block while a function runs.
    #[expect(clippy::needless_pass_by_value, reason = "a request is answered once")]
    pub fn control(&self, request: Request) -> Response {
        control::handle(self, &request)
    }

    /// Answers devices. May block while an authorizer runs.
    #[expect(clippy::needless_pass_by_value, reason = "a request is answered once")]
    pub fn data(&self, request: Request) -> Response {
        data::handle(self, &request)
    }

    /// Answers as the identity provider.
    #[expect(clippy::needless_pass_by_value, reason = "a request is answered once")]
    pub fn identity(&self, request: Request) -> Response {
        identity::handle(self, &request)
    }

    /// Answers `/_local/…`: the target's own switches and what AWS hides.
    #[expect(clippy::needless_pass_by_value, reason = "a request is answered once")]
    pub fn admin(&self, request: Request) -> Response {
        admin::handle(self, &request)
    }

    /// The access key that signs for this target.
    pub fn credentials(&self) -> Credentials {
        self.inner.credentials.clone()
    }

    /// The same, to look at.
    pub(crate) fn key(&self) -> &Credentials {
        &self.inner.credentials
    }

    /// The target's time.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// When it was opened, by its clock.
    pub fn since(&self) -> SystemTime {
        self.inner.since
    }

    /// Limits, and how open questions are answered.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Who refused which device, and why.
    pub fn refusal_log(&self) -> &RefusalLog {
        &self.inner.refusals
    }

    /// Faults that a test has ordered.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// What the state was, for answers that lag behind.
    pub(crate) fn copies(&self) -> &Copies {
        &self.inner.copies
    }

    /// How many requests may still come.
    pub(crate) fn buckets(&self) -> &Buckets {
        &self.inner.buckets
    }

    /// The IAM policy that the caller is held to.
    pub fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    /// The `OpenID` Connect providers that the account knows.
    pub fn issuers(&self) -> &Issuers {
        &self.inner.issuers
    }

    /// What is delivered from now on to topics of `filter`, in one Region or in all.
    pub fn subscribe(
        &self,
        region: Option<&str>,
        filter: Filter,
    ) -> Result<Subscription, TooManySubscribers> {
        self.inner.gateway.broker.subscribe(region, filter)
    }

    /// Gives a message to its subscribers, as if a device had published it.
    pub fn deliver(&self, message: Message) {
        self.inner.gateway.broker.deliver(message);
    }

    /// Ends every subscription.
    pub fn end_subscriptions(&self) {
        self.inner.gateway.broker.end_all();
    }

    /// The device gateway's own memory.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.inner.gateway
    }

    /// The identity provider's HMAC secret, in standard base64.
    pub fn identity_hs256_secret(&self) -> String {
        self.inner.provider.hs256_secret()
    }

    /// The secret of the identity provider's clients.
    pub fn identity_client_secret(&self) -> String {
        self.inner.provider.client_secret()
    }

    /// The identity provider's public keys, as a JSON Web Key Set.
    pub fn identity_jwks(&self) -> String {
        self.inner.provider.jwks()
    }

    /// The identity provider.
    pub fn provider(&self) -> &Provider {
        &self.inner.provider
    }

    /// Where uploaded packages are.
    pub(crate) fn packages(&self) -> &PackageStore {
        &self.inner.packages
    }

    /// The package of this SHA-256 (hexadecimal).
    pub fn package(&self, sha256: &str) -> Option<Bytes> {
        self.inner.packages.get(sha256)
    }

    /// Looks at the state, or changes what need not be durable. Never run a function inside: it would
    /// stop everybody else.
    pub fn with_world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        look(&mut self.lock())
    }

    /// Changes the state and makes the change durable before it returns. A change that fails, or that
    /// cannot be written, is undone; the outer error is the one of writing.
    pub fn change_world<R, E>(
        &self,
        change: impl FnOnce(&mut World) -> Result<R, E>,
    ) -> io::Result<Result<R, E>> {
        let mut world = self.lock();
        let before = world.clone();
        let result = change(&mut world);
        if result.is_err() {
            *world = before;
        } else if let Some(directory) = &self.inner.directory
            && let Err(error) = write_world(directory, &world)
        {
            *world = before;
            return Err(error);
        } else {
            self.inner.copies.changed(&self.inner.options.switches, self.inner.clock.now(), before);
        }
        let orphans = self.inner.hosts.take_orphans(|function| {
            let regional = world.regions.get(&function.region);
            let known = regional.and_then(|regional| regional.lambda.functions.get(&function.name));
            known.is_none_or(|known| known.id != function.id)
        });
        drop(world);
        // Unlocked: ending a process waits for it.
        drop(orphans);
        Ok(result)
    }

    /// Appends lines of a function's output to a log stream, when the group is there; a function whose
    /// group is gone loses its output, as on AWS with a role that may not create groups.
    pub fn log_lines(&self, region: &str, group: &str, stream: &str, lines: &[String]) {
        let now = self.inner.clock.now();
        self.with_world(|world| world.region(region).logs.append_lines(group, stream, lines, now));
    }

    /// Runs a function, as [`Target::run`], and returns how it ended.
    pub fn invoke(&self, function: &Invokable, event: Bytes, limit: Duration) -> Invoked {
        self.run(function, event, limit).invoked
    }

    /// Runs a function, counts it, and puts what it printed into its log group. Blocks for at most about
    /// `limit`; the state is not locked.
    pub fn run(&self, function: &Invokable, event: Bytes, limit: Duration) -> Invocation {
        let package = || self.package(&function.package).ok_or_else(|| io::ErrorKind::NotFound.into());
        let invocation = self.inner.hosts.invoke(function, package, event, limit);
        if invocation.started {
            let mut counts = self.inner.invocations.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry((function.region.clone(), function.function.clone())).or_default() += 1;
        }
        if let Some(group) = &function.log_group {
            self.log_lines(&function.region, group, &invocation.stream, &invocation.lines);
        }
        invocation
    }

    /// How often functions of this name were run, in all Regions together.
    pub fn invocations(&self, function: &str) -> u64 {
        let counts = self.inner.invocations.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().filter(|((_, name), _)| name == function).map(|(_, count)| count).sum()
    }

    /// Forgets everything in the account: roles, functions, authorizers, log groups, the refusal log,
    /// faults and counts. Access key, ports and the provider's keys stay.
    pub fn reset(&self) -> io::Result<()> {
        let Ok(()) = self.change_world(|world| {
            *world = World::default();
            Ok::<(), std::convert::Infallible>(())
        })?;
        self.inner.refusals.clear()?;
        // Locked: a function may have been created since, and its package is written under the same lock.
        self.with_world(|world| self.inner.packages.keep_only(&world.packages()))?;
        self.inner.faults.clear();
        self.inner.copies.forget();
        self.inner.guard.lift();
        self.inner.issuers.clear();
        self.inner.gateway.broker.drop_messages(false);
        self.inner.invocations.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        // A panic while it was locked is a bug of one call; the state of the others is still good.
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Log lines are not written one by one; what is lost when this fails is a function's output.
        if let Some(directory) = &self.directory
            && let Some(saved) = Saved::of(self.world.get_mut().unwrap_or_else(PoisonError::into_inner))
        {
            let _ = directory.write_json(EVENTS, &saved);
        }
    }
}

/// What differs between a target in memory and one in a directory.
struct Parts {
    world: World,
    directory: Option<StateDirectory>,
    packages: PackageStore,
    credentials: Credentials,
    provider: Provider,
}

fn read_world(directory: &StateDirectory) -> Result<World, OpenError> {
    let Some(file) = directory.read_json::<StateFile<serde_json::Value>>("state.json")? else {
        return Ok(World::default());
    };
    let damaged = |because: String| OpenError::Damaged { path: directory.path().join("state.json"), because };
    if file.version != STATE_VERSION {
        return Err(damaged(format!(
            "its form is version {}, this program reads {STATE_VERSION}",
            file.version
        )));
    }
    serde_json::from_value(file.world).map_err(|error| damaged(shape_problem(&error)))
}

/// Takes the log events that the last target left when it ended in order. The file goes: after a kill it would
/// bring back what was deleted since.
fn read_events(directory: &StateDirectory, world: &mut World) -> Result<(), OpenError> {
    if let Some(saved) = directory.read_json::<Saved>(EVENTS)? {
        saved.restore(world);
        directory
            .remove(EVENTS)
            .map_err(|source| OpenError::Io { path: directory.path().join(EVENTS), source })?;
    }
    Ok(())
}

/// What is wrong, without the value that a serde message may quote.
fn shape_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once('`') {
        Some(("missing field ", rest)) => format!("missing field `{rest}"),
        _ => "a value has an unexpected type".to_owned(),
    }
}

fn write_world(directory: &StateDirectory, world: &World) -> io::Result<()> {
    directory.write_json("state.json", &StateFile { version: STATE_VERSION, world })
}

#[cfg(test)]
mod tests;
