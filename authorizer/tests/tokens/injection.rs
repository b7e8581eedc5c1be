//! Policies and claims (`docs/reliability.md` 8.3, with the characters of DESIGN 6): a value that is special
//! anywhere denies, every other one stands in the policy as it is, once for each place, and nothing else does.

use authorizer::deny::Deny;
use authorizer::{Allowed, Verdict};
use serde_json::{Value, json};

use crate::support::{Tally, Verifier, hs256_file, with, with_claims};

/// The characters of a plain value, written out.
const PLAIN: &str = "!%&'(),-.0123456789:;<=>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz|~";

/// Where a claim may stand: alone, between levels, after a text, before a wildcard.
const PUBLISH: [&str; 5] =
    ["{sub}", "devices/{sub}/events", "dev-{sub}", "$aws/things/{sub}/shadow/update", "{sub}/*"];

/// The corpus of 8.3, and its neighbours.
#[rustfmt::skip]
const CORPUS: [&str; 77] = [
    "*", "?", "a*", "a/b", "../a", "+", "#", "a/+/b", "${iot:ClientId}", "${aws:SourceIp}", "${*}", "${?}",
    "${$}", "$aws/things/x/shadow/update", "a\",\"Effect\":\"Allow\",\"Resource\":\"*", "a\0b", "a\nb",
    "a\r\nb", "\u{ff0a}", "a\u{202e}b", "\u{e9}", "e\u{301}", "arn:aws:iot:*:*:topic/*", "", "a ", " a",
    ".", "..", "a\\b", "\\u002a", "{sub}", "{}", "a}", "{a", "$", "a$b", "a+", "#a", "a#", "+a", "/", "//",
    "a/", "/a", "a/../b", "\u{2f}", "\u{2215}", "\u{2044}", "\u{ff0f}", "\u{200b}", "\u{a0}", "\u{feff}a",
    "\u{1f600}", "a\tb", "\u{7f}", "\"", "a\"b", "',*,'", "a],\"b", "\u{d7ff}", "\u{fffd}", "%2F", "%2a",
    "%00", "&ast;", "A", "a", "auth0|x", "(usr!x)", "a.b", "...", ".a", "a..",
    "a@b:c,d;e=f&g'h~i^j`k<l>m[n]o", "arn:aws:iot:eu-west-1:000000000000:topic", "NaN", "-1",
];

fn file() -> Value {
    with(
        hs256_file(),
        json!({"allow": [{"connect": ["{sub}", "{sub}/*"], "publish": PUBLISH, "subscribe": ["+/{sub}/#"]}]}),
    )
}

/// Every action and resource of the answer, as AWS reads it.
fn granted(allowed: &Allowed) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for document in &allowed.documents {
        let document: Value = serde_json::from_str(document.as_str()).unwrap();
        assert_eq!(document["Version"], json!("2012-10-17"));
        assert_eq!(document.as_object().unwrap().len(), 2);
        for statement in document["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], json!("Allow"));
            assert_eq!(statement.as_object().unwrap().len(), 3);
            for resource in statement["Resource"].as_array().unwrap() {
                all.push((
                    statement["Action"].as_str().unwrap().to_owned(),
                    resource.as_str().unwrap().to_owned(),
                ));
            }
        }
    }
    all
}

/// What a good subject gets: its templates with the text put in, and nothing else.
fn expected(sub: &str) -> Vec<(String, String)> {
    let resource = |kind: &str, template: &str| {
        format!("arn:aws:iot:eu-west-1:000000000000:{kind}/{}", template.replace("{sub}", sub))
    };
    let mut all = Vec::new();
    let mut add = |action: &str, kind: &str, templates: &[&str]| {
        all.extend(templates.iter().map(|template| (action.to_owned(), resource(kind, template))));
    };
    add("iot:Connect", "client", &["{sub}", "{sub}/*"]);
    add("iot:Publish", "topic", &PUBLISH);
    add("iot:Subscribe", "topicfilter", &["+/{sub}/#"]);
    add("iot:Receive", "topic", &["*/{sub}", "*/{sub}/*"]);
    all
}

fn check(tally: &mut Tally, sub: &str, is_plain: bool, verdict: &Verdict) {
    let case = format!("sub {:?}", sub.chars().take(40).collect::<String>());
    if is_plain {
        if let Some(allowed) = tally.allowed(&case, verdict) {
            let found = granted(&allowed);
            tally.holds(&format!("{case}: another policy: {found:?}"), found == expected(sub));
        }
    } else {
        let reason = if sub.is_empty() { Deny::SubjectMissing } else { Deny::ClaimNotPlain };
        tally.refused(&case, verdict, &[reason]);
    }
}

#[test]
fn the_corpus() {
    let mut tally = Tally::new("policy injection");
    let verifier = Verifier::new(&file());
    let long = [128, 129, 5000].map(|length| "a".repeat(length));
    for sub in CORPUS.into_iter().chain(long.iter().map(String::as_str)) {
        let is_plain = (1..=128).contains(&sub.len())
            && sub.chars().all(|c| PLAIN.contains(c))
            && sub != "."
            && sub != "..";
        check(&mut tally, sub, is_plain, &verifier.decide(&with_claims(json!({"sub": sub}))));
    }
    let wrong =
        [json!({"a": 1}), json!(1), json!(["a"]), json!(true), json!(null), json!([]), json!({}), json!(0.5)];
    for value in &wrong {
        let verdict = verifier.decide(&with_claims(json!({"sub": value})));
        tally.refused(&format!("sub {value}"), &verdict, &[Deny::SubjectMissing]);
    }
    // Two subjects never share a principal (rule 6): not even those that differ in a character or its case.
    let mut principals = std::collections::BTreeSet::new();
    let alike = ["a", "A", "a.", ".a", "a-", "a|a", "aa", "%61", "a,", "(a)", "a:a", "a;a"];
    for sub in alike {
        if let Some(allowed) = tally.allowed(sub, &verifier.decide(&with_claims(json!({"sub": sub})))) {
            let legal =
                allowed.principal.len() == 32 && allowed.principal.bytes().all(|b| b.is_ascii_alphanumeric());
            tally.holds("an illegal principal", legal);
            principals.insert(allowed.principal);
        }
    }
    tally.holds("subjects share a principal", principals.len() == alike.len());
    tally.end();
}

/// Every character of the first planes that matter, alone, at the beginning, inside and at the end.
#[test]
fn every_character() {
    let mut tally = Tally::new("every character in a policy");
    let verifier = Verifier::new(&file());
    let characters =
        (0..0x3100_u32).chain(0xfe00..0x1_0000).chain(0x1_f300..0x1_f310).filter_map(char::from_u32);
    for character in characters {
        let texts: &[String] = if character.is_ascii() {
            &[
                format!("{character}"),
                format!("{character}a"),
                format!("a{character}b"),
                format!("a{character}"),
            ]
        } else {
            &[format!("a{character}b")]
        };
        for sub in texts {
            let is_plain = PLAIN.contains(character) && sub != ".";
            check(&mut tally, sub, is_plain, &verifier.decide(&with_claims(json!({"sub": sub}))));
        }
    }
    tally.end();
}

/// A claim other than `sub` that the policy is made from has the same rules, and must be there.
#[test]
fn other_claims_in_policies() {
    let mut tally = Tally::new("other claims in policies");
    let allow = json!([{"connect": [], "publish": ["{realm}/{device_id}"], "subscribe": []}]);
    let verifier = Verifier::new(&with(hs256_file(), json!({"allow": allow})));
    let decide = |realm: &Value, device: &Value| {
        verifier.decide(&with_claims(json!({"realm": realm, "device_id": device})))
    };
    for text in ["a", "A-1", "x|y"] {
        if let Some(allowed) = tally.allowed(text, &decide(&json!("r"), &json!(text))) {
            let resource = format!("arn:aws:iot:eu-west-1:000000000000:topic/r/{text}");
            tally.holds("another policy", granted(&allowed) == [("iot:Publish".to_owned(), resource)]);
        }
    }
    for value in [json!(null), json!(1), json!(true), json!(["a"]), json!({"a": "a"})] {
        tally.refused(&value.to_string(), &decide(&json!("r"), &value), &[Deny::ClaimMissing]);
        tally.refused(&value.to_string(), &decide(&value, &json!("d")), &[Deny::ClaimMissing]);
    }
    for text in ["", "/", "*", "a/b", "+", "#", "..", ".", "${sub}", "{sub}", "a b", "\u{e9}", "/awsiot"] {
        tally.refused(text, &decide(&json!("r"), &json!(text)), &[Deny::ClaimNotPlain]);
        tally.refused(text, &decide(&json!(text), &json!("d")), &[Deny::ClaimNotPlain]);
    }
    tally.end();
}
