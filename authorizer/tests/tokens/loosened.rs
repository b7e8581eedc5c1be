//! The defects that a configuration can plant. Each token here is refused for one thing only: under a
//! configuration that allows this one thing it is good, and the matrix, run against that one, says so.

use authorizer::deny::Deny;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::claims::nearly;
use crate::support::{ISSUER, NOW, Tally, Verifier, hs256_file, with, with_claims, with_header};

/// A rule, its reason, the configuration without it, and tokens that only it refuses.
type Rule = (&'static str, Deny, Value, Vec<String>);

fn rules_about_claims() -> Vec<Rule> {
    let claims = |values: &[Value]| values.iter().cloned().map(with_claims).collect::<Vec<_>>();
    let issuer = format!("{ISSUER}/");
    let audience: Vec<_> = nearly("deviceagent").into_iter().filter(|text| is_entry(text)).take(60).collect();
    let kind = json!({"tokenName": "refresh_token"});
    let no_scope = [json!({"scope": null}), json!({"scope": "cn"}), json!({"scope": []})];
    let odd_scope = [json!({"scope": 1}), json!({"scope": ["mail", 1]})];
    let client = json!({"audience_claims": ["aud", "token_type"], "audience": ["Bearer"]});
    let types = ["secevent+jwt", "JOSE"];
    let with_types = types.map(|typ| with_header(json!({"typ": typ})));
    let for_audience = audience.iter().map(|text| with_claims(json!({"aud": text}))).collect();
    vec![
        ("issuer", Deny::WrongIssuer, json!({"issuer": issuer}), claims(&[json!({"iss": issuer})])),
        ("audience", Deny::WrongAudience, json!({"audience": audience}), for_audience),
        ("audience claim", Deny::AudienceMissing, client, claims(&[json!({"aud": null})])),
        ("scopes", Deny::ScopeMissing, json!({"scopes": []}), claims(&no_scope)),
        ("malformed scope", Deny::MalformedScope, json!({"scopes": []}), claims(&odd_scope)),
        ("required claim", Deny::RequiredClaim, json!({"require": kind}), claims(&[kind])),
        ("types", Deny::WrongType, json!({"types": types}), with_types.to_vec()),
    ]
}

fn rules_about_times_and_policies() -> Vec<Rule> {
    let claims = |values: Vec<Value>| values.into_iter().map(with_claims).collect::<Vec<_>>();
    let allow = json!({"allow": [{"connect": [], "publish": ["t"], "subscribe": []}]});
    let odd = ["*", "a/b", "+", "..", "${iot:ClientId}", "\u{e9}"].map(|sub| json!({"sub": sub}));
    let late = json!({"leeway_seconds": 300});
    let expired = (60..300).map(|ago| json!({"exp": NOW - ago})).collect();
    let too_early = |claim: &str| (61..=300).map(|ahead| json!({claim: NOW + ahead})).collect();
    let soon = (1..300).map(|left| json!({"exp": NOW + left})).collect();
    vec![
        ("leeway", Deny::Expired, late.clone(), claims(expired)),
        ("leeway", Deny::NotYetValid, late.clone(), claims(too_early("nbf"))),
        ("leeway", Deny::IssuedInFuture, late, claims(too_early("iat"))),
        ("policy", Deny::ClaimNotPlain, allow, claims(odd.to_vec())),
        ("strict expiry", Deny::ExpiresTooSoon, json!({"strict_expiry": false}), claims(soon)),
    ]
}

/// What a configuration takes as a text.
fn is_entry(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

#[test]
fn each_rule_refuses_what_nothing_else_refuses() {
    let mut tally = Tally::new("loosened rules");
    for (rule, reason, loose, tokens) in
        rules_about_claims().into_iter().chain(rules_about_times_and_policies())
    {
        let strict = if reason == Deny::ExpiresTooSoon { json!({"strict_expiry": true}) } else { json!({}) };
        let strict = Verifier::new(&with(hs256_file(), strict));
        let loosened = Verifier::new(&with(hs256_file(), loose));
        // What the same rows would say of a verifier without the rule.
        let mut planted = Tally::new("planted");
        for token in &tokens {
            let event = json!({"token": token}).to_string();
            tally.refused(rule, &strict.decide_event(event.as_bytes(), NOW), &[reason]);
            let verdict = loosened.decide_event(event.as_bytes(), NOW);
            tally.allowed(&format!("{rule}, loosened"), &verdict);
            planted.refused(rule, &verdict, &[reason]);
        }
        tally.holds(&format!("{rule}: the defect was not seen"), planted.wrong() == tokens.len());
    }
    tally.end();
}

/// The key is a rule like the others: under another secret the same tokens change places.
#[test]
fn the_key_decides() {
    let mut tally = Tally::new("another key");
    let other = STANDARD.encode([7; 32]);
    let (ours, theirs) =
        (Verifier::new(&hs256_file()), Verifier::with_secret(&hs256_file(), &other).unwrap());
    for sub in ["demo", "a", "b", "c"] {
        let token = with_claims(json!({"sub": sub}));
        tally.allowed("our key", &ours.decide(&token));
        tally.refused("their key", &theirs.decide(&token), &[Deny::BadSignature]);
    }
    tally.end();
}

/// The tally itself: an allow where a deny belongs, another reason, and a deny where an allow belongs.
#[test]
fn what_is_wrong_is_counted() {
    let verifier = Verifier::new(&hs256_file());
    let (good, bad) = (verifier.decide(&with_claims(json!({}))), verifier.decide("a.b.c"));
    let mut tally = Tally::new("itself");
    tally.refused("a good token", &good, &[]);
    assert_eq!(tally.wrong(), 1);
    tally.refused("another reason", &bad, &[Deny::Expired]);
    assert_eq!(tally.wrong(), 2);
    tally.allowed("a bad token", &bad);
    assert_eq!(tally.wrong(), 3);
    tally.holds("what does not hold", false);
    assert_eq!(tally.wrong(), 4);
    tally.refused("a bad token", &bad, &[]);
    tally.allowed("a good token", &good);
    assert_eq!(tally.wrong(), 4);
}
