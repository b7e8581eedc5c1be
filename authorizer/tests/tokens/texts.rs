//! RFC 8725 3.2, 3.3, 3.4 and 3.7: the form of a token. Three segments, canonical unpadded base64url, UTF-8,
//! one JSON object without repeated keys; no JWE, no JSON serialisation, nothing before or after.

use authorizer::deny::Deny;
use serde_json::{Value, json};

use crate::reference::{LETTERS, b64};
use crate::support::{
    Tally, Verifier, claims, header, hs256, hs256_file, rs256, rs256_file, with_claims, with_header,
};

/// Every token with any number of segments but three, and every empty segment.
#[test]
fn segments() {
    let mut tally = Tally::new("segments");
    let verifier = Verifier::new(&hs256_file());
    let good = with_claims(json!({}));
    tally.allowed("three", &verifier.decide(&good));
    let parts: Vec<&str> = good.split('.').collect();
    let (head, payload, signature) = (parts[0], parts[1], parts[2]);
    for count in (1..40).filter(|count| *count != 3) {
        let token = (0..count).map(|index| parts[index % 3]).collect::<Vec<_>>().join(".");
        tally.refused(&format!("{count} segments"), &verifier.decide(&token), &[Deny::WrongSegmentCount]);
    }
    for dots in (1..=8192).filter(|dots| *dots != 2) {
        tally.refused(
            &format!("{dots} dots"),
            &verifier.decide(&".".repeat(dots)),
            &[Deny::WrongSegmentCount],
        );
    }
    let mut refuse =
        |case: &str, token: String, reason| tally.refused(case, &verifier.decide(&token), &[reason]);
    refuse("two dots", "..".into(), Deny::MalformedHeader);
    refuse("no token", String::new(), Deny::TokenMissing);
    refuse("no header", format!(".{payload}.{signature}"), Deny::MalformedHeader);
    refuse("no payload", format!("{head}..{signature}"), Deny::BadSignature);
    refuse("no signature", format!("{head}.{payload}."), Deny::BadSignature);
    refuse("no signature and no dot", format!("{head}.{payload}"), Deny::WrongSegmentCount);
    refuse("a dot before", format!(".{good}"), Deny::WrongSegmentCount);
    refuse("a dot after", format!("{good}."), Deny::WrongSegmentCount);
    for prefix in ["Bearer ", "bearer ", "token=", "\"", "'", "JWT ", "\u{feff}", "\0", "\t", "\r\n"] {
        refuse(&format!("{prefix:?} before"), format!("{prefix}{good}"), Deny::BadBase64);
    }
    for suffix in ["\n", "\r\n", " ", "\0", ";", ",", "=", "==", "\"", "&a=b", "#", "\u{200b}", "~"] {
        refuse(&format!("{suffix:?} after"), format!("{good}{suffix}"), Deny::BadBase64);
    }
    // Orders other than the right one.
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 0, 2], [0, 1, 1], [1, 1, 2]] {
        let token = order.map(|index| parts[index]).join(".");
        tally.refused(&format!("order {order:?}"), &verifier.decide(&token), &[]);
    }
    tally.end();
}

/// The same bytes written otherwise: padding, the other alphabet, foreign characters anywhere, set bits
/// after the last byte. All of them correctly signed over what is written, so that nothing but the form is wrong.
#[test]
fn base64_is_canonical() {
    let mut tally = Tally::new("base64url");
    for (file, is_hmac) in [(hs256_file(), true), (rs256_file(), false)] {
        let verifier = Verifier::new(&file);
        let sign = |signed: &str| {
            use crate::reference::hmac_sha256;
            use crate::support::{SECRET, rsa_key, rsa_sign};
            let bytes = if is_hmac {
                hmac_sha256(SECRET, signed.as_bytes())
            } else {
                rsa_sign(rsa_key(), signed.as_bytes())
            };
            b64(bytes)
        };
        let name = if is_hmac { "HS256" } else { "RS256" };
        // Of each length modulo 3, so that every segment has spare bits in two of the cases.
        for filler in ["", "x", "xx"] {
            let head = json!({"alg": name, "x": filler}).to_string();
            let payload = crate::support::with(claims(), json!({"x": filler})).to_string();
            let (head, payload) = (b64(head), b64(payload));
            let signature = sign(&format!("{head}.{payload}"));
            tally.allowed(name, &verifier.decide(&format!("{head}.{payload}.{signature}")));
            for (which, segment) in [&head, &payload, &signature].into_iter().enumerate() {
                for (how, changed) in other_forms(segment) {
                    let mut parts = [head.clone(), payload.clone(), signature.clone()];
                    parts[which] = changed;
                    if which < 2 {
                        parts[2] = sign(&format!("{}.{}", parts[0], parts[1]));
                    }
                    let case = format!("{name}, segment {which}, {how}");
                    tally.refused(&case, &verifier.decide(&parts.join(".")), &[Deny::BadBase64]);
                }
            }
        }
    }
    tally.end();
}

fn other_forms(segment: &str) -> Vec<(String, String)> {
    let mut forms = Vec::new();
    for padding in ["=", "==", "===", "%3D", "."] {
        if padding != "." {
            forms.push((format!("{padding} after"), format!("{segment}{padding}")));
        }
    }
    for foreign in ["+", "/", " ", "\n", "\r\n", "\0", "%", "=", "*", "\u{e9}", "\u{ff21}", "\u{200b}"] {
        for at in [0, 1, segment.len() / 2, segment.len() - 1, segment.len()] {
            forms.push((
                format!("{foreign:?} at {at}"),
                format!("{}{foreign}{}", &segment[..at], &segment[at..]),
            ));
        }
        let at = segment.len() / 2;
        forms.push((
            format!("{foreign:?} for one"),
            format!("{}{foreign}{}", &segment[..at], &segment[at + 1..]),
        ));
    }
    // A lone letter in the last group holds no byte; two hold one and four spare bits, three two and two.
    let spare_bits = match segment.len() % 4 {
        2 => 4,
        3 => 2,
        _ => 0,
    };
    let last = *segment.as_bytes().last().unwrap();
    let value = LETTERS.iter().position(|letter| *letter == last).unwrap();
    for other in (0..64).filter(|other| *other != value && other >> spare_bits == value >> spare_bits) {
        let changed = format!("{}{}", &segment[..segment.len() - 1], char::from(LETTERS[other]));
        forms.push((format!("spare bits {other:06b}"), changed));
    }
    if segment.len().is_multiple_of(4) {
        forms.push(("a lone letter".to_owned(), format!("{segment}A")));
    }
    forms
}

type Sign = fn(Vec<u8>, Vec<u8>) -> String;

/// Bytes that are signed as they are, but are no JSON object in UTF-8 of which there is one reading only.
#[test]
fn json_has_one_reading() {
    let mut tally = Tally::new("JSON");
    for (file, sign) in [
        (hs256_file(), (|header, payload| hs256(header, payload)) as Sign),
        (rs256_file(), |header, payload| rs256(header, payload)),
    ] {
        let verifier = Verifier::new(&file);
        let name = if file["key"]["hs256"].is_object() { "HS256" } else { "RS256" };
        let (head, payload) = (header(name).to_string(), claims().to_string());
        tally.allowed("as it is", &verifier.decide(&sign(head.clone().into(), payload.clone().into())));
        let spaced = |text: &str| format!(" \t\r\n{} \t\r\n", text.replace(',', " ,\n"));
        tally.allowed("spaces", &verifier.decide(&sign(spaced(&head).into(), spaced(&payload).into())));
        for (how, bytes) in no_object(&head) {
            let verdict = verifier.decide(&sign(bytes, payload.clone().into()));
            tally.refused(&format!("{name} header: {how}"), &verdict, &[Deny::MalformedHeader]);
        }
        for (how, bytes) in no_object(&payload) {
            let verdict = verifier.decide(&sign(head.clone().into(), bytes));
            tally.refused(&format!("{name} payload: {how}"), &verdict, &[Deny::MalformedPayload]);
        }
    }
    tally.end();
}

/// Every way to break the JSON object `good`, by name.
fn no_object(good: &str) -> Vec<(String, Vec<u8>)> {
    let mut bad: Vec<(String, Vec<u8>)> = Vec::new();
    let mut text = |how: &str, text: String| bad.push((how.to_owned(), text.into_bytes()));
    for other in
        ["", " ", "[]", "null", "true", "7", "\"a\"", "{", "}", "{}{", "{,}", "{\"a\"}", "{\"a\":}", "{a:1}"]
    {
        text(other, other.to_owned());
    }
    let members = good.trim_start_matches('{').trim_end_matches('}');
    text("in a list", format!("[{good}]"));
    text("twice", format!("{good}{good}"));
    text("with a zero byte", format!("{good}\0"));
    text("with a comma", format!("{good},"));
    text("with a form feed", format!("{good}\u{c}"));
    text("with a no-break space", format!("\u{a0}{good}"));
    text("with a mark", format!("\u{feff}{good}"));
    text("with a comment", format!("{{/**/{members}}}"));
    text("with a comment after", format!("{good}//"));
    text("with a comma at the end", format!("{{{members},}}"));
    text("in single quotes", good.replace('"', "'"));
    text("without its end", good[..good.len() - 1].to_owned());
    for (how, more) in [
        ("a bare control character", "\"a\":\"\u{1}\""),
        ("half a surrogate", "\"a\":\"\\ud800\""),
        ("surrogates in the wrong order", "\"a\":\"\\udc00\\ud800\""),
        ("an unknown escape", "\"a\":\"\\x41\""),
        ("not a number", "\"a\":NaN"),
        ("infinity", "\"a\":Infinity"),
        ("a number that fits nowhere", "\"a\":1e400"),
        ("hexadecimal", "\"a\":0x10"),
        ("a leading zero", "\"a\":01"),
        ("a leading plus", "\"a\":+1"),
        ("a lone dot", "\"a\":1."),
        ("a capital literal", "\"a\":True"),
        ("a repeated key", "\"a\":1,\"a\":1"),
        ("a key repeated with an escape", "\"a\":1,\"\\u0061\":1"),
        ("a key repeated inside", "\"a\":{\"b\":1,\"b\":2}"),
        ("a key repeated in a list", "\"a\":[{\"b\":1,\"b\":2}]"),
    ] {
        text(how, format!("{{{members},{more}}}"));
    }
    let own: serde_json::Map<String, Value> = serde_json::from_str(good).unwrap();
    for (key, value) in &own {
        let member = format!("{}:{value}", json!(key));
        text(&format!("{key} twice"), format!("{{{members},{member}}}"));
        text(&format!("{key} twice, null first"), format!("{{{}:null,{members}}}", json!(key)));
    }
    for depth in [16, 17, 60, 300] {
        text(
            &format!("{depth} lists inside"),
            format!("{{{members},\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)),
        );
    }
    let bomb = "{\"a\":".repeat(100);
    text("objects inside", format!("{{{members},\"a\":{bomb}1{}}}", "}".repeat(100)));
    text("lists that do not end", "[".repeat(700));
    // Not UTF-8: a lone byte, an overlong slash, a surrogate, half a character, beyond the last one.
    for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\x80"] {
        let member = [b"\"a\":\"", bytes, b"\""].concat();
        bad.push((format!("bytes {bytes:x?}"), [b"{", members.as_bytes(), b",", &member, b"}"].concat()));
    }
    let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bad.push(("UTF-16".to_owned(), wide));
    bad
}

/// Sixteen levels are a payload, seventeen are not; a header of 1 KiB is one, a greater one is not.
#[test]
fn limits() {
    let mut tally = Tally::new("limits");
    let verifier = Verifier::new(&hs256_file());
    let nested = |depth: usize| {
        let text = claims().to_string();
        let more = format!(",\"deep\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        hs256(header("HS256").to_string(), text.trim_end_matches('}').to_owned() + &more)
    };
    tally.allowed("16 levels", &verifier.decide(&nested(15)));
    tally.refused("17 levels", &verifier.decide(&nested(16)), &[Deny::MalformedPayload]);

    // Base64 of 768 bytes has 1,024 letters.
    let empty = header("HS256").to_string().len() + ",\"pad\":\"\"".len();
    let padded = |bytes: usize| with_header(json!({"pad": "x".repeat(bytes - empty)}));
    tally.allowed("a header of 1,024 bytes", &verifier.decide(&padded(768)));
    for bytes in [769, 1024, 4000] {
        tally.refused("a longer header", &verifier.decide(&padded(bytes)), &[Deny::HeaderTooLong]);
    }
    let mut lengths = Vec::new();
    for pad in 5700..5900 {
        let token = with_claims(json!({"pad": "x".repeat(pad)}));
        lengths.push(token.len());
        let verdict = verifier.decide(&token);
        if token.len() <= 8192 {
            tally.allowed("up to 8,192 bytes", &verdict);
        } else {
            tally.refused("over 8,192 bytes", &verdict, &[Deny::TokenTooLong]);
        }
    }
    assert!(lengths.contains(&8192) && lengths.contains(&8193), "the border was not met: {lengths:?}");
    for length in [8193, 10_000, 100_000, 200_000] {
        for letter in ["A", ".", "=", "\u{e9}", "[", "{\"a\":"] {
            let token = letter.repeat(length / letter.len() + 1);
            let reasons = [Deny::TokenTooLong, Deny::EventTooLarge];
            tally.refused("a long token", &verifier.decide(&token), &reasons);
        }
    }
    tally.end();
}
