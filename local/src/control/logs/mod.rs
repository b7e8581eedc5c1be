//! CloudWatch Logs: groups, streams, events. JSON 1.1, target prefix `Logs_20140328`.
//!
//! Every refusal is a 400, "not found" too (recorded from AWS by `LocalStack`,
//! `tests/aws/services/logs/test_logs.snapshot.json`).

mod events;
mod filter;
mod groups;
mod input;
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

/// The most events that one group keeps here; the oldest go first.
const EVENTS_PER_GROUP_MAX: usize = 10_000;
/// The most bytes, as AWS counts them, that one group keeps here: they are in memory, and in the state file.
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
    streams: BTreeMap<String, Stream>,
}

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stream {
    created_ms: i64,
    last_ingestion_ms: Option<i64>,
    /// Sorted by time; of equal time, as they came.
    events: Vec<Event>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Event {
    time_ms: i64,
    ingested_ms: i64,
    message: String,
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
        let stream = group
            .streams
            .entry(stream.to_owned())
            .or_insert_with(|| Stream { created_ms: now_ms, ..Stream::default() });
        for line in lines {
            stream.append(Event { time_ms: now_ms, ingested_ms: now_ms, message: line.clone() });
        }
        group.trim();
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
    fn stream(&mut self, name: &str) -> Result<&mut Stream, ServiceError> {
        self.streams.get_mut(name).ok_or_else(|| not_found("The specified log stream does not exist."))
    }

    /// Drops the oldest events of the streams that have been silent the longest, and the streams that are
    /// empty then: each process of a function has one of its own.
    fn trim(&mut self) {
        let mut events: usize = self.streams.values().map(|stream| stream.events.len()).sum();
        let mut bytes: usize = self.streams.values().map(Stream::stored_bytes).sum();
        while events > EVENTS_PER_GROUP_MAX || bytes > BYTES_PER_GROUP_MAX {
            let filled = self.streams.iter_mut().filter(|(_, stream)| !stream.events.is_empty());
            let Some((name, silent)) = filled.min_by_key(|(_, stream)| stream.last_ingestion_ms) else {
                return;
            };
            let mut dropped = 0;
            for event in &silent.events {
                if events <= EVENTS_PER_GROUP_MAX && bytes <= BYTES_PER_GROUP_MAX {
                    break;
                }
                dropped += 1;
                events -= 1;
                bytes -= event.stored_bytes();
            }
            silent.events.drain(..dropped);
            if silent.events.is_empty() {
                let name = name.clone();
                self.streams.remove(&name);
            }
        }
    }
}

impl Event {
    /// Bytes as AWS counts them: 26 more than its text. Source: `PutLogEvents`.
    fn stored_bytes(&self) -> usize {
        self.message.len() + events::EVENT_OVERHEAD_BYTES
    }
}

impl Stream {
    fn append(&mut self, event: Event) {
        self.last_ingestion_ms = Some(event.ingested_ms);
        let place = self.events.partition_point(|known| known.time_ms <= event.time_ms);
        self.events.insert(place, event);
    }

    /// Bytes as AWS counts them.
    fn stored_bytes(&self) -> usize {
        self.events.iter().map(Event::stored_bytes).sum()
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

fn group_arn(call: &Call, name: &str) -> String {
    format!("arn:{}:logs:{}:{}:log-group:{name}", call.partition(), call.region, call.account)
}

/// Milliseconds since 1970, CloudWatch's unit.
fn milliseconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
