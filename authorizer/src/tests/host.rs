//! A Runtime API host that says exactly what it is told, byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// The most connections in a script.
const CONNECTIONS_MAX: usize = 4;

/// What the host does on one accepted connection: a reply for each request, then it closes.
pub(crate) type Connection = Vec<Vec<u8>>;

/// A host with a script. It takes no connection beyond its script.
pub(crate) struct Host {
    pub(crate) address: String,
    thread: JoinHandle<Vec<String>>,
}

impl Host {
    /// Plays `connections` one after the other; replies are written in pieces of `piece_bytes`.
    pub(crate) fn play(connections: Vec<Connection>, piece_bytes: usize) -> Self {
        assert!(connections.len() <= CONNECTIONS_MAX);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let thread = std::thread::spawn(move || {
            let mut requests = Vec::new();
            let mut listener = Some(listener);
            let last = connections.len();
            for (replies, number) in connections.into_iter().zip(1..) {
                let (stream, _) = listener.as_ref().unwrap().accept().unwrap();
                // Before the client sees the end of the last connection: afterwards its next one could
                // still be taken by a listener that is about to go.
                if number == last {
                    listener = None;
                }
                stream.set_nodelay(true).unwrap();
                let mut reader = BufReader::new(stream);
                for reply in replies {
                    requests.push(read_request(&mut reader));
                    for piece in reply.chunks(piece_bytes) {
                        // The client may have given up on a malformed reply.
                        let _ = reader.get_mut().write_all(piece);
                    }
                }
            }
            requests
        });
        Self { address, thread }
    }

    /// The requests that came. A script that the client did not play to its end fails the test.
    pub(crate) fn requests(self) -> Vec<String> {
        // Whoever still waits for a connection gets one that says nothing.
        for _ in 0..CONNECTIONS_MAX {
            let _ = TcpStream::connect(&self.address);
        }
        self.thread.join().unwrap()
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> String {
    let mut text = String::new();
    let mut length = 0;
    loop {
        let start = text.len();
        assert_ne!(reader.read_line(&mut text).unwrap(), 0, "the client closed after {text:?}");
        let line = &text[start..];
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim_end().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    text + std::str::from_utf8(&body).unwrap()
}

/// A reply with a length.
pub(crate) fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
