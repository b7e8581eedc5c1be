//! CloudWatch Logs: groups, streams, events. JSON 1.1, target prefix `Logs_20140328`.
//!
//! Every refusal is a 400, "not found" too (recorded from AWS by `LocalStack`,
//! `tests/aws/services/logs/test_logs.snapshot.json`).

mod events;
mod filter;
mod groups;
mod input;
pub(crate) mod kept;
mod streams;
mod tags;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::protocol::json;
use super::{Call, Reply, ServiceError};
use crate::state::World;
use kept::{Event, Stream, Streams};

/// The most events that one group keeps here; the oldest go first.
const EVENTS_PER_GROUP_MAX: usize = 10_000;
/// The most bytes, as AWS counts them, that one group keeps here: they are in memory.
const BYTES_PER_GROUP_MAX: usize = 4 << 20;

/// What the service remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Groups by name.
    groups: BTreeMap<String, Group>,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    created_ms: i64,
    retention_days: Option<i64>,
    class: String,
    deletion_protected: bool,
    tags: BTreeMap<String, String>,
    streams: Streams,
}

impl State {
    /// Gives everything the tags that it had in `then`.
    pub(crate) fn take_tags(&mut self, then: &Self) {
        crate::copies::take_tags(
            &mut self.groups,
            &then.groups,
            |one| &one.tags,
            |one, tags| one.tags = tags,
        );
    }

    /// Appends lines of a function's output to a stream, made when it is not there. Nothing happens when the
    /// group is not there.
    pub fn append_lines(&mut self, group: &str, stream: &str, lines: &[String], now: SystemTime) {
        let Some(group) = self.groups.get_mut(group) else { return };
        let now_ms = milliseconds(now);
        let event = |line: &String| Event { time_ms: now_ms, ingested_ms: now_ms, message: line.clone() };
        group.streams.append(stream, || Stream::of_function(now_ms), lines.iter().map(event));
    }

    /// How many events the group of this name has, when there is one.
    pub fn events_of(&self, group: &str) -> Option<usize> {
        self.groups.get(group).map(|group| group.streams.events())
    }

    /// The names of the groups.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// Whether there is a group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    fn group(&mut self, name: &str) -> Result<&mut Group, ServiceError> {
        self.groups.get_mut(name).ok_or_else(|| not_found("The specified log group does not exist."))
    }
}

impl Group {
    fn stream(&self, name: &str) -> Result<&Stream, ServiceError> {
        self.streams.get(name).ok_or_else(|| not_found("The specified log stream does not exist."))
    }
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let header = call.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let unknown = || ServiceError::new(400, "UnknownOperationException", format!("no operation {header}"));
    let operation = header.strip_prefix("Logs_20140328.").ok_or_else(unknown)?;
    let state = &mut world.region(call.region).logs;
    let result: Option<Value> = match operation {
        "CreateLogGroup" => groups::create(state, call)?,
        "DeleteLogGroup" => groups::delete(state, call)?,
        "DescribeLogGroups" => groups::describe(state, call)?,
        "PutRetentionPolicy" => groups::put_retention(state, call)?,
        "DeleteRetentionPolicy" => groups::delete_retention(state, call)?,
        "TagResource" => tags::tag(state, call)?,
        "UntagResource" => tags::untag(state, call)?,
        "ListTagsForResource" => tags::list(state, call)?,
        "CreateLogStream" => streams::create(state, call)?,
        "DeleteLogStream" => streams::delete(state, call)?,
        "DescribeLogStreams" => streams::describe(state, call)?,
        "PutLogEvents" => events::put(state, call)?,
        "GetLogEvents" => events::get(state, call)?,
        "FilterLogEvents" => events::filter(state, call)?,
        _ => return Err(unknown()),
    };
    Ok(Reply::Answer(result.map_or_else(json::empty, |value| json::answer(&value))))
}

/// Reads the call's input. Members that the model does not know are passed over, as AWS does.
fn read<T: DeserializeOwned>(call: &Call) -> Result<T, ServiceError> {
    serde_json::from_slice(call.body).map_err(|error| {
        let text =
            format!("the input does not fit the model at line {}, column {}", error.line(), error.column());
        ServiceError::new(400, "SerializationException", text)
    })
}

fn not_found(text: &str) -> ServiceError {
    ServiceError::new(400, "ResourceNotFoundException", text)
}

fn already_exists(text: &str) -> ServiceError {
    ServiceError::new(400, "ResourceAlreadyExistsException", text)
}

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, input::INVALID, text)
}

pub(crate) fn group_arn(call: &Call, name: &str) -> String {
    format!("arn:{}:logs:{}:{}:log-group:{name}", call.partition(), call.region, call.account)
}

/// Milliseconds since 1970, CloudWatch's unit.
fn milliseconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
