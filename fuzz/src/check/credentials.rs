//! What a device brings in a query string and in headers, against a decoder written out.

use crate::credentials::Credentials;

/// Letters that matter, and the name that is looked for.
const PIECES: &[&str] = &[
    "token", "=", "&", "%", "2", "6", "+", "3", "D", "a", "%26", "%3D", "%74", "Token", ";", "%zz", "%e9", "",
];

/// Every byte is a piece of a query string.
pub fn query(data: &[u8]) {
    let (header, pieces) = data.split_at(usize::from(data.len() > 3));
    let query: String = pieces.iter().map(|byte| PIECES[usize::from(*byte) % PIECES.len()]).collect();
    let in_header = header.first().is_some_and(|byte| byte % 3 == 0);
    let mut builder = http::Request::builder().uri(format!("/topics/a?{query}"));
    if in_header {
        builder = builder.header("TOKEN", "a");
    }
    let Ok(request) = builder.body(bytes::Bytes::new()) else { return };
    let credentials = Credentials::of(&request);
    let mut values: Vec<String> = in_header.then(|| "a".to_owned()).into_iter().collect();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(name) == "token" && !decoded(value).is_empty() {
            values.push(decoded(value));
        }
    }
    values.dedup();
    match credentials.token("token") {
        Ok(found) => assert_eq!(found.into_iter().collect::<Vec<_>>(), values, "{query:?}"),
        Err(_) => assert!(values.len() > 1, "{query:?}"),
    }
}

/// Percent signs and pluses, once (WHATWG URL, "application/x-www-form-urlencoded parsing").
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        match (bytes[at], hex) {
            (b'%', Some(two)) => {
                let two = std::str::from_utf8(two).expect("hex digits are ASCII");
                found.push(u8::from_str_radix(two, 16).expect("two hex digits are a byte"));
                at += 2;
            }
            (b'+', _) => found.push(b' '),
            (byte, _) => found.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&found).into_owned()
}
