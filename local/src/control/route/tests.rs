use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;

use super::*;
use crate::clock::Clock;
use crate::control::sigv4;
use crate::fault::Order;
use crate::state_directory::StateDirectory;
use crate::{Credentials, Options};

fn target() -> Target {
    // 2015-08-30T12:36:00Z.
    let now = UNIX_EPOCH + Duration::from_mins(24_015_636);
    Target::in_memory(Clock::from_source(move || now), Options::default())
}

struct Sent<'a> {
    service: &'a str,
    region: &'a str,
    request: Request,
}

fn form(service: &'static str, body: &'static str) -> Sent<'static> {
    let request = http::Request::post("http://localhost/").body(Bytes::from_static(body.as_bytes())).unwrap();
    Sent { service, region: "us-east-1", request }
}

fn json_call(region: &'static str, operation: &str, body: &str) -> Sent<'static> {
    let request = http::Request::post("http://localhost/")
        .header("x-amz-target", format!("Logs_20140328.{operation}"))
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    Sent { service: "logs", region, request }
}

fn rest(service: &'static str, method: &str, path: &str) -> Sent<'static> {
    let uri = format!("http://localhost{path}");
    let request = http::Request::builder().method(method).uri(uri).body(Bytes::new()).unwrap();
    Sent { service, region: "eu-west-1", request }
}

fn send_as(target: &Target, credentials: &Credentials, sent: Sent) -> Response {
    let Sent { service, region, mut request } = sent;
    sigv4::sign(&mut request, credentials, service, region, target.clock().now());
    target.control(request)
}

fn send(target: &Target, sent: Sent) -> Response {
    send_as(target, &target.credentials(), sent)
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

#[test]
fn a_signed_call_reaches_its_service_and_every_answer_has_an_id() {
    let target = target();
    let response = send(&target, form("sts", "Action=GetCallerIdentity&Version=2011-06-15"));
    assert_eq!(response.status(), 200);
    let id = response.headers()["x-amzn-requestid"].to_str().unwrap();
    assert_eq!(id.len(), 36);
    assert!(text(&response).contains("<Arn>arn:aws:iam::000000000000:user/local</Arn>"));
    assert!(text(&response).contains(&format!("<RequestId>{id}</RequestId>")));
}

/// The forms: the Smithy specifications of awsQuery, `awsJson1_1` and restJson1, "Operation error
/// serialization".
#[test]
fn a_wrong_key_is_refused_in_each_protocols_form() {
    let target = target();
    let wrong = Credentials { secret_access_key: "x".to_owned(), ..target.credentials() };
    let response = send_as(&target, &wrong, form("iam", "Action=ListRoles&Version=2010-05-08"));
    assert_eq!(response.status(), 403);
    assert!(
        text(&response).contains("<Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>")
    );
    let response = send_as(&target, &wrong, json_call("eu-west-1", "DescribeLogGroups", "{}"));
    assert_eq!(response.status(), 403);
    assert!(text(&response).starts_with(r#"{"__type":"InvalidSignatureException","message":"The request"#));
    let response = send_as(&target, &wrong, rest("iot", "GET", "/authorizers/"));
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-amzn-errortype"], "InvalidSignatureException");
    assert!(text(&response).starts_with(r#"{"message":"The request"#));
    let response = target.control(rest("iot", "GET", "/authorizers/").request);
    assert_eq!(response.headers()["x-amzn-errortype"], "MissingAuthenticationTokenException");
    let response = send(&target, rest("s3", "GET", "/"));
    assert_eq!(response.status(), 403);
}

#[test]
fn regions_are_apart() {
    let target = target();
    let create = json_call("eu-west-1", "CreateLogGroup", r#"{"logGroupName":"g"}"#);
    assert_eq!(send(&target, create).status(), 200);
    let here = send(&target, json_call("eu-west-1", "DescribeLogGroups", "{}"));
    let there = send(&target, json_call("us-west-2", "DescribeLogGroups", "{}"));
    assert!(text(&here).contains("arn:aws:logs:eu-west-1:000000000000:log-group:g"));
    assert_eq!(text(&there), r#"{"logGroups":[]}"#);
}

#[test]
fn calls_that_change_something_are_told_from_those_that_do_not() {
    for (sent, changes) in [
        (form("iam", "Action=CreateRole"), true),
        (form("iam", "Action=TagRole"), true),
        (form("iam", "Action=ListRoles"), false),
        (form("sts", "Action=GetCallerIdentity"), false),
        (json_call("eu-west-1", "CreateLogGroup", ""), true),
        (json_call("eu-west-1", "UntagResource", ""), true),
        (json_call("eu-west-1", "FilterLogEvents", ""), false),
        (json_call("eu-west-1", "DescribeLogGroups", ""), false),
        (rest("iot", "GET", "/authorizers/"), false),
        (rest("iot", "POST", "/authorizer/a"), true),
        (rest("iot", "POST", "/authorizer/a/test"), false),
        (rest("iot", "POST", "/authorizer/test"), true),
        (rest("iot", "POST", "/untag"), true),
        (rest("lambda", "POST", "/2015-03-31/functions/f/invocations"), false),
        (rest("lambda", "PUT", "/2015-03-31/functions/f/code"), true),
        (rest("lambda", "DELETE", "/2017-03-31/tags/arn"), true),
    ] {
        let service = Service::from_signing_name(sent.service).unwrap();
        let uri = sent.request.uri();
        let parts = Parts { path: segments(uri.path()), query: parameters(uri.query()) };
        let (name, found) = service.operation(&parts, &sent.request);
        assert_eq!(found, changes, "{name}");
    }
}

#[test]
fn paths_are_decoded_by_segment() {
    assert_eq!(
        segments("/2017-03-31/tags/arn%3Aaws%3Alambda%3A%2F"),
        ["2017-03-31", "tags", "arn:aws:lambda:/"]
    );
    assert_eq!(segments("/authorizers/"), ["authorizers"]);
    assert!(segments("/").is_empty());
}

#[test]
fn an_ordered_refusal_has_no_effect_and_reads_do_not_count() {
    let target = target();
    target.faults().order(Order { refuse: Some(1), ..Order::default() });
    assert_eq!(send(&target, json_call("eu-west-1", "DescribeLogGroups", "{}")).status(), 200);
    let create = || json_call("eu-west-1", "CreateLogGroup", r#"{"logGroupName":"g"}"#);
    let refused = send(&target, create());
    assert_eq!(refused.status(), 503);
    assert!(text(&refused).contains("ServiceUnavailableException"));
    assert_eq!(send(&target, create()).status(), 200);
    assert_eq!(target.faults().status().mutating_calls, 2);
}

#[test]
fn a_held_reply_has_had_its_effect() {
    let target = target();
    target.faults().order(Order { hold_reply_of: Some(1), ..Order::default() });
    std::thread::scope(|scope| {
        let held = scope
            .spawn(|| send(&target, json_call("eu-west-1", "CreateLogGroup", r#"{"logGroupName":"g"}"#)));
        assert!(target.faults().wait_until_held(Duration::from_secs(20)));
        assert_eq!(target.faults().status().held_operation.as_deref(), Some("Logs.CreateLogGroup"));
        assert!(
            text(&send(&target, json_call("eu-west-1", "DescribeLogGroups", "{}"))).contains("log-group:g")
        );
        target.faults().release();
        assert_eq!(held.join().unwrap().status(), 200);
    });
}

#[test]
fn what_was_answered_is_durable() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    let open = || Target::open(&directory, Clock::wall(), Options::default()).unwrap();
    let target = open();
    assert_eq!(
        send(&target, json_call("eu-west-1", "CreateLogGroup", r#"{"logGroupName":"g"}"#)).status(),
        200
    );
    // As if the process had been killed right after the answer.
    std::mem::forget(target);
    let target = open();
    assert!(text(&send(&target, json_call("eu-west-1", "DescribeLogGroups", "{}"))).contains("log-group:g"));
    // A file system that takes nothing more: the call fails, and has no effect.
    std::fs::remove_file(place.path().join("state.json")).unwrap();
    std::fs::create_dir(place.path().join("state.json")).unwrap();
    let refused = send(&target, json_call("eu-west-1", "DeleteLogGroup", r#"{"logGroupName":"g"}"#));
    assert_eq!(refused.status(), 500);
    assert!(text(&refused).contains("InternalFailure"));
    assert!(text(&send(&target, json_call("eu-west-1", "DescribeLogGroups", "{}"))).contains("log-group:g"));
}
