//! What AWS IoT sends. Every field is optional: `TestInvokeAuthorizer` sends only `token`, and
//! fields that do not matter to a connection are left out (AWS IoT, "Defining your Lambda function").
//!
//! `signatureVerified` is not read: AWS does not call the function when signing is on and the token
//! signature is wrong, and when signing is off it is `false` for every event.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::deny::Deny;

/// The greatest event that is read, in bytes. AWS IoT's own requests stay far below it.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;

/// The fields of the event that decide.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    #[serde(borrow, default)]
    token: Option<Text<'a>>,
    #[serde(borrow, default)]
    protocols: Option<Vec<Text<'a>>>,
    #[serde(default)]
    protocol_data: Option<ProtocolData>,
}

/// A text of the event itself, unless it has escapes. A token of any length costs no copy.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Which protocols' data is there. Read by hand: a derived struct also reads an array, field by field.
#[derive(Debug, Default)]
struct ProtocolData {
    has_http: Option<bool>,
    has_mqtt: Option<bool>,
}

impl<'de> Deserialize<'de> for ProtocolData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ProtocolDataVisitor)
    }
}

struct ProtocolDataVisitor;

impl<'de> Visitor<'de> for ProtocolDataVisitor {
    type Value = ProtocolData;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<ProtocolData, A::Error> {
        let mut data = ProtocolData::default();
        while let Some(Text(name)) = members.next_key()? {
            let is_there = members.next_value::<Option<IgnoredAny>>()?.is_some();
            let has = match &*name {
                "http" => &mut data.has_http,
                "mqtt" => &mut data.has_mqtt,
                _ => continue,
            };
            if has.replace(is_there).is_some() {
                return Err(A::Error::custom("a protocol's data twice"));
            }
        }
        Ok(data)
    }
}

impl<'a> Event<'a> {
    /// Reads an event. Unknown fields are ignored: AWS may add some.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Deny> {
        if bytes.len() > EVENT_BYTES_MAX {
            return Err(Deny::EventTooLarge);
        }
        // A derived struct also reads an array, field by field; AWS never sends one.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Deny::MalformedEvent);
        }
        serde_json::from_slice(bytes).map_err(|_| Deny::MalformedEvent)
    }

    /// The access token, unless it is absent or empty.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| &*token.0).filter(|token| !token.is_empty())
    }

    /// Whether the answer opens a connection that outlives the request: MQTT, also over WebSocket.
    /// Only what is plainly a single HTTP request is not; an event that says nothing counts as MQTT.
    pub fn opens_connection(&self) -> bool {
        let names = |name: &str| self.protocols.iter().flatten().any(|protocol| protocol.0 == name);
        let data = self.protocol_data.as_ref();
        let has_mqtt = names("mqtt") || data.is_some_and(|data| data.has_mqtt == Some(true));
        let has_http = names("http") || data.is_some_and(|data| data.has_http == Some(true));
        has_mqtt || !has_http
    }
}
