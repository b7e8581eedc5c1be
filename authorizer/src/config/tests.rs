use serde_json::{Value, json};

use super::read as read_bytes;
use crate::tests::support::{hs256_file, read, rs256_file, with};

#[test]
fn what_the_deployer_writes_is_read() {
    let (_, rules) = read(&hs256_file()).unwrap();
    assert_eq!(rules.leeway_seconds, 60);
    assert_eq!(rules.require["tokenName"], "access_token");
    assert_eq!(rules.grants.grants.len(), 4);
    read(&rs256_file()).unwrap();
}

#[track_caller]
fn refused(file: &Value, because: &str) {
    let error = read(file).expect_err(because);
    assert!(error.contains(because), "{error}");
}

/// Every member must be there, under its own name, and alone.
#[test]
fn members_are_exactly_those_of_the_format() {
    for file in [hs256_file(), rs256_file()] {
        for place in ["", "/key/hs256", "/key/rs256/keys/0", "/key/rs256", "/allow/0"] {
            let Some(Value::Object(members)) = file.pointer(place) else { continue };
            for name in members.keys() {
                let mut changed = file.clone();
                let members = changed.pointer_mut(place).unwrap().as_object_mut().unwrap();
                let value = members.remove(name).unwrap();
                refused(&changed, &format!("missing field `{name}`"));
                let members = changed.pointer_mut(place).unwrap().as_object_mut().unwrap();
                members.insert(name.clone(), value);
                members.insert(format!("{name}x"), json!(1));
                refused(&changed, &format!("unknown field `{name}x`"));
            }
        }
    }
    let text = hs256_file().to_string();
    let twice = text.replacen("\"tokenName\"", "\"tokenName\":\"id_token\",\"tokenName\"", 1);
    let error = read_bytes(twice.as_bytes(), &|_| None).unwrap_err().to_string();
    assert!(error.contains("key \"tokenName\" appears twice at line 1"), "{error}");
}

#[test]
fn every_limit_has_its_message() {
    let change = |changes: Value| with(hs256_file(), changes);
    refused(&change(json!({"version": 2})), "`version` is 2; this authorizer reads 1");
    for prefix in [
        "",
        "arn:aws:iot:eu-west-1:*",
        "arn:aws:iot:*:000000000000",
        "arn:aws:iot:eu-west-1:000000000000:topic",
        "arn:aws:s3:eu-west-1:000000000000",
        "arn:*:iot:eu-west-1:000000000000",
        "arn:aws:iot:eu-west-1:00000000000",
    ] {
        refused(&change(json!({"arn_prefix": prefix})), "`arn_prefix` is not");
    }
    refused(&change(json!({"issuer": ""})), "`issuer` is or has an empty text");
    refused(&change(json!({"issuer": "a\n"})), "`issuer` has a control character");
    refused(&change(json!({"issuer": "a".repeat(2049)})), "`issuer` has 2049 bytes");
    refused(&change(json!({"audience": []})), "`audience` is empty");
    refused(&change(json!({"audience": [""]})), "`audience` is or has an empty text");
    refused(&change(json!({"audience": vec!["a"; 65]})), "`audience` has 65 entries");
    refused(&change(json!({"audience_claims": []})), "`audience_claims` is empty");
    refused(&change(json!({"scope_claims": []})), "`scope_claims` is empty");
    refused(&change(json!({"scopes": ["mail cn"]})), "a scope has no space");
    refused(&change(json!({"types": []})), "`types` is empty");
    refused(&change(json!({"types": ["\u{7f}"]})), "`types` has a control character");
    refused(&change(json!({"require": {"a": ""}})), "`require` is or has an empty text");
    refused(&change(json!({"require": {"a": true}})), "expected a string");
    refused(&change(json!({"leeway_seconds": 301})), "`leeway_seconds` is 301");
    refused(&change(json!({"leeway_seconds": -1})), "expected u64");
    refused(&change(json!({"strict_expiry": "no"})), "expected a boolean");
    refused(&change(json!({"allow": []})), "`allow` is empty");
    refused(&change(json!({"allow": [{"connect": [], "publish": [], "subscribe": []}]})), "`allow` is empty");
    refused(
        &change(json!({"allow": [{"connect": [], "publish": ["a", "{sub}-x"], "subscribe": []}]})),
        "`allow[0].publish` \"{sub}-x\" has more after `{sub}`",
    );
    let publish: Vec<_> = (0..200).map(|n| format!("{n}{}", "a".repeat(200))).collect();
    refused(
        &change(json!({"allow": [{"connect": [], "publish": publish, "subscribe": []}]})),
        "does not fit in 10",
    );
    refused(&change(json!({"key": {"none": {}}})), "unknown variant `none`");
    refused(&change(json!({"key": {}})), "expected");
    let mut two = hs256_file();
    two["key"]["rs256"] = rs256_file()["key"]["rs256"].clone();
    refused(&two, "expected");
    let mut padding = Vec::from(hs256_file().to_string());
    padding.resize(256 * 1024 + 1, b' ');
    assert!(read_bytes(&padding, &|_| None).unwrap_err().to_string().contains("at most 262144"));
}

/// What is as great as it may be is taken.
#[test]
fn limits_are_inside() {
    let change = |changes: Value| with(hs256_file(), changes);
    read(&change(json!({"issuer": "a".repeat(2048)}))).unwrap();
    read(&change(json!({"audience": vec!["a"; 64]}))).unwrap();
    read(&change(json!({"leeway_seconds": 300}))).unwrap();
    let entry = json!({"connect": [], "publish": ["a"], "subscribe": []});
    read(&change(json!({"allow": vec![entry.clone(); 64]}))).unwrap();
    refused(&change(json!({"allow": vec![entry; 65]})), "`allow` has 65 entries");
    read(&change(json!({"allow": [{"connect": [], "publish": ["a".repeat(256)], "subscribe": []}]})))
        .unwrap();
    let mut file = rs256_file();
    file["key"]["rs256"]["keys"][0]["kid"] = json!("k".repeat(128));
    read(&file).unwrap();
    let mut padded = Vec::from(rs256_file().to_string());
    padded.resize(256 * 1024, b' ');
    read_bytes(&padded, &|_| None).unwrap();
}

/// A refresh token is a JWT of the same issuer and key: either its type or a claim must tell it apart.
#[test]
fn some_rule_tells_kinds_of_tokens_apart() {
    for loose in ["JWT", "jwt", "application/jwt", "Application/JWT", ""] {
        let types = json!([loose, "at+jwt"]);
        let file = with(hs256_file(), json!({"types": types, "require": {}}));
        refused(&file, "`types` lets a refresh token or an ID token pass while `require` is empty");
        read(&with(hs256_file(), json!({"types": types}))).unwrap();
    }
    read(&with(hs256_file(), json!({"types": ["at+jwt"], "require": {}}))).unwrap();
}

#[test]
fn keys_name_their_place() {
    let mut file = hs256_file();
    file["key"]["hs256"]["secret_variable"] = json!("OTHER");
    refused(&file, "`key.hs256.secret_variable` names OTHER, which is not in the environment");
    file["key"]["hs256"]["secret_variable"] = json!("A=B");
    refused(&file, "no name of an environment variable");
    file["key"]["hs256"]["encoding"] = json!("hex");
    refused(&file, "unknown variant `hex`");
    let short =
        read_bytes(hs256_file().to_string().as_bytes(), &|_| Some("c2hvcnQ=".to_owned())).unwrap_err();
    assert!(
        short.to_string().starts_with("the secret in the environment variable SECRET has 5 bytes"),
        "{short}"
    );

    let mut file = rs256_file();
    file["key"]["rs256"]["keys"][0]["e"] = json!("Aw");
    refused(&file, "`key.rs256.keys[0]` has an exponent");
    file["key"]["rs256"]["keys"] = json!([]);
    refused(&file, "`key.rs256.keys` is empty");
}

/// Equal templates in several entries are one grant; the order is by action.
#[test]
fn entries_under_allow_add_up() {
    let file = with(
        hs256_file(),
        json!({"allow": [
            {"connect": ["{sub}/*"], "publish": ["a"], "subscribe": ["b/#"]},
            {"connect": ["{sub}/*"], "publish": ["c"], "subscribe": ["b/#", "b/+"]},
        ]}),
    );
    let (_, rules) = read(&file).unwrap();
    let grants: Vec<_> =
        rules.grants.grants.iter().map(|grant| (grant.action.name(), grant.template.as_str())).collect();
    assert_eq!(
        grants,
        [
            ("iot:Connect", "{sub}/*"),
            ("iot:Publish", "a"),
            ("iot:Publish", "c"),
            ("iot:Subscribe", "b/#"),
            ("iot:Subscribe", "b/+"),
            ("iot:Receive", "b"),
            ("iot:Receive", "b/*"),
        ]
    );
}
