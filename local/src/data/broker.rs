//! What was delivered, to whoever asked for its topic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use super::topic::{Filter, Topic};

/// Messages that wait for one subscriber. One that does not read is cut off, and told.
pub const QUEUE_MAX: usize = 1024;
/// Subscribers at a time.
pub const SUBSCRIBERS_MAX: usize = 256;

/// One delivered message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The Region whose endpoint took it.
    pub region: String,
    /// Where it was published.
    pub topic: Topic,
    /// Its bytes, at most 128 KB.
    pub payload: Bytes,
    /// Quality of service, 0 or 1.
    pub qos: u8,
    /// Whether the publisher asked to retain it.
    pub retain: bool,
    /// When, by the target's clock.
    pub at: SystemTime,
    /// The trace id of the publisher's answer.
    pub trace_id: String,
}

impl Message {
    /// One line of JSON: `at` (RFC 3339), `region`, `topic`, `qos`, `retain`, `payload` (base64), `text`
    /// (the payload, when it is UTF-8), `trace_id`.
    pub fn to_json_line(&self) -> String {
        let at = OffsetDateTime::from(self.at).format(&Rfc3339).unwrap_or_default();
        let mut line = json!({
            "at": at,
            "region": self.region,
            "topic": self.topic.as_str(),
            "qos": self.qos,
            "retain": self.retain,
            "payload": STANDARD.encode(&self.payload),
            "trace_id": self.trace_id,
        });
        if let Ok(text) = std::str::from_utf8(&self.payload) {
            line["text"] = text.into();
        }
        format!("{line}\n")
    }
}

/// Why there is no subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {SUBSCRIBERS_MAX} subscribers already")]
pub struct TooManySubscribers;

/// The messages of one target.
#[derive(Debug, Default)]
pub struct Broker {
    subscribers: Mutex<Vec<Subscriber>>,
    drops: AtomicBool,
}

#[derive(Debug)]
struct Subscriber {
    region: Option<String>,
    filter: Filter,
    queue: mpsc::Sender<Arc<Message>>,
}

/// The receiving side of one subscription; it ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    queue: mpsc::Receiver<Arc<Message>>,
}

impl Broker {
    /// Subscribes to what is delivered from now on, in one Region or in all.
    pub fn subscribe(
        &self,
        region: Option<&str>,
        filter: Filter,
    ) -> Result<Subscription, TooManySubscribers> {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| !subscriber.queue.is_closed());
        if subscribers.len() >= SUBSCRIBERS_MAX {
            return Err(TooManySubscribers);
        }
        subscribers.push(Subscriber { region: region.map(str::to_owned), filter, queue: sender });
        Ok(Subscription { queue: receiver })
    }

    /// Gives `message` to every subscriber of its topic. Never waits: one whose queue is full is cut off.
    pub fn deliver(&self, message: Message) {
        if self.drops.load(Ordering::Relaxed) {
            return;
        }
        let message = Arc::new(message);
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| {
            let here = subscriber.region.as_ref().is_none_or(|region| *region == message.region);
            if !here || !subscriber.filter.matches(message.topic.as_str()) {
                return !subscriber.queue.is_closed();
            }
            subscriber.queue.try_send(Arc::clone(&message)).is_ok()
        });
    }

    /// Makes the broker lose every message, or no longer. For tests of those who watch it.
    pub fn drop_messages(&self, drops: bool) {
        self.drops.store(drops, Ordering::Relaxed);
    }

    /// Whether it loses every message.
    pub fn drops_messages(&self) -> bool {
        self.drops.load(Ordering::Relaxed)
    }

    /// Ends every subscription.
    pub fn end_all(&self) {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Subscription {
    /// Waits for the next message, without a runtime; `None` when the subscription was ended.
    pub fn wait(&mut self) -> Option<Arc<Message>> {
        self.queue.blocking_recv()
    }

    /// The next message if it is there already.
    pub fn now(&mut self) -> Option<Arc<Message>> {
        self.queue.try_recv().ok()
    }

    /// The next message, for a task.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Arc<Message>>> {
        self.queue.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn message(region: &str, topic: &str, payload: &'static [u8]) -> Message {
        Message {
            region: region.into(),
            topic: Topic::new(topic).unwrap(),
            payload: Bytes::from_static(payload),
            qos: 1,
            retain: false,
            at: UNIX_EPOCH,
            trace_id: "t".into(),
        }
    }

    fn subscribe(broker: &Broker, region: Option<&str>, filter: &str) -> Subscription {
        broker.subscribe(region, Filter::new(filter).unwrap()).unwrap()
    }

    #[test]
    fn each_subscriber_gets_what_it_asked_for_in_order() {
        let broker = Broker::default();
        let mut all = subscribe(&broker, None, "#");
        let mut one = subscribe(&broker, None, "a/+");
        let mut elsewhere = subscribe(&broker, Some("us-east-1"), "#");
        for topic in ["a/b", "c", "a/d"] {
            broker.deliver(message("eu-west-1", topic, b"x"));
        }
        let topics = |subscription: &mut Subscription| -> Vec<String> {
            std::iter::from_fn(|| subscription.now()).map(|message| message.topic.to_string()).collect()
        };
        assert_eq!(topics(&mut all), ["a/b", "c", "a/d"]);
        assert_eq!(topics(&mut one), ["a/b", "a/d"]);
        assert!(topics(&mut elsewhere).is_empty());
    }

    #[test]
    fn one_that_does_not_read_is_cut_off_and_delays_nobody() {
        let broker = Broker::default();
        let mut lazy = subscribe(&broker, None, "#");
        for _ in 0..=QUEUE_MAX {
            broker.deliver(message("eu-west-1", "a", b"x"));
        }
        let read = std::iter::from_fn(|| lazy.wait()).count();
        assert_eq!(read, QUEUE_MAX);
    }

    #[test]
    fn subscribers_are_limited_and_leave_room_when_they_go() {
        let broker = Broker::default();
        let held: Vec<_> = (0..SUBSCRIBERS_MAX).map(|_| subscribe(&broker, None, "#")).collect();
        assert_eq!(broker.subscribe(None, Filter::new("#").unwrap()).unwrap_err(), TooManySubscribers);
        drop(held);
        subscribe(&broker, None, "#");
    }

    #[test]
    fn it_loses_messages_only_while_ordered_to() {
        let broker = Broker::default();
        let mut all = subscribe(&broker, None, "#");
        broker.drop_messages(true);
        broker.deliver(message("eu-west-1", "lost", b"x"));
        broker.drop_messages(false);
        broker.deliver(message("eu-west-1", "kept", b"x"));
        assert_eq!(all.now().unwrap().topic.as_str(), "kept");
        assert!(all.now().is_none());
    }

    #[test]
    fn a_line_has_text_only_when_it_is_text() {
        let line: serde_json::Value =
            serde_json::from_str(&message("eu-west-1", "a", b"hi").to_json_line()).unwrap();
        assert_eq!(
            line,
            json!({"at": "1970-01-01T00:00:00Z", "region": "eu-west-1", "topic": "a", "qos": 1,
                   "retain": false, "payload": "aGk=", "text": "hi", "trace_id": "t"})
        );
        let line: serde_json::Value =
            serde_json::from_str(&message("eu-west-1", "a", b"\xff").to_json_line()).unwrap();
        assert_eq!((&line["payload"], line.get("text")), (&json!("/w=="), None));
    }
}
