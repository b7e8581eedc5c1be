//! Claims of a wrong type, form or value (`docs/reliability.md` 8.2, "claim type confusion" and
//! "partial `iss` match").

use serde_json::{Value, json};

use super::support::{
    ISSUER, allowed, claims, decide_token, denied, header, hs256, hs256_file, hs256_texts, with,
};
use crate::Verdict;
use crate::deny::Deny;

/// The good claims with one member's text replaced, also by what `serde_json` would not write.
fn token_with(claim: &str, text: &str) -> String {
    let others = with(claims(), json!({claim: null})).to_string();
    let payload = format!("{},\"{claim}\":{text}}}", others.trim_end_matches('}'));
    hs256_texts(&header("HS256").to_string(), &payload)
}

#[test]
fn every_standard_claim_of_every_wrong_type() {
    let wrong = [
        "\"\"",
        "\"1900000000\"",
        "true",
        "null",
        "[]",
        "[1]",
        "{}",
        "{\"a\":1}",
        "-1",
        "18446744073709551616",
    ];
    let mut cases = 0;
    for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "tokenName"] {
        for text in wrong {
            // A text is the right type of these; `sub` may be any that is not empty.
            if (claim == "jti" && text.starts_with('"')) || (claim == "sub" && text == "\"1900000000\"") {
                continue;
            }
            let Verdict::Deny(reason) = decide_token(&hs256_file(), &token_with(claim, text)).verdict else {
                panic!("{claim} {text} was allowed");
            };
            let expected: &[Deny] = match claim {
                "iss" => &[Deny::WrongIssuer],
                "sub" => &[Deny::SubjectMissing],
                "aud" => &[Deny::WrongAudience, Deny::MalformedAudience],
                "jti" => &[Deny::MalformedTokenId],
                "scope" => &[Deny::ScopeMissing, Deny::MalformedScope],
                "tokenName" => &[Deny::RequiredClaim],
                _ => &[Deny::MalformedTime],
            };
            assert!(expected.contains(&reason), "{claim} {text}: {reason:?}");
            cases += 1;
        }
        // A number that fits nowhere is no JSON to us.
        denied(&hs256_file(), &token_with(claim, "1e400"), Deny::MalformedPayload);
    }
    assert_eq!(cases, 9 * wrong.len() - 3);
}

#[test]
fn times_are_numbers_below_two_to_the_53() {
    allowed(&hs256_file(), &token_with("exp", "9007199254740991"));
    for text in ["9007199254740992", "9007199254740993", "1e300", "-0.5", "-1e-9"] {
        denied(&hs256_file(), &token_with("exp", text), Deny::MalformedTime);
    }
    denied(&hs256_file(), &token_with("exp", "0"), Deny::Expired);
    denied(&hs256_file(), &token_with("exp", "-0"), Deny::Expired);
}

#[test]
fn an_issuer_is_the_whole_text() {
    let upper = ISSUER.to_uppercase();
    let wrong = [
        format!("{ISSUER}/"),
        format!("{ISSUER}/realms/root"),
        format!(" {ISSUER}"),
        ISSUER.replace(":443", ""),
        ISSUER.replace("https", "http"),
        ISSUER[1..].to_owned(),
        ISSUER[..ISSUER.len() - 1].to_owned(),
        upper,
        String::new(),
        format!("{ISSUER}\0"),
    ];
    for issuer in wrong {
        denied(
            &hs256_file(),
            &hs256(&header("HS256"), &with(claims(), json!({"iss": issuer}))),
            Deny::WrongIssuer,
        );
    }
    denied(
        &hs256_file(),
        &hs256(&header("HS256"), &with(claims(), json!({"iss": [ISSUER]}))),
        Deny::WrongIssuer,
    );
}

#[test]
fn an_audience_is_one_of_a_list_of_texts() {
    let audience = |value: Value| {
        hs256(&header("HS256"), &with(claims(), json!({"aud": value, "client_id": "deviceagent"})))
    };
    allowed(&hs256_file(), &audience(json!(["deviceagent"])));
    allowed(&hs256_file(), &audience(Value::Null)); // absent: the next audience claim counts
    // Present, so nothing else counts.
    denied(&hs256_file(), &audience(json!("DeviceAgent")), Deny::WrongAudience);
    denied(&hs256_file(), &audience(json!("deviceagent other")), Deny::WrongAudience);
    denied(&hs256_file(), &audience(json!(["deviceagent", 1])), Deny::MalformedAudience);
    denied(&hs256_file(), &audience(json!(["deviceagent", ["a"]])), Deny::MalformedAudience);
}

#[test]
fn every_scope_is_needed_whole() {
    let file = with(hs256_file(), json!({"scopes": ["mail", "cn"]}));
    let scope = |value: Value| hs256(&header("HS256"), &with(claims(), json!({"scope": value})));
    allowed(&file, &scope(json!("cn profile mail")));
    allowed(&file, &scope(json!(["mail", "cn"])));
    for value in
        [json!("mail"), json!("mail\tcn"), json!("Mail cn"), json!("mailcn"), json!(["mail cn"]), json!([])]
    {
        denied(&file, &scope(value), Deny::ScopeMissing);
    }
    denied(&file, &scope(json!(["mail", "cn", 1])), Deny::MalformedScope);
    let none = with(hs256_file(), json!({"scopes": []}));
    allowed(&none, &scope(Value::Null));
}

/// A refresh or ID token of the same issuer, signed with the same key (RFC 8725 2.8).
#[test]
fn another_kind_of_token_is_refused() {
    for kind in [
        json!("refresh_token"),
        json!("id_token"),
        Value::Null,
        json!(["access_token"]),
        json!("ACCESS_TOKEN"),
    ] {
        denied(
            &hs256_file(),
            &hs256(&header("HS256"), &with(claims(), json!({"tokenName": kind}))),
            Deny::RequiredClaim,
        );
    }
    let file = with(hs256_file(), json!({"types": ["at+jwt"], "require": {}}));
    allowed(&file, &hs256(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims()));
    for typ in [json!("JWT"), Value::Null, json!(""), json!("logout+jwt"), json!(1), json!(["at+jwt"])] {
        denied(
            &file,
            &hs256(&with(json!({"alg": "HS256"}), json!({"typ": typ})), &claims()),
            Deny::WrongType,
        );
    }
}
