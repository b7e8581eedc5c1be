//! One request for each reason, and each reason for one request.

use serde_json::json;

use super::support::{
    NOW, claims, header, hs256, hs256_file, hs256_texts, http_event, read, rs256, rs256_file, with,
};
use crate::deny::Deny;
use crate::{Verdict, decide_bytes};

fn with_header(changes: serde_json::Value) -> String {
    hs256(&with(header("HS256"), changes), &claims())
}

fn with_claims(changes: serde_json::Value) -> String {
    hs256(&header("HS256"), &with(claims(), changes))
}

/// A token for every reason that the configuration of [`hs256_file`] can give.
fn tokens() -> Vec<(Deny, String)> {
    let good = with_claims(json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    vec![
        (Deny::TokenMissing, String::new()),
        (Deny::TokenTooLong, with_claims(json!({"pad": "x".repeat(8192)}))),
        (Deny::TokenTooLong, ".".repeat(8193)),
        (Deny::WrongSegmentCount, signed.to_owned()),
        (Deny::WrongSegmentCount, format!("{good}.")),
        (Deny::WrongSegmentCount, format!("{good}{good}")),
        (Deny::WrongSegmentCount, ".".repeat(8192)),
        (Deny::WrongSegmentCount, json!({"payload": "", "signatures": []}).to_string()),
        (Deny::HeaderTooLong, with_header(json!({"pad": "x".repeat(1024)}))),
        (Deny::BadBase64, format!("{good}=")),
        (Deny::BadBase64, good.replace('.', "=.")),
        (Deny::BadBase64, format!("{signed}.{}+", &signature[1..])),
        (Deny::BadBase64, format!(" {good}")),
        (Deny::BadBase64, format!("{good}\n")),
        (Deny::MalformedHeader, hs256_texts("[]", &claims().to_string())),
        (Deny::MalformedHeader, hs256_texts(r#"{"alg":"HS256","alg":"HS256"}"#, &claims().to_string())),
        (Deny::MalformedHeader, hs256_texts(&format!(r#"{{"alg":"HS256","a":{}}}"#, "[".repeat(500)), "{}")),
        (Deny::MalformedHeader, "..".to_owned()),
        (Deny::WrongAlgorithm, with_header(json!({"alg": "RS256"}))),
        (Deny::WrongAlgorithm, with_header(json!({"alg": null}))),
        (Deny::WrongAlgorithm, with_header(json!({"alg": ["HS256"]}))),
        (Deny::CriticalHeader, with_header(json!({"crit": ["exp"], "exp": 1}))),
        (Deny::CriticalHeader, with_header(json!({"crit": []}))),
        (Deny::CriticalHeader, with_header(json!({"b64": true}))),
        (Deny::Compressed, with_header(json!({"zip": "DEF"}))),
        (Deny::Compressed, with_header(json!({"zip": "none"}))),
        (Deny::EmbeddedKey, with_header(json!({"jwk": {"kty": "oct", "k": "AA"}}))),
        (Deny::EmbeddedKey, with_header(json!({"jku": "http://127.0.0.1:9/"}))),
        (Deny::EmbeddedKey, with_header(json!({"x5u": "http://127.0.0.1:9/"}))),
        (Deny::EmbeddedKey, with_header(json!({"x5c": []}))),
        (Deny::WrongType, with_header(json!({"typ": "secevent+jwt"}))),
        (Deny::BadKeyId, with_header(json!({"kid": 1}))),
        (Deny::BadKeyId, with_header(json!({"kid": "k".repeat(129)}))),
        (Deny::BadSignature, format!("{signed}.")),
        (Deny::BadSignature, format!("{signed}.{}", &signature[..40])),
        (Deny::BadSignature, format!("{signed}.{signature}AAAA")),
        (Deny::MalformedPayload, hs256_texts(&header("HS256").to_string(), "[]")),
        (Deny::MalformedPayload, hs256_texts(&header("HS256").to_string(), r#"{"sub":"a","sub":"a"}"#)),
        (Deny::MalformedPayload, hs256_texts(&header("HS256").to_string(), &"[".repeat(4000))),
        (Deny::MalformedPayload, hs256_texts(&header("HS256").to_string(), "{} {}")),
        (Deny::WrongIssuer, with_claims(json!({"iss": null}))),
        (Deny::AudienceMissing, with_claims(json!({"aud": null}))),
        (Deny::MalformedAudience, with_claims(json!({"aud": 1}))),
        (Deny::WrongAudience, with_claims(json!({"aud": "another"}))),
        (Deny::ExpiryMissing, with_claims(json!({"exp": null}))),
        (Deny::MalformedTime, with_claims(json!({"exp": "1900000000"}))),
        (Deny::Expired, with_claims(json!({"exp": NOW - 60}))),
        (Deny::NotYetValid, with_claims(json!({"nbf": NOW + 61}))),
        (Deny::IssuedInFuture, with_claims(json!({"iat": NOW + 61}))),
        (Deny::SubjectMissing, with_claims(json!({"sub": null}))),
        (Deny::SubjectMissing, with_claims(json!({"sub": ""}))),
        (Deny::MalformedTokenId, with_claims(json!({"jti": 7}))),
        (Deny::RequiredClaim, with_claims(json!({"tokenName": "refresh_token"}))),
        (Deny::MalformedScope, with_claims(json!({"scope": {"mail": true}}))),
        (Deny::ScopeMissing, with_claims(json!({"scope": "cn"}))),
        (Deny::ScopeMissing, with_claims(json!({"scope": null}))),
        (Deny::ClaimNotPlain, with_claims(json!({"sub": "a/b"}))),
    ]
}

#[test]
fn one_request_for_each_reason() {
    let mut requests: Vec<_> =
        tokens().into_iter().map(|(reason, token)| (reason, hs256_file(), http_event(&token))).collect();
    let good = with_claims(json!({}));

    requests.push((Deny::EventTooLarge, hs256_file(), vec![b' '; 256 * 1024 + 1]));
    for event in
        ["", "null", "[]", "7", "{", r#"{"token":7}"#, r#"{"token":"a","token":"b"}"#, "{}{}", "\u{feff}{}"]
    {
        requests.push((Deny::MalformedEvent, hs256_file(), event.into()));
    }
    // A derived struct would read an array as well, field by field.
    for data in ["[]", "[1]", "[1,2]", "[null,{}]", "{\"http\":{},\"http\":null}", "7", "\"http\""] {
        let event = format!("{{\"token\":{},\"protocolData\":{data}}}", json!(good));
        requests.push((Deny::MalformedEvent, hs256_file(), event.into_bytes()));
    }
    requests.push((Deny::MalformedEvent, hs256_file(), b"{\"token\":\"\xff\"}".to_vec()));
    requests.push((Deny::MalformedEvent, hs256_file(), vec![b'['; 200_000]));
    // The test event that the AWS console offers.
    requests.push((Deny::TokenMissing, hs256_file(), br#"{"key1":"value1"}"#.to_vec()));
    requests.push((Deny::TokenMissing, hs256_file(), br#"{"token":null}"#.to_vec()));

    let foreign = rs256(&json!({"alg": "RS256", "kid": "key-2"}), &claims());
    requests.push((Deny::UnknownKeyId, rs256_file(), http_event(&foreign)));
    let mut two = rs256_file();
    let keys = two["key"]["rs256"]["keys"].as_array_mut().unwrap();
    keys.push(with(keys[0].clone(), json!({"kid": "key-2"})));
    requests.push((Deny::KeyIdMissing, two, http_event(&rs256(&json!({"alg": "RS256"}), &claims()))));

    let strict = with(hs256_file(), json!({"strict_expiry": true}));
    let soon = json!({"token": with_claims(json!({"exp": NOW + 299}))}).to_string();
    requests.push((Deny::ExpiresTooSoon, strict, soon.into()));
    let allow = |publish: &str| json!({"allow": [{"connect": [], "publish": [publish], "subscribe": []}]});
    requests.push((Deny::ClaimMissing, with(hs256_file(), allow("{device}")), http_event(&good)));
    // Fits with one character for each claim, not with 128.
    let publish: Vec<_> = (0..64).map(|n| format!("{n}{}/{{sub}}/{{sub}}", "a".repeat(150))).collect();
    let wide = with(hs256_file(), json!({"allow": [{"connect": [], "publish": publish, "subscribe": []}]}));
    requests.push((Deny::PolicyTooLarge, wide, http_event(&with_claims(json!({"sub": "s".repeat(128)})))));

    for (reason, file, event) in &requests {
        let (keys, rules) = read(file).unwrap();
        let verdict = decide_bytes(event, &keys, &rules, NOW).verdict;
        assert_eq!(verdict, Verdict::Deny(*reason), "{}", String::from_utf8_lossy(event));
    }
    for reason in Deny::ALL {
        // The last defence: `policy::tests` reaches it with documents that are never written.
        if *reason != Deny::PolicyRefused {
            assert!(requests.iter().any(|(found, _, _)| found == reason), "no request for {reason:?}");
        }
    }
}
