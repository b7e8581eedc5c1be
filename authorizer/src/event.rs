//! What AWS IoT sends. Every field is optional: `TestInvokeAuthorizer` sends only `token`, and
//! fields that do not matter to a connection are left out (AWS IoT, "Defining your Lambda function").
//!
//! `signatureVerified` is not read: AWS does not call the function when signing is on and the token
//! signature is wrong, and when signing is off it is `false` for every event.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

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

#[derive(Debug, Deserialize)]
struct ProtocolData {
    #[serde(default)]
    http: Option<IgnoredAny>,
    #[serde(default)]
    mqtt: Option<IgnoredAny>,
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
        let has_mqtt = names("mqtt") || data.is_some_and(|data| data.mqtt.is_some());
        let has_http = names("http") || data.is_some_and(|data| data.http.is_some());
        has_mqtt || !has_http
    }
}
