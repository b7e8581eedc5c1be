//! The sockets around the target.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use local::clock::Clock;
use local::data::broker::Message;
use local::data::topic::{Filter, Topic};
use local::fault::Order;
use local::serve::ServeError;
use local::state_directory::StateDirectory;
use local::{Options, Target};

use crate::client;
use crate::support::{Served, exchange, read_head};

fn directory(place: &tempfile::TempDir) -> StateDirectory {
    StateDirectory::open(place.path(), "test", Duration::from_mins(1)).unwrap()
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\n{headers}\r\n").into_bytes()
}

#[test]
fn ports_and_authority_stay_and_the_run_file_goes() {
    let place = tempfile::tempdir().unwrap();
    let run_path = place.path().join("run.json");
    let served = Served::start(&directory(&place)).unwrap();
    let first = served.run_file.clone();
    let authority = std::fs::read(&first.ca).unwrap();
    assert!(run_path.exists());
    let written: local::serve::RunFile = serde_json::from_slice(&std::fs::read(&run_path).unwrap()).unwrap();
    assert_eq!(written, first);
    assert!(!format!("{first:?}").contains(&first.secret_access_key));
    drop(served);
    assert!(!run_path.exists());
    let again = Served::start(&directory(&place)).unwrap();
    assert_eq!(again.run_file, first);
    assert_eq!(std::fs::read(&first.ca).unwrap(), authority);
}

#[test]
fn a_port_taken_by_another_is_named() {
    let place = tempfile::tempdir().unwrap();
    let control_url = Served::start(&directory(&place)).unwrap().run_file.control_url.clone();
    let port: u16 = control_url.rsplit(':').next().unwrap().parse().unwrap();
    let _other = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let refused = Served::start(&directory(&place)).err().unwrap();
    assert!(matches!(refused, ServeError::PortTaken { what: "control", port: taken } if taken == port));
    assert!(!place.path().join("run.json").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn only_the_loopback_address_listens() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let run = &served.run_file;
    let ports: Vec<u16> = [&run.control_url, &run.identity_url]
        .iter()
        .map(|url| url.rsplit(':').next().unwrap().parse().unwrap())
        .chain([run.data_port])
        .collect();
    for port in ports {
        // A socket bound to every address would answer here too.
        let other = SocketAddr::from(([127, 0, 0, 2], port));
        assert!(TcpStream::connect(other).is_err(), "{port} listens on {other}");
    }
}

#[test]
fn web_pages_and_other_names_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let run = &served.run_file;
    for url in [&run.control_url, &run.identity_url] {
        for headers in [
            "Host: evil.example\r\n",
            "Host: evil.example:80\r\n",
            "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n",
            "Host: 127.0.0.1\r\nOrigin: null\r\n",
        ] {
            for path in ["/", "/_local/status"] {
                let (head, body) = exchange(&mut Served::connect(url), &get(path, headers));
                assert!(head.starts_with("HTTP/1.1 403 "), "{url} {headers}: {head}");
                assert!(!body.is_empty());
            }
        }
    }
}

#[test]
fn the_data_port_has_a_certificate_for_our_names_only() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    for name in [
        "localhost",
        "thinggatelocal-ats.iot.eu-west-1.amazonaws.com",
        "thinggatelocal-ats.iot.ap-southeast-2.amazonaws.com",
    ] {
        for protocols in [&[][..], &["http/1.1"], &["mqtt", "http/1.1"]] {
            served.connect_data(name, protocols).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert!(served.connect_data(name, &["mqtt"]).is_err(), "{name}");
    }
    for name in ["evil.example", "other-ats.iot.eu-west-1.amazonaws.com", "127.0.0.1"] {
        let refused = served.connect_data(name, &[]).err().unwrap_or_else(|| panic!("{name} was accepted"));
        assert!(!refused.to_string().contains("invalid peer certificate"), "{name}: {refused}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let url = &served.run_file.identity_url;
    let headers = format!("Host: 127.0.0.1\r\nX-Large: {}\r\n", "x".repeat(40_000));
    let (head, _) = exchange(&mut Served::connect(url), &get("/", &headers));
    assert!(head.starts_with("HTTP/1.1 431 "), "{head}");
    let request = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 70000\r\n\r\n".to_owned()
        + &"x".repeat(70_000);
    let (head, _) = exchange(&mut Served::connect(url), request.as_bytes());
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
}

#[test]
fn a_signature_with_line_ends_is_a_wrong_signature() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let name = "thinggatelocal-ats.iot.eu-west-1.amazonaws.com";
    let mut stream = served.connect_data(name, &[]).unwrap();
    let request = format!(
        "POST /topics/a HTTP/1.1\r\nHost: {name}\r\nx-amz-customauthorizer-name: none\r\n\
         x-amz-customauthorizer-signature: abc\ndef\nghi==\r\ntoken: t\r\nContent-Length: 2\r\n\r\nhi"
    );
    for _ in 0..2 {
        // Twice: the connection lives on.
        let (head, body) = exchange(&mut stream, request.as_bytes());
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let entry = served.target.refusal_log().find(body["traceId"].as_str().unwrap()).unwrap();
        assert_eq!(entry.why, local::refusal_log::Why::UnknownAuthorizer);
    }
}

#[test]
fn a_large_body_is_read_only_from_who_names_our_key() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let run = &served.run_file;
    let body = vec![b'x'; (1 << 20) + 1];
    let key =
        format!("Authorization: AWS4-HMAC-SHA256 Credential={}/20260101/eu-west-1/iot", run.access_key_id);
    for (path, header, status) in [
        ("/", "Authorization: AWS4-HMAC-SHA256 Credential=AKIAOTHER/20260101/eu-west-1/iot", "413"),
        ("/_local/clock", "X-Other: 1", "413"),
        ("/", key.as_str(), "403"),
    ] {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}/aws4_request\r\nContent-Length: {length}\r\n\r\n"
        );
        let request = [head.as_bytes(), &body].concat();
        let (head, _) = exchange(&mut Served::connect(&run.control_url), &request);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {header}: {head}");
    }
}

#[test]
fn a_reply_that_is_held_holds_nobody_else() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    served.target.faults().order(Order { hold_reply_of: Some(1), ..Order::default() });
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| create_log_group(&served));
        assert!(served.target.faults().wait_until_held(Duration::from_mins(1)));
        let status = get("/_local/status", &with_key(&served));
        let (head, _) = exchange(&mut Served::connect(&served.run_file.control_url), &status);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let mut device = served.connect_data("localhost", &[]).unwrap();
        let (head, _) = exchange(&mut device, &get("/", "Host: localhost\r\n"));
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
        assert!(!waiting.is_finished());
        served.target.faults().release();
        assert!(waiting.join().unwrap().starts_with("HTTP/1.1 200 "));
    });
}

#[test]
fn a_target_that_is_dropped_lets_go_what_it_holds() {
    let place = tempfile::tempdir().unwrap();
    let directory = directory(&place);
    let target = Target::open(&directory, Clock::wall(), Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let running = runtime.block_on(local::serve::serve(target.clone(), &directory)).unwrap();
    let mut subscription = target.subscribe(None, Filter::new("#").unwrap()).unwrap();
    target.faults().order(Order { hold_reply_of: Some(1), ..Order::default() });
    std::thread::scope(|scope| {
        scope.spawn(|| target.control(log_group_request(&target)));
        assert!(target.faults().wait_until_held(Duration::from_mins(1)));
        drop(running);
        let is_held = target.faults().status().held;
        target.faults().release();
        assert!(!is_held, "a held reply outlived its target");
    });
    let ended = std::future::poll_fn(|context| subscription.poll(context));
    let limit = Duration::from_secs(10);
    let ended = runtime.block_on(async { tokio::time::timeout(limit, ended).await });
    assert!(ended.is_ok_and(|message| message.is_none()), "a subscription outlived its target");
}

fn log_group_request(target: &Target) -> http::Request<Bytes> {
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Logs_20140328.CreateLogGroup")];
    let body = b"{\"logGroupName\":\"held\"}";
    client::signed(target, ("logs", client::REGION), ("POST", "/"), &headers, body)
}

/// Sends one mutating call over a socket; the head of the answer.
fn create_log_group(served: &Served) -> String {
    let request = log_group_request(&served.target);
    let mut text = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n", request.body().len());
    for (name, value) in request.headers() {
        text.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
    }
    let text = format!("{text}\r\n{}", std::str::from_utf8(request.body()).unwrap());
    exchange(&mut Served::connect(&served.run_file.control_url), text.as_bytes()).0
}

fn with_key(served: &Served) -> String {
    format!("Host: 127.0.0.1\r\nx-thinggate-key: {}\r\n", served.run_file.secret_access_key)
}

fn message(topic: &str) -> Message {
    Message {
        region: "eu-west-1".into(),
        topic: Topic::new(topic).unwrap(),
        payload: Bytes::from_static(b"hello"),
        qos: 0,
        retain: false,
        at: std::time::SystemTime::UNIX_EPOCH,
        trace_id: "t".into(),
    }
}

#[test]
fn delivered_messages_are_streamed_line_by_line() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let mut stream = Served::connect(&served.run_file.control_url);
    let headers = with_key(&served);
    stream.write_all(&get("/_local/messages?filter=devices/%2B/events", &headers)).unwrap();
    let mut reader = BufReader::new(stream);
    let head = read_head(&mut reader);
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("application/x-ndjson"), "{head}");
    // The head is the sign that nothing delivered from here on is missed.
    for topic in ["devices/a/events", "other", "devices/b/events"] {
        served.target.deliver(message(topic));
    }
    for expected in ["devices/a/events", "devices/b/events"] {
        let (mut size, mut line, mut end) = (String::new(), String::new(), String::new());
        reader.read_line(&mut size).unwrap();
        reader.read_line(&mut line).unwrap();
        reader.read_line(&mut end).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["topic"], &line["text"]), (&expected.into(), &"hello".into()));
    }
    drop(served);
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"0\r\n\r\n", "the stream ends as it should when the target stops");
}

#[test]
fn a_stream_asked_for_wrongly_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let served = Served::start(&directory(&place)).unwrap();
    let stranger = get("/_local/messages", "Host: 127.0.0.1\r\n");
    let (head, _) = exchange(&mut Served::connect(&served.run_file.control_url), &stranger);
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    for (query, status) in [("?filter=a%2F%23%2Fb", 400), ("?filtre=a", 400), ("?filter=", 400)] {
        let request = get(&format!("/_local/messages{query}"), &with_key(&served));
        let (head, _) = exchange(&mut Served::connect(&served.run_file.control_url), &request);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{query}: {head}");
    }
}
