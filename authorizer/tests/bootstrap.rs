//! The executable as Lambda starts it: a folder with `authorizer.json`, a few variables, and a
//! Runtime API to talk to.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A folder of its own for each test, made anew.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn configuration() -> Value {
    json!({
        "version": 1, "arn_prefix": "arn:aws:iot:eu-west-1:000000000000", "issuer": "https://i",
        "audience": ["a"], "audience_claims": ["aud"], "scopes": [], "scope_claims": [], "types": ["at+jwt"],
        "require": {}, "leeway_seconds": 60, "strict_expiry": false,
        "key": {"hs256": {"secret_variable": "THE_SECRET", "encoding": "base64", "allow_short_secret": false}},
        "allow": [{"connect": [], "publish": ["t"], "subscribe": []}],
    })
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reader.read_line(&mut head).unwrap() == 0 {
            return None;
        }
        if let Some(value) = head[start..].strip_prefix("content-length: ") {
            length = value.trim_end().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some((head.lines().next().unwrap().to_owned(), String::from_utf8(body).unwrap()))
}

/// Starts the executable against a host that hands out `events` and then closes; gives what it
/// posted and how it ended.
fn start(program: &Path, variables: &[(&str, &str)], events: &[&str]) -> (Vec<(String, String)>, Output) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut child = Command::new(program);
    child.env_clear().env("AWS_LAMBDA_RUNTIME_API", &address).envs(variables.iter().copied());
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

    let (stream, _) = listener.accept().unwrap();
    drop(listener);
    let mut reader = BufReader::new(stream);
    let mut events = events.iter();
    let mut posted = Vec::new();
    while let Some((line, body)) = read_request(&mut reader) {
        let reply = if line.starts_with("GET ") {
            let Some(event) = events.next() else { break };
            let id = "lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd";
            format!("HTTP/1.1 200 OK\r\n{id}\r\ncontent-length: {}\r\n\r\n{event}", event.len())
        } else {
            posted.push((line, body));
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
        };
        reader.get_mut().write_all(reply.as_bytes()).unwrap();
    }
    drop(reader);
    (posted, child.wait_with_output().unwrap())
}

#[test]
fn it_answers_events_with_the_configuration_of_the_task_root() {
    let folder = folder("answers");
    std::fs::write(folder.join("authorizer.json"), configuration().to_string()).unwrap();
    let variables = [("LAMBDA_TASK_ROOT", folder.to_str().unwrap()), ("THE_SECRET", SECRET)];
    let program = Path::new(env!("CARGO_BIN_EXE_bootstrap"));
    let (posted, output) = start(program, &variables, &["{\"key1\":\"value1\"}", "no event"]);

    assert_eq!(posted.len(), 2);
    for (line, body) in posted {
        assert!(line.contains("/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response "), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["isAuthenticated"], json!(false));
    }
    let log = String::from_utf8(output.stdout).unwrap();
    let reasons: Vec<Value> =
        log.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["reason"].clone()).collect();
    assert_eq!(reasons, ["token_missing", "malformed_event"]);
    // The host is gone: the process ends, and Lambda would start another.
    assert_eq!(output.status.code(), Some(1));
}

/// Without `LAMBDA_TASK_ROOT` the file is beside the executable.
#[test]
fn a_bad_configuration_ends_the_start_with_a_message_and_without_the_secret() {
    let folder = folder("beside");
    let program = folder.join("bootstrap");
    // A link, not a copy: a file that was just written may still be open in another test's child.
    std::fs::hard_link(env!("CARGO_BIN_EXE_bootstrap"), &program).unwrap();
    let mut short = configuration();
    short["issuer"] = json!("");
    let cases: [(Option<String>, &str, &str); 4] = [
        (None, SECRET, "authorizer.json: No such file or directory"),
        (Some("{".to_owned()), SECRET, "EOF while parsing"),
        (Some(short.to_string()), SECRET, "`issuer` is or has an empty text"),
        (Some(configuration().to_string()), "c2hvcnQ=", "THE_SECRET has 5 bytes"),
    ];
    for (text, secret, because) in cases {
        if let Some(text) = text {
            std::fs::write(folder.join("authorizer.json"), text).unwrap();
        }
        let (posted, output) = start(&program, &[("THE_SECRET", secret)], &[]);
        let [(line, body)] = posted.as_slice() else { panic!("{posted:?}") };
        assert_eq!(line, "POST /2018-06-01/runtime/init/error HTTP/1.1");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["errorType"], json!("Authorizer.BadConfiguration"));
        let message = body["errorMessage"].as_str().unwrap();
        assert!(message.contains(because), "{message}");
        let log = String::from_utf8(output.stdout).unwrap();
        assert!(log.contains("\"error\":\"bad_configuration\"") && !log.contains(secret), "{log}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn it_says_that_lambda_starts_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_bootstrap")).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("AWS_LAMBDA_RUNTIME_API is not set"));
}
