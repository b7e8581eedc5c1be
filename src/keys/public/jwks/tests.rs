use serde_json::json;

use super::*;

/// The modulus of RFC 7517 A.1, whose RFC 7638 thumbprint is `NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs`.
const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

/// The second key of RFC 7517 A.1, as a set, changed by `change`.
fn key(change: &serde_json::Value) -> serde_json::Value {
    let mut key = json!({"kty": "RSA", "n": N, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    for (name, value) in change.as_object().unwrap() {
        match value {
            serde_json::Value::Null => key.as_object_mut().unwrap().remove(name),
            value => key.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    key
}

fn parse(keys: &[serde_json::Value]) -> Result<Vec<PublicKey>, String> {
    let set = json!({"keys": keys}).to_string();
    Jwks::parse(set.as_bytes()).map(|set| set.keys).map_err(|problem| problem.to_string())
}

fn reduced(kid: Option<&str>) -> PublicKey {
    PublicKey { kid: kid.map(str::to_owned), n: N.to_owned(), e: "AQAB".to_owned() }
}

#[test]
fn the_rfc_s_key_is_taken_and_its_neighbours_are_left_out() {
    // RFC 7517 A.1, first key.
    let curve = json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1"});
    let keycloak_encrypts = key(&json!({"use": "enc", "alg": "RSA-OAEP", "kid": "e"}));
    let other_hash = key(&json!({"alg": "RS512", "kid": "f"}));
    let wraps = key(&json!({"key_ops": ["wrapKey"], "kid": "g"}));
    let unknown = json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"});
    let found = parse(&[curve, keycloak_encrypts, other_hash, wraps, unknown, key(&json!({}))]);
    assert_eq!(found, Ok(vec![reduced(Some("2011-04-29"))]));
}

#[test]
fn what_providers_do_differently_is_taken() {
    let without = key(&json!({"alg": null, "kid": null, "x5t": "abc"}));
    assert_eq!(parse(&[without]), Ok(vec![reduced(None)]), "Entra and Okta leave `alg` out");
    // OpenAM before 14.4.2: a leading zero octet in `n` (docs/identity-providers.md).
    let mut bytes = vec![0];
    bytes.extend(general_purpose::URL_SAFE_NO_PAD.decode(N).unwrap());
    let padded = general_purpose::URL_SAFE.encode(&bytes);
    let openam = key(&json!({"n": padded, "kid": "SylLC6Njt1KGQktD9Mt+0zceQSU="}));
    assert_eq!(parse(&[openam]), Ok(vec![reduced(Some("SylLC6Njt1KGQktD9Mt+0zceQSU="))]));
}

#[test]
fn what_would_be_unsafe_is_refused() {
    let short = general_purpose::URL_SAFE_NO_PAD.encode([0xff; 255]);
    let cases = [
        (json!({"kty": "oct", "k": "AAAA"}), "symmetric key"),
        (json!({"d": "AAAA"}), "private key"),
        (json!({"n": short}), "2040 bits; at least 2048"),
        (json!({"n": null}), "no `n`"),
        (json!({"n": "a+/b"}), "`n` is not base64url"),
        (json!({"e": "AQ"}), "exponent"),
        (json!({"e": "AQAA"}), "exponent"),
        (json!({"kid": ""}), "`kid`"),
        (json!({"kid": "k".repeat(129)}), "`kid`"),
    ];
    for (change, expected) in cases {
        let said = parse(&[key(&json!({"kid": "other"})), key(&change)]).unwrap_err();
        assert!(said.contains(expected), "{change}: {said}");
        assert!(!said.contains("AAAA"), "a key must not be shown: {said}");
    }
    let said = parse(&[key(&json!({})), key(&json!({"use": "sig"}))]).unwrap_err();
    assert!(said.contains("two keys have the id \"2011-04-29\""), "{said}");
}

#[test]
fn a_set_without_a_usable_key_says_why_for_each() {
    let said = parse(&[key(&json!({"use": "enc", "kid": "a"})), json!({"kty": "EC"})]).unwrap_err();
    assert!(said.contains("no RSA key") && said.contains("key \"a\": its `use`"), "{said}");
    assert!(said.contains("key 2: not an RSA key"), "{said}");
    for bad in ["", "JWKS unavailable", "[]", "{\"keys\":{}}", "{\"keys\":[{}]}"] {
        let said = Jwks::parse(bad.as_bytes()).unwrap_err().to_string();
        assert!(said.contains("not JSON of the form"), "{bad}: {said}");
    }
    assert!(Jwks::parse(vec![b' '; BYTES_MAX + 1]).unwrap_err().to_string().contains("at most 262144"));
    assert!(parse(&vec![key(&json!({})); 65]).unwrap_err().contains("at most 64"));
}
