//! A small strict HTTP/1.1 client for the Lambda Runtime API: one kept-alive connection, plain TCP,
//! blocking. The Runtime API is on the same machine; there is one request at a time.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem;
use std::net::TcpStream;

/// The greatest line of a head, in bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024;
/// The most lines in a head.
const HEAD_LINES_MAX: usize = 128;
/// How much of an unwanted body is read to keep the connection in step, in bytes. Lambda's own
/// limit for an event is 6 MB.
const DISCARD_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 8 * 1024;

/// Why an exchange failed.
#[derive(Debug)]
pub enum HttpError {
    /// No connection.
    Connect(io::Error),
    /// The connection ended before the first byte of a reply.
    Closed,
    /// The connection failed in the middle of a reply.
    Broken(io::Error),
    /// The reply is not HTTP/1.1 as it is understood here.
    Malformed(&'static str),
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(formatter, "cannot connect: {error}"),
            Self::Closed => formatter.write_str("the connection was closed before a reply"),
            Self::Broken(error) => write!(formatter, "the connection broke: {error}"),
            Self::Malformed(what) => write!(formatter, "the reply is malformed: {what}"),
        }
    }
}

impl std::error::Error for HttpError {}

/// The headers that are read, in lower case. All others are dropped.
const KNOWN_HEADERS: [&str; 4] =
    ["content-length", "transfer-encoding", "connection", "lambda-runtime-aws-request-id"];

/// Known headers with their values.
type Headers = Vec<(&'static str, String)>;

/// A reply.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    headers: Headers,
    /// The body; `None` if it was greater than asked for.
    pub(crate) body: Option<Vec<u8>>,
}

impl Reply {
    /// The value of a known header that is there exactly once; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        only(&self.headers, name).ok().flatten()
    }
}

/// A client of one address.
pub(crate) struct Client {
    address: String,
    connection: Option<BufReader<TcpStream>>,
    /// Room for the next body, so that large events do not come and go from the allocator.
    spare: Vec<u8>,
}

impl Client {
    /// A client of `address` (`host:port`). Connects with the first exchange.
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), connection: None, spare: Vec::new() }
    }

    /// The address, for the `Host` header.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Takes back a body that is no longer needed.
    pub(crate) fn recycle(&mut self, body: Option<Vec<u8>>) {
        if let Some(body) = body.filter(|body| body.capacity() > self.spare.capacity()) {
            self.spare = body;
        }
    }

    /// Sends `request` whole, and reads a reply with at most `body_bytes_max` of body.
    ///
    /// A kept-alive connection may have been closed in the meantime: then, and only if nothing of a
    /// reply came, the request is sent once more on a new one.
    pub(crate) fn exchange(&mut self, request: &[u8], body_bytes_max: usize) -> Result<Reply, HttpError> {
        if let Some(connection) = self.connection.take() {
            match self.exchange_on(connection, request, body_bytes_max) {
                Err(HttpError::Closed) => {}
                other => return other,
            }
        }
        let stream = TcpStream::connect(&self.address).map_err(HttpError::Connect)?;
        stream.set_nodelay(true).map_err(HttpError::Connect)?;
        self.exchange_on(BufReader::with_capacity(READ_BYTES, stream), request, body_bytes_max)
    }

    /// Keeps the connection only after a whole reply that does not end it.
    fn exchange_on(
        &mut self,
        mut connection: BufReader<TcpStream>,
        request: &[u8],
        body_bytes_max: usize,
    ) -> Result<Reply, HttpError> {
        connection.get_mut().write_all(request).map_err(|_| HttpError::Closed)?;
        let (reply, is_kept) = read_reply(&mut connection, body_bytes_max, mem::take(&mut self.spare))?;
        if is_kept {
            self.connection = Some(connection);
        }
        Ok(reply)
    }
}

fn read_reply(
    reader: &mut impl BufRead,
    body_bytes_max: usize,
    mut room: Vec<u8>,
) -> Result<(Reply, bool), HttpError> {
    let Some(status_line) = read_first_line(reader)? else { return Err(HttpError::Closed) };
    let status = parse_status(&status_line)?;
    let headers = read_headers(reader)?;
    room.clear();
    let mut body = Body { bytes: Some(room), bytes_max: body_bytes_max, seen: 0 };
    let length = only(&headers, "content-length")?;
    let mut is_kept = !only(&headers, "connection")?.is_some_and(|value| value.eq_ignore_ascii_case("close"));
    match (length, only(&headers, "transfer-encoding")?) {
        (Some(_), Some(_)) => return Err(HttpError::Malformed("both a length and a transfer encoding")),
        (Some(length), None) => body.read(reader, parse_number(length, 10)?)?,
        (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => read_chunks(reader, &mut body)?,
        (None, Some(_)) => return Err(HttpError::Malformed("a transfer encoding other than chunked")),
        (None, None) if status == 204 || status == 304 => {}
        (None, None) => {
            body.read_to_end(reader)?;
            is_kept = false;
        }
    }
    Ok((Reply { status, headers, body: body.bytes }, is_kept))
}

/// The value of a header; one that is there twice is refused, since readers differ on what it means.
fn only<'a>(headers: &'a Headers, name: &str) -> Result<Option<&'a str>, HttpError> {
    let mut values = headers.iter().filter(|(found, _)| *found == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(HttpError::Malformed("a header twice")),
    }
}

/// The status line; `None` if the connection ended before it.
fn read_first_line(reader: &mut impl BufRead) -> Result<Option<String>, HttpError> {
    match reader.fill_buf() {
        Ok([]) | Err(_) => Ok(None),
        Ok(_) => read_line(reader).map(Some),
    }
}

/// A line without its end, which must be CR LF.
fn read_line(reader: &mut impl BufRead) -> Result<String, HttpError> {
    let mut line = Vec::new();
    reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(HttpError::Broken)?;
    let length = line.strip_suffix(b"\r\n").ok_or(HttpError::Malformed("a line that does not end"))?.len();
    line.truncate(length);
    String::from_utf8(line).map_err(|_| HttpError::Malformed("a head that is not UTF-8"))
}

fn parse_status(line: &str) -> Result<u16, HttpError> {
    let code = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split(' ').next());
    match code.filter(|code| code.len() == 3).and_then(|code| code.parse().ok()) {
        Some(code @ 200..=599) => Ok(code),
        _ => Err(HttpError::Malformed("no HTTP/1.1 status")),
    }
}

fn read_headers(reader: &mut impl BufRead) -> Result<Headers, HttpError> {
    let mut headers = Vec::new();
    for _ in 0..HEAD_LINES_MAX {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or(HttpError::Malformed("a header without a colon"))?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpError::Malformed("a header name"));
        }
        if let Some(known) = KNOWN_HEADERS.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
            headers.push((known, value.trim_matches([' ', '\t']).to_owned()));
        }
    }
    Err(HttpError::Malformed("too many headers"))
}

/// A number without sign or spaces.
fn parse_number(text: &str, radix: u32) -> Result<u64, HttpError> {
    let number = text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(text, radix));
    match number {
        Some(Ok(number)) => Ok(number),
        _ => Err(HttpError::Malformed("a length")),
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Body) -> Result<(), HttpError> {
    loop {
        let line = read_line(reader)?;
        let size = line.split(';').next().unwrap_or_default().trim_end();
        match parse_number(size, 16)? {
            0 => {
                // Trailers are read as headers, and dropped.
                read_headers(reader)?;
                return Ok(());
            }
            size => body.read(reader, size)?,
        }
        if !read_line(reader)?.is_empty() {
            return Err(HttpError::Malformed("a chunk longer than its size"));
        }
    }
}

/// A body as it comes in: kept up to a size, then counted only.
struct Body {
    bytes: Option<Vec<u8>>,
    bytes_max: usize,
    seen: u64,
}

impl Body {
    /// Reads `length` bytes.
    fn read(&mut self, reader: &mut impl BufRead, length: u64) -> Result<(), HttpError> {
        let mut left = length;
        while left > 0 {
            let part = reader.fill_buf().map_err(HttpError::Broken)?;
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(part.len());
            let Some(part) = part.get(..count).filter(|part| !part.is_empty()) else {
                return Err(HttpError::Broken(io::ErrorKind::UnexpectedEof.into()));
            };
            self.push(part)?;
            reader.consume(count);
            left = left.saturating_sub(count as u64);
        }
        Ok(())
    }

    /// Reads until the connection ends.
    fn read_to_end(&mut self, reader: &mut impl BufRead) -> Result<(), HttpError> {
        loop {
            let part = reader.fill_buf().map_err(HttpError::Broken)?;
            if part.is_empty() {
                return Ok(());
            }
            let count = part.len();
            self.push(part)?;
            reader.consume(count);
        }
    }

    fn push(&mut self, part: &[u8]) -> Result<(), HttpError> {
        self.seen = self.seen.saturating_add(part.len() as u64);
        if self.seen > DISCARD_BYTES_MAX {
            return Err(HttpError::Malformed("a body without end"));
        }
        if self.seen > self.bytes_max as u64 {
            self.bytes = None;
        }
        if let Some(bytes) = &mut self.bytes {
            bytes.extend_from_slice(part);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
