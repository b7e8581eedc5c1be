use std::io::Cursor;

use super::{Client, HttpError, Reply, read_reply};
use crate::tests::host::{Host, reply};

fn read(text: &[u8]) -> Result<(Reply, bool), HttpError> {
    read_reply(&mut Cursor::new(text), 64, b"of another reply".to_vec())
}

#[track_caller]
fn body_of(text: &str, body: &str) {
    let (reply, _) = read(text.as_bytes()).expect(text);
    assert_eq!(reply.body.as_deref(), Some(body.as_bytes()), "{text}");
}

#[test]
fn bodies() {
    body_of("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcd", "abc");
    body_of("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "");
    body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "abc");
    body_of(
        "HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\n\r\n1;x=y\r\na\r\n02 \r\nbc\r\n0\r\nTrailer: 1\r\n\r\n",
        "abc",
    );
    body_of("HTTP/1.1 200 OK\r\n\r\nto the end", "to the end");
    body_of("HTTP/1.1 204 No Content\r\n\r\nnext", "");
    // 64 bytes are kept, 65 are not, whatever the form; the connection stays in step.
    body_of(&format!("HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n{}", "a".repeat(64)), &"a".repeat(64));
    for text in [
        format!("HTTP/1.1 200 OK\r\ncontent-length: 65\r\n\r\n{}", "a".repeat(65)),
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{0}\r\n21\r\n{0}a\r\n0\r\n\r\n",
            "a".repeat(32)
        ),
    ] {
        let (reply, is_kept) = read(text.as_bytes()).unwrap();
        assert!(reply.body.is_none() && is_kept, "{text}");
    }
}

#[test]
fn a_connection_is_kept_unless_it_ends() {
    let kept = |headers: &str| read(format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes()).unwrap().1;
    assert!(kept("content-length: 0\r\n"));
    assert!(kept("content-length: 0\r\nconnection: keep-alive\r\n"));
    assert!(!kept("content-length: 0\r\nconnection: Close\r\n"));
    assert!(!kept(""));
}

#[test]
fn what_is_not_understood_is_refused() {
    let long_line = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(17_000));
    let many_lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(200));
    let malformed = [
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 600 x\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\na : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b\r\n c: d\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: 0x1\r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\na",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\na",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        &long_line,
        &many_lines,
    ];
    for text in malformed {
        assert!(matches!(read(text.as_bytes()), Err(HttpError::Malformed(_))), "{text:?}");
    }
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\na",
    ] {
        assert!(matches!(read(text.as_bytes()), Err(HttpError::Broken(_))), "{text:?}");
    }
    assert!(matches!(read(b""), Err(HttpError::Closed)));
    assert!(matches!(read(b"HTTP/1.1 200 \xff\r\n\r\n"), Err(HttpError::Malformed(_))));
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 9 * 1024 * 1024]].concat();
    assert!(matches!(read(&endless), Err(HttpError::Malformed("a body without end"))));
}

/// Every place at which a reply can be cut into two reads.
#[test]
fn replies_may_come_in_pieces() {
    for piece_bytes in 1..=40 {
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec();
        let host = Host::play(vec![vec![chunked, reply("200 OK", "", b"second")]], piece_bytes);
        let mut client = Client::new(&host.address);
        for body in ["abc", "second"] {
            let reply = client.exchange(b"GET / HTTP/1.1\r\n\r\n", 64).unwrap();
            assert_eq!(reply.body.as_deref(), Some(body.as_bytes()));
        }
        assert_eq!(host.requests().len(), 2);
    }
}

#[test]
fn a_closed_connection_is_opened_once_more() {
    let ok = || reply("200 OK", "", b"");
    // Kept alive, then closed by the host; then closed as announced.
    let closing = reply("200 OK", "connection: close\r\n", b"");
    let host = Host::play(vec![vec![ok()], vec![ok(), closing], vec![ok()]], 1000);
    let mut client = Client::new(&host.address);
    for path in ["/1", "/2", "/3", "/4"] {
        client.exchange(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes(), 64).unwrap();
        assert_eq!(client.connection.is_some(), path != "/3", "after {path}");
    }
    let paths: Vec<_> = host.requests().iter().map(|request| request[4..6].to_owned()).collect();
    assert_eq!(paths, ["/1", "/2", "/3", "/4"]);
}

#[test]
fn a_new_connection_that_fails_is_an_error() {
    // Accepted, read, and closed without a word: on a new connection that is not tried again.
    let host = Host::play(vec![vec![Vec::new()]], 1);
    let mut client = Client::new(&host.address);
    assert!(matches!(client.exchange(b"GET / HTTP/1.1\r\n\r\n", 64), Err(HttpError::Closed)));
    assert_eq!(host.requests().len(), 1);
    assert!(matches!(client.exchange(b"GET / HTTP/1.1\r\n\r\n", 64), Err(HttpError::Connect(_))));

    // In the middle of a reply the request may have had its effect: not sent twice.
    let host =
        Host::play(vec![vec![reply("200 OK", "", b""), b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()]], 100);
    let mut client = Client::new(&host.address);
    client.exchange(b"GET / HTTP/1.1\r\n\r\n", 64).unwrap();
    assert!(matches!(client.exchange(b"GET / HTTP/1.1\r\n\r\n", 64), Err(HttpError::Malformed(_))));
    assert_eq!(host.requests().len(), 2);
}
