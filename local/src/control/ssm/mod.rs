//! Systems Manager's Parameter Store: names with values, of which a `SecureString` is a secret. JSON 1.1,
//! target prefix `AmazonSSM`.
//!
//! Every refusal is a 400. There is no KMS here: a `SecureString` lies in `state.json`, which is its owner's
//! alone (0600), and without `WithDecryption` what is answered tells nothing about it.

mod describe;
mod input;
mod parameters;
mod tags;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::protocol::json;
use super::{Call, Reply, ServiceError};
use crate::state::World;

/// The key that AWS keeps in every account for this.
const DEFAULT_KEY: &str = "alias/aws/ssm";
/// The type whose values are secrets.
const SECRET: &str = "SecureString";

/// What the service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Parameters by name.
    parameters: BTreeMap<String, Parameter>,
}

/// A parameter.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    value: String,
    kind: String,
    description: Option<String>,
    version: i64,
    modified_ms: i64,
    tags: BTreeMap<String, String>,
}

impl fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parameter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl State {
    /// Gives everything the tags that it had in `then`.
    pub(crate) fn take_tags(&mut self, then: &Self) {
        crate::copies::take_tags(
            &mut self.parameters,
            &then.parameters,
            |one| &one.tags,
            |one, tags| one.tags = tags,
        );
    }
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let header = call.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let unknown = || ServiceError::new(400, "UnknownOperationException", format!("no operation {header}"));
    let operation = header.strip_prefix("AmazonSSM.").ok_or_else(unknown)?;
    let state = &mut world.region(call.region).ssm;
    let answer: Value = match operation {
        "PutParameter" => parameters::put(state, call)?,
        "GetParameter" => parameters::get(state, call)?,
        "DeleteParameter" => parameters::delete(state, call)?,
        "DescribeParameters" => describe::describe(state, call)?,
        "AddTagsToResource" => tags::add(state, call)?,
        "RemoveTagsFromResource" => tags::remove(state, call)?,
        "ListTagsForResource" => tags::list(state, call)?,
        _ => return Err(unknown()),
    };
    Ok(Reply::Answer(json::answer(&answer)))
}

/// Reads the call's input. Members that the model does not know are passed over, as AWS does.
fn read<T: DeserializeOwned>(call: &Call) -> Result<T, ServiceError> {
    serde_json::from_slice(call.body).map_err(|error| {
        let text =
            format!("the input does not fit the model at line {}, column {}", error.line(), error.column());
        ServiceError::new(400, "SerializationException", text)
    })
}

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, input::INVALID, text)
}

/// AWS's own answer has an empty text; a text helps who reads it (moto 5.2.1, `ssm/models.py`).
fn not_found(name: &str) -> ServiceError {
    ServiceError::new(400, "ParameterNotFound", format!("Parameter {name} not found."))
}

/// The ARN of a parameter: the leading slash of a path is the one after `parameter`.
pub(crate) fn parameter_arn(call: &Call, name: &str) -> String {
    let name = name.strip_prefix('/').unwrap_or(name);
    format!("arn:{}:ssm:{}:{}:parameter/{name}", call.partition(), call.region, call.account)
}

/// Milliseconds since 1970.
fn milliseconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A time as JSON 1.1 has it: seconds with a fraction.
fn seconds(milliseconds: i64) -> Value {
    // Exact: 2^53 milliseconds are 285,000 years.
    #[expect(clippy::cast_precision_loss, reason = "times of this age fit in 53 bits")]
    let seconds = milliseconds as f64 / 1000.0;
    Value::from(seconds)
}

#[cfg(test)]
mod tests;
