use serde_json::{Value, json};

use super::Host as Runtime;
use crate::config::ConfigError;
use crate::tests::host::{Host, reply};
use crate::tests::support::{NOW, claims, header, hs256, hs256_file, http_event, read};

fn event(id: &str, body: &[u8]) -> Vec<u8> {
    reply(
        "200 OK",
        &format!("Lambda-Runtime-Aws-Request-Id: {id}\r\nLambda-Runtime-Deadline-Ms: 1\r\n"),
        body,
    )
}

fn accepted() -> Vec<u8> {
    reply("202 Accepted", "Content-Type: application/json\r\n", br#"{"status":"OK"}"#)
}

/// Runs until the host's script is over; gives the requests, the log lines and the last words.
fn run(connections: Vec<Vec<Vec<u8>>>, now: Option<u64>) -> (Vec<String>, Vec<Value>, String) {
    let host = Host::play(connections, 50);
    let (keys, rules) = read(&hs256_file()).unwrap();
    let mut log = Vec::new();
    let Err(error) = Runtime::new(&host.address).run(&keys, &rules, &|| now, &mut log);
    let lines = String::from_utf8(log).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (host.requests(), lines, error.to_string())
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn events_are_answered_one_after_the_other() {
    let good = http_event(&hs256(&header("HS256"), &claims()));
    let head = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: id-2\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunked = format!("{head}5\r\n{{\"key\r\n9\r\n1\":\"v\"   \r\n1\r\n}}\r\n0\r\n\r\n").into_bytes();
    let (requests, lines, last) = run(
        // The second connection begins with an answer: the first was closed before it.
        vec![
            vec![event("id-1", &good)],
            vec![accepted(), chunked, accepted(), event("id-3", b"\xff{"), accepted()],
        ],
        Some(NOW),
    );
    let first_lines: Vec<_> = requests.iter().map(|request| request.lines().next().unwrap()).collect();
    let next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1";
    assert_eq!(
        first_lines,
        [
            next,
            "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1",
            next,
            "POST /2018-06-01/runtime/invocation/id-2/response HTTP/1.1",
            next,
            "POST /2018-06-01/runtime/invocation/id-3/response HTTP/1.1",
        ]
    );
    let authenticated = [1, 3, 5].map(|n| body(&requests[n])["isAuthenticated"].clone());
    assert_eq!(authenticated, [json!(true), json!(false), json!(false)]);
    let told: Vec<_> =
        lines.iter().map(|line| (&line["request_id"], &line["decision"], &line["reason"])).collect();
    assert_eq!(
        told,
        [
            (&json!("id-1"), &json!("allow"), &Value::Null),
            (&json!("id-2"), &json!("deny"), &json!("token_missing")),
            (&json!("id-3"), &json!("deny"), &json!("malformed_event")),
        ]
    );
    assert!(last.contains("cannot connect"), "{last}");
}

#[test]
fn an_event_that_is_too_large_is_denied() {
    let large = format!("{{\"token\":\"{}\"}}", "a".repeat(300 * 1024)).into_bytes();
    let (requests, lines, _) = run(vec![vec![event("id-1", &large), accepted()]], Some(NOW));
    assert_eq!(body(&requests[1])["isAuthenticated"], json!(false));
    assert_eq!(lines[0]["reason"], json!("event_too_large"));
}

#[test]
fn a_clock_before_1970_is_an_error_of_the_function() {
    let (requests, lines, _) = run(vec![vec![event("id-1", b"{}"), accepted()]], None);
    assert!(
        requests[1].starts_with("POST /2018-06-01/runtime/invocation/id-1/error HTTP/1.1\r\n"),
        "{}",
        requests[1]
    );
    assert!(requests[1].contains("\r\nlambda-runtime-function-error-type: Authorizer.NotDecided\r\n"));
    assert_eq!(
        body(&requests[1]),
        json!({"errorType": "Authorizer.NotDecided", "errorMessage": "the clock stands before 1970", "stackTrace": []})
    );
    assert!(lines.is_empty());
}

/// AWS Lambda, "Using the Lambda runtime API": 4xx are about one invocation, 500 ends the process.
#[test]
fn answers_of_the_runtime_api() {
    let late = reply("403 Forbidden", "", br#"{"errorMessage":"State transition is not allowed"}"#);
    let (requests, _, _) =
        run(vec![vec![event("id-1", b"{}"), late, event("id-2", b"{}"), accepted()]], Some(NOW));
    assert_eq!(requests.len(), 4);

    let (requests, _, last) = run(vec![vec![event("id-1", b"{}"), reply("500 Error", "", b"")]], Some(NOW));
    assert_eq!((requests.len(), last.contains("answered 500 to a response")), (2, true), "{last}");

    let (_, _, last) = run(vec![vec![reply("410 Gone", "", b"")]], Some(NOW));
    assert!(last.contains("answered 410 to a request for an event"), "{last}");
    for id in ["", "a/../b", "a b", "a\u{e9}", &"a".repeat(129)] {
        let (requests, _, last) = run(vec![vec![event(id, b"{}")]], Some(NOW));
        assert_eq!((requests.len(), last.contains("request id")), (1, true), "{id}: {last}");
    }
}

#[test]
fn a_bad_configuration_is_told() {
    let host = Host::play(vec![vec![accepted()]], 50);
    Runtime::new(&host.address).refuse_start(&ConfigError::new("`issuer` is empty")).unwrap();
    let request = host.requests().remove(0);
    assert!(request.starts_with("POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nlambda-runtime-function-error-type: Authorizer.BadConfiguration\r\n"));
    assert_eq!(body(&request)["errorMessage"], json!("`issuer` is empty"));
}
