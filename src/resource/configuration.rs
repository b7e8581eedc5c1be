//! A function's configuration, as `$LATEST` and each published version carry it.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_lambda::types::{self as sdk, EphemeralStorage, FunctionConfiguration};

use super::change::Impact;
use super::compare::Comparison;
use super::facts::{Environment, Facts, Value};
use super::{Action, Resource, role};
use crate::keys::Secret;
use crate::stack::{Architecture, mark_of_hash};

/// The runtime of a Rust binary. It has glibc 2.34.
pub(crate) const RUNTIME: &str = "provided.al2023";
/// A function made of a zip; one made of an image stays that.
const PACKAGE_TYPE: &str = "Zip";
/// The program in the package that the runtime starts.
pub(crate) const HANDLER: &str = "bootstrap";
/// AWS IoT waits 5 s for an authorizer; a longer run would be for nobody.
pub(crate) const TIMEOUT_SECONDS: u16 = 5;
/// AWS's smallest, and more than an authorizer needs.
const TEMPORARY_STORAGE_MB: i32 = 512;

/// What the stack asks of the function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The execution role's ARN.
    pub role_arn: String,
    /// The role's unique id: a role of the same name made anew is another role, and the grant of the
    /// old one is dead.
    pub role_id: Value<String>,
    /// Whose function it is; part of its description.
    pub owner: String,
    /// The processor.
    pub architecture: Architecture,
    /// Memory in MB.
    pub memory_mb: u16,
    /// The environment.
    pub environment: Variables,
    /// The log group's name.
    pub log_group: String,
}

/// The environment that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variables {
    /// Every variable, known.
    Known(BTreeMap<String, Variable>),
    /// The names only.
    Unseen {
        /// The names that must be there.
        names: Vec<String>,
        /// Which secret is missing.
        because: String,
    },
}

/// A variable's value with its fingerprint, by which it is compared.
#[derive(Clone)]
pub struct Variable {
    /// The value.
    pub value: Secret,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
}

impl Variable {
    /// With its fingerprint.
    pub fn new(value: Secret) -> Self {
        let fingerprint = Fingerprint::of(value.expose());
        Self { value, fingerprint }
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Variable")
    }
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Variable {}

/// SHA-256 of a variable's value. Not shown: a short secret could be guessed from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a value.
    pub fn of(value: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, value.as_bytes()).as_ref());
        Self(bytes)
    }

    /// What may be written down of it.
    pub fn mark(&self) -> String {
        mark_of_hash(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Fingerprint")
    }
}

/// What `$LATEST` or a version has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `CodeSha256`, base64.
    pub code_sha256: String,
    /// The execution role's ARN.
    pub role_arn: String,
    /// The runtime.
    pub runtime: String,
    /// The handler.
    pub handler: String,
    /// The processor.
    pub architecture: String,
    /// Memory in MB.
    pub memory_mb: i32,
    /// The longest run.
    pub timeout_seconds: i32,
    /// The environment's names and fingerprints; or why AWS does not show it.
    pub environment: Result<BTreeMap<String, Fingerprint>, String>,
    /// The log group's name.
    pub log_group: String,
    /// `Text` or `JSON`.
    pub log_format: String,
    /// The description.
    pub description: String,
    /// What an authorizer has no use for, each as `what: value`: layers, networks, file systems, dead
    /// letters, tracing, a key, more temporary storage, snapshots.
    pub extras: Vec<String>,
    /// What an authorizer has no use for and a function has for life, each as `what: value`: isolation of
    /// tenants, managed instances, durable executions.
    pub fixed_extras: Vec<String>,
    /// `Zip` or `Image`.
    pub package_type: String,
}

impl Found {
    /// Whether a function has what only another function can be without: it is replaced.
    pub(crate) fn is_fixed(&self) -> bool {
        self.package_type != PACKAGE_TYPE || !self.fixed_extras.is_empty()
    }
}

/// What the stack asks for.
pub(crate) fn desired(facts: &Facts) -> Configuration {
    let function = &facts.stack.function;
    let environment = match &facts.environment {
        Environment::Known(variables) => Variables::Known(
            variables.iter().map(|(name, value)| (name.clone(), Variable::new(value.clone()))).collect(),
        ),
        Environment::Unseen { names, because } => {
            Variables::Unseen { names: names.clone(), because: because.clone() }
        }
    };
    Configuration {
        role_arn: facts.identity.role_arn(),
        role_id: role_id(facts),
        owner: facts.identity.owner(),
        architecture: function.architecture.unwrap_or(Architecture::X8664),
        memory_mb: function.memory_mb,
        environment,
        log_group: facts.identity.log_group().to_string(),
    }
}

/// The id of the role that there is, unless the role's own step makes another.
fn role_id(facts: &Facts) -> Value<String> {
    let live = facts.live.role.as_ref();
    let change = role::Role::diff(role::Role::desired(facts).as_ref(), live);
    match live {
        Some(live) if change.action != Action::Replace => Value::Known(live.id.clone()),
        _ => Value::Later { because: "the role is made by an earlier step" },
    }
}

impl Configuration {
    /// The function's description. It carries the role's id, so that a new role makes a new version:
    /// AWS publishes one only when code or configuration changed.
    pub(crate) fn description(&self, role_id: &str) -> String {
        format!("thinggate {}, role {role_id}", self.owner)
    }
}

/// Compares a configuration with what is wanted; field names begin with `prefix`.
pub(crate) fn compare(comparison: &mut Comparison, prefix: &str, desired: &Configuration, live: &Found) {
    let Found {
        // Compared by the caller, who knows what the code should be.
        code_sha256: _,
        role_arn,
        runtime,
        handler,
        architecture,
        memory_mb,
        timeout_seconds,
        environment,
        log_group,
        log_format,
        description,
        extras,
        fixed_extras,
        package_type,
    } = live;
    let name = |field: &str| format!("{prefix}{field}");
    comparison.field(&name("role"), None, role_arn, &desired.role_arn);
    if package_type != PACKAGE_TYPE {
        comparison.immutable(Impact::All, &name("package type"), None, package_type.clone(), PACKAGE_TYPE);
    }
    comparison.field(&name("runtime"), None, runtime.as_str(), RUNTIME);
    comparison.field(&name("handler"), None, handler.as_str(), HANDLER);
    let wanted = desired.architecture.as_str();
    comparison.field(&name("architecture"), Some("function.architecture"), architecture.as_str(), wanted);
    let wanted = i32::from(desired.memory_mb);
    comparison.field(&name("memory_mb"), Some("function.memory_mb"), memory_mb, &wanted);
    comparison.field(&name("timeout_seconds"), None, timeout_seconds, &i32::from(TIMEOUT_SECONDS));
    comparison.field(&name("log group"), None, log_group, &desired.log_group);
    comparison.field(&name("log format"), None, log_format.as_str(), "Text");
    comparison.none_of(&name("extra"), extras);
    for extra in fixed_extras {
        comparison.immutable(Impact::All, &name("extra"), None, extra.clone(), "none");
    }
    match &desired.role_id {
        Value::Known(id) => {
            comparison.field(&name("description"), None, description, &desired.description(id));
        }
        Value::Later { because } => {
            comparison.differs(Impact::None, &name("role id"), None, description.clone(), *because);
        }
    }
    compare_environment(comparison, prefix, &desired.environment, environment);
}

fn compare_environment(
    comparison: &mut Comparison,
    prefix: &str,
    desired: &Variables,
    live: &Result<BTreeMap<String, Fingerprint>, String>,
) {
    let name = |variable: &str| format!("{prefix}environment.{variable}");
    let key = Some("token");
    let live = match live {
        Ok(live) => live,
        Err(because) => return comparison.unseen(&format!("{prefix}environment"), because.clone()),
    };
    let names: Vec<&String> = match desired {
        Variables::Known(variables) => variables.keys().collect(),
        Variables::Unseen { names, .. } => names.iter().collect(),
    };
    for variable in &names {
        let wanted = match desired {
            Variables::Known(variables) => variables.get(*variable).map(|variable| variable.fingerprint),
            Variables::Unseen { .. } => None,
        };
        match (live.get(*variable), wanted) {
            (None, _) => comparison.differs(Impact::None, &name(variable), key, "none", "(set)"),
            (Some(found), Some(wanted)) if *found != wanted => {
                // Another secret refuses every token that the old one signed.
                let impact = Impact::NewConnections;
                comparison.differs(impact, &name(variable), key, "(another value)", "(set)");
            }
            (Some(_), Some(_)) => {}
            (Some(_), None) => {
                if let Variables::Unseen { because, .. } = desired {
                    comparison.unseen(&name(variable), because.clone());
                }
            }
        }
    }
    for extra in live.keys().filter(|variable| !names.contains(variable)) {
        comparison.differs(Impact::None, &name(extra), None, "(set)", "none");
    }
}

impl Found {
    /// What the SDK gave back. Values of variables are kept as fingerprints only.
    pub(crate) fn from_sdk(answer: &FunctionConfiguration) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let logging = answer.logging_config();
        let architectures: Vec<&str> = answer.architectures().iter().map(sdk::Architecture::as_str).collect();
        Self {
            code_sha256: text(answer.code_sha256()),
            role_arn: text(answer.role()),
            runtime: text(answer.runtime().map(sdk::Runtime::as_str)),
            handler: text(answer.handler()),
            architecture: if architectures.is_empty() {
                Architecture::X8664.as_str().to_owned()
            } else {
                architectures.join(", ")
            },
            memory_mb: answer.memory_size().unwrap_or_default(),
            timeout_seconds: answer.timeout().unwrap_or_default(),
            environment: environment(answer),
            log_group: text(logging.and_then(|logging| logging.log_group())),
            log_format: logging
                .and_then(|logging| logging.log_format())
                .map_or_else(|| "Text".to_owned(), |format| format.as_str().to_owned()),
            description: text(answer.description()),
            extras: extras(answer),
            fixed_extras: fixed_extras(answer),
            package_type: answer.package_type().map_or(PACKAGE_TYPE, |kind| kind.as_str()).to_owned(),
        }
    }
}

fn environment(answer: &FunctionConfiguration) -> Result<BTreeMap<String, Fingerprint>, String> {
    let Some(environment) = answer.environment() else { return Ok(BTreeMap::new()) };
    if environment.error().is_some() {
        return Err("AWS cannot decrypt the environment for this caller: `kms:Decrypt` is missing".to_owned());
    }
    let variables = environment.variables();
    Ok(variables.into_iter().flatten().map(|(name, value)| (name.clone(), Fingerprint::of(value))).collect())
}

/// The temporary storage that every function has.
pub(crate) fn temporary_storage() -> EphemeralStorage {
    EphemeralStorage::builder().size(TEMPORARY_STORAGE_MB).build().expect("the size is set")
}

/// What an authorizer has no use for. Each could change what runs, or what it can reach.
fn extras(answer: &FunctionConfiguration) -> Vec<String> {
    let mut extras = Vec::new();
    for layer in answer.layers() {
        extras.push(format!("layer: {}", layer.arn().unwrap_or("unnamed")));
    }
    if let Some(network) = answer.vpc_config() {
        extras.extend(network.subnet_ids().iter().map(|subnet| format!("subnet: {subnet}")));
    }
    let dead_letter = answer.dead_letter_config().and_then(|config| config.target_arn());
    if let Some(target) = dead_letter.filter(|target| !target.is_empty()) {
        extras.push(format!("dead letter target: {target}"));
    }
    let tracing = answer.tracing_config().and_then(|tracing| tracing.mode()).map(sdk::TracingMode::as_str);
    if let Some(mode) = tracing.filter(|mode| *mode != "PassThrough") {
        extras.push(format!("tracing: {mode}"));
    }
    for system in answer.file_system_configs() {
        extras.push(format!("file system: {}", system.arn()));
    }
    let storage = answer.ephemeral_storage().map(EphemeralStorage::size);
    if let Some(size) = storage.filter(|size| *size != TEMPORARY_STORAGE_MB) {
        extras.push(format!("temporary storage: {size} MB"));
    }
    if let Some(key) = answer.kms_key_arn().filter(|key| !key.is_empty()) {
        extras.push(format!("key: {key}"));
    }
    let snapshots = answer.snap_start().and_then(|snapshots| snapshots.apply_on());
    if let Some(mode) = snapshots.map(sdk::SnapStartApplyOn::as_str).filter(|mode| *mode != "None") {
        extras.push(format!("snapshots: {mode}"));
    }
    extras
}

/// What cannot be taken from a function: `UpdateFunctionConfiguration` has no tenancy (botocore 1.43.11), and of
/// the other two it changes only details (Lambda developer guide, "Lambda Managed Instances" and "Durable
/// functions"). AWS IoT names no tenant, so an isolated function refuses every authorization.
fn fixed_extras(answer: &FunctionConfiguration) -> Vec<String> {
    let mut extras = Vec::new();
    if let Some(tenancy) = answer.tenancy_config() {
        extras.push(format!("tenant isolation: {}", tenancy.tenant_isolation_mode().as_str()));
    }
    if let Some(provider) = answer.capacity_provider_config() {
        let instances = provider.lambda_managed_instances_capacity_provider_config();
        let arn = instances.map_or("unnamed", |instances| instances.capacity_provider_arn());
        extras.push(format!("capacity provider: {arn}"));
    }
    if let Some(durable) = answer.durable_config() {
        let seconds = durable.execution_timeout().unwrap_or_default();
        extras.push(format!("durable executions: up to {seconds} s"));
    }
    extras
}
