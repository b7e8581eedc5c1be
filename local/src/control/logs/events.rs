//! Log events: put, get, filter.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::filter::{Invalid, Pattern};
use super::{Call, Event, Group, ServiceError, State, Stream, input, invalid, milliseconds, read};
use crate::control::validate::Checks;

/// What every event counts beside its text. Source: `PutLogEvents`.
pub(super) const EVENT_OVERHEAD_BYTES: usize = 26;
/// The most bytes in one call, overhead counted. Source: the same.
const BATCH_BYTES_MAX: usize = 1_048_576;
/// The most events in one call or page. Source: the model.
const EVENTS_MAX: i64 = 10_000;
/// A day: the longest that the valid events of one call may lie apart. Source: `PutLogEvents`.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Newer than this in the future, or older than this, is rejected event by event. Source: `PutLogEvents`.
const FUTURE_MAX_MS: i64 = 2 * 60 * 60 * 1000;
const PAST_MAX_MS: i64 = 14 * DAY_MS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
    log_events: Option<Vec<Given>>,
    sequence_token: Option<String>,
    entity: Option<Entity>,
}

/// An event as it was sent.
#[derive(Deserialize)]
struct Given {
    timestamp: Option<i64>,
    message: Option<String>,
}

/// What an event is about; checked, and not kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    key_attributes: Option<BTreeMap<String, String>>,
    attributes: Option<BTreeMap<String, String>>,
}

/// An event that fits the model.
struct Sent {
    timestamp: i64,
    message: String,
}

impl Put {
    fn check(&self, checks: &mut Checks) {
        match &self.log_events {
            None => checks.missing("logEvents"),
            Some(events) => {
                let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
                if !(1..=EVENTS_MAX).contains(&count) {
                    checks.fail("logEvents", "[...]", "Member must have length between 1 and 10000");
                }
            }
        }
        for (index, event) in self.log_events.iter().flatten().enumerate() {
            let place = format!("logEvents.{}.member", index + 1);
            checks.required(&format!("{place}.message"), event.message.as_deref(), &input::MESSAGE);
            if event.timestamp.is_none() {
                checks.missing(&format!("{place}.timestamp"));
            }
            checks.number(&format!("{place}.timestamp"), event.timestamp, 0, i64::MAX);
        }
        checks.optional("sequenceToken", self.sequence_token.as_deref(), &input::NEXT_TOKEN);
        let Some(entity) = &self.entity else { return };
        if let Some(attributes) = &entity.key_attributes {
            checks.map(
                "entity.keyAttributes",
                attributes,
                (2, 4),
                (&input::KEY_ATTRIBUTE, &input::ATTRIBUTE_VALUE),
            );
        }
        if let Some(attributes) = &entity.attributes {
            checks.map(
                "entity.attributes",
                attributes,
                (0, 10),
                (&input::ATTRIBUTE, &input::ATTRIBUTE_VALUE),
            );
        }
    }
}

pub(super) fn put(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Put = read(call)?;
    let mut checks = Checks::default();
    let group =
        checks.required("logGroupName", sent.log_group_name.as_deref(), &input::GROUP_NAME).to_owned();
    let stream =
        checks.required("logStreamName", sent.log_stream_name.as_deref(), &input::STREAM_NAME).to_owned();
    sent.check(&mut checks);
    checks.finish(input::INVALID)?;
    let given = sent.log_events.unwrap_or_default().into_iter();
    let events: Vec<Sent> = given
        .filter_map(|event| Some(Sent { timestamp: event.timestamp?, message: event.message? }))
        .collect();
    check_batch(&events)?;
    let group = state.group(&group)?;
    let now_ms = milliseconds(call.now);
    let accepted = Accepted::of(&events, now_ms, group.retention_days);
    let valid = &events[accepted.old.max(accepted.expired)..accepted.end];
    check_span(valid)?;
    group.stream(&stream)?;
    let event =
        |sent: &Sent| Event { time_ms: sent.timestamp, ingested_ms: now_ms, message: sent.message.clone() };
    group.streams.append(&stream, || Stream::new(now_ms), valid.iter().map(event));
    // The token has had no meaning since January 2023, and is still given.
    let mut answer = json!({ "nextSequenceToken": format!("{now_ms:056}") });
    if let Some(rejected) = accepted.rejected(events.len()) {
        answer["rejectedLogEventsInfo"] = rejected;
    }
    Ok(Some(answer))
}

/// Which events of a batch, which is in order of time, are taken.
struct Accepted {
    /// So many at the start are too old for any group.
    old: usize,
    /// So many at the start are older than the group's retention.
    expired: usize,
    /// From here on they are too new.
    end: usize,
}

impl Accepted {
    fn of(events: &[Sent], now_ms: i64, retention_days: Option<i64>) -> Self {
        let before = |moment: i64| events.partition_point(|event| event.timestamp < moment);
        Self {
            old: before(now_ms - PAST_MAX_MS),
            expired: retention_days.map_or(0, |days| before(now_ms - days * DAY_MS)),
            end: before(now_ms + FUTURE_MAX_MS + 1),
        }
    }

    /// `rejectedLogEventsInfo`, when some were not taken.
    fn rejected(&self, count: usize) -> Option<Value> {
        let mut rejected = Map::new();
        if self.old > 0 {
            rejected.insert("tooOldLogEventEndIndex".to_owned(), self.old.into());
        }
        if self.expired > 0 {
            rejected.insert("expiredLogEventEndIndex".to_owned(), self.expired.into());
        }
        if self.end < count {
            rejected.insert("tooNewLogEventStartIndex".to_owned(), self.end.into());
        }
        (!rejected.is_empty()).then_some(Value::Object(rejected))
    }
}

fn check_batch(events: &[Sent]) -> Result<(), ServiceError> {
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return Err(invalid(format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}")));
    }
    if events.windows(2).any(|pair| pair[0].timestamp > pair[1].timestamp) {
        let text = "Log events in a single PutLogEvents request must be in chronological order.";
        return Err(invalid(text));
    }
    Ok(())
}

fn check_span(valid: &[Sent]) -> Result<(), ServiceError> {
    let span = valid.last().zip(valid.first()).map_or(0, |(last, first)| last.timestamp - first.timestamp);
    if span > DAY_MS {
        let text = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
        return Err(invalid(text));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
}

/// Walks a stream both ways: `f/…` goes on behind the page, `b/…` before it, and at an end the same token
/// comes back.
pub(super) fn get(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Get = read(call)?;
    let group = input::either_name(sent.log_group_name.as_deref(), sent.log_group_identifier.as_deref())?;
    let mut checks = Checks::default();
    let stream = checks.required("logStreamName", sent.log_stream_name.as_deref(), &input::STREAM_NAME);
    let most = limit(&mut checks, sent.limit, call);
    range(&mut checks, sent.start_time, sent.end_time, sent.next_token.as_deref());
    checks.finish(input::INVALID)?;
    let stream = state.group(group)?.stream(stream)?;
    let wanted = |event: &&Event| within(event, sent.start_time, sent.end_time);
    let events: Vec<&Event> = stream.events().iter().filter(wanted).collect();
    let (first, last) = match sent.next_token.as_deref().map(place).transpose()? {
        None if sent.start_from_head == Some(true) => (0, most.min(events.len())),
        None => (events.len().saturating_sub(most), events.len()),
        Some(Place::Forward(place)) => {
            let first = place.min(events.len());
            (first, (first + most).min(events.len()))
        }
        Some(Place::Backward(place)) => {
            let last = place.min(events.len());
            (last.saturating_sub(most), last)
        }
    };
    let shown: Vec<Value> = events[first..last]
        .iter()
        .map(|event| json!({ "timestamp": event.time_ms, "message": event.message, "ingestionTime": event.ingested_ms }))
        .collect();
    Ok(Some(json!({
        "events": shown,
        "nextForwardToken": format!("f/{last:056}/s"),
        "nextBackwardToken": format!("b/{first:056}/s"),
    })))
}

enum Place {
    Forward(usize),
    Backward(usize),
}

fn place(token: &str) -> Result<Place, ServiceError> {
    let read = |text: &str| text.strip_suffix("/s").and_then(|digits| digits.parse().ok());
    let found = match token.split_once('/') {
        Some(("f", rest)) => read(rest).map(Place::Forward),
        Some(("b", rest)) => read(rest).map(Place::Backward),
        _ => None,
    };
    found.ok_or_else(|| invalid("The specified nextToken is invalid."))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the model's")]
struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn filter(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Filter = read(call)?;
    let group = input::either_name(sent.log_group_name.as_deref(), sent.log_group_identifier.as_deref())?;
    let mut checks = Checks::default();
    checks.optional("logStreamNamePrefix", sent.log_stream_name_prefix.as_deref(), &input::STREAM_NAME);
    let pattern = checks.optional("filterPattern", sent.filter_pattern.as_deref(), &input::FILTER_PATTERN);
    let most = limit(&mut checks, sent.limit, call);
    range(&mut checks, sent.start_time, sent.end_time, sent.next_token.as_deref());
    if let Some(names) = &sent.log_stream_names {
        checks.list("logStreamNames", names, (1, 100), &input::STREAM_NAME);
    }
    checks.finish(input::INVALID)?;
    if sent.log_stream_names.is_some() && sent.log_stream_name_prefix.is_some() {
        return Err(invalid("logStreamNames and logStreamNamePrefix cannot be used together."));
    }
    let pattern = Pattern::read(pattern.unwrap_or_default()).map_err(|error| match error {
        Invalid::Unclosed => invalid("Invalid character(s) in term '\"'"),
        Invalid::NotText => invalid("the local target reads filter patterns for plain text only"),
    })?;
    let found = matching(state.group(group)?, &sent, &pattern)?;
    let page = input::one_page(found.into_iter(), sent.next_token.as_deref(), most)?;
    let mut answer = json!({ "events": page.entries, "searchedLogStreams": [] });
    if let Some(next) = page.next {
        answer["nextToken"] = next.into();
    }
    Ok(Some(answer))
}

/// The events that a filter wants, by time, each with a key that orders it.
fn matching(group: &Group, sent: &Filter, pattern: &Pattern) -> Result<Vec<(String, Value)>, ServiceError> {
    for name in sent.log_stream_names.iter().flatten() {
        group.stream(name)?;
    }
    let streams = group.streams.by_name().iter().enumerate().filter(|(_, (name, _))| {
        sent.log_stream_names.as_ref().is_none_or(|names| names.contains(name))
            && sent.log_stream_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
    });
    let mut found = Vec::new();
    for (number, (name, stream)) in streams {
        for (place, event) in stream.events().iter().enumerate() {
            if in_search(event, sent) && pattern.fits(&event.message) {
                let id = format!("{:020}{number:016}{place:020}", event.time_ms);
                let shown = json!({
                    "logStreamName": name,
                    "timestamp": event.time_ms,
                    "message": event.message,
                    "ingestionTime": event.ingested_ms,
                    "eventId": id,
                });
                found.push((id, shown));
            }
        }
    }
    found.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(found)
}

/// The start belongs to the range, the end does not. Source: `GetLogEvents`, `startTime` and `endTime`.
fn within(event: &Event, start: Option<i64>, end: Option<i64>) -> bool {
    start.is_none_or(|start| event.time_ms >= start) && end.is_none_or(|end| event.time_ms < end)
}

/// A search's end belongs to it. Source: `FilterLogEvents`, `endTime`: "Events with a timestamp later than this
/// time are not returned."
fn in_search(event: &Event, sent: &Filter) -> bool {
    sent.start_time.is_none_or(|start| event.time_ms >= start)
        && sent.end_time.is_none_or(|end| event.time_ms <= end)
}

/// Checks a range of time and the token of its next page.
fn range(checks: &mut Checks, start: Option<i64>, end: Option<i64>, next_token: Option<&str>) {
    checks.number("startTime", start, 0, i64::MAX);
    checks.number("endTime", end, 0, i64::MAX);
    checks.optional("nextToken", next_token, &input::NEXT_TOKEN);
}

fn limit(checks: &mut Checks, limit: Option<i64>, call: &Call) -> usize {
    let most = checks.number("limit", limit, 1, EVENTS_MAX).unwrap_or(EVENTS_MAX);
    let most = usize::try_from(most).unwrap_or(1);
    // A page size set smaller than the usual one is a test of the caller's paging: it goes for events too.
    if call.options.page_size < crate::Options::default().page_size {
        most.min(call.options.page_size)
    } else {
        most
    }
}
