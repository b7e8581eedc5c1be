//! RFC 8725 3.8, 3.9 and 3.12, RFC 7519 4.1: every claim that has a rule, with every wrong type and value.

use authorizer::deny::Deny;
use serde_json::{Value, json};

use crate::support::{
    ISSUER, NOW, Tally, Verifier, claims, header, hs256, hs256_file, rs256, rs256_file, with, with_claims,
};

/// Texts of JSON values, also of those that `serde_json` does not write.
const VALUES: [&str; 31] = [
    "\"\"",
    "\"x\"",
    "\" \"",
    "\"0\"",
    "\"1900000000\"",
    "\"null\"",
    "true",
    "false",
    "null",
    "[]",
    "[1]",
    "[\"\"]",
    "[null]",
    "[[]]",
    "[true]",
    "{}",
    "{\"a\":1}",
    "{\"x\":\"x\"}",
    "0",
    "-0",
    "-1",
    "-0.5",
    "-1e-9",
    "1.5",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "9007199254740992",
    "9007199254740993",
    "1e300",
    "-1e300",
];

/// The good claims with one member's text replaced.
fn payload(claim: &str, text: &str) -> String {
    let others = with(claims(), json!({claim: null})).to_string();
    format!("{},{}:{text}}}", others.trim_end_matches('}'), json!(claim))
}

/// The reasons for which this text is refused as this claim; `None` if it is good.
fn expected(claim: &str, text: &str) -> Option<&'static [Deny]> {
    let is_text = text.starts_with('"');
    match claim {
        "iss" => Some(&[Deny::WrongIssuer]),
        "aud" => Some(match text {
            "[\"\"]" | "[]" => &[Deny::WrongAudience],
            _ if is_text => &[Deny::WrongAudience],
            _ => &[Deny::MalformedAudience],
        }),
        "sub" if text == "\"\"" || !is_text => Some(&[Deny::SubjectMissing]),
        // Good as a subject, and no part of this policy may have a space.
        "sub" if text == "\" \"" => Some(&[Deny::ClaimNotPlain]),
        "sub" => None,
        "jti" => (!is_text).then_some(&[Deny::MalformedTokenId]),
        "tokenName" => Some(&[Deny::RequiredClaim]),
        "scope" => Some(match text {
            "[\"\"]" | "[]" => &[Deny::ScopeMissing],
            _ if is_text => &[Deny::ScopeMissing],
            _ => &[Deny::MalformedScope],
        }),
        "exp" if matches!(text, "0" | "-0" | "1.5") => Some(&[Deny::Expired]),
        "nbf" | "iat" if matches!(text, "0" | "-0" | "1.5") => None,
        _ => Some(&[Deny::MalformedTime]),
    }
}

#[test]
fn every_claim_of_every_type() {
    let mut tally = Tally::new("claims x types");
    for (file, name) in [(hs256_file(), "HS256"), (rs256_file(), "RS256")] {
        let verifier = Verifier::new(&file);
        let decide = |payload: String| {
            let header = header(name).to_string();
            verifier.decide(&if name == "HS256" { hs256(header, payload) } else { rs256(header, payload) })
        };
        for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "tokenName"] {
            for text in VALUES {
                let (case, verdict) = (format!("{name}: {claim} = {text}"), decide(payload(claim, text)));
                match expected(claim, text) {
                    Some(reasons) => tally.refused(&case, &verdict, reasons),
                    None => drop(tally.allowed(&case, &verdict)),
                }
            }
            // No JSON number that fits.
            for text in ["1e400", "-1e400", "NaN", "Infinity", "0x7fffffff", "1_000", "01", "1.", ".5", "+1"]
            {
                let case = format!("{name}: {claim} = {text}");
                tally.refused(&case, &decide(payload(claim, text)), &[Deny::MalformedPayload]);
            }
        }
        for (claim, reason) in [
            ("iss", Deny::WrongIssuer),
            ("sub", Deny::SubjectMissing),
            ("aud", Deny::AudienceMissing),
            ("exp", Deny::ExpiryMissing),
            ("scope", Deny::ScopeMissing),
            ("tokenName", Deny::RequiredClaim),
        ] {
            let verdict = decide(with(claims(), json!({claim: null})).to_string());
            tally.refused(&format!("{name}: no {claim}"), &verdict, &[reason]);
        }
        for claim in ["nbf", "iat", "jti"] {
            tally.allowed(claim, &decide(with(claims(), json!({claim: null})).to_string()));
        }
    }
    tally.end();
}

/// Every text that is nearly `text`: each beginning and end of it, each letter in the other case, left out
/// or doubled, and something around it.
pub(crate) fn nearly(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for at in 0..text.len() {
        let (before, after) = text.split_at(at);
        let (letter, rest) = after.split_at(1);
        let flipped =
            if letter.to_uppercase() == letter { letter.to_lowercase() } else { letter.to_uppercase() };
        all.extend([before.to_owned(), rest.to_owned(), format!("{before}{rest}")]);
        all.extend([format!("{before}{letter}{after}"), format!("{before}{flipped}{rest}")]);
        all.extend([format!("{before}*"), format!("{before}%{:02x}{rest}", letter.as_bytes()[0])]);
    }
    let more =
        ["/", " ", "\0", "\n", "\t", "#", "?", ".", ":", "*", "x", "\u{feff}", "\u{200b}", "/../", "@evil"];
    for more in more {
        all.extend([format!("{text}{more}"), format!("{more}{text}")]);
    }
    all.extend([format!("{text}{text}"), format!("{text},{text}"), format!("{text} {text}")]);
    all.retain(|found| found != text);
    all
}

/// `iss`, `aud`, a scope and a required claim are compared whole and exactly.
#[test]
fn nearly_right_texts() {
    let mut tally = Tally::new("nearly right");
    let verifier = Verifier::new(&hs256_file());
    tally.allowed("exactly", &verifier.decide(&with_claims(json!({}))));
    for text in nearly(ISSUER) {
        tally.refused(
            &format!("iss {text:?}"),
            &verifier.decide(&with_claims(json!({"iss": text}))),
            &[Deny::WrongIssuer],
        );
    }
    for text in nearly("deviceagent") {
        for value in [json!(text), json!([text]), json!([text, text])] {
            let verdict = verifier.decide(&with_claims(json!({"aud": value})));
            tally.refused(&format!("aud {value}"), &verdict, &[Deny::WrongAudience]);
        }
    }
    for text in nearly("access_token").into_iter().chain(["id_token".into(), "refresh_token".into()]) {
        let verdict = verifier.decide(&with_claims(json!({"tokenName": text})));
        tally.refused(&format!("tokenName {text:?}"), &verdict, &[Deny::RequiredClaim]);
    }
    for text in nearly("mail") {
        // Between spaces it is the scope itself (RFC 6749 3.3), and in a list it is not.
        let verdict = verifier.decide(&with_claims(json!({"scope": text})));
        if text.split(' ').any(|scope| scope == "mail") {
            tally.allowed(&format!("scope {text:?}"), &verdict);
        } else {
            tally.refused(&format!("scope {text:?}"), &verdict, &[Deny::ScopeMissing]);
        }
        let verdict = verifier.decide(&with_claims(json!({"scope": [text]})));
        tally.refused(&format!("scope [{text:?}]"), &verdict, &[Deny::ScopeMissing]);
    }
    tally.end();
}

/// Lists: any of the audiences, all of the scopes, and nothing in them but texts.
#[test]
fn lists() {
    let mut tally = Tally::new("lists");
    let file = with(hs256_file(), json!({"scopes": ["mail", "cn"], "audience": ["deviceagent", "other"]}));
    let verifier = Verifier::new(&file);
    let odd = [json!(1), json!(null), json!(true), json!([]), json!(["deviceagent"]), json!({}), json!(1.5)];
    for value in &odd {
        for list in [json!(["deviceagent", value]), json!([value, "deviceagent"]), json!([value])] {
            let verdict = verifier.decide(&with_claims(json!({"aud": list})));
            tally.refused(&format!("aud {list}"), &verdict, &[Deny::MalformedAudience]);
        }
        for list in [json!(["mail", "cn", value]), json!([value, "mail", "cn"])] {
            let verdict = verifier.decide(&with_claims(json!({"scope": list})));
            tally.refused(&format!("scope {list}"), &verdict, &[Deny::MalformedScope]);
        }
    }
    for aud in [json!("other"), json!(["x", "other"]), json!(["deviceagent", "deviceagent"])] {
        tally.allowed("aud", &verifier.decide(&with_claims(json!({"aud": aud}))));
    }
    for scope in [
        json!(["mail"]),
        json!(["cn"]),
        json!("mail"),
        json!("cn"),
        json!("mailcn"),
        json!("mail,cn"),
        json!("mail\tcn"),
        json!(["mail cn"]),
        json!("mail\u{a0}cn"),
    ] {
        let verdict = verifier.decide(&with_claims(json!({"scope": scope})));
        tally.refused(&format!("scope {scope}"), &verdict, &[Deny::ScopeMissing]);
    }
    // A claim that is present counts, also when a later one would do.
    let verdict = verifier.decide(&with_claims(json!({"scope": "cn", "scp": ["mail", "cn"]})));
    tally.refused("scp behind scope", &verdict, &[Deny::ScopeMissing]);
    tally.allowed("scp alone", &verifier.decide(&with_claims(json!({"scope": null, "scp": "mail cn"}))));
    let second = Verifier::new(&with(hs256_file(), json!({"audience_claims": ["aud", "client_id"]})));
    let verdict = second.decide(&with_claims(json!({"aud": "x", "client_id": "deviceagent"})));
    tally.refused("client_id behind aud", &verdict, &[Deny::WrongAudience]);
    tally.end();
}

/// Another kind of token of the same issuer, signed with the same key (RFC 8725 2.8): the forms of OpenAM,
/// Keycloak and RFC 9068 (`docs/identity-providers.md` 1.3 and 6).
#[test]
fn other_kinds_of_token() {
    let mut tally = Tally::new("kinds of token");
    let cases: [(Value, Value, Value); 3] = [
        (
            json!({"require": {"tokenName": "access_token"}}),
            json!({"tokenName": "access_token"}),
            json!("tokenName"),
        ),
        (json!({"require": {"typ": "Bearer"}}), json!({"typ": "Bearer"}), json!("typ")),
        (json!({"require": {"token_use": "access"}}), json!({"token_use": "access"}), json!("token_use")),
    ];
    for (rules, good, claim) in cases {
        let verifier = Verifier::new(&with(hs256_file(), rules));
        let claim = claim.as_str().unwrap();
        tally.allowed(claim, &verifier.decide(&with_claims(good.clone())));
        let kinds = [
            json!("refresh_token"),
            json!("id_token"),
            json!("Refresh"),
            json!("ID"),
            json!("Offline"),
            json!("Logout"),
            json!("id"),
            json!(null),
            json!([good[claim]]),
            json!(true),
            json!({claim: good[claim]}),
        ];
        for kind in kinds {
            let verdict = verifier.decide(&with_claims(json!({claim: kind})));
            tally.refused(&format!("{claim} = {kind}"), &verdict, &[Deny::RequiredClaim]);
        }
    }
    // An ID token is for the client, at a time before the access token's end.
    let verifier = Verifier::new(&with(hs256_file(), json!({"audience": ["api"]})));
    let verdict = verifier.decide(&with_claims(json!({"nonce": "n", "auth_time": NOW})));
    tally.refused("another audience", &verdict, &[Deny::WrongAudience]);
    tally.end();
}
