//! The target's own switches under `/_local/`, and what AWS hides.
//!
//! | method, path | does |
//! |---|---|
//! | `GET /_local/status` | account, since when, clock, what it holds, options and switches, what is unusual |
//! | `POST /_local/clock` `{"advance_ms": n}` | moves the clock; negative goes back |
//! | `POST /_local/reset` | forgets everything in the account |
//! | `GET /_local/log?trace_id=ID` or `?last=N` | who refused, and why |
//! | `GET /_local/invocations?function=NAME` | how often it ran |
//! | `GET /_local/identity` | the identity provider's settings |
//! | `POST /_local/identity` `{"interval_seconds": n, …}` | new ones; what is not named gets its default |
//! | `GET /_local/faults`, `?wait_ms=N` | the order and what has happened, at once or when a reply is held |
//! | `POST /_local/faults` `{"hold_reply_of": n, "refuse": n}` | a new order; counts afresh |
//! | `DELETE /_local/faults` | releases what is held |
//! | `PUT /_local/policy`, an IAM policy | holds the access key to it |
//! | `DELETE /_local/policy` | lets it do everything again |
//! | `PUT /_local/web-identity` `{"issuer", "client_ids", "jwks"}` | an `OpenID` Connect provider of the account, and its keys |
//! | `DELETE /_local/web-identity` | none any more |
//! | `GET /_local/packages/SHA256.zip` | an uploaded package; without a key |
//! | `POST /_local/broker` `{"drop_messages": true}` | loses every message that devices publish, or no longer |
//! | `GET /_local/messages?filter=FILTER`, `&region=REGION` | a stream, one JSON line for each message delivered |
//!
//! The stream exists on a served target only (`serve::connection`); in process it is `Target::subscribe`.
//!
//! Every other request carries the secret access key in `x-thinggate-key`. Web pages are kept out by
//! [`crate::serve`], which alone has sockets.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::constant_time;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fault::Order;
use crate::{Request, Response, Target, json_answer};

/// The header that carries the secret access key.
pub const KEY_HEADER: &str = "x-thinggate-key";
/// The longest a request waits for a reply to be held, in milliseconds.
const WAIT_MAX_MS: u64 = 60_000;
/// Entries of the log in one answer.
const LAST_MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broker {
    drop_messages: bool,
}

/// Answers one request.
pub(crate) fn handle(target: &Target, request: &Request) -> Response {
    if let Some(name) = request.uri().path().strip_prefix("/_local/packages/") {
        return package(target, name.strip_suffix(".zip").unwrap_or(name));
    }
    match answer(target, request) {
        Ok(value) => json_answer(200, &value),
        Err((status, because)) => refused(status, &because),
    }
}

/// The answer to a request that is refused.
pub(crate) fn refused(status: u16, because: &str) -> Response {
    json_answer(status, &json!({ "error": because }))
}

/// A package by its hash, as `GetFunction` points to it. Whoever knows the hash has seen the package or was
/// told by a signed call, as with the pre-signed address that AWS gives: no key is asked for.
fn package(target: &Target, sha256: &str) -> Response {
    match target.package(sha256) {
        Some(zip) => crate::answer(200, "application/zip", zip.to_vec()),
        None => crate::plain_answer(404, "no such package"),
    }
}

/// Status and sentence.
type Refused = (u16, String);

fn answer(target: &Target, request: &Request) -> Result<Value, Refused> {
    admit(target, request)?;
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/_local/status") => Ok(crate::status::of(target)),
        (&Method::POST, "/_local/clock") => {
            let sent: Advance = read(request)?;
            target.clock().advance(sent.advance_ms);
            Ok(json!({ "now_ms": now_ms(target) }))
        }
        (&Method::POST, "/_local/reset") => {
            target.reset().map_err(|error| (500, format!("cannot write the state: {}", error.kind())))?;
            Ok(json!({}))
        }
        (&Method::GET, "/_local/log") => log(target, request),
        (&Method::GET, "/_local/invocations") => {
            let function = parameter(request, "function").ok_or((400, "which `function`?".to_owned()))?;
            Ok(json!({ "function": function, "invocations": target.invocations(&function) }))
        }
        (&Method::GET, "/_local/identity") => Ok(identity(target)),
        (&Method::POST, "/_local/identity") => {
            target.provider().set_options(read(request)?).map_err(|because| (400, because))?;
            Ok(identity(target))
        }
        (&Method::GET, "/_local/faults") => {
            if let Some(limit) = number(request, "wait_ms")? {
                target.faults().wait_until_held(Duration::from_millis(limit.min(WAIT_MAX_MS)));
            }
            Ok(faults(target))
        }
        (&Method::POST, "/_local/faults") => {
            target.faults().order(read::<Order>(request)?);
            Ok(faults(target))
        }
        (&Method::DELETE, "/_local/faults") => {
            target.faults().release();
            Ok(faults(target))
        }
        (&Method::PUT, "/_local/policy") => {
            let policy = String::from_utf8_lossy(request.body());
            target.guard().enforce(&policy).map_err(|because| (400, because))?;
            Ok(json!({ "enforced": true }))
        }
        (&Method::DELETE, "/_local/policy") => {
            target.guard().lift();
            Ok(json!({ "enforced": false }))
        }
        (&Method::PUT, "/_local/web-identity") => {
            target.issuers().put(read(request)?).map_err(|because| (400, because))?;
            Ok(json!({}))
        }
        (&Method::DELETE, "/_local/web-identity") => {
            target.issuers().clear();
            Ok(json!({}))
        }
        (&Method::POST, "/_local/broker") => {
            let sent: Broker = read(request)?;
            target.gateway().broker.drop_messages(sent.drop_messages);
            Ok(json!({ "drop_messages": sent.drop_messages }))
        }
        (method, path) => Err((404, format!("nothing is at {method} {path}"))),
    }
}

/// Lets in whoever has the secret access key.
pub(crate) fn admit(target: &Target, request: &Request) -> Result<(), Refused> {
    let sent = request.headers().get(KEY_HEADER).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let secret = target.key().secret_access_key.as_bytes();
    constant_time::verify_slices_are_equal(sent, secret)
        .map_err(|_| (403, format!("`{KEY_HEADER}` must be the secret access key of this target")))
}

fn identity(target: &Target) -> Value {
    // Numbers and flags always have a JSON form.
    serde_json::to_value(target.provider().options()).unwrap_or_default()
}

fn faults(target: &Target) -> Value {
    // The status is made of plain members, which always have a JSON form.
    serde_json::to_value(target.faults().status()).unwrap_or_default()
}

fn log(target: &Target, request: &Request) -> Result<Value, Refused> {
    if let Some(trace_id) = parameter(request, "trace_id") {
        let entry = target.refusal_log().find(&trace_id);
        let entry = entry.ok_or((404, "no request of this trace id is known".to_owned()))?;
        return Ok(json!(entry));
    }
    let last = number(request, "last")?.unwrap_or(100);
    let last = usize::try_from(last).unwrap_or(LAST_MAX).min(LAST_MAX);
    Ok(json!({ "entries": target.refusal_log().last(last) }))
}

fn now_ms(target: &Target) -> u64 {
    let since = target.clock().now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    serde_json::from_slice(request.body()).map_err(|error| (400, error.to_string()))
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
}

fn number(request: &Request, name: &str) -> Result<Option<u64>, Refused> {
    let text = parameter(request, name);
    text.map(|text| text.parse().map_err(|_| (400, format!("`{name}` must be a whole number")))).transpose()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::Options;
    use crate::clock::Clock;
    use crate::refusal_log::{Entry, Who, Why};

    fn target() -> Target {
        Target::in_memory(Clock::from_source(|| UNIX_EPOCH + Duration::from_secs(100)), Options::default())
    }

    fn ask(target: &Target, key: &str, method: &str, path: &str, body: &'static str) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(KEY_HEADER, key)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap();
        let response = target.admin(request);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    fn asked(target: &Target, method: &str, path: &str, body: &'static str) -> (u16, Value) {
        ask(target, &target.credentials().secret_access_key, method, path, body)
    }

    #[test]
    fn nothing_is_done_without_the_key() {
        let target = target();
        for key in ["", "x", &target.credentials().access_key_id] {
            assert_eq!(ask(&target, key, "POST", "/_local/clock", "{\"advance_ms\":1}").0, 403);
        }
        assert_eq!(now_ms(&target), 100_000);
    }

    #[test]
    fn the_clock_is_moved() {
        let target = target();
        let moved = asked(&target, "POST", "/_local/clock", "{\"advance_ms\":-500}");
        assert_eq!(moved, (200, json!({ "now_ms": 99_500 })));
        assert_eq!(asked(&target, "POST", "/_local/clock", "{\"advance\":1}").0, 400);
        assert_eq!(asked(&target, "GET", "/_local/status", "").1["now_ms"], 99_500);
    }

    #[test]
    fn a_refusal_is_found_by_its_trace_id() {
        let target = target();
        let entry = Entry {
            at_ms: 1,
            trace_id: "t-1".to_owned(),
            region: Some("eu-west-1".to_owned()),
            who: Some(Who::Gateway),
            why: Why::BadTokenSignature,
            reason: None,
            detail: String::new(),
            authorizer: None,
            subject: None,
            invocations: 0,
        };
        target.refusal_log().record(entry);
        let (status, found) = asked(&target, "GET", "/_local/log?trace_id=t-1", "");
        assert_eq!(
            (status, &found["who"], &found["why"]),
            (200, &json!("gateway"), &json!("bad_token_signature"))
        );
        assert_eq!(asked(&target, "GET", "/_local/log?trace_id=t-2", "").0, 404);
        assert_eq!(asked(&target, "GET", "/_local/log", "").1["entries"].as_array().map(Vec::len), Some(1));
        assert_eq!(asked(&target, "POST", "/_local/reset", "").0, 200);
        assert_eq!(asked(&target, "GET", "/_local/log?trace_id=t-1", "").0, 404);
    }

    #[test]
    fn faults_are_ordered_and_shown() {
        let target = target();
        let (_, shown) = asked(&target, "POST", "/_local/faults", "{\"hold_reply_of\":3}");
        assert_eq!((&shown["hold_reply_of"], &shown["mutating_calls"]), (&json!(3), &json!(0)));
        assert_eq!(asked(&target, "POST", "/_local/faults", "{\"hold\":3}").0, 400);
        let (_, shown) = asked(&target, "DELETE", "/_local/faults", "");
        assert_eq!((&shown["hold_reply_of"], &shown["held"]), (&Value::Null, &json!(false)));
        let (_, counted) = asked(&target, "GET", "/_local/invocations?function=f", "");
        assert_eq!(counted, json!({ "function": "f", "invocations": 0 }));
        assert_eq!(asked(&target, "GET", "/_local/none", "").0, 404);
    }
}
