//! Known answers of RFC 7515 (appendix A), RFC 7520 (sections 4 to 6) and RFC 7797 (4.2), in `vectors.json`,
//! copied from there; each names its section.
//!
//! None of them is an access token, so none is allowed: a signature that is taken shows in a reason that comes
//! after it, about the claims or the payload, and in `bad_signature` for the same token with one letter changed.

use authorizer::Verdict;
use authorizer::deny::Deny;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::reference::unb64;
use crate::support::{Tally, Verifier, hs256_file, with, with_claims};

/// A time at which the examples of RFC 7515 were good.
const THEN: u64 = 1_300_819_000;

fn verifier(key: &Value) -> Verifier {
    // The examples have no `aud`, so that of the issuer stands for it.
    let rules = json!({"issuer": "joe", "audience": ["joe"], "audience_claims": ["iss"]});
    let file = with(hs256_file(), rules);
    match key.get("k") {
        Some(secret) => {
            Verifier::with_secret(&file, &STANDARD.encode(unb64(secret.as_str().unwrap()))).unwrap()
        }
        None => Verifier::new(&with(file, json!({"key": {"rs256": {"keys": [key]}}}))),
    }
}

#[test]
fn known_answers() {
    let mut tally = Tally::new("known answers");
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let mut taken = 0;
    for vector in &vectors {
        let (source, text) = (vector["source"].as_str().unwrap(), vector["token"].as_str().unwrap());
        let reason = Deny::ALL.iter().find(|reason| json!(reason.name()) == vector["reason"]).unwrap();
        let verifier = verifier(&vector["key"]);
        let decide =
            |token: &str| verifier.decide_event(json!({"token": token}).to_string().as_bytes(), THEN);
        tally.refused(source, &decide(text), &[*reason]);
        if [Deny::SubjectMissing, Deny::MalformedPayload].contains(reason) {
            taken += 1;
            let start = text.rfind('.').unwrap() + 1;
            for at in start..text.len() - 1 {
                let letter = if &text[at..=at] == "A" { "B" } else { "A" };
                let changed = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
                tally.refused(&format!("{source}, letter {at}"), &decide(&changed), &[Deny::BadSignature]);
            }
        }
    }
    // RFC 7515 A.1 and A.2, RFC 7520 4.1, 4.4 and 4.6.
    tally.holds("not as many signatures were taken as there are", taken == 5);
    let good = Verifier::new(&hs256_file()).decide(&with_claims(json!({})));
    assert!(matches!(good, Verdict::Allow(_)));
    tally.allowed("good", &good);
    tally.end();
}
