//! RFC 8725 3.1, 3.10 and 3.11, RFC 7515 4.1: what the header must say, and what it must not say.

use authorizer::deny::Deny;
use serde_json::{Value, json};

use crate::support::{
    Tally, Verifier, claims, header, hs256, hs256_file, rs256, rs256_file, with, with_header,
};

/// Values of every type, none of which stands for anything.
fn odd_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.5),
        json!(""),
        json!(" "),
        json!("x"),
        json!("\0"),
        json!([]),
        json!([""]),
        json!(["x"]),
        json!([null]),
        json!({}),
        json!({"x": 1}),
    ]
}

type Sign = fn(String, String) -> String;

/// A verifier, its algorithm, and what signs for it, for each of the two algorithms.
fn both() -> [(Verifier, &'static str, Sign); 2] {
    [
        (Verifier::new(&hs256_file()), "HS256", |header, payload| hs256(header, payload)),
        (Verifier::new(&rs256_file()), "RS256", |header, payload| rs256(header, payload)),
    ]
}

/// The header of a good token with one member more or another one; unlike `with`, `null` is a value.
fn set(name: &str, member: &str, value: &Value) -> String {
    let mut header = header(name);
    header[member] = value.clone();
    header.to_string()
}

/// Of RFC 7518 3.1, RFC 8037, RFC 8812, those for encryption (RFC 7518 4.1), and some of the registry.
const ALGORITHMS: [&str; 29] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
    "none",
    "EdDSA",
    "Ed25519",
    "ES256K",
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "A128KW",
    "A256KW",
    "dir",
    "ECDH-ES",
    "A128GCMKW",
    "PBES2-HS256+A128KW",
    "HS1",
    "RS1",
    "HS256/64",
    "ML-DSA-44",
];

#[test]
fn algorithm() {
    let mut tally = Tally::new("alg");
    for (verifier, own, sign) in both() {
        tally.allowed(own, &verifier.decide(&sign(header(own).to_string(), claims().to_string())));
        let mut names: Vec<Value> = ALGORITHMS.iter().map(|name| json!(name)).collect();
        names.extend(odd_values());
        // Every letter's case, and something around it.
        for bits in 0_usize..32 {
            let letters = own.char_indices();
            let spelled = letters.map(|(at, c)| if bits >> at & 1 == 1 { c.to_ascii_lowercase() } else { c });
            names.push(json!(spelled.collect::<String>()));
        }
        for around in [" ", "\0", "\n", "\t", "\"", "\u{feff}", "\u{200b}", "/", "-", "x", "="] {
            names.extend([json!(format!("{around}{own}")), json!(format!("{own}{around}"))]);
        }
        for length in 0..own.len() {
            names.extend([json!(&own[..length]), json!(&own[length + 1..])]);
        }
        names.extend([
            json!([own]),
            json!({"alg": own}),
            json!(format!("{own},{own}")),
            json!("\u{ff28}S256"),
        ]);
        for name in names.iter().filter(|name| **name != json!(own)) {
            let verdict = verifier.decide(&sign(set(own, "alg", name), claims().to_string()));
            tally.refused(&format!("{own}: {name}"), &verdict, &[Deny::WrongAlgorithm]);
        }
        for member in ["ALG", "Alg", "alg ", "algorithm", "\u{251}lg"] {
            let text = json!({"typ": "JWT", member: own}).to_string();
            let verdict = verifier.decide(&sign(text, claims().to_string()));
            tally.refused(&format!("{own}: member {member}"), &verdict, &[Deny::WrongAlgorithm]);
        }
        // An escape is the same text (RFC 8259 7), so it is the same algorithm.
        let escaped = format!("{{\"\\u0061lg\":\"\\u00{:02x}{}\"}}", own.as_bytes()[0], &own[1..]);
        tally.allowed("an escape", &verifier.decide(&sign(escaped, claims().to_string())));
    }
    tally.end();
}

/// `crit`, `b64`, `zip` and every way to bring a key along, with every value.
#[test]
fn extensions_and_embedded_keys() {
    let mut tally = Tally::new("header members");
    let key = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "key-1"});
    let url = "http://127.0.0.1:9/jwks.json";
    let table = [
        (
            "crit",
            Deny::CriticalHeader,
            vec![json!(["b64"]), json!(["exp"]), json!(["alg"]), json!(["x", "x"])],
        ),
        ("b64", Deny::CriticalHeader, vec![json!("false")]),
        (
            "zip",
            Deny::Compressed,
            vec![json!("DEF"), json!("def"), json!("none"), json!("None"), json!("NONE ")],
        ),
        ("jwk", Deny::EmbeddedKey, vec![key.clone(), json!({"kty": "oct", "k": "AA"})]),
        ("jku", Deny::EmbeddedKey, vec![json!(url), json!("file:///dev/null"), json!("data:,{}")]),
        ("x5u", Deny::EmbeddedKey, vec![json!(url)]),
        ("x5c", Deny::EmbeddedKey, vec![json!(["MIIB"])]),
    ];
    for (verifier, own, sign) in both() {
        for (member, reason, values) in &table {
            for value in values.iter().chain(&odd_values()) {
                let verdict = verifier.decide(&sign(set(own, member, value), claims().to_string()));
                tally.refused(&format!("{own}: {member} = {value}"), &verdict, &[*reason]);
            }
        }
        // What is registered and harmless, or unknown, is not understood and not needed (RFC 7515 4).
        for (member, value) in [
            ("zip", json!("NONE")),
            ("cty", json!("JWT")),
            ("x5t", json!("AA")),
            ("x5t#S256", json!("AA")),
            ("unknown", json!({"a": 1})),
            ("JWK", key.clone()),
            ("kid", json!("key-1")),
            ("iss", json!("x")),
        ] {
            tally.allowed(member, &verifier.decide(&sign(set(own, member, &value), claims().to_string())));
        }
    }
    tally.end();
}

#[test]
fn types() {
    let mut tally = Tally::new("typ");
    let verifier = Verifier::new(&hs256_file());
    for typ in
        ["JWT", "jwt", "Jwt", "application/jwt", "APPLICATION/JWT", "at+jwt", "AT+JWT", "application/at+jwt"]
    {
        tally.allowed(typ, &verifier.decide(&with_header(json!({"typ": typ}))));
    }
    tally.allowed("absent", &verifier.decide(&with_header(json!({"typ": null}))));
    let mut refused = odd_values();
    refused.extend(
        [
            "JOSE",
            "JOSE+JSON",
            "secevent+jwt",
            "logout+jwt",
            "dpop+jwt",
            "id+jwt",
            "rt+jwt",
            "entity-statement+jwt",
            "token-introspection+jwt",
            "JWT ",
            " JWT",
            "JWT\0",
            "JWT;a=b",
            "text/jwt",
            "application/",
            "/jwt",
            "application/application/jwt",
            "application//jwt",
            "jw",
            "at",
            "at+",
            "+jwt",
            "at jwt",
            "at%2Bjwt",
            "JWT,at+jwt",
            "application/octet-stream",
            "\u{ff2a}WT",
        ]
        .map(|text| json!(text)),
    );
    for typ in &refused {
        let verdict = verifier.decide(&hs256(set("HS256", "typ", typ), claims().to_string()));
        tally.refused(&typ.to_string(), &verdict, &[Deny::WrongType]);
    }
    let strict = Verifier::new(&with(hs256_file(), json!({"types": ["at+jwt"], "require": {}})));
    tally.allowed("at+jwt alone", &strict.decide(&with_header(json!({"typ": "at+jwt"}))));
    refused.extend([json!("JWT"), json!("application/jwt")]);
    for typ in &refused {
        let verdict = strict.decide(&hs256(set("HS256", "typ", typ), claims().to_string()));
        tally.refused(&format!("at+jwt alone: {typ}"), &verdict, &[Deny::WrongType]);
    }
    tally.refused(
        "at+jwt alone: absent",
        &strict.decide(&with_header(json!({"typ": null}))),
        &[Deny::WrongType],
    );
    tally.end();
}

/// A `kid` is an index into the configured keys and nothing else: no path, no address, no statement, no key.
#[test]
fn key_ids() {
    let mut tally = Tally::new("kid");
    let rsa = Verifier::new(&rs256_file());
    let with_id = |id: &Value| rs256(set("RS256", "kid", id), claims().to_string());
    tally.allowed("its own", &rsa.decide(&with_id(&json!("key-1"))));
    let long = [128, 129, 500].map(|length| "k".repeat(length));
    let texts = [
        "",
        " ",
        "KEY-1",
        "key-1 ",
        " key-1",
        "key-1\0",
        "key-",
        "ey-1",
        "key-11",
        "key-2",
        "0",
        "1",
        "*",
        "key-*",
        "%",
        "key%2D1",
        "../key-1",
        "./key-1",
        "/dev/null",
        "/proc/self/environ",
        "C:\\key-1",
        "file:///dev/null",
        "http://127.0.0.1:9/key-1",
        "key-1' OR '1'='1",
        "x' UNION SELECT 'AQAB' --",
        "$(id)",
        "`id`",
        "|id",
        ";id",
        "{{7*7}}",
        "${jndi:ldap://127.0.0.1:9/a}",
        "__proto__",
        "constructor",
        "null",
        "undefined",
        "SECRET",
        "hs256",
        "\u{212a}ey-1",
        "key\u{2010}1",
        "key-1\u{301}",
        &long[0],
    ];
    for text in texts {
        let verdict = rsa.decide(&with_id(&json!(text)));
        tally.refused(&format!("kid {text:?}"), &verdict, &[Deny::UnknownKeyId]);
    }
    for id in odd_values().into_iter().filter(|id| !id.is_string()).chain([json!(long[1]), json!(long[2])]) {
        let verdict = rsa.decide(&with_id(&id));
        tally.refused(&format!("kid {id}"), &verdict, &[Deny::BadKeyId]);
        let hmac = Verifier::new(&hs256_file());
        let verdict = hmac.decide(&hs256(set("HS256", "kid", &id), claims().to_string()));
        tally.refused(&format!("HS256, kid {id}"), &verdict, &[Deny::BadKeyId]);
    }
    tally.end();
}

/// With two keys each name means its own key, and no name means none.
#[test]
fn two_keys() {
    let mut tally = Tally::new("two keys");
    let with_id = |id: &str| rs256(set("RS256", "kid", &json!(id)), claims().to_string());
    let mut file = rs256_file();
    let keys = file["key"]["rs256"]["keys"].as_array_mut().unwrap();
    let other = crate::support::foreign_key().to_public_key();
    keys.push(json!({"kid": "key-2", "n": crate::reference::b64(rsa::traits::PublicKeyParts::n_bytes(&other)), "e": "AQAB"}));
    let two = Verifier::new(&file);
    tally.allowed("the first of two", &two.decide(&with_id("key-1")));
    tally.refused("the name of the other", &two.decide(&with_id("key-2")), &[Deny::BadSignature]);
    let unnamed = rs256(header("RS256").to_string(), claims().to_string());
    tally.refused("no name with two keys", &two.decide(&unnamed), &[Deny::KeyIdMissing]);
    tally.end();
}
