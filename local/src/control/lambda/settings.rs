//! The configuration that a request asks for: read, checked, laid over what is there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::errors::{Violations, invalid_parameter};
use super::runtime;
use super::state::{Architecture, Environment, Logging, Settings};
use crate::control::ServiceError;

/// All variables together, as compact JSON. (aws-facts 3.1)
const ENVIRONMENT_BYTES_MAX: usize = 4096;

/// Names that Lambda sets itself. Source: Lambda developer guide, `configuration-envvars`, "Defined
/// runtime environment variables".
const RESERVED_VARIABLES: [&str; 17] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
];

/// The members that `CreateFunction` and `UpdateFunctionConfiguration` share.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Wanted {
    pub(super) runtime: Option<String>,
    pub(super) role: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) description: Option<String>,
    pub(super) timeout: Option<i64>,
    pub(super) memory_size: Option<i64>,
    pub(super) ephemeral_storage: Option<EphemeralStorage>,
    pub(super) environment: Option<WantedEnvironment>,
    pub(super) tracing_config: Option<Tracing>,
    pub(super) logging_config: Option<WantedLogging>,
    pub(super) snap_start: Option<SnapStart>,
    // Kept as given, to refuse what the local target has not.
    vpc_config: Option<Value>,
    dead_letter_config: Option<Value>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<Value>,
    layers: Option<Value>,
    file_system_configs: Option<Value>,
    image_config: Option<Value>,
    code_signing_config_arn: Option<Value>,
    capacity_provider_config: Option<Value>,
    durable_config: Option<Value>,
    tenancy_config: Option<Value>,
}

/// `EphemeralStorage`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EphemeralStorage {
    size: Option<i64>,
}

/// `Environment`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WantedEnvironment {
    variables: Option<BTreeMap<String, String>>,
}

/// `TracingConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tracing {
    mode: Option<String>,
}

/// `SnapStart`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SnapStart {
    apply_on: Option<String>,
}

/// `LoggingConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WantedLogging {
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: Option<String>,
}

impl Wanted {
    /// Refuses what the model forbids, and what the local target has not.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let mut violations = Violations::default();
        self.check_texts(&mut violations);
        self.check_numbers(&mut violations);
        self.check_choices(&mut violations);
        violations.refuse()?;
        self.check_what_is_not_here()?;
        if let Some(runtime) = &self.runtime {
            runtime::check(runtime)?;
        }
        match self.environment.as_ref().and_then(|environment| environment.variables.as_ref()) {
            Some(variables) => check_variables(variables),
            None => Ok(()),
        }
    }

    fn check_texts(&self, violations: &mut Violations) {
        if let Some(role) = &self.role {
            let constraint = r"satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
            violations.check(is_role_arn(role), "role", role, constraint);
        }
        if let Some(handler) = &self.handler {
            let good = !handler.is_empty() && !handler.contains(char::is_whitespace);
            violations.check(good, "handler", handler, r"satisfy regular expression pattern: [^\s]+");
            let short = handler.chars().count() <= 128;
            violations.check(short, "handler", handler, "have length less than or equal to 128");
        }
        if let Some(description) = &self.description {
            let short = description.chars().count() <= 256;
            violations.check(short, "description", description, "have length less than or equal to 256");
        }
        let group = self.logging_config.as_ref().and_then(|logging| logging.log_group.as_ref());
        if let Some(group) = group {
            let good = (1..=512).contains(&group.len())
                && group.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c));
            let constraint = r"satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+";
            violations.check(good, "loggingConfig.logGroup", group, constraint);
        }
        let variables = self.environment.as_ref().and_then(|environment| environment.variables.as_ref());
        if variables.is_some_and(|variables| variables.keys().any(|name| !is_variable_name(name))) {
            // The shape is sensitive: AWS does not show the name.
            violations.add(
                "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy \
                 constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
                    .to_owned(),
            );
        }
    }

    fn check_numbers(&self, violations: &mut Violations) {
        let storage = self.ephemeral_storage.as_ref().and_then(|storage| storage.size);
        if storage.is_none() && self.ephemeral_storage.is_some() {
            violations.missing("ephemeralStorage.size");
        }
        let numbers = [
            ("timeout", self.timeout, 1, 900),
            ("memorySize", self.memory_size, 128, 10_240),
            ("ephemeralStorage.size", storage, 512, 10_240),
        ];
        for (member, number, least, most) in numbers {
            let Some(number) = number else { continue };
            let text = number.to_string();
            let constraint = format!("have value greater than or equal to {least}");
            violations.check(number >= least, member, &text, &constraint);
            let constraint = format!("have value less than or equal to {most}");
            violations.check(number <= most, member, &text, &constraint);
        }
    }

    fn check_choices(&self, violations: &mut Violations) {
        let logging = self.logging_config.as_ref();
        let levels: &[&str] = &["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        let choices: [(&str, Option<&String>, &[&str]); 5] = [
            (
                "tracingConfig.mode",
                self.tracing_config.as_ref().and_then(|tracing| tracing.mode.as_ref()),
                &["Active", "PassThrough"],
            ),
            (
                "snapStart.applyOn",
                self.snap_start.as_ref().and_then(|snap_start| snap_start.apply_on.as_ref()),
                &["PublishedVersions", "None"],
            ),
            (
                "loggingConfig.logFormat",
                logging.and_then(|logging| logging.log_format.as_ref()),
                &["JSON", "Text"],
            ),
            (
                "loggingConfig.applicationLogLevel",
                logging.and_then(|logging| logging.application_log_level.as_ref()),
                levels,
            ),
            (
                "loggingConfig.systemLogLevel",
                logging.and_then(|logging| logging.system_log_level.as_ref()),
                &["DEBUG", "INFO", "WARN"],
            ),
        ];
        for (member, choice, set) in choices {
            let Some(choice) = choice else { continue };
            let constraint = format!("satisfy enum value set: [{}]", set.join(", "));
            violations.check(set.contains(&choice.as_str()), member, choice, &constraint);
        }
    }

    /// Whatever would be accepted here and then not be there is refused instead.
    fn check_what_is_not_here(&self) -> Result<(), ServiceError> {
        // These two have members that they must have, so an empty one says something too.
        let whole = [
            ("CapacityProviderConfig", &self.capacity_provider_config),
            ("TenancyConfig", &self.tenancy_config),
        ];
        let members = [
            ("VpcConfig", &self.vpc_config),
            ("DeadLetterConfig", &self.dead_letter_config),
            ("KMSKeyArn", &self.kms_key_arn),
            ("Layers", &self.layers),
            ("FileSystemConfigs", &self.file_system_configs),
            ("ImageConfig", &self.image_config),
            ("CodeSigningConfigArn", &self.code_signing_config_arn),
            ("DurableConfig", &self.durable_config),
        ];
        let given = members
            .iter()
            .filter(|(_, value)| value.as_ref().is_some_and(says_something))
            .chain(whole.iter().filter(|(_, value)| value.is_some()))
            .next();
        if let Some((member, _)) = given {
            return Err(invalid_parameter(format!("The local target has no {member}.")));
        }
        // Levels go with JSON. What AWS writes then, and what it leaves out, is documented in parts only.
        let has_json = |logging: &WantedLogging| {
            let levels = [&logging.application_log_level, &logging.system_log_level];
            logging.log_format.as_deref() == Some("JSON") || levels.iter().any(|level| level.is_some())
        };
        if self.logging_config.as_ref().is_some_and(has_json) {
            let text =
                "The local target has no LoggingConfig with LogFormat JSON or log levels: it logs Text.";
            return Err(invalid_parameter(text));
        }
        Ok(())
    }

    /// The settings that a new function gets, or a changed one: what is not given stays as `before` has it.
    pub(super) fn lay_over(self, before: Settings) -> Settings {
        let Self { runtime, role, handler, description, timeout, memory_size, .. } = self;
        let number = |given: Option<i64>, before: u32| {
            given.and_then(|number| u32::try_from(number).ok()).unwrap_or(before)
        };
        Settings {
            description: description.unwrap_or(before.description),
            runtime: runtime.unwrap_or(before.runtime),
            role: role.unwrap_or(before.role),
            role_id: before.role_id,
            handler: handler.unwrap_or(before.handler),
            timeout_seconds: number(timeout, before.timeout_seconds),
            memory_mb: number(memory_size, before.memory_mb),
            ephemeral_storage_mb: number(
                self.ephemeral_storage.and_then(|storage| storage.size),
                before.ephemeral_storage_mb,
            ),
            environment: match self.environment {
                // Replaced as a whole. (aws-facts 3.2)
                Some(environment) => Some(Environment(environment.variables.unwrap_or_default())),
                None => before.environment,
            },
            architecture: before.architecture,
            code: before.code,
            logging: match self.logging_config.and_then(|logging| logging.log_group) {
                Some(group) => Logging { group },
                None => before.logging,
            },
            tracing_active: match self.tracing_config.and_then(|tracing| tracing.mode) {
                Some(mode) => mode == "Active",
                None => before.tracing_active,
            },
            snap_start: match self.snap_start.and_then(|snap_start| snap_start.apply_on) {
                Some(apply_on) => apply_on == "PublishedVersions",
                None => before.snap_start,
            },
        }
    }
}

/// A value with content: not null, not an empty list, and not a structure of such.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(says_something),
    }
}

/// `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`
fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts[..] else { return false };
    let Some(name) = resource.strip_prefix("role") else { return false };
    let name = name.strip_prefix('/').unwrap_or(name);
    (partition.is_empty() || partition.starts_with("aws"))
        && account.len() == 12
        && account.chars().all(|c| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c))
}

/// `[a-zA-Z]([a-zA-Z0-9_])+`; names that Lambda reserves may begin with `_`, and get their own refusal.
fn is_variable_name(name: &str) -> bool {
    let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic()) || RESERVED_VARIABLES.contains(&name);
    word && starts && name.len() >= 2
}

/// Reserved names, then the size. The text of the second shows all values: as AWS's does \[R\].
fn check_variables(variables: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED_VARIABLES.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables \
             you have provided contains reserved keys that are currently not supported for modification. \
             Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = serde_json::json!(variables).to_string();
    if measured.len() > ENVIRONMENT_BYTES_MAX {
        return Err(invalid_parameter(format!(
            "Lambda was unable to configure your environment variables because the environment variables \
             you have provided exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

/// `Architectures`, when given: exactly one.
pub(super) fn architecture(given: Option<&[String]>) -> Result<Option<Architecture>, ServiceError> {
    let Some(given) = given else { return Ok(None) };
    let mut violations = Violations::default();
    let shown = format!("[{}]", given.join(", "));
    violations.check(given.len() <= 1, "architectures", &shown, "have length less than or equal to 1");
    violations.check(!given.is_empty(), "architectures", &shown, "have length greater than or equal to 1");
    let known = |name: &String| match name.as_str() {
        "x86_64" => Some(Architecture::X86),
        "arm64" => Some(Architecture::Arm),
        _ => None,
    };
    violations.check(
        given.iter().all(|name| known(name).is_some()),
        "architectures",
        &shown,
        "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    );
    violations.refuse()?;
    Ok(given.first().and_then(known))
}
