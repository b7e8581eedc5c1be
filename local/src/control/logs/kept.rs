//! The streams of a group with their events: in memory, bounded, and no part of `state.json`.
//!
//! A copy of the account shares them, so neither a call that changes the account nor a device's message
//! depends on how much functions have printed. They are written to [`FILE`] when the target ends in order; a
//! target that is killed loses them, and the streams that functions made. What a call made lasts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::events::EVENT_OVERHEAD_BYTES;
use super::{BYTES_PER_GROUP_MAX, EVENTS_PER_GROUP_MAX, State};
use crate::state::World;

/// Where the events are from the orderly end of one target to the start of the next.
pub(crate) const FILE: &str = "events.json";

/// A log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stream {
    pub(super) created_ms: i64,
    pub(super) last_ingestion_ms: Option<i64>,
    /// Sorted by time; of equal time, as they came.
    #[serde(skip)]
    events: Vec<Event>,
    /// Made for a process rather than by a call.
    #[serde(skip)]
    of_function: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) time_ms: i64,
    pub(super) ingested_ms: i64,
    pub(super) message: String,
}

impl Event {
    /// Bytes as AWS counts them: 26 more than its text. Source: `PutLogEvents`.
    fn stored_bytes(&self) -> usize {
        self.message.len() + EVENT_OVERHEAD_BYTES
    }
}

impl Stream {
    pub(super) fn new(created_ms: i64) -> Self {
        Self { created_ms, ..Self::default() }
    }

    /// Made for a process of a function.
    pub(super) fn of_function(created_ms: i64) -> Self {
        Self { of_function: true, ..Self::new(created_ms) }
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    fn bytes(&self) -> usize {
        self.events.iter().map(Event::stored_bytes).sum()
    }
}

/// The streams of one group by name, and what they hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Streams {
    shared: Arc<Held>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    by_name: BTreeMap<String, Stream>,
    events: usize,
    bytes: usize,
}

impl Streams {
    pub(super) fn get(&self, name: &str) -> Option<&Stream> {
        self.shared.by_name.get(name)
    }

    pub(super) fn by_name(&self) -> &BTreeMap<String, Stream> {
        &self.shared.by_name
    }

    /// Bytes of all events as AWS counts them.
    pub(super) fn bytes(&self) -> usize {
        self.shared.bytes
    }

    /// How many events there are.
    pub(super) fn events(&self) -> usize {
        self.shared.events
    }

    pub(super) fn insert(&mut self, name: String, stream: Stream) {
        self.remove(&name);
        let held = Arc::make_mut(&mut self.shared);
        held.events += stream.events.len();
        held.bytes += stream.bytes();
        held.by_name.insert(name, stream);
    }

    pub(super) fn remove(&mut self, name: &str) {
        let held = Arc::make_mut(&mut self.shared);
        if let Some(removed) = held.by_name.remove(name) {
            held.events -= removed.events.len();
            held.bytes -= removed.bytes();
        }
    }

    /// Appends to the stream of this name, made by `make` where it is missing, and drops what is too much.
    pub(super) fn append(
        &mut self,
        name: &str,
        make: impl FnOnce() -> Stream,
        events: impl IntoIterator<Item = Event>,
    ) {
        let held = Arc::make_mut(&mut self.shared);
        if !held.by_name.contains_key(name) {
            held.by_name.insert(name.to_owned(), make());
        }
        let Some(stream) = held.by_name.get_mut(name) else { return };
        for event in events {
            held.events += 1;
            held.bytes += event.stored_bytes();
            stream.last_ingestion_ms = Some(event.ingested_ms);
            let place = stream.events.partition_point(|known| known.time_ms <= event.time_ms);
            stream.events.insert(place, event);
        }
        if held.events > EVENTS_PER_GROUP_MAX || held.bytes > BYTES_PER_GROUP_MAX {
            held.trim();
        }
    }
}

impl Held {
    /// Drops the oldest events of the streams that have been silent the longest, and the streams that are
    /// empty then: each process of a function has one of its own. A quarter goes at once, so that most lines
    /// cost nothing.
    fn trim(&mut self) {
        let (events_max, bytes_max) = (EVENTS_PER_GROUP_MAX / 4 * 3, BYTES_PER_GROUP_MAX / 4 * 3);
        while self.events > events_max || self.bytes > bytes_max {
            let filled = self.by_name.iter_mut().filter(|(_, stream)| !stream.events.is_empty());
            let Some((name, silent)) = filled.min_by_key(|(_, stream)| stream.last_ingestion_ms) else {
                return;
            };
            let mut dropped = 0;
            for event in &silent.events {
                if self.events <= events_max && self.bytes <= bytes_max {
                    break;
                }
                dropped += 1;
                self.events -= 1;
                self.bytes -= event.stored_bytes();
            }
            silent.events.drain(..dropped);
            if silent.events.is_empty() {
                let name = name.clone();
                self.by_name.remove(&name);
            }
        }
    }
}

/// Of the streams only those that a call made, and none of their events.
impl Serialize for Streams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let made = self.by_name().iter().filter(|(_, stream)| !stream.of_function);
        serializer.collect_map(made)
    }
}

impl<'de> Deserialize<'de> for Streams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let by_name = BTreeMap::deserialize(deserializer)?;
        Ok(Self { shared: Arc::new(Held { by_name, events: 0, bytes: 0 }) })
    }
}

/// The content of [`FILE`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    streams: Vec<SavedStream>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedStream {
    region: String,
    group: String,
    name: String,
    of_function: bool,
    stream: Stream,
    events: Vec<Event>,
}

impl Saved {
    /// What is to be written; `None` when there is nothing.
    pub(crate) fn of(world: &World) -> Option<Self> {
        let mut streams = Vec::new();
        for (region, regional) in &world.regions {
            for (group, content) in &regional.logs.groups {
                let filled = content.streams.by_name().iter().filter(|(_, stream)| !stream.events.is_empty());
                streams.extend(filled.map(|(name, stream)| SavedStream {
                    region: region.clone(),
                    group: group.clone(),
                    name: name.clone(),
                    of_function: stream.of_function,
                    stream: stream.clone(),
                    events: stream.events.clone(),
                }));
            }
        }
        (!streams.is_empty()).then_some(Self { streams })
    }

    /// Puts them back into the groups that are still there.
    pub(crate) fn restore(self, world: &mut World) {
        for SavedStream { region, group, name, of_function, mut stream, events } in self.streams {
            let Some(regional) = world.regions.get_mut(&region) else { continue };
            let State { groups } = &mut regional.logs;
            if let Some(group) = groups.get_mut(&group) {
                (stream.events, stream.of_function) = (events, of_function);
                group.streams.insert(name, stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(time_ms: i64, bytes: usize) -> Event {
        Event { time_ms, ingested_ms: time_ms, message: "x".repeat(bytes) }
    }

    fn counted(streams: &Streams) -> (usize, usize) {
        let streams = streams.by_name().values();
        streams.fold((0, 0), |(events, bytes), stream| (events + stream.events.len(), bytes + stream.bytes()))
    }

    #[test]
    fn the_counts_are_those_of_the_events() {
        let mut streams = Streams::default();
        for number in 0..3000_u32 {
            let name = (number % 17).to_string();
            let events = (0..5).map(|place| event(i64::from(number) - place, 400));
            streams.append(&name, || Stream::new(0), events);
            if number % 13 == 0 {
                streams.remove(&(number % 5).to_string());
            }
            assert!(streams.events() <= EVENTS_PER_GROUP_MAX && streams.bytes() <= BYTES_PER_GROUP_MAX);
            assert_eq!((streams.events(), streams.bytes()), counted(&streams));
        }
        streams.insert("0".to_owned(), Stream::new(0));
        assert_eq!((streams.events(), streams.bytes()), counted(&streams));
    }

    #[test]
    fn a_copy_shares_the_events_and_does_not_follow_them() {
        let mut streams = Streams::default();
        streams.append("s", || Stream::of_function(0), [event(1, 1)]);
        let copy = streams.clone();
        assert!(Arc::ptr_eq(&copy.shared, &streams.shared));
        streams.append("s", || Stream::of_function(0), [event(2, 1)]);
        assert_eq!((copy.events(), streams.events()), (1, 2));
    }

    #[test]
    fn the_state_has_the_streams_of_calls_and_no_event() {
        let mut streams = Streams::default();
        streams.append("process", || Stream::of_function(0), [event(1, 1)]);
        streams.append("call", || Stream::new(7), [event(1, 1)]);
        let written = serde_json::to_value(&streams).unwrap();
        assert_eq!(written, serde_json::json!({ "call": { "created_ms": 7, "last_ingestion_ms": 1 } }));
        let read: Streams = serde_json::from_value(written).unwrap();
        assert_eq!((read.events(), read.by_name().len()), (0, 1));
    }
}
