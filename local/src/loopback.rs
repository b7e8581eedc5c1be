//! Keeps web pages out: a page in the user's browser can reach a loopback port too, by a name that resolves
//! to it (DNS rebinding) or by a plain cross-site request.

use std::net::IpAddr;

use crate::Request;

/// Why a request is not from a local client, if it is not.
pub(crate) fn refusal(request: &Request) -> Option<&'static str> {
    if request.headers().contains_key("origin") {
        return Some("requests from web pages are refused");
    }
    let mut hosts = request.headers().get_all("host").iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, _) => request.uri().authority().map(http::uri::Authority::as_str),
        (Some(_), Some(_)) => None,
    };
    let local = host.is_some_and(is_loopback);
    (!local).then_some("the Host must be localhost or a loopback address")
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn only_local_names_and_no_pages() {
        for (host, good) in [
            ("localhost:8080", true),
            ("127.0.0.1:1", true),
            ("127.9.9.9", true),
            ("[::1]:443", true),
            ("LOCALHOST", true),
            ("iam.localhost:4566", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("user@localhost:1", true),
            ("", false),
        ] {
            let request = http::Request::builder().header("host", host).body(Bytes::new()).unwrap();
            assert_eq!(refusal(&request).is_none(), good, "{host}");
        }
        let page = http::Request::builder()
            .header("host", "localhost")
            .header("origin", "http://localhost")
            .body(Bytes::new())
            .unwrap();
        assert!(refusal(&page).is_some());
        assert!(refusal(&http::Request::new(Bytes::new())).is_some());
    }
}
