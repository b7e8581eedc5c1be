//! One message over HTTPS: `POST https://ENDPOINT/topics/TOPIC` with the access token, its signature and
//! the authorizer's name in headers (aws-facts 2.2).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::answer::unreachable;
use super::text::printable;
use crate::door::Http;
use crate::keys::Secret;
use crate::names::{AuthorizerName, TokenKeyName};
use crate::problem::Problem;

/// The longest topic, in bytes. AWS IoT: 256.
const TOPIC_BYTES_MAX: usize = 256;
/// The most slashes in a topic. AWS IoT: 7.
const TOPIC_SLASHES_MAX: usize = 7;
/// The largest message, in bytes. AWS IoT: 128 KiB.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// The longest token signature, in characters. AWS IoT: 2560.
const SIGNATURE_CHARACTERS_MAX: usize = 2560;
/// The longest answer that is repeated, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 200;
/// What stands in a path as it is, besides letters and digits: RFC 3986 2.3, and the topic's own slashes.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A message, and the credentials it is sent with.
#[derive(Clone, Debug)]
pub struct Publish<'a> {
    /// The data endpoint's host, as `DescribeEndpoint` gives it.
    pub endpoint: &'a str,
    /// The topic.
    pub topic: &'a str,
    /// The message.
    pub message: &'a [u8],
    /// The header that carries the token.
    pub token_key_name: &'a TokenKeyName,
    /// The access token, sent as it is: whether it is good is for the authorizer to say.
    pub token: &'a Secret,
    /// The token signature in standard base64; none where the authorizer checks none.
    pub signature: Option<&'a str>,
    /// The authorizer; none: the account's default decides.
    pub authorizer: Option<&'a AuthorizerName>,
}

/// What AWS IoT says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status: 200 is delivered.
    pub status: u16,
    /// Its message, printable, such as `OK` or `Forbidden`.
    pub message: String,
    /// The id that AWS's log, or the local target's, knows this request by.
    pub trace_id: Option<String>,
}

impl Publish<'_> {
    /// Sends it, and gives back whatever AWS IoT answers.
    pub async fn send(&self, http: &Http) -> Result<Answer, Problem> {
        let place = format!("https://{}", self.endpoint);
        let request = self.request()?;
        let answer = http.send(request).await.map_err(|error| unreachable(&place, &error))?;
        Ok(Answer::read(&answer))
    }

    fn request(&self) -> Result<http::Request<Bytes>, Problem> {
        check_topic(self.topic)?;
        if self.message.len() > MESSAGE_BYTES_MAX {
            let because = format!("it has {} bytes; AWS IoT takes {MESSAGE_BYTES_MAX}", self.message.len());
            return Err(Problem::usage("message_too_long", "the message is too long").because(because));
        }
        let path = utf8_percent_encode(self.topic, &ENCODED);
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(format!("https://{}/topics/{path}?qos=1", self.endpoint))
            .body(Bytes::copy_from_slice(self.message))
            .map_err(|_| {
                Problem::failed("bad_endpoint", "the data endpoint is not a host name")
                    .at(printable(self.endpoint))
            })?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        if let Some(authorizer) = self.authorizer {
            let value =
                HeaderValue::from_str(authorizer.as_str()).expect("the name is letters, digits, _=,@-");
            headers.insert("x-amz-customauthorizer-name", value);
        }
        if let Some(signature) = self.signature {
            headers.insert("x-amz-customauthorizer-signature", signature_value(signature)?);
        }
        let name = HeaderName::from_bytes(self.token_key_name.as_str().as_bytes())
            .expect("a token key name is letters, digits, _ and -");
        headers.insert(name, token_value(self.token)?);
        Ok(request)
    }
}

impl Answer {
    fn read(answer: &http::Response<Bytes>) -> Self {
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let short = |text: &str| printable(&text.chars().take(MESSAGE_CHARACTERS_MAX).collect::<String>());
        let header = answer.headers().get("x-amzn-requestid").and_then(|value| value.to_str().ok());
        Self {
            status: answer.status().as_u16(),
            message: text("message")
                .map_or_else(|| answer.status().canonical_reason().unwrap_or("unknown").to_owned(), short),
            trace_id: text("traceId").or(header).map(short),
        }
    }

    /// The answer when the message was delivered; else the problem, with the trace id.
    pub fn delivered(self) -> Result<Self, Problem> {
        if self.status == 200 {
            return Ok(self);
        }
        let (code, what, next) = meaning(self.status, &self.message);
        Err(Problem::failed(code, what)
            .because(format!("AWS IoT answered {} {}", self.status, self.message))
            .request_id(self.trace_id.as_deref())
            .next(next))
    }
}

/// Stable code, what it means, and what helps.
fn meaning(status: u16, message: &str) -> (&'static str, &'static str, &'static str) {
    match status {
        // What AWS says when it finds no authorizer to ask (aws-facts 2.2).
        403 if message == "Missing Authentication Token" => (
            "forbidden",
            "AWS IoT found no credentials",
            "name the authorizer, or make it the default of the account and Region",
        ),
        403 => (
            "forbidden",
            "AWS IoT refused the message",
            "the log names the reason by this trace id; `thinggate device token STACK` shows the token, \
             `thinggate drift STACK` whether the authorizer is as deployed",
        ),
        413 => ("message_too_long", "the message is too long", "AWS IoT takes 128 KiB"),
        429 => ("throttled", "AWS IoT has too many requests", "publish again, more slowly"),
        500.. => ("unavailable", "AWS IoT failed", "publish again"),
        _ => ("not_delivered", "AWS IoT did not take the message", "check the topic and the endpoint"),
    }
}

fn check_topic(topic: &str) -> Result<(), Problem> {
    let because = if topic.is_empty() {
        "it is empty"
    } else if topic.len() > TOPIC_BYTES_MAX {
        "AWS IoT takes 256 bytes"
    } else if topic.matches('/').count() > TOPIC_SLASHES_MAX {
        "AWS IoT takes seven slashes"
    } else if topic.contains(['+', '#']) {
        "`+` and `#` are for subscribing"
    } else if topic.contains(char::is_control) {
        "it holds a control character"
    } else {
        return Ok(());
    };
    Err(Problem::usage("bad_topic", "a message cannot be published to this topic")
        .at(printable(topic))
        .because(because))
}

fn signature_value(signature: &str) -> Result<HeaderValue, Problem> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let problem = if signature.contains(char::is_whitespace) {
        Problem::failed("wrapped_signature", "the token signature has line breaks or spaces in it")
            .next("`openssl base64 -A` writes it on one line")
    } else if signature.is_empty() || !signature.bytes().all(is_base64) {
        Problem::failed("bad_signature", "the token signature is not standard base64")
            .next("thinggate device sign STACK")
    } else if signature.len() > SIGNATURE_CHARACTERS_MAX {
        Problem::failed("bad_signature", "the token signature is longer than AWS IoT takes (2560)")
    } else {
        return Ok(HeaderValue::from_str(signature).expect("base64 is visible ASCII"));
    };
    Err(problem)
}

fn token_value(token: &Secret) -> Result<HeaderValue, Problem> {
    let broken = || {
        Problem::failed("token_broken", "the token cannot stand in a header")
            .because("it is empty, or has line breaks or other odd characters in it")
            .next("give the token alone, on one line")
    };
    let text = token.expose();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(broken());
    }
    let mut value = HeaderValue::from_str(text).map_err(|_| broken())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
