//! The canonical request: the one text that signer and checker both make from a request.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::Request;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same, for a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The canonical request; `None` when a signed header is not there.
pub(super) fn request(request: &Request, signed_headers: &[String], payload_hash: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let lines = [request.method().as_str(), &path(request.uri().path()), &query(request.uri().query())];
    for line in lines {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    for name in signed_headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(&header(request, name)?);
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash.as_bytes());
    Some(text)
}

/// Dot segments and empty segments resolved, then encoded once more: what is encoded on the wire is encoded
/// twice here. Every service but S3 does so.
fn path(raw: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let mut normal = format!("/{}", kept.join("/"));
    let ends_open = matches!(raw.rsplit('/').next(), Some("" | "." | ".."));
    if ends_open && !kept.is_empty() {
        normal.push('/');
    }
    percent_encode(normal.as_bytes(), RESERVED_IN_PATH).to_string()
}

/// Names and values each encoded once, in order of name, then value.
fn query(raw: Option<&str>) -> String {
    let encode = |part: &str| {
        let decoded: Vec<u8> = percent_decode_str(part).collect();
        percent_encode(&decoded, RESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = raw
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(name), encode(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// All values of a header, each trimmed and its runs of spaces made one, joined by commas.
fn header(request: &Request, name: &str) -> Option<Vec<u8>> {
    let values: Vec<Vec<u8>> =
        request.headers().get_all(name).iter().map(|value| trimmed(value.as_bytes())).collect();
    if values.is_empty() {
        // A request that has not been on a wire has its host in the URI.
        let authority = request.uri().authority().filter(|_| name == "host")?;
        return Some(authority.as_str().as_bytes().to_vec());
    }
    Some(values.join(&b','))
}

fn trimmed(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> =
        value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: IAM User Guide, "Create a signed AWS API request": each path segment is URI-encoded twice.
    #[test]
    fn an_encoded_path_is_encoded_again() {
        assert_eq!(path("/functions/arn%3Aaws/policy"), "/functions/arn%253Aaws/policy");
        assert_eq!(path("/authorizers/"), "/authorizers/");
        assert_eq!(path(""), "/");
    }
}
