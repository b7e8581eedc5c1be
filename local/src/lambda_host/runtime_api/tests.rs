use std::time::Instant;

use super::super::exchange::Lost;
use super::*;

/// Long enough for any machine; no test waits for it to pass.
const AMPLE: Duration = Duration::from_mins(1);

fn offer() -> Offer {
    Offer {
        request_id: "id".into(),
        deadline_unix_milliseconds: 1,
        arn: "arn".into(),
        event: Bytes::from_static(b"{\"token\":\"secret\"}"),
    }
}

fn listening() -> (RuntimeApi, Arc<Exchange>) {
    let exchange = Arc::new(Exchange::new());
    (RuntimeApi::listen(&exchange).unwrap(), exchange)
}

/// Sends one request, and returns all of the answer, up to the end of the connection.
fn ask(api: &RuntimeApi, request: &str) -> String {
    let mut connection = TcpStream::connect(api.address()).unwrap();
    connection.set_read_timeout(Some(AMPLE)).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_web_page_gets_no_event_and_gives_no_answer() {
    let (api, exchange) = listening();
    let own = format!("Host: {}\r\n", api.address());
    let port = api.address().port();
    for headers in [
        String::new(),
        format!("Host: evil.example:{port}\r\n"),
        format!("Host: localhost:{port}\r\n"),
        "Host: 127.0.0.1\r\n".to_owned(),
        format!("{own}Host: evil.example\r\n"),
        format!("{own}{own}"),
        format!("{own}Origin: http://evil.example\r\n"),
        format!("{own}origin: null\r\n"),
        format!("{own}Referer: http://evil.example/page\r\n"),
        format!("{own}Sec-Fetch-Site: cross-site\r\n"),
        format!("{own}sec-fetch-mode: no-cors\r\n"),
    ] {
        for line in
            ["POST /2018-06-01/runtime/invocation/id/response", "GET /2018-06-01/runtime/invocation/next"]
        {
            let answer = ask(&api, &format!("{line} HTTP/1.1\r\n{headers}\r\n"));
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{line} {headers}: {answer}");
            assert!(!answer.contains("secret"), "{answer}");
        }
    }
    // Nobody asked for an event so far.
    assert_eq!(exchange.wait_ready(Instant::now(), || true), Err(Lost::TimedOut));
}

#[test]
fn a_function_gets_its_event_and_answers_on_connections_of_its_own() {
    let (api, exchange) = listening();
    let host = format!("Host: {}\r\nConnection: close\r\n", api.address());
    thread::scope(|scope| {
        let invoked = scope.spawn(|| exchange.run(offer(), Instant::now() + AMPLE, || true));
        let event = ask(&api, &format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n{host}\r\n"));
        assert!(
            event.starts_with("HTTP/1.1 200 OK\r\n") && event.ends_with("{\"token\":\"secret\"}"),
            "{event}"
        );
        let line = "POST /2018-06-01/runtime/invocation/id/response HTTP/1.1";
        let taken = ask(&api, &format!("{line}\r\n{host}Content-Length: 2\r\n\r\n{{}}"));
        assert!(taken.starts_with("HTTP/1.1 202 Accepted\r\n"), "{taken}");
        assert_eq!(invoked.join().unwrap(), Ok(Invoked::Answered(Bytes::from_static(b"{}"))));
    });
}

/// Waits, as long as it takes, until no handle of a connection is kept.
fn wait_until_none_is_kept(api: &RuntimeApi) {
    let give_up = Instant::now() + AMPLE;
    while !api.connections.lock().unwrap().is_empty() {
        assert!(Instant::now() < give_up, "{} are kept", api.connections.lock().unwrap().len());
        thread::yield_now();
    }
}

#[test]
fn nothing_is_kept_of_a_connection_that_the_function_closed() {
    let (api, _exchange) = listening();
    for _ in 0..CONNECTIONS_MAX * 2 {
        let mut connection = TcpStream::connect(api.address()).unwrap();
        let request = format!("GET /other HTTP/1.1\r\nHost: {}\r\n\r\n", api.address());
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 404");
        drop(connection);
        wait_until_none_is_kept(&api);
    }
}
