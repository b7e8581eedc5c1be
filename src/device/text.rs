//! Foreign text, made safe for a terminal.

use serde_json::Value;
use url::{Host, Url};

/// The longest foreign text that is shown, in characters.
const SHOWN_CHARACTERS_MAX: usize = 1024;
/// The longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 2048;
/// The embedded provider's host: it is answered inside this process, so it needs no TLS.
const EMBEDDED_HOST: &str = "identity.thinggate.local";

/// `text` without anything that moves a cursor, changes a colour or reorders what is read: each such
/// character becomes U+FFFD. At most 1,024 characters; the rest becomes `…`.
pub fn printable(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).map(visible).collect();
    if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// A JSON value whose every text, names of members included, is printable.
pub(super) fn printable_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(printable(&text)),
        Value::Array(values) => values.into_iter().map(printable_value).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (printable(&name), printable_value(value))).collect()
        }
        other => other,
    }
}

/// An address that a person may be sent to: `https`, or `http` on this machine; no user part, which
/// could pose as another host; ASCII (an international name in its `xn--` form).
pub(super) fn address(text: &str) -> Result<Url, &'static str> {
    if text.len() > ADDRESS_BYTES_MAX {
        return Err("it is longer than 2048 bytes");
    }
    let url = Url::parse(text).map_err(|_| "it is not an address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name, which can pose as a host");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err("it is not https"),
        _ => Err("it is no web address"),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || name == EMBEDDED_HOST
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn visible(character: char) -> char {
    let reorders = matches!(character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    if character.is_control() || reorders { char::REPLACEMENT_CHARACTER } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        let rows = [
            ("WDJB-MJHT", "WDJB-MJHT"),
            ("Grüße, 日本", "Grüße, 日本"),
            ("a\u{1b}[2Jb", "a\u{fffd}[2Jb"),
            ("a\r\nb\tc\u{7f}", "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}"),
            ("a\u{9b}31mb", "a\u{fffd}31mb"),
            ("a\u{202e}cba\u{2066}", "a\u{fffd}cba\u{fffd}"),
        ];
        for (text, expected) in rows {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(printable(&"x".repeat(1025)), format!("{}…", "x".repeat(1024)));
        let value = serde_json::json!({ "a\u{1b}": ["\u{1b}", 1, { "b": "\u{7}" }] });
        let shown = printable_value(value).to_string();
        assert_eq!(shown, "{\"a\u{fffd}\":[\"\u{fffd}\",1,{\"b\":\"\u{fffd}\"}]}");
    }

    #[test]
    fn a_person_is_sent_to_safe_addresses_only() {
        for good in [
            "https://openam.example.com:8443/openam/oauth2/device/user",
            "http://127.0.0.1:4010/oauth2/local/device/user?user_code=A",
            "http://[::1]:80/",
            "http://localhost/",
            "http://identity.thinggate.local/oauth2/local/device/user",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        let long = format!("https://a.example/{}", "x".repeat(2048));
        for bad in [
            "http://openam.example.com/",
            "https://bank.example@evil.example/",
            "http://127.0.0.1.evil.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "/device",
            "",
            &long,
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
        let url = address("https://b\u{fc}cher.example/\u{1b}[2J\u{202e}").unwrap();
        assert_eq!(url.as_str(), "https://xn--bcher-kva.example/%1B[2J%E2%80%AE");
    }
}
