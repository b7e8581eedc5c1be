use serde_json::{Value, json};

use super::{Place, Template, is_plain};
use crate::deny::Deny;
use crate::json::parse_object;

/// The template filled in with this `sub`.
fn filled(template: &Template, sub: &Value) -> Result<String, Deny> {
    let mut text = String::new();
    let claims = json!({"sub": sub}).to_string();
    template.fill(&parse_object(claims.as_bytes()).unwrap(), &mut text).map(|()| text)
}

#[track_caller]
fn refused(source: &str, place: Place, because: &str) {
    let error = Template::parse(source, place).expect_err(source);
    assert!(error.contains(because), "{source:?}: {error}");
}

#[test]
fn what_a_template_may_not_be() {
    use Place::{ClientId, Filter, Topic};
    refused("", Topic, "is empty");
    refused(&"a".repeat(257), Topic, "has 257 bytes");
    refused("a\0", Topic, "which no topic should have");
    refused("a\"b", Topic, "which no topic should have");
    refused("a\\b", Topic, "which no topic should have");
    refused("${iot:ClientId}", ClientId, "policy variable");
    refused("a/${sub}", Topic, "policy variable");
    refused("{sub", Topic, "`{` without `}`");
    refused("sub}", Topic, "`}` without `{`");
    refused("{a}/b}", Topic, "`}` without `{`");
    refused("{}", Topic, "no claim name");
    refused("{a{b}}", Topic, "no claim name");
    refused("{sub}-x", Topic, "more after `{sub}`");
    refused("{sub}*", ClientId, "more after `{sub}`");
    refused("{a}{b}", Topic, "more after `{a}`");
    refused("a/+", Topic, "only a filter");
    refused("a/#", Topic, "only a filter");
    refused("+", ClientId, "only a filter");
    refused("a+/b", Filter, "whole level");
    refused("a/#b", Filter, "whole level");
    refused("a/#/b", Filter, "before its end");
    for (source, place) in [
        ("{sub}/*", ClientId),
        ("a", Topic),
        ("$aws/things/{sub}/shadow/update", Topic),
        ("dev-{sub}", Topic),
        ("{sub}/{device}/x", Topic),
        ("+/{sub}/#", Filter),
        ("#", Filter),
        ("+", Filter),
        ("café/ü", Topic),
    ] {
        assert!(Template::parse(source, place).is_ok(), "{source}");
    }
}

/// MQTT 5, 4.7.1: `#` also matches the level above it. AWS IoT: in a policy only `*` and `?` are
/// wildcards ("Using wildcard characters in MQTT and AWS IoT Core policies").
#[test]
fn messages_for_a_filter_arrive_on_these_topics() {
    let check = |filter: &str, topics: &[&str]| {
        let found = Template::parse(filter, Place::Filter).unwrap().topics_of_filter().unwrap();
        assert_eq!(found.iter().map(Template::as_str).collect::<Vec<_>>(), topics, "{filter}");
    };
    check("devices/{sub}/commands", &["devices/{sub}/commands"]);
    check("devices/{sub}/#", &["devices/{sub}", "devices/{sub}/*"]);
    check("devices/+/{sub}", &["devices/*/{sub}"]);
    check("+/{sub}/+/#", &["*/{sub}/*", "*/{sub}/*/*"]);
    check("#", &["*"]);
    check("/#", &["/*"]);
}

/// The corpus of `docs/reliability.md` 8.3, with the characters of the design (other printable
/// ASCII is plain, so `%2F` and `%2a` are literally that).
#[test]
fn a_value_that_is_special_anywhere_is_refused() {
    let long = ["a".repeat(129), "a".repeat(10_000)];
    let special = [
        "*",
        "?",
        "a*",
        "a/b",
        "../a",
        "+",
        "#",
        "a/+/b",
        "${iot:ClientId}",
        "${aws:SourceIp}",
        "${*}",
        "$aws/things/x/shadow/update",
        "a\",\"Effect\":\"Allow\",\"Resource\":\"*",
        "a\0b",
        "a\nb",
        "\u{ff0a}",
        "a\u{202e}b",
        "\u{e9}",
        "e\u{301}",
        "arn:aws:iot:*:*:topic/*",
        "",
        "a ",
        " a",
        ".",
        "..",
        "a\\b",
        "\u{7f}",
        "{sub}",
        "a\tb",
        "$",
        "a}",
        &long[0],
        &long[1],
    ];
    let template = Template::parse("devices/{sub}", Place::Topic).unwrap();
    for value in special {
        assert!(!is_plain(value), "{value:?}");
        assert_eq!(filled(&template, &json!(value)), Err(Deny::ClaimNotPlain), "{value:?}");
    }
    let longest = "a".repeat(128);
    for value in [
        "A",
        "a",
        "%2F",
        "%2a",
        "auth0|x",
        "(usr!x)",
        "a.b",
        "...",
        "a@b:c,d;e=f&g'h~i^j`k<l>m[n]o",
        &longest,
    ] {
        assert_eq!(filled(&template, &json!(value)), Ok(format!("devices/{value}")));
        assert!(template.admits(&format!("devices/{value}")));
    }
    for claim in [json!({"a": 1}), json!(1), json!(["a"]), json!(true), json!(null)] {
        assert_eq!(filled(&template, &claim), Err(Deny::ClaimMissing), "{claim}");
    }
}

/// Of all single bytes, exactly these are plain: written out, not computed.
#[test]
fn the_plain_characters() {
    let plain = "!%&'(),-.0123456789:;<=>@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz|~";
    for byte in 0..=0x7f_u8 {
        let value = format!("a{}", char::from(byte));
        assert_eq!(is_plain(&value), plain.contains(char::from(byte)), "{value:?}");
    }
}

#[test]
fn only_a_filled_in_template_is_admitted() {
    let template = Template::parse("a/{sub}/*", Place::Topic).unwrap();
    assert!(template.admits("a/demo/*"));
    for text in
        ["a/demo/", "a/demo/x", "a/demo", "a/*/*", "a//*", "a/x/y/*", "a/demo/**", "b/demo/*", "a/../*", ""]
    {
        assert!(!template.admits(text), "{text}");
    }
}
