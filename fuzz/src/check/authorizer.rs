//! The authorizer: tokens, events, claims and keys.

use std::cell::OnceCell;

use authorizer::config::{self, Rules};
use authorizer::event::Event;
use authorizer::key::{Encoding, Keys, RsaKey, Secret};
use authorizer::{Verdict, answer, decide, decide_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

const NOW: u64 = 1_767_225_600;
const LEEWAY: u64 = 60;
const ISSUER: &str = "https://identity.example.com:443/oauth2";
const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn file() -> Value {
    json!({
        "version": 1, "arn_prefix": "arn:aws:iot:eu-west-1:000000000000", "issuer": ISSUER,
        "audience": ["deviceagent"], "audience_claims": ["aud", "client_id"], "scopes": ["mail"],
        "scope_claims": ["scope", "scp"], "types": ["JWT", "at+jwt", ""],
        "require": {"tokenName": "access_token"}, "leeway_seconds": LEEWAY, "strict_expiry": false,
        "key": {"hs256": {"secret_variable": "SECRET", "encoding": "base64", "allow_short_secret": false}},
        "allow": [{"connect": ["{sub}/*"], "publish": ["devices/{sub}/events"], "subscribe": ["{sub}/#"]}],
    })
}

fn with_rules(check: impl FnOnce(&Keys, &Rules)) {
    thread_local! {
        static RULES: OnceCell<(Keys, Rules)> = const { OnceCell::new() };
    }
    RULES.with(|cell| {
        let (keys, rules) = cell.get_or_init(|| {
            config::read(file().to_string().as_bytes(), &|_| Some(STANDARD.encode(SECRET)))
                .expect("the configuration is good")
        });
        check(keys, rules);
    });
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET);
    let signature = ring::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Any text as a token, and any bytes as a header and a payload that are rightly signed. Without the secret
/// nobody makes a good token; with it, only a header that a second reading finds good is taken.
pub fn token(data: &[u8]) {
    with_rules(|keys, rules| {
        let text = String::from_utf8_lossy(data);
        let event = json!({"token": text}).to_string();
        let verdict = decide_bytes(event.as_bytes(), keys, rules, NOW).verdict;
        assert!(matches!(verdict, Verdict::Deny(_)), "a token was accepted that nobody signed");

        let token = signed(data, good_claims().as_bytes());
        let verdict = decide_bytes(json!({"token": token}).to_string().as_bytes(), keys, rules, NOW).verdict;
        let is_allowed = matches!(verdict, Verdict::Allow(_));
        assert_eq!(is_allowed, is_good_header(data), "{verdict:?} for this header");
    });
}

fn good_claims() -> String {
    json!({"iss": ISSUER, "sub": "demo", "aud": "deviceagent", "exp": NOW + 3600, "scope": "mail",
           "tokenName": "access_token"})
    .to_string()
}

/// One object in which no key is repeated, not too deep, each text a text and each number a number.
fn object(data: &[u8]) -> Option<Map<String, Value>> {
    let Ok(Value::Object(members)) = serde_json::from_slice(data) else { return None };
    let levels = |value: &Value| depth(value);
    let is_shallow = members.values().map(levels).max().unwrap_or(0) < 16;
    (is_shallow && !has_repeated_keys(data)).then_some(members)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// By the local target's reader, which is another one.
fn has_repeated_keys(data: &[u8]) -> bool {
    crate::strict_json::read(data).is_none()
}

fn is_good_header(data: &[u8]) -> bool {
    // Base64 of 768 bytes has 1,024 letters.
    let Some(header) = (data.len() <= 768).then(|| object(data)).flatten() else { return false };
    let text = |name: &str| header.get(name).map(Value::as_str);
    let unknown = ["crit", "b64", "jwk", "jku", "x5u", "x5c"];
    let types = ["jwt", "application/jwt", "at+jwt", "application/at+jwt"];
    text("alg") == Some(Some("HS256"))
        && !unknown.iter().any(|name| header.contains_key(*name))
        && matches!(text("zip"), None | Some(Some("NONE")))
        && text("typ").is_none_or(|typ| typ.is_some_and(|typ| types.contains(&&*typ.to_ascii_lowercase())))
        && text("kid").is_none_or(|kid| kid.is_some_and(|kid| kid.len() <= 128))
}

/// Any bytes as claims that are rightly signed: allowed exactly if a second reading finds them good, and with
/// exactly these rights.
pub fn claims(data: &[u8]) {
    with_rules(|keys, rules| {
        let token = signed(br#"{"alg":"HS256"}"#, data);
        if token.len() > authorizer::token::TOKEN_BYTES_MAX {
            return;
        }
        let event = json!({"token": token}).to_string();
        let verdict = decide_bytes(event.as_bytes(), keys, rules, NOW).verdict;
        let good = object(data).and_then(|claims| rights(&claims));
        match (&verdict, good) {
            (Verdict::Deny(_), None) => {}
            (Verdict::Allow(allowed), Some((seconds, resources))) => {
                assert_eq!(allowed.lifetime_seconds, seconds);
                let answer: Value =
                    serde_json::from_str(&answer::write(&verdict)).expect("the answer is JSON");
                let found: Vec<_> = resources_of(&answer["policyDocuments"]);
                assert_eq!(found, resources);
            }
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    });
}

fn resources_of(documents: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let statements = list(documents).into_iter().flat_map(|document| list(&document["Statement"]));
    let resources = statements.flat_map(|statement| list(&statement["Resource"]));
    resources.map(|resource| resource.as_str().unwrap_or_default().to_owned()).collect()
}

/// How long, and on what, by the book; `None` for a deny.
fn rights(claims: &Map<String, Value>) -> Option<(u64, Vec<String>)> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let first = |names: [&str; 2]| names.iter().find_map(|name| claims.get(*name)).and_then(texts);
    let time = |name: &str| match claims.get(name) {
        None => Some(None),
        Some(value) => value.as_f64().filter(|time| (0.0..9_007_199_254_740_992.0).contains(time)).map(Some),
    };
    let now = NOW as f64;
    let latest = now + LEEWAY as f64;
    let ends = time("exp")??.floor();
    let begins_in_time = |name| time(name).is_some_and(|time| time.is_none_or(|time| time.ceil() <= latest));
    let audience = first(["aud", "client_id"])?;
    let scopes = first(["scope", "scp"])?;
    let scopes: Vec<_> = match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(text)) => text.split(' ').map(str::to_owned).collect(),
        _ => scopes,
    };
    let sub = text("sub")?;
    let is_plain = (1..=128).contains(&sub.len())
        && sub.chars().all(|c| ('!'..='~').contains(&c) && !"*?+#/${}\"\\".contains(c))
        && ![".", ".."].contains(&sub);
    let is_good = text("iss") == Some(ISSUER)
        && audience.iter().any(|one| one == "deviceagent")
        && ends + LEEWAY as f64 > now
        && begins_in_time("nbf")
        && begins_in_time("iat")
        && is_plain
        && claims.get("jti").is_none_or(Value::is_string)
        && text("tokenName") == Some("access_token")
        && scopes.iter().any(|one| one == "mail");
    let resource = |kind: &str, name: String| format!("arn:aws:iot:eu-west-1:000000000000:{kind}/{name}");
    is_good.then(|| {
        let resources = vec![
            resource("client", format!("{sub}/*")),
            resource("topic", format!("devices/{sub}/events")),
            resource("topicfilter", format!("{sub}/#")),
            resource("topic", sub.to_owned()),
            resource("topic", format!("{sub}/*")),
        ];
        ((ends - now).clamp(300.0, 86_400.0) as u64, resources)
    })
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Any bytes as an event: read as a second reader reads it, and never a panic or an allow.
pub fn event(data: &[u8]) {
    with_rules(|keys, rules| {
        let decision = decide_bytes(data, keys, rules, NOW);
        assert!(matches!(decision.verdict, Verdict::Deny(_)));
        let Ok(event) = Event::parse(data) else { return };
        // The second reader goes less deep, and looks at texts that nobody asks for.
        let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
        assert!(value.is_object());
        assert_eq!(event.token(), value["token"].as_str().filter(|token| !token.is_empty()));
        let names = |name: &str| value["protocols"].as_array().is_some_and(|all| all.contains(&json!(name)));
        let data_of = |name: &str| !value["protocolData"][name].is_null();
        let has_mqtt = names("mqtt") || data_of("mqtt");
        let has_http = names("http") || data_of("http");
        assert_eq!(event.opens_connection(), has_mqtt || !has_http);
        assert_eq!(decide(&event, keys, rules, NOW), decision);
    });
}

/// Any bytes as a configuration, as a public key, and as a secret: what is taken keeps the limits.
pub fn key(data: &[u8]) {
    let _ = config::read(data, &|_| Some(STANDARD.encode(SECRET)));
    let text = String::from_utf8_lossy(data);
    let (n, e) = text.split_once('\n').unwrap_or((&text, "AQAB"));
    if RsaKey::new(None, n, e).is_ok() {
        let number = |text| URL_SAFE_NO_PAD.decode(text).expect("what was taken is base64url");
        let bits: Vec<_> =
            number(n).iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let bits: Vec<_> = bits.into_iter().skip_while(|bit| *bit == 0).collect();
        assert!((2048..=8192).contains(&bits.len()) && bits.last() == Some(&1));
        let exponent =
            number(e).iter().fold(0_u128, |value, byte| (value << 8 | u128::from(*byte)).min(1 << 64));
        assert!((65_537..1 << 33).contains(&exponent) && exponent % 2 == 1);
    }
    if Secret::new(&text, Encoding::Utf8, false).is_ok() {
        assert!((32..=4096).contains(&text.len()) && !text.contains("-----BEGIN"));
    }
    if Secret::new(&text, Encoding::Base64, false).is_ok() {
        let letters = text.trim_end_matches('=');
        assert!(letters.len() * 3 / 4 >= 32);
        assert!(letters.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/'));
    }
}
