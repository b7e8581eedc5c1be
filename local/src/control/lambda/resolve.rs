//! From an ARN to something that can be run, or the reason why not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use thiserror::Error;

use super::policy::Caller;
use super::reference::Reference;
use super::role;
use super::state::{Architecture, Function, Milliseconds, Settings};
use crate::lambda_host::Invokable;
use crate::random;
use crate::state::World;
use crate::target::ACCOUNT;

/// Why a function cannot be run. The text is for the target's log; AWS hides most of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotInvokable {
    /// The text is no function ARN.
    #[error("{0} is not the ARN of a Lambda function")]
    NotAFunctionArn(String),
    /// The ARN is of another Region or account.
    #[error("{0} is in another Region or account than its caller")]
    Elsewhere(String),
    /// No such function.
    #[error("function not found: {0}")]
    FunctionMissing(String),
    /// The function has no such version or alias.
    #[error("function {function} has no version or alias {qualifier}")]
    QualifierMissing {
        /// The function's name.
        function: String,
        /// What was asked for.
        qualifier: String,
    },
    /// It is still being created.
    #[error("function {0} is Pending: it is being created")]
    Pending(String),
    /// The role is gone.
    #[error("the role {0} of the function does not exist")]
    RoleMissing(String),
    /// The role was deleted and made again: same ARN, another identity.
    #[error("the role {0} was deleted and created again since it was set on the function: set it again")]
    RoleReplaced(String),
    /// The role's trust policy does not name Lambda any more.
    #[error("the role {0} does not trust lambda.amazonaws.com")]
    RoleDistrusts(String),
    /// Reserved concurrency is 0.
    #[error("function {0} has a reserved concurrency of 0: every invocation is throttled")]
    Throttled(String),
    /// A managed runtime.
    #[error("the local target only runs provided.* bootstraps, and the runtime is {0}")]
    OtherRuntime(String),
    /// The package is for another machine.
    #[error("the package is for {package}, and this machine is {host}")]
    OtherArchitecture {
        /// The function's architecture.
        package: &'static str,
        /// This machine's.
        host: &'static str,
    },
}

/// What runs when `function_arn` (with or without a qualifier) is invoked in `region` at `now`.
pub fn resolve(
    world: &World,
    region: &str,
    function_arn: &str,
    now: SystemTime,
) -> Result<Invokable, NotInvokable> {
    let reference = reference_of(region, function_arn)?;
    let missing = || NotInvokable::FunctionMissing(function_arn.to_owned());
    let state = &world.regions.get(region).ok_or_else(missing)?.lambda;
    let function = state.functions.get(&reference.name).ok_or_else(missing)?;
    resolve_in(world, function, reference.qualifier.as_deref(), region, milliseconds(now))
}

/// Whether the resource policy of exactly that qualifier lets the service `principal` invoke it.
pub fn may_invoke(
    world: &World,
    region: &str,
    function_arn: &str,
    principal: &str,
    source_arn: &str,
    source_account: &str,
) -> bool {
    let Ok(reference) = reference_of(region, function_arn) else { return false };
    let qualifier = reference.qualifier.unwrap_or_default();
    let caller = Caller { service: principal, source_arn, source_account };
    world
        .regions
        .get(region)
        .and_then(|regional| regional.lambda.functions.get(&reference.name))
        .and_then(|function| function.policies.get(&qualifier))
        .is_some_and(|policy| policy.allows(caller, function_arn))
}

/// The function that a whole ARN of this Region names.
fn reference_of(region: &str, arn: &str) -> Result<Reference, NotInvokable> {
    let reference = Reference::parse(arn)
        .filter(|reference| {
            arn.starts_with("arn:") && reference.region.is_some() && reference.account.is_some()
        })
        .ok_or_else(|| NotInvokable::NotAFunctionArn(arn.to_owned()))?;
    if reference.region.as_deref() != Some(region) || reference.account.as_deref() != Some(ACCOUNT) {
        return Err(NotInvokable::Elsewhere(arn.to_owned()));
    }
    Ok(reference)
}

/// What runs when this qualifier of the function is invoked.
pub(super) fn resolve_in(
    world: &World,
    function: &Function,
    qualifier: Option<&str>,
    region: &str,
    now: Milliseconds,
) -> Result<Invokable, NotInvokable> {
    let chosen = weighted(function, qualifier);
    let Some((number, version)) = function.version(chosen.or(qualifier)) else {
        return Err(NotInvokable::QualifierMissing {
            function: function.name.clone(),
            qualifier: qualifier.unwrap_or_default().to_owned(),
        });
    };
    if version.is_pending(now) {
        return Err(NotInvokable::Pending(function.name.clone()));
    }
    if function.reserved_concurrency == Some(0) {
        return Err(NotInvokable::Throttled(function.name.clone()));
    }
    let settings = version.serving(now);
    let role = role::of(world, settings)?;
    can_run_here(settings)?;
    let group = &settings.logging.group;
    Ok(Invokable {
        arn: super::reference::arn(region, ACCOUNT, &function.name, qualifier),
        region: region.to_owned(),
        function: function.name.clone(),
        function_id: function.id.clone(),
        role_id: settings.role_id.clone(),
        version: number,
        package: settings.code.sha256_hex.clone(),
        environment: settings.environment.clone().unwrap_or_default().0,
        timeout: Duration::from_secs(u64::from(settings.timeout_seconds)),
        memory_mb: settings.memory_mb,
        handler: settings.handler.clone(),
        log_group: role::may_log(role, region, ACCOUNT, group).then(|| group.clone()),
        concurrency_max: function.reserved_concurrency,
    })
}

/// The second version of an alias, for its share of the invocations.
fn weighted<'a>(function: &'a Function, qualifier: Option<&str>) -> Option<&'a str> {
    let (number, weight) = function.aliases.get(qualifier?)?.routing.first_key_value()?;
    let draw = f64::from(u32::from_le_bytes(random::bytes())) / 2_f64.powi(32);
    (draw < *weight).then_some(number)
}

/// A real Lambda has every runtime and both architectures; this machine has one.
fn can_run_here(settings: &Settings) -> Result<(), NotInvokable> {
    if !settings.runtime.starts_with("provided.") {
        return Err(NotInvokable::OtherRuntime(settings.runtime.clone()));
    }
    if Architecture::of_host() == Some(settings.architecture) {
        return Ok(());
    }
    let (package, host) = (settings.architecture.as_str(), std::env::consts::ARCH);
    Err(NotInvokable::OtherArchitecture { package, host })
}

/// The target's time in Lambda's unit.
pub(super) fn milliseconds(now: SystemTime) -> Milliseconds {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Milliseconds::try_from(since.as_millis()).unwrap_or(Milliseconds::MAX)
}
