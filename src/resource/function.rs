//! The Lambda function's `$LATEST`: a staging area. Devices are served by the release behind it.
//!
//! Configuration and code are two calls that must not overlap. Lambda remembers the role by its unique
//! id without showing it, so the id is kept in a tag, written after the configuration, and in the
//! description, so that a new role also makes a new version.

mod beside;
mod settle;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types as sdk;

use super::compare::Comparison;
use super::configuration::{self, Configuration, Found, HANDLER, TIMEOUT_SECONDS, Variables};
use super::facts::Value;
use super::made::made;
use super::record::Record;
use super::release::needs_package;
use super::{Action, Change, Facts, Impact, Kind, Owner, Resource, not_ours, role};
use crate::aws::retry::{FUNCTION_GONE, FUNCTION_SEEN};
use crate::aws::wait::Look;
use crate::aws::{Aws, Fault, upload_limits};
use crate::build::{InputsHash, Package};
use crate::names::{FunctionName, Identity, ROLE_ID_TAG, RoleName};
use crate::problem::Problem;
pub use beside::Beside;
use settle::settle;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: FunctionName,
    /// The role whose id it remembers.
    pub role: RoleName,
    /// Its configuration.
    pub configuration: Configuration,
    /// Its code.
    pub code: Code,
    /// The tags that count, without the role's id.
    pub tags: BTreeMap<String, String>,
    /// To judge what is found under its name.
    pub identity: Identity,
}

/// The code that should be there, as far as this reader knows.
#[derive(Clone, PartialEq, Eq)]
pub enum Code {
    /// A package to upload, if it is not there yet.
    Package(Arc<Package>),
    /// What the live release records: made from the same inputs.
    Recorded(Record),
    /// Made from other inputs than the live release, and this command never builds.
    NotBuilt {
        /// What it would be made from.
        inputs: InputsHash,
        /// What the live release records.
        record: Option<Record>,
    },
    /// There is nothing to make it from here.
    Unseen {
        /// Why.
        because: String,
        /// What the live release records.
        record: Option<Record>,
    },
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Its ARN without a qualifier.
    pub arn: String,
    /// Configuration and code of `$LATEST`.
    pub configuration: Found,
    /// `Active`, `Pending`, `Failed`, …
    pub state: String,
    /// `Successful`, `InProgress`, `Failed`; empty on a new function.
    pub last_update: String,
    /// Executions reserved for it; 0 switches it off.
    pub reserved_concurrency: Option<i32>,
    /// Other ways to call it, and what keeps it warm.
    pub beside: Box<Beside>,
    /// All tags; `None` when this caller may not list them.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whose it is.
    pub owner: Owner,
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(package) => write!(formatter, "Package({})", package.code_sha256),
            Self::Recorded(record) => write!(formatter, "Recorded({})", record.package),
            Self::NotBuilt { inputs, .. } => write!(formatter, "NotBuilt({})", inputs.0),
            Self::Unseen { because, .. } => write!(formatter, "Unseen({because})"),
        }
    }
}

impl Code {
    /// What the facts say about the code.
    pub(crate) fn wanted(facts: &Facts) -> Self {
        let release = facts.live.release.as_ref();
        let record = release.and_then(|release| Record::parse(&release.description));
        let (inputs, package) = (&facts.code.inputs, &facts.code.package);
        match (package, record) {
            (Some(package), Some(record)) if needs_package(&facts.live, inputs.as_ref().ok()).is_none() => {
                // Equal inputs are equal, whoever built them.
                if inputs.is_ok() { Self::Recorded(record) } else { Self::Package(Arc::clone(package)) }
            }
            (Some(package), _) => Self::Package(Arc::clone(package)),
            (None, record) => match inputs {
                Err(because) => Self::Unseen { because: because.clone(), record },
                Ok(inputs) => match record {
                    Some(record) if record.inputs == *inputs => Self::Recorded(record),
                    record => Self::NotBuilt { inputs: inputs.clone(), record },
                },
            },
        }
    }

    /// `CodeSha256` of the code that should be there, where it is known.
    pub(crate) fn sha256(&self) -> Option<&str> {
        match self {
            Self::Package(package) => Some(&package.code_sha256),
            Self::Recorded(record) => Some(&record.package),
            Self::NotBuilt { record, .. } | Self::Unseen { record, .. } => {
                record.as_ref().map(|record| record.package.as_str())
            }
        }
    }

    pub(crate) fn package(&self) -> Result<&Package, Problem> {
        match self {
            Self::Package(package) => Ok(package),
            Self::Recorded(_) | Self::NotBuilt { .. } | Self::Unseen { .. } => {
                Err(Problem::failed("no_package", "there is no package to upload").next(
                    "run `thinggate deploy` where the authorizer's sources or a `function.bootstrap` are",
                ))
            }
        }
    }
}

impl Desired {
    /// The id that a role made by an earlier step cannot have: that of the role before it.
    fn stale_role_id<'a>(&self, live: Option<&'a Live>) -> Option<&'a str> {
        let tags = live.and_then(|live| live.tags.as_ref());
        let later = matches!(self.configuration.role_id, Value::Later { .. });
        tags.filter(|_| later)?.get(ROLE_ID_TAG).map(String::as_str)
    }
}

impl Resource for Function {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Function;

    fn desired(facts: &Facts) -> Option<Desired> {
        Some(Desired {
            name: facts.identity.function(),
            role: facts.identity.role(),
            configuration: configuration::desired(facts),
            code: Code::wanted(facts),
            tags: super::tags(facts),
            identity: facts.identity.clone(),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            (None, Some(_)) => return Change::delete(Impact::All),
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            // Read under the wanted name.
            name: _,
            // Derived from the name.
            arn: _,
            configuration,
            state,
            last_update,
            reserved_concurrency,
            beside,
            tags,
            // Judged before any write, by the plan.
            owner: _,
        } = live;
        let mut comparison = Comparison::new();
        configuration::compare(&mut comparison, "", &desired.configuration, configuration);
        if let Some(wanted) = desired.code.sha256() {
            comparison.field("code", None, configuration.code_sha256.as_str(), wanted);
        }
        if state == "Failed" {
            comparison.differs(Impact::None, "state", None, state.clone(), "Active");
        }
        if last_update == "Failed" {
            comparison.differs(Impact::None, "last update", None, last_update.clone(), "Successful");
        }
        if let Some(reserved) = reserved_concurrency {
            comparison.differs(Impact::None, "reserved concurrency", None, reserved.to_string(), "none");
        }
        beside::compare(&mut comparison, beside);
        match tags {
            Some(tags) => {
                comparison.tags(tags, &desired.tags);
                if let Value::Known(id) = &desired.configuration.role_id {
                    let found = tags.get(ROLE_ID_TAG).map_or("none", String::as_str);
                    comparison.field("role id", None, found, id.as_str());
                }
            }
            None => comparison.unseen("tags", "`lambda:ListTags` is missing"),
        }
        let change = comparison.finish();
        // Devices are served by the release; what happens to `$LATEST` they do not notice, but a function
        // that is made anew takes its release with it.
        let impact = if change.action == Action::Replace { Impact::All } else { Impact::None };
        Change { impact, ..change }
    }

    fn owner(live: &Live) -> Owner {
        live.owner.clone()
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let name = identity.function();
        read(aws, name.as_str(), identity).await.map_err(|fault| fault.problem(place(name.as_str())))
    }

    async fn apply(aws: &Aws, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        let name = desired.name.as_str();
        let place = place(name);
        let role_id = role::id(aws, &desired.role, desired.stale_role_id(live)).await?;
        let found;
        let live = if let Some(live) = live {
            live
        } else {
            let (create, read) = (|| create(aws, desired, &role_id), || Self::read(aws, &desired.identity));
            // Who may not list tags cannot see ours: what it made itself is its own.
            let owner = |live: &Live| live.tags.as_ref().map_or(Owner::Ours, |_| live.owner.clone());
            let made = made(aws, (&place, FUNCTION_SEEN), create, read, owner).await?;
            settle(aws, name).await?;
            if made.by_us {
                return Ok(());
            }
            found = made.live;
            &found
        };
        if let Owner::Foreign(owner) = &live.owner {
            return Err(not_ours(place, owner.as_deref()));
        }
        update(aws, desired, live, &role_id).await
    }

    /// Its versions, its alias and their policies go with it.
    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        let name = live.name.as_str();
        match aws.call("DeleteFunction", || aws.lambda.delete_function().function_name(name).send()).await {
            Err(fault) if !fault.not_found() => return Err(fault.problem(place(name))),
            _ => {}
        }
        aws.until(FUNCTION_GONE, || async {
            let request = || aws.lambda.get_function_configuration().function_name(name).send();
            match aws.call("GetFunctionConfiguration", request).await {
                Ok(_) => Ok(Look::NotYet),
                Err(fault) if fault.not_found() => Ok(Look::Yes(())),
                Err(fault) => Err(fault.problem(place(name))),
            }
        })
        .await
    }
}

fn place(name: &str) -> String {
    format!("function {name}")
}

async fn read(aws: &Aws, name: &str, identity: &Identity) -> Result<Option<Live>, Fault> {
    let request = || aws.lambda.get_function().function_name(name).send();
    // `Code.Location` is a link that whoever has it can use: dropped with the answer.
    let answer = match aws.call("GetFunction", request).await {
        Ok(answer) => answer,
        Err(fault) if fault.not_found() => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let found = answer.configuration().ok_or_else(|| Fault::odd("GetFunction"))?;
    let tags: Option<BTreeMap<String, String>> = match (answer.tags(), answer.tags_error()) {
        (_, Some(_)) => None,
        (tags, None) => {
            Some(tags.into_iter().flatten().map(|(tag, value)| (tag.clone(), value.clone())).collect())
        }
    };
    Ok(Some(Live {
        name: name.to_owned(),
        arn: identity.function_arn(),
        configuration: Found::from_sdk(found),
        state: found.state().map_or("", |state| state.as_str()).to_owned(),
        last_update: found.last_update_status().map_or("", |status| status.as_str()).to_owned(),
        reserved_concurrency: answer.concurrency().and_then(sdk::Concurrency::reserved_concurrent_executions),
        // On the heap: with the rest of a read it would not fit on the stack of a test's thread.
        beside: Box::new(Box::pin(beside::read(aws, name)).await?),
        owner: tags.as_ref().map_or(Owner::Foreign(None), |tags| Owner::by_tags(tags, identity)),
        tags,
    }))
}

/// Creates it with its tags; false if one of its name is there already.
async fn create(aws: &Aws, desired: &Desired, role_id: &str) -> Result<bool, Problem> {
    let place = place(desired.name.as_str());
    let package = desired.code.package().map_err(|problem| problem.at(place.clone()))?;
    let wanted = &desired.configuration;
    let environment = environment(&wanted.environment).map_err(|problem| problem.at(place.clone()))?;
    let mut tags: HashMap<String, String> = desired.tags.clone().into_iter().collect();
    tags.insert(ROLE_ID_TAG.to_owned(), role_id.to_owned());
    let zip = Blob::new(package.zip.clone());
    let request = || {
        aws.lambda
            .create_function()
            .function_name(desired.name.as_str())
            .description(wanted.description(role_id))
            .role(&wanted.role_arn)
            .runtime(sdk::Runtime::from(configuration::RUNTIME))
            .handler(HANDLER)
            .architectures(sdk::Architecture::from(wanted.architecture.as_str()))
            .memory_size(i32::from(wanted.memory_mb))
            .timeout(i32::from(TIMEOUT_SECONDS))
            .logging_config(logging(wanted))
            .set_environment(environment.clone())
            .code(sdk::FunctionCode::builder().zip_file(zip.clone()).build())
            .set_tags(Some(tags.clone()))
            .customize()
            .config_override(upload_limits())
            .send()
    };
    match aws.call("CreateFunction", request).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.already_exists() => Ok(false),
        Err(fault) => Err(fault.problem(place)),
    }
}

/// Configuration, then code, then the tags: the role's id is remembered only after Lambda has the role.
async fn update(aws: &Aws, desired: &Desired, live: &Live, role_id: &str) -> Result<(), Problem> {
    let name = desired.name.as_str();
    settle(aws, name).await?;
    let mut wanted = desired.configuration.clone();
    wanted.role_id = Value::Known(role_id.to_owned());
    let mut comparison = Comparison::new();
    configuration::compare(&mut comparison, "", &wanted, &live.configuration);
    let role_is_new =
        live.tags.as_ref().is_none_or(|tags| tags.get(ROLE_ID_TAG).is_none_or(|found| found != role_id));
    let failed = live.state == "Failed" || live.last_update == "Failed";
    if role_is_new || failed || !comparison.finish().differences.is_empty() {
        configure(aws, &desired.name, &wanted, role_id, &live.configuration).await?;
        settle(aws, name).await?;
    }
    let found = &live.configuration;
    let code_differs = desired.code.sha256().is_some_and(|wanted| wanted != found.code_sha256);
    if code_differs || found.architecture != wanted.architecture.as_str() {
        upload(aws, desired).await?;
        settle(aws, name).await?;
    }
    if live.reserved_concurrency.is_some() {
        let request = || aws.lambda.delete_function_concurrency().function_name(name).send();
        aws.call("DeleteFunctionConcurrency", request).await.map_err(|fault| fault.problem(place(name)))?;
    }
    beside::take_away(aws, name, &live.beside).await.map_err(|fault| fault.problem(place(name)))?;
    let mut tags = desired.tags.clone();
    tags.insert(ROLE_ID_TAG.to_owned(), role_id.to_owned());
    let none = BTreeMap::new();
    let missing = super::missing(live.tags.as_ref().unwrap_or(&none), &tags);
    if !missing.is_empty() {
        let missing: HashMap<String, String> = missing.into_iter().collect();
        let request = || aws.lambda.tag_resource().resource(&live.arn).set_tags(Some(missing.clone())).send();
        aws.call("TagResource", request).await.map_err(|fault| fault.problem(place(name)))?;
    }
    Ok(())
}

/// Sets the whole configuration; the role too, even if its ARN is the same: Lambda keeps its id. What
/// an authorizer has no use for is taken away only where it was found.
async fn configure(
    aws: &Aws,
    name: &FunctionName,
    wanted: &Configuration,
    role_id: &str,
    found: &Found,
) -> Result<(), Problem> {
    let environment = match &wanted.environment {
        // Left out, it stays what it is.
        Variables::Unseen { .. } => None,
        known @ Variables::Known(_) => Some(
            environment(known)
                .map_err(|problem| problem.at(place(name.as_str())))?
                .unwrap_or_else(|| sdk::Environment::builder().set_variables(Some(HashMap::new())).build()),
        ),
    };
    let request = || {
        let mut update = aws
            .lambda
            .update_function_configuration()
            .function_name(name.as_str())
            .description(wanted.description(role_id))
            .role(&wanted.role_arn)
            .runtime(sdk::Runtime::from(configuration::RUNTIME))
            .handler(HANDLER)
            .memory_size(i32::from(wanted.memory_mb))
            .timeout(i32::from(TIMEOUT_SECONDS))
            .logging_config(logging(wanted))
            .set_environment(environment.clone());
        if !found.extras.is_empty() {
            update = update
                .set_layers(Some(Vec::new()))
                .vpc_config(
                    sdk::VpcConfig::builder()
                        .set_subnet_ids(Some(Vec::new()))
                        .set_security_group_ids(Some(Vec::new()))
                        .build(),
                )
                .dead_letter_config(sdk::DeadLetterConfig::builder().target_arn("").build())
                .tracing_config(
                    sdk::TracingConfig::builder().mode(sdk::TracingMode::from("PassThrough")).build(),
                )
                .set_file_system_configs(Some(Vec::new()))
                .ephemeral_storage(configuration::temporary_storage())
                .kms_key_arn("")
                .snap_start(sdk::SnapStart::builder().apply_on(sdk::SnapStartApplyOn::from("None")).build());
        }
        update.send()
    };
    let result = aws.call("UpdateFunctionConfiguration", request).await;
    result.map(|_| ()).map_err(|fault| fault.problem(place(name.as_str())))
}

async fn upload(aws: &Aws, desired: &Desired) -> Result<(), Problem> {
    let name = desired.name.as_str();
    let package = desired.code.package().map_err(|problem| problem.at(place(name)))?;
    let zip = Blob::new(package.zip.clone());
    let architecture = sdk::Architecture::from(desired.configuration.architecture.as_str());
    let request = || {
        aws.lambda
            .update_function_code()
            .function_name(name)
            .zip_file(zip.clone())
            .architectures(architecture.clone())
            .customize()
            .config_override(upload_limits())
            .send()
    };
    let result = aws.call("UpdateFunctionCode", request).await;
    result.map(|_| ()).map_err(|fault| fault.problem(place(name)))
}

fn logging(wanted: &Configuration) -> sdk::LoggingConfig {
    sdk::LoggingConfig::builder().log_format(sdk::LogFormat::Text).log_group(&wanted.log_group).build()
}

/// The environment to send; `None` when there is no variable.
fn environment(wanted: &Variables) -> Result<Option<sdk::Environment>, Problem> {
    match wanted {
        Variables::Unseen { because, .. } => {
            Err(Problem::failed("secret_missing", "the function's environment cannot be set")
                .because(because.clone())
                .next("set what `token.hs256.secret` in the stack file names, then run again"))
        }
        Variables::Known(variables) if variables.is_empty() => Ok(None),
        Variables::Known(variables) => {
            let variables = variables
                .iter()
                .map(|(name, variable)| (name.clone(), variable.value.expose().to_owned()))
                .collect();
            Ok(Some(sdk::Environment::builder().set_variables(Some(variables)).build()))
        }
    }
}

#[cfg(test)]
mod tests;
