//! The Lambda Runtime API (Lambda Developer Guide, "Using the Lambda runtime API", version 2018-06-01)
//! on a loopback port of its own for each process.
//!
//! Every browser on this machine reaches a loopback port too, and what goes over this one holds access
//! tokens: whatever a web page sent is refused, and so is another `Host` (DNS rebinding).

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::Invoked;
use super::exchange::{Exchange, Offer};
use crate::random;

/// Head of one request of the process.
const HEAD_BYTES_MAX: u64 = 64 << 10;
/// AWS's limit on an answer: 6 MB and some room (Lambda quotas; the number is in its error text).
const ANSWER_BYTES_MAX: usize = 6_291_556;
/// Connections of one process at a time.
const CONNECTIONS_MAX: usize = 16;
/// Between two tries when the system has no descriptor for a connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// The open connections of one process, each by a number of its own: an address cannot be asked for once
/// the other side has closed.
type Connections = Arc<Mutex<BTreeMap<u64, TcpStream>>>;

/// A listening Runtime API. Dropping it closes every connection of the process.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    exchange: Arc<Exchange>,
    connections: Connections,
}

impl RuntimeApi {
    /// Listens on a port that the system chooses.
    pub(super) fn listen(exchange: &Arc<Exchange>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let connections = Connections::default();
        let api = Self { address, exchange: Arc::clone(exchange), connections: Arc::clone(&connections) };
        let exchange = Arc::clone(exchange);
        thread::Builder::new()
            .name("lambda-runtime-api".into())
            .spawn(move || accept(&listener, address, &exchange, &connections))?;
        Ok(api)
    }

    /// `host:port`, for `AWS_LAMBDA_RUNTIME_API`.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.exchange.end();
        let open = std::mem::take(&mut *self.connections.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in open.into_values() {
            // An error means that it is closed already.
            let _closed = connection.shutdown(Shutdown::Both);
        }
        // Wakes the listener, which then sees that the exchange has ended.
        let _woken = TcpStream::connect(self.address);
    }
}

fn accept(listener: &TcpListener, address: SocketAddr, exchange: &Arc<Exchange>, connections: &Connections) {
    let open = Arc::new(AtomicUsize::new(0));
    for (number, connection) in (0..).zip(listener.incoming()) {
        if exchange.ended() {
            return;
        }
        let handles = connection.and_then(|connection| Ok((connection.try_clone()?, connection)));
        let Ok((handle, connection)) = handles else {
            // Out of file descriptors, most likely: others must end before the next can come.
            thread::park_timeout(ACCEPT_AGAIN);
            continue;
        };
        if open.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
            continue;
        }
        connections.lock().unwrap_or_else(PoisonError::into_inner).insert(number, handle);
        open.fetch_add(1, Ordering::Relaxed);
        let (exchange, open_now, all) = (Arc::clone(exchange), Arc::clone(&open), Arc::clone(connections));
        let served = thread::Builder::new().name("lambda-runtime-connection".into()).spawn(move || {
            // A broken connection ends here; the invocation's own limit covers what it was doing.
            let _ended = serve(&connection, address, &exchange);
            all.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            open_now.fetch_sub(1, Ordering::Relaxed);
        });
        if served.is_err() {
            connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// One request, read.
struct Asked {
    method: String,
    path: String,
    error_type: Option<String>,
    body: Result<Vec<u8>, TooLarge>,
    keep: bool,
}

struct TooLarge;

fn serve(connection: &TcpStream, address: SocketAddr, exchange: &Exchange) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let host = address.to_string();
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    while let Some(head) = read_head(&mut reader)? {
        if !head.is_from_a_program(&host) {
            let text = r#"{"errorMessage":"Not for web pages, nor by another Host","errorType":"Forbidden"}"#;
            status(&mut writer, 403, "Forbidden", text)?;
            break;
        }
        let asked = read_body(&mut reader, head)?;
        let keep = asked.keep;
        if !answer(&asked, exchange, &mut writer)? || !keep {
            break;
        }
    }
    connection.shutdown(Shutdown::Both)
}

/// Answers one request; false when the connection is to be closed.
fn answer(asked: &Asked, exchange: &Exchange, writer: &mut impl Write) -> io::Result<bool> {
    let Some(path) = asked.path.strip_prefix("/2018-06-01/runtime/") else {
        return status(writer, 404, "Not Found", "404 page not found");
    };
    let parts: Vec<&str> = path.split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["invocation", "next"]) => match exchange.next() {
            Some(offer) => offered(writer, &offer),
            None => Ok(false),
        },
        ("POST", ["invocation", id, "response"]) => {
            let invoked = match &asked.body {
                Ok(body) => Invoked::Answered(Bytes::copy_from_slice(body)),
                Err(TooLarge) => Invoked::Failed {
                    kind: "Function.ResponseSizeTooLarge".into(),
                    message: format!(
                        "Response payload size exceeded maximum allowed payload size ({ANSWER_BYTES_MAX} bytes)."
                    ),
                },
            };
            let too_large = asked.body.is_err();
            accepted(writer, exchange.answer(id, invoked), too_large)
        }
        ("POST", ["invocation", id, "error"]) => {
            let (kind, message) = reported(asked);
            accepted(writer, exchange.answer(id, Invoked::Failed { kind, message }), asked.body.is_err())
        }
        ("POST", ["init", "error"]) => {
            let (kind, message) = reported(asked);
            exchange.init_error(kind, message);
            accepted(writer, true, asked.body.is_err())
        }
        _ => status(writer, 404, "Not Found", "404 page not found"),
    }
}

/// What a function says went wrong: the body, or else the header.
fn reported(asked: &Asked) -> (String, String) {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Report {
        error_type: Option<String>,
        error_message: Option<String>,
    }
    let body = asked.body.as_deref().unwrap_or_default();
    let report = serde_json::from_slice::<Report>(body).ok();
    let (kind, message) = report.map(|report| (report.error_type, report.error_message)).unwrap_or_default();
    let kind = kind.or_else(|| asked.error_type.clone()).unwrap_or_else(|| "Runtime.Unknown".into());
    (kind, message.unwrap_or_default())
}

fn offered(writer: &mut impl Write, offer: &Offer) -> io::Result<bool> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: {}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\nLambda-Runtime-Invoked-Function-Arn: {}\r\n\
         Lambda-Runtime-Trace-Id: Root=1-00000000-{};Sampled=0\r\nContent-Length: {}\r\n\r\n",
        offer.request_id,
        offer.deadline_unix_milliseconds,
        offer.arn,
        random::hex(&random::bytes::<12>()),
        offer.event.len()
    )
    .into_bytes();
    answer.extend_from_slice(&offer.event);
    writer.write_all(&answer).map(|()| true)
}

fn accepted(writer: &mut impl Write, expected: bool, too_large: bool) -> io::Result<bool> {
    if too_large {
        let text =
            r#"{"errorMessage":"Exceeded maximum allowed payload size","errorType":"RequestEntityTooLarge"}"#;
        // The rest of the body was not read, so the connection cannot be used again.
        return status(writer, 413, "Request Entity Too Large", text).map(|_| false);
    }
    if expected {
        status(writer, 202, "Accepted", r#"{"status":"OK"}"#)
    } else {
        let text = r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#;
        status(writer, 400, "Bad Request", text)
    }
}

fn status(writer: &mut impl Write, code: u16, reason: &str, text: &str) -> io::Result<bool> {
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{text}"
    );
    writer.write_all(answer.as_bytes()).map(|()| true)
}

/// How the end of a body is told.
enum BodySize {
    Bytes(usize),
    Chunked,
}

/// The head of one request.
struct Head {
    method: String,
    path: String,
    keep: bool,
    body: BodySize,
    expects: bool,
    error_type: Option<String>,
    hosts: Vec<String>,
    /// It has a header that browsers add, and runtimes do not.
    from_a_page: bool,
}

impl Head {
    /// Whether it has exactly the `Host` that a function was told, and nothing that a browser adds.
    fn is_from_a_program(&self, host: &str) -> bool {
        self.hosts == [host] && !self.from_a_page
    }

    fn header(&mut self, name: &str, value: &str) -> io::Result<()> {
        match name {
            "content-length" => {
                let length = value.parse().map_err(|_| malformed("Content-Length"))?;
                // Chunks go before a length (RFC 9112, 6.3).
                if matches!(self.body, BodySize::Bytes(_)) {
                    self.body = BodySize::Bytes(length);
                }
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => self.body = BodySize::Chunked,
            "connection" => self.keep = !value.eq_ignore_ascii_case("close") && self.keep,
            "expect" => self.expects = true,
            "lambda-runtime-function-error-type" => self.error_type = Some(value.to_owned()),
            "host" => self.hosts.push(value.to_owned()),
            "origin" | "referer" => self.from_a_page = true,
            name if name.starts_with("sec-fetch-") => self.from_a_page = true,
            _ => {}
        }
        Ok(())
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Reads the head of one request; `None` at the end of the connection.
fn read_head(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Head>> {
    let mut left = HEAD_BYTES_MAX;
    let Some(first) = read_line(reader, &mut left)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(path), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Err(malformed("the request line"));
    };
    let mut head = Head {
        method: method.to_owned(),
        path: path.to_owned(),
        keep: version == "HTTP/1.1",
        body: BodySize::Bytes(0),
        expects: false,
        error_type: None,
        hosts: Vec::new(),
        from_a_page: false,
    };
    loop {
        let line = read_line(reader, &mut left)?.ok_or_else(|| malformed("the head"))?;
        if line.is_empty() {
            return Ok(Some(head));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("a header"))?;
        head.header(&name.to_ascii_lowercase(), value.trim())?;
    }
}

/// Reads the rest of the request.
fn read_body(reader: &mut BufReader<&TcpStream>, head: Head) -> io::Result<Asked> {
    let Head { method, path, keep, body, expects, error_type, .. } = head;
    if expects {
        let mut writer: &TcpStream = reader.get_ref();
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = match body {
        BodySize::Bytes(length) => read_exactly(reader, length)?,
        BodySize::Chunked => read_chunks(reader)?,
    };
    Ok(Asked { method, path, error_type, body, keep })
}

fn read_line(reader: &mut impl BufRead, left: &mut u64) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(*left).read_until(b'\n', &mut line)?;
    *left -= read as u64;
    if read == 0 && *left > 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(ErrorKind::InvalidData, "a line without an end, or too large a head"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map(Some).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

fn read_exactly(reader: &mut impl Read, length: usize) -> io::Result<Result<Vec<u8>, TooLarge>> {
    if length > ANSWER_BYTES_MAX {
        return Ok(Err(TooLarge));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Ok(body))
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Result<Vec<u8>, TooLarge>> {
    let mut body = Vec::new();
    loop {
        let mut left = HEAD_BYTES_MAX;
        let size = read_line(reader, &mut left)?.ok_or_else(|| malformed("a chunk"))?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| malformed("a chunk's size"))?;
        if size == 0 {
            // Trailers, such as `Lambda-Runtime-Function-Error-Body`, up to the empty line.
            while read_line(reader, &mut left)?.is_some_and(|line| !line.is_empty()) {}
            return Ok(Ok(body));
        }
        if size > ANSWER_BYTES_MAX - body.len() {
            return Ok(Err(TooLarge));
        }
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        let mut end = [0; 2];
        reader.read_exact(&mut end)?;
    }
}

#[cfg(test)]
mod tests;
