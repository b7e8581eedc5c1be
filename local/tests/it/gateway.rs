//! A device at the gateway: what it is told, and what the target's log says about it.

mod questions;
mod throttle;
mod warm;

use std::time::Duration;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use local::clock::Clock;
use local::data::broker::Subscription;
use local::data::endpoint::Peer;
use local::data::topic::Filter;
use local::refusal_log::{Entry, Who, Why};
use local::{Options, Target};
use serde_json::{Value, json};

use crate::client::{self, ACCOUNT, REGION, json_call};

const FUNCTION: &str = "thinggate-demo";
const GROUP: &str = "/thinggate/demo";
const AUTHORIZER: &str = "demo";

/// A deployed authorizer and the key that signs for it.
struct World {
    target: Target,
    key: KeyPair,
    messages: Subscription,
}

fn authorizer_arn() -> String {
    format!("arn:aws:iot:{REGION}:{ACCOUNT}:authorizer/{AUTHORIZER}")
}

/// What a device sends; every test changes something in it.
struct Device {
    path: String,
    host: String,
    headers: Vec<(String, String)>,
}

impl World {
    /// An authorizer whose function behaves as told, with everything right.
    fn new(behaviour: &str) -> Self {
        Self::with(&json!({ "BEHAVIOUR": behaviour }), &json!({}), Duration::from_mins(1))
    }

    fn with(environment: &Value, authorizer: &Value, limit: Duration) -> Self {
        Self::under(Options { authorizer_limit: limit, ..Options::default() }, environment, authorizer)
    }

    /// The same under other settings of the target.
    pub(crate) fn under(options: Options, environment: &Value, authorizer: &Value) -> Self {
        let target = Target::in_memory(Clock::wall(), options);
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        client::logs(&target, "CreateLogGroup", &json!({ "logGroupName": GROUP }));
        client::make_role(&target, "demo", GROUP);
        client::make_function(&target, FUNCTION, "demo", GROUP, environment);
        let messages = target.subscribe(None, Filter::new("#").unwrap()).unwrap();
        let world = Self { target, key, messages };
        world.permit(&authorizer_arn());
        let mut body = json!({
            "authorizerFunctionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"),
            "tokenKeyName": "token", "status": "ACTIVE", "signingDisabled": false,
            "tokenSigningPublicKeys": { "key-1": world.public_key() },
        });
        for (name, value) in authorizer.as_object().unwrap() {
            body[name] = value.clone();
        }
        json_call(&world.target, "iot", "POST", &format!("/authorizer/{AUTHORIZER}"), &body);
        world
    }

    fn permit(&self, source: &str) {
        let body = json!({"StatementId": "iot", "Action": "lambda:InvokeFunction",
            "Principal": "iot.amazonaws.com", "SourceArn": source, "SourceAccount": ACCOUNT});
        let path = format!("/2015-03-31/functions/{FUNCTION}/policy");
        json_call(&self.target, "lambda", "POST", &path, &body);
    }

    fn revoke(&self) {
        let path = format!("/2015-03-31/functions/{FUNCTION}/policy/iot");
        json_call(&self.target, "lambda", "DELETE", &path, &Value::Null);
    }

    fn public_key(&self) -> String {
        let der = STANDARD.encode(self.key.public_key().as_der().unwrap().as_ref());
        format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
    }

    fn sign(&self, token: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    /// A device that does everything right.
    fn device(&self) -> Device {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Device {
            path: "/topics/devices/one/events?qos=1".into(),
            host: format!("thinggatelocal-ats.iot.{REGION}.amazonaws.com"),
            headers: vec![
                header("x-amz-customauthorizer-name", AUTHORIZER),
                header("x-amz-customauthorizer-signature", &self.sign("the-token")),
                header("Token", "the-token"),
            ],
        }
    }

    /// Sends on a connection of its own, which nothing else will come on.
    fn send(&self, device: &Device) -> Response<Bytes> {
        self.send_on(device, None)
    }

    fn send_on(&self, device: &Device, connection: Option<&str>) -> Response<Bytes> {
        let mut request = Request::builder().method("POST").uri(&device.path).header("host", &device.host);
        for (name, value) in &device.headers {
            request = request.header(name, value);
        }
        if let Some(id) = connection {
            request = request.extension(Peer { server_name: device.host.clone(), connection: id.into() });
        }
        self.target.data(request.body(Bytes::from_static(b"{\"temperature\":21}")).unwrap())
    }

    /// Publishes and returns the log's entry.
    #[track_caller]
    fn publish(&self, device: &Device, status: u16, message: &str) -> Entry {
        let response = self.send(device);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let trace_id = body["traceId"].as_str().unwrap();
        let entry = self.target.refusal_log().find(trace_id).unwrap();
        assert_eq!((response.status().as_u16(), &body["message"]), (status, &message.into()), "{entry:?}");
        assert_eq!(response.headers()["x-amzn-requestid"], trace_id);
        assert_eq!(response.headers()["content-type"], "application/json");
        let members: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["message", "traceId"], "a device learns nothing else");
        entry
    }

    /// Is refused with AWS's 403, for this reason, after so many invocations, and delivers nothing.
    #[track_caller]
    fn refuse(&mut self, device: &Device, who: Who, why: Why, invocations: u32) -> Entry {
        let before = self.target.invocations(FUNCTION);
        let entry = self.publish(device, 403, "Forbidden");
        assert_eq!((entry.who, entry.why, entry.invocations), (Some(who), why, invocations), "{entry:?}");
        let ran = self.target.invocations(FUNCTION) - before;
        assert_eq!(ran, u64::from(invocations), "the log says how often it ran");
        assert!(self.messages.now().is_none(), "a refused message was delivered");
        entry
    }
}

impl Device {
    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    fn with(self, name: &str, value: &str) -> Self {
        let mut device = self.without(name);
        device.headers.push((name.to_owned(), value.to_owned()));
        device
    }

    fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }
}

#[test]
fn a_message_arrives() {
    let mut world = World::new("allow");
    let entry = world.publish(&world.device(), 200, "OK");
    assert_eq!((entry.who, entry.why, entry.invocations), (None, Why::Delivered, 1));
    assert_eq!(entry.subject.as_deref(), Some("devices/one/events"));
    assert_eq!((entry.authorizer.as_deref(), entry.region.as_deref()), (Some(AUTHORIZER), Some(REGION)));
    let message = world.messages.now().unwrap();
    assert_eq!(message.topic.as_str(), "devices/one/events");
    assert_eq!(&message.payload[..], b"{\"temperature\":21}");
    assert_eq!((message.qos, message.retain, &message.trace_id), (1, false, &entry.trace_id));
    // Each request runs the function: there is no caching unless it is asked for.
    world.publish(&world.device(), 200, "OK");
    assert_eq!(world.target.invocations(FUNCTION), 2);
}

#[test]
fn credentials_may_travel_in_the_query() {
    let world = World::new("allow");
    let encoded: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("x-amz-customauthorizer-name", AUTHORIZER)
        .append_pair("x-amz-customauthorizer-signature", &world.sign("the-token"))
        .append_pair("token", "the-token")
        .finish();
    let mut device = world.device().at(&format!("/topics/a?{encoded}"));
    device.headers.clear();
    world.publish(&device, 200, "OK");
}

#[test]
fn the_event_is_as_documented() {
    let world = World::with(&json!({"BEHAVIOUR": "echo", "PRINT": ""}), &json!({}), client::LONG);
    let device = world.device().at("/topics/a?qos=1&x=%20y").with("X-Extra", "1");
    let entry = world.publish(&device, 403, "Forbidden");
    assert_eq!(entry.why, Why::MalformedAnswer, "an echo is no authorizer's answer");
    // The echo prints nothing, so the event is read through a function that answers with it.
    let event = echoed_event(&world, &device);
    let id = event["connectionMetadata"]["id"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    assert_eq!(
        event,
        json!({
            "token": "the-token", "signatureVerified": true, "protocols": ["tls", "http"],
            "protocolData": {
                "tls": {"serverName": format!("thinggatelocal-ats.iot.{REGION}.amazonaws.com")},
                "http": {
                    "headers": {
                        "host": format!("thinggatelocal-ats.iot.{REGION}.amazonaws.com"),
                        "token": "the-token", "x-amz-customauthorizer-name": AUTHORIZER, "x-extra": "1",
                    },
                    "queryString": "?qos=1&x=%20y",
                },
            },
            "connectionMetadata": {"id": id},
        })
    );
}

/// The event that the function of `world` gets for `device`: printed by it, and read from its log group.
fn echoed_event(world: &World, device: &Device) -> Value {
    client::set_environment(&world.target, FUNCTION, &json!({"BEHAVIOUR": "print_event"}));
    world.send(device);
    let found = client::logs(&world.target, "FilterLogEvents", &json!({"logGroupName": GROUP}));
    let events = found["events"].as_array().unwrap();
    let line = events.iter().rev().find_map(|event| event["message"].as_str()?.strip_prefix("event: "));
    serde_json::from_str(line.unwrap_or_else(|| panic!("{found}"))).unwrap()
}

#[test]
fn strangers_cost_no_invocation() {
    let mut world = World::new("allow");
    let (gateway, other) = (Who::Gateway, KeyPair::generate(KeySize::Rsa2048).unwrap());
    let mut foreign = vec![0; other.public_modulus_len()];
    other.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"the-token", &mut foreign).unwrap();
    let signature = "x-amz-customauthorizer-signature";
    let good = world.sign("the-token");
    for bad in [&STANDARD.encode(foreign), "AAAA", "no base64!", &good[..300], &format!("{good}A")] {
        let device = world.device().with(signature, bad);
        world.refuse(&device, gateway, Why::BadTokenSignature, 0);
    }
    // Signed as `echo` prints it, with a line end (aws-facts, gotcha 2).
    let device = world.device().with(signature, &world.sign("the-token\n"));
    world.refuse(&device, gateway, Why::BadTokenSignature, 0);
    let device = world.device().with("token", "another-token");
    world.refuse(&device, gateway, Why::BadTokenSignature, 0);
    let device = world.device().without("token");
    world.refuse(&device, gateway, Why::MissingToken, 0);
    let device = world.device().without("token").with("jwt", "the-token");
    world.refuse(&device, gateway, Why::MissingToken, 0);
    let device = world.device().without(signature);
    world.refuse(&device, gateway, Why::MissingTokenSignature, 0);
    let device = world.device().with("x-amz-customauthorizer-name", "Demo");
    world.refuse(&device, gateway, Why::UnknownAuthorizer, 0);
    let device = world.device().at("/topics/a?token=another");
    world.refuse(&device, gateway, Why::AmbiguousCredentials, 0);
    let mut device = world.device();
    device.host = "thinggatelocal-ats.iot.us-east-1.amazonaws.com".into();
    world.refuse(&device, gateway, Why::UnknownAuthorizer, 0);
    device.host = "evil.example".into();
    world.refuse(&device, gateway, Why::UnknownEndpoint, 0);
    assert_eq!(world.target.invocations(FUNCTION), 0);
}

#[test]
fn without_credentials_aws_answers_in_other_words() {
    let world = World::new("allow");
    let mut device = world.device();
    device.headers.clear();
    let entry = world.publish(&device, 403, "Missing Authentication Token");
    assert_eq!((entry.who, entry.why, entry.invocations), (Some(Who::Gateway), Why::NoCredentials, 0));
    json_call(&world.target, "iot", "POST", "/default-authorizer", &json!({"authorizerName": AUTHORIZER}));
    let entry = world.publish(&device, 403, "Missing Authentication Token");
    assert_eq!(entry.why, Why::NoCredentials);
    assert_eq!(world.send(&device).headers()["x-amzn-errortype"], "ForbiddenException:");
}

#[test]
fn the_default_serves_who_names_none() {
    let mut world = World::new("allow");
    let device = world.device().without("x-amz-customauthorizer-name");
    world.refuse(&device, Who::Gateway, Why::UnknownAuthorizer, 0);
    json_call(&world.target, "iot", "POST", "/default-authorizer", &json!({"authorizerName": AUTHORIZER}));
    world.publish(&device, 200, "OK");
    let tampered = world.device().without("x-amz-customauthorizer-name").with("token", "x");
    world.messages.now().unwrap();
    world.refuse(&tampered, Who::Gateway, Why::BadTokenSignature, 0);
}

#[test]
fn an_inactive_authorizer_serves_nobody() {
    let mut world = World::new("allow");
    let path = format!("/authorizer/{AUTHORIZER}");
    json_call(&world.target, "iot", "PUT", &path, &json!({"status": "INACTIVE"}));
    world.refuse(&world.device(), Who::Gateway, Why::InactiveAuthorizer, 0);
}

#[test]
fn only_a_permission_for_this_authorizer_counts() {
    let mut world = World::new("allow");
    let function = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}");
    // The article's own mistake is the second: aws-facts 0.4.
    for source in [format!("{}x", authorizer_arn()), function] {
        world.revoke();
        world.refuse(&world.device(), Who::Gateway, Why::MissingInvokePermission, 0);
        world.permit(&source);
        world.refuse(&world.device(), Who::Gateway, Why::MissingInvokePermission, 0);
    }
    world.revoke();
    world.permit(&authorizer_arn());
    world.publish(&world.device(), 200, "OK");
}

#[test]
fn every_failure_of_the_function_is_named() {
    let mut world = World::new("deny");
    for (behaviour, why) in [
        ("deny", Why::DeniedByAuthorizer),
        ("error", Why::FunctionError),
        ("init_error", Why::FunctionError),
        ("crash", Why::FunctionCrash),
        ("crash_at_start", Why::FunctionCrash),
        ("malformed", Why::MalformedAnswer),
    ] {
        client::set_environment(&world.target, FUNCTION, &json!({"BEHAVIOUR": behaviour}));
        world.refuse(&world.device(), Who::Authorizer, why, 1);
    }
}

#[test]
fn one_that_never_answers_is_refused_in_time() {
    let limit = Duration::from_millis(300);
    let mut world = World::with(&json!({"BEHAVIOUR": "hang"}), &json!({}), limit);
    world.refuse(&world.device(), Who::Authorizer, Why::FunctionTimeout, 1);
}

#[test]
fn the_authorizers_own_word_is_kept_when_it_is_about_this_request() {
    let print = r#"{"decision":"deny","reason":"expired","request_id":"$REQUEST_ID"}"#;
    let mut world = World::with(&json!({"BEHAVIOUR": "deny", "PRINT": print}), &json!({}), client::LONG);
    let entry = world.refuse(&world.device(), Who::Authorizer, Why::DeniedByAuthorizer, 1);
    assert_eq!(entry.reason.as_deref(), Some("expired"));
    for other in [
        r#"{"reason":"expired","request_id":"another"}"#,
        r#"{"reason":"has the token: eyJ","request_id":"$REQUEST_ID"}"#,
        "expired $REQUEST_ID",
    ] {
        client::set_environment(&world.target, FUNCTION, &json!({"BEHAVIOUR": "deny", "PRINT": other}));
        let entry = world.refuse(&world.device(), Who::Authorizer, Why::DeniedByAuthorizer, 1);
        assert_eq!(entry.reason, None, "{other}");
    }
}

#[test]
fn the_topic_that_is_authorised_is_the_topic_that_is_published() {
    let answer = json!({"isAuthenticated": true, "principalId": "d", "disconnectAfterInSeconds": 86400,
        "refreshAfterInSeconds": 300, "policyDocuments": [{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iot:Publish",
             "Resource": format!("arn:aws:iot:{REGION}:{ACCOUNT}:topic/open/*")},
            {"Effect": "Deny", "Action": "iot:Publish",
             "Resource": format!("arn:aws:iot:{REGION}:{ACCOUNT}:topic/open/secret*")}]}]});
    let environment = json!({"BEHAVIOUR": "answer", "ANSWER": answer.to_string()});
    let mut world = World::with(&environment, &json!({}), client::LONG);
    for path in [
        "/topics/open",
        "/topics/Open/a",
        "/topics//open/a",
        "/topics/open/secret/x",
        "/topics/open%2Fsecret",
        "/topics/closed/../open/a",
        "/topics/%6Fpen",
        "/topics/open%252Fa",
    ] {
        let device = world.device().at(path);
        world.refuse(&device, Who::Policy, Why::DeniedByPolicy, 1);
    }
    for (path, topic) in [
        ("/topics/open/a", "open/a"),
        ("/topics/open%2Fa", "open/a"),
        ("/topics/open/", "open/"),
        ("/topics/open/../secret", "open/../secret"),
        ("/topics/open/%2e%2e/secret", "open/../secret"),
        ("/topics/open/%252e", "open/%2e"),
        ("/topics/open//secret", "open//secret"),
    ] {
        world.publish(&world.device().at(path), 200, "OK");
        assert_eq!(world.messages.now().unwrap().topic.as_str(), topic);
    }
    // Retaining is a right of its own.
    let device = world.device().at("/topics/open/a?retain=true");
    let entry = world.refuse(&device, Who::Policy, Why::DeniedByPolicy, 1);
    assert!(entry.detail.contains("iot:RetainPublish"), "{}", entry.detail);
}

#[test]
fn bad_requests_are_told_before_anybody_is_asked() {
    let world = World::new("allow");
    for (path, status, why) in [
        ("/topics/$aws/things/a/shadow/update", 400, Why::InvalidRequest),
        ("/topics/a%23", 400, Why::InvalidRequest),
        ("/topics/a?qos=2", 400, Why::InvalidRequest),
        ("/topic/a", 404, Why::UnknownPath),
    ] {
        let response = world.send(&world.device().at(path));
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let entry = world.target.refusal_log().find(body["traceId"].as_str().unwrap()).unwrap();
        assert_eq!((response.status().as_u16(), entry.why, entry.invocations), (status, why, 0), "{path}");
    }
    let large = Bytes::from(vec![0; (128 << 10) + 1]);
    let request = Request::builder().method("POST").uri("/topics/a").body(large).unwrap();
    assert_eq!(world.target.data(request).status(), 413);
    assert_eq!(world.target.invocations(FUNCTION), 0);
}

#[test]
fn a_broker_that_loses_messages_is_named_too() {
    let mut world = World::new("allow");
    let request = Request::builder()
        .method("POST")
        .uri("/_local/broker")
        .header("host", "localhost")
        .header("x-thinggate-key", world.target.credentials().secret_access_key)
        .body(Bytes::from_static(b"{\"drop_messages\":true}"))
        .unwrap();
    assert_eq!(world.target.admin(request).status(), 200);
    let entry = world.publish(&world.device(), 200, "OK");
    assert_eq!((entry.who, entry.why), (Some(Who::Broker), Why::Dropped));
    assert!(world.messages.now().is_none());
}

#[test]
fn without_signing_the_function_alone_decides() {
    let authorizer = json!({"signingDisabled": true, "tokenSigningPublicKeys": {}});
    let world = World::with(&json!({"BEHAVIOUR": "print_event"}), &authorizer, client::LONG);
    let mut device = world.device().without("x-amz-customauthorizer-signature").without("token");
    let event = echoed_event(&world, &device);
    assert_eq!((&event["signatureVerified"], event.get("token")), (&json!(false), None));
    device = device.with("token", "unsigned");
    assert_eq!(echoed_event(&world, &device)["token"], "unsigned");
}

#[test]
fn answers_are_kept_for_one_connection_where_the_authorizer_asks_for_it() {
    for (caching, expected) in [(false, [1, 2, 3, 4, 5]), (true, [1, 1, 2, 3, 4])] {
        let authorizer = json!({ "enableCachingForHttp": caching });
        let world = World::with(&json!({"BEHAVIOUR": "allow"}), &authorizer, client::LONG);
        let device = world.device();
        let other = world
            .device()
            .with("token", "other")
            .with("x-amz-customauthorizer-signature", &world.sign("other"));
        let ran = |device, connection| {
            assert_eq!(world.send_on(device, Some(connection)).status(), 200);
            world.target.invocations(FUNCTION)
        };
        let seen = [ran(&device, "one"), ran(&device, "one"), ran(&device, "two"), ran(&other, "one"), {
            // The answer of the test's function holds for 300 seconds.
            world.target.clock().advance(301_000);
            ran(&device, "one")
        }];
        assert_eq!(seen, expected, "caching: {caching}");
    }
}

#[test]
fn neither_token_nor_signature_is_in_the_log() {
    let world = World::new("error");
    let device = world.device();
    world.publish(&device, 403, "Forbidden");
    world.publish(&device.with("x-amz-customauthorizer-signature", "AAAA"), 403, "Forbidden");
    let log = serde_json::to_string(&world.target.refusal_log().last(100)).unwrap();
    assert!(!log.contains("the-token") && !log.contains("AAAA"), "{log}");
}
