//! What a good token gets.

use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::support::{
    ISSUER, NOW, allowed, b64, claims, decide_token, denied, header, hs256, hs256_file, read, rs256,
    rs256_file, rsa_key, with,
};
use crate::deny::Deny;
use crate::{Verdict, answer, decide_bytes, log};

#[test]
fn a_good_token_gets_the_whole_answer() {
    for (file, token) in [
        (hs256_file(), hs256(&header("HS256"), &claims())),
        (rs256_file(), rs256(&header("RS256"), &claims())),
    ] {
        let answer = answer::write(&decide_token(&file, &token).verdict);
        // The shape is that of AWS IoT, "Defining your Lambda function"; the principal is
        // printf 'https://identity.example.com:443/oauth2\0demo' | sha256sum | cut -c1-32
        assert_eq!(
            serde_json::from_str::<Value>(&answer).unwrap(),
            json!({
                "isAuthenticated": true, "principalId": "600202927cc0cc67ecba4c139d3ceb6b",
                "disconnectAfterInSeconds": 3590, "refreshAfterInSeconds": 3590,
                "policyDocuments": [{"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "iot:Connect",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:client/demo/*"]},
                    {"Effect": "Allow", "Action": "iot:Publish",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:topic/customauthtesting"]},
                    {"Effect": "Allow", "Action": "iot:Subscribe",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:topicfilter/devices/demo/commands"]},
                    {"Effect": "Allow", "Action": "iot:Receive",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:topic/devices/demo/commands"]},
                ]}],
            })
        );
    }
}

#[test]
fn every_deny_has_the_same_legal_answer() {
    let answers = Deny::ALL.iter().map(|reason| answer::write(&Verdict::Deny(*reason)));
    for answer in answers {
        assert_eq!(
            serde_json::from_str::<Value>(&answer).unwrap(),
            json!({
                "isAuthenticated": false, "principalId": "denied",
                "disconnectAfterInSeconds": 300, "refreshAfterInSeconds": 300,
                "policyDocuments": [{"Version": "2012-10-17", "Statement": [
                    {"Effect": "Deny", "Action": "iot:*", "Resource": "*"}]}],
            })
        );
    }
}

/// `docs/identity-providers.md` 1.3: what OpenAM and others really write.
#[test]
fn forms_of_real_providers() {
    let openam = json!({"typ": "JWT", "zip": "NONE", "alg": "HS256"});
    allowed(&hs256_file(), &hs256(&openam, &claims()));
    allowed(&hs256_file(), &hs256(&openam, &with(claims(), json!({"scope": "mail cn"}))));
    allowed(&hs256_file(), &hs256(&openam, &with(claims(), json!({"aud": ["other", "deviceagent"]}))));
    let keycloak =
        with(claims(), json!({"aud": null, "client_id": "deviceagent", "scope": null, "scp": ["mail"]}));
    allowed(&hs256_file(), &hs256(&json!({"alg": "HS256", "typ": "application/AT+jwt"}), &keycloak));
    allowed(&hs256_file(), &hs256(&json!({"alg": "HS256"}), &claims()));
    // RFC 7519 section 2: a numeric date may have a fraction.
    allowed(&hs256_file(), &hs256(&header("HS256"), &with(claims(), json!({"exp": 1_767_229_190.5}))));
}

/// Standard base64 with `+`, `/` and `=`, as AM 6 and later writes it.
#[test]
fn key_ids_choose_among_the_configured_keys() {
    let mut file = rs256_file();
    let key_id = "wU3ifIIaLOUAeRB/FG6eM1P1QM=";
    file["key"]["rs256"]["keys"][0]["kid"] = json!(key_id);
    let with_id = |id: &str| rs256(&json!({"alg": "RS256", "kid": id}), &claims());
    allowed(&file, &with_id(key_id));
    allowed(&file, &rs256(&json!({"alg": "RS256"}), &claims()));
    denied(&file, &with_id(&key_id.to_lowercase()), Deny::UnknownKeyId);
    denied(&file, &with_id(""), Deny::UnknownKeyId);

    let mut unnamed = file.clone();
    unnamed["key"]["rs256"]["keys"][0]["kid"] = Value::Null;
    allowed(&unnamed, &with_id("any"));

    let mut two = file;
    let keys = two["key"]["rs256"]["keys"].as_array_mut().unwrap();
    let mut other = keys[0].clone();
    other["kid"] = json!("second");
    other["n"] = json!(b64([0xff; 256]));
    keys.push(other);
    allowed(&two, &with_id(key_id));
    denied(&two, &with_id("second"), Deny::BadSignature);
    denied(&two, &rs256(&json!({"alg": "RS256"}), &claims()), Deny::KeyIdMissing);
}

/// OpenAM before 14.4.2 writes a leading zero octet into `n`.
#[test]
fn a_leading_zero_octet_is_no_part_of_a_key() {
    let mut file = rs256_file();
    let n = rsa_key().to_public_key().n_bytes();
    file["key"]["rs256"]["keys"][0]["n"] = json!(b64([&[0], &*n].concat()));
    allowed(&file, &rs256(&header("RS256"), &claims()));
}

#[test]
fn subjects_never_share_a_principal() {
    let principal = |sub: &str| {
        allowed(&hs256_file(), &hs256(&header("HS256"), &with(claims(), json!({"sub": sub})))).principal
    };
    let principals: std::collections::HashSet<_> =
        ["demo", "Demo", "d-emo", "d.emo", "auth0|demo", "(usr!demo)", "%2F"].map(principal).into();
    assert_eq!(principals.len(), 7);
    assert!(principals.iter().all(|p| p.len() == 32 && p.bytes().all(|b| b.is_ascii_alphanumeric())));
}

/// `docs/aws-facts.md` 2.6: an event has only what matters, and may gain fields.
#[test]
fn events_are_read_tolerantly() {
    let (keys, rules) = read(&hs256_file()).unwrap();
    let token = hs256(&header("HS256"), &claims());
    for event in [
        json!({"token": token}),
        json!({"token": token, "signatureVerified": false, "protocols": null, "protocolData": null}),
        json!({"token": token, "protocols": ["tls", "mqtt", "coap"], "new": {"a": [1]},
               "protocolData": {"tls": {"serverName": "x"}, "mqtt": {"username": "?a", "password": "cGFzcw==", "clientId": "c"}}}),
    ] {
        let decision = decide_bytes(event.to_string().as_bytes(), &keys, &rules, NOW);
        assert!(matches!(decision.verdict, Verdict::Allow(_)), "{event}");
    }
    let mut longest = json!({"token": token}).to_string().into_bytes();
    longest.resize(256 * 1024, b' ');
    assert!(matches!(decide_bytes(&longest, &keys, &rules, NOW).verdict, Verdict::Allow(_)));
}

#[test]
fn the_log_says_what_it_may() {
    let line = |file: &Value, token: &str| {
        let (_, rules) = read(file).unwrap();
        let line = log::line(&decide_token(file, token), &rules, "8476a536", 42);
        assert!(line.ends_with("}\n") && line.lines().count() == 1, "{line}");
        assert!(!line.contains(token) && !line.contains("demo") && !line.contains("evil.example"), "{line}");
        serde_json::from_str::<Value>(&line).unwrap()
    };
    let token = hs256(&json!({"alg": "HS256", "kid": "a\"\n\u{202e}b"}), &claims());
    assert_eq!(
        line(&hs256_file(), &token),
        json!({"decision": "allow", "reason": null, "token": crate::fingerprint::sha256_hex(&[token.as_bytes()], 8),
               "kid": "a\"\\n\\u{202e}b", "iss": ISSUER, "remaining_seconds": 3590, "request_id": "8476a536",
               "duration_us": 42})
    );
    let foreign = hs256(&header("HS256"), &with(claims(), json!({"iss": "https://evil.example"})));
    let line = line(&hs256_file(), &foreign);
    assert_eq!((&line["reason"], &line["iss"]), (&json!("wrong_issuer"), &json!("other")));
}
