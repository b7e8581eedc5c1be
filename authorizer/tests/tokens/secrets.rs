//! RFC 8725 3.2 and 3.5: keys that are too weak, or are no such key at all, stop the function at its start.

use authorizer::key::RsaKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::confusion::public_key_forms;
use crate::reference::b64;
use crate::support::{Tally, Verifier, hs256_file, rs256_file, rsa_key, with, with_claims};

#[test]
fn shared_secrets() {
    let mut tally = Tally::new("shared secrets");
    let base64 = hs256_file();
    let mut utf8 = hs256_file();
    utf8["key"]["hs256"]["encoding"] = json!("utf8");
    let mut refused = |case: &str, file: &Value, secret: &str| {
        let error = Verifier::with_secret(file, secret).err();
        // Whoever reads the message does not learn the secret.
        let holds = error.is_some_and(|error| secret.len() < 8 || !error.contains(secret));
        tally.holds(&format!("{case}: taken, or told"), holds);
    };
    for length in 0..32 {
        refused("a short secret", &base64, &STANDARD.encode(vec![0xa7; length]));
        refused("a short secret", &utf8, &"s".repeat(length));
        refused("a secret of 32 letters that is short once decoded", &base64, &"A".repeat(length));
    }
    for (form, key) in public_key_forms() {
        // Random bytes by all that can be seen, and no form in which a key is kept.
        if form.starts_with("modulus") || form.starts_with("no key") {
            continue;
        }
        refused(form, &base64, &STANDARD.encode(&key));
        if let Ok(text) = String::from_utf8(key) {
            refused(form, &utf8, &text);
            refused(form, &base64, &text);
        }
    }
    for text in ["ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0"] {
        refused("an SSH key", &utf8, text);
    }
    for odd in ["\n", " ", "-", "_", "%", "\u{e9}", "\0"] {
        let good = STANDARD.encode([0xfb; 48]);
        refused("no standard base64", &base64, &format!("{good}{odd}"));
        refused("no standard base64", &base64, &format!("{odd}{good}"));
        refused("no standard base64", &base64, &format!("{}{odd}{}", &good[..20], &good[20..]));
    }
    refused("base64url", &base64, &URL_SAFE_NO_PAD.encode([0xfb; 48]));
    refused("a long secret", &utf8, &"s".repeat(4097));
    let good = Verifier::with_secret(&base64, &STANDARD.encode(crate::support::SECRET)).unwrap();
    tally.allowed("32 bytes", &good.decide(&with_claims(json!({}))));
    let text = String::from_utf8(crate::support::SECRET.to_vec()).unwrap();
    let good = Verifier::with_secret(&utf8, &text).unwrap();
    tally.allowed("32 letters", &good.decide(&with_claims(json!({}))));
    tally.end();
}

/// A modulus of every size up to 2,047 bits, every small exponent, and what is no key.
#[test]
fn public_keys() {
    let mut tally = Tally::new("public keys");
    let public = rsa_key().to_public_key();
    let n = public.n_bytes().to_vec();
    let file = |n: &str, e: &str| {
        with(hs256_file(), json!({"key": {"rs256": {"keys": [{"kid": null, "n": n, "e": e}]}}}))
    };
    let is_refused = |n: &[u8], e: &[u8]| RsaKey::new(None, &b64(n), &b64(e)).is_err();
    let (good, text) = ([1, 0, 1], b64(&n));
    for bits in 1..2048 {
        // The lowest bits of a real modulus, the highest of them set.
        let bytes = usize::div_ceil(bits, 8);
        let mut small = n[256 - bytes..].to_vec();
        let top = (bits - 1) % 8;
        small[0] = small[0] & (0xff >> (7 - top)) | 1 << top;
        tally.holds(&format!("{bits} bits were taken"), is_refused(&small, &good));
        tally.holds(
            &format!("{bits} bits after zeros were taken"),
            is_refused(&[&[0; 64], &*small].concat(), &good),
        );
    }
    for exponent in (0..65_537_u32).chain((65_538..70_000).step_by(2)) {
        let bytes = exponent.to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        let is_refused = RsaKey::new(None, &text, &b64(bytes)).is_err();
        tally.holds(&format!("exponent {exponent} was taken"), is_refused);
    }
    let mut even = n.clone();
    even[255] &= 0xfe;
    tally.holds("an even modulus was taken", is_refused(&even, &good));
    tally.holds("a huge exponent was taken", is_refused(&n, &[0xff; 8]) && is_refused(&n, &n));
    for odd in [
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        text.replacen(['-', '_'], "+", 1),
        String::new(),
        STANDARD.encode(&n),
        "0x".to_owned() + &text,
        text[..text.len() - 1].to_owned() + "_",
    ] {
        tally.holds(
            "a modulus in another form was taken",
            Verifier::with_secret(&file(&odd, "AQAB"), "").is_err(),
        );
    }
    for exponent in ["AQAB=", "AQA=", "65537", "10001", "", "AQAC", "AQ"] {
        tally.holds(
            "an exponent in another form was taken",
            Verifier::with_secret(&file(&text, exponent), "").is_err(),
        );
    }
    let token = crate::support::rs256(
        crate::support::header("RS256").to_string(),
        crate::support::claims().to_string(),
    );
    tally.allowed("2,048 bits", &Verifier::new(&rs256_file()).decide(&token));
    tally
        .allowed("zeros before", &Verifier::new(&file(&b64([&[0; 9], &*n].concat()), "AQAB")).decide(&token));
    tally.end();
}

/// One key is of one algorithm, which its place in the configuration says (CVE-2026-22817: a key without one).
#[test]
fn keys_without_an_algorithm() {
    let mut tally = Tally::new("configurations of keys");
    let hmac = hs256_file()["key"]["hs256"].clone();
    let rsa = rs256_file()["key"]["rs256"].clone();
    let jwk = json!({"kid": "key-1", "n": rsa["keys"][0]["n"], "e": "AQAB"});
    let bad = [
        json!({}),
        json!({"keys": [jwk]}),
        json!([jwk]),
        jwk.clone(),
        json!({"none": {}}),
        json!({"HS256": hmac}),
        json!({"RS256": rsa}),
        json!({"hs256": hmac, "rs256": rsa}),
        json!({"rs256": hmac}),
        json!({"hs256": rsa}),
        json!({"hs256": {"secret_variable": "SECRET", "encoding": "none", "allow_short_secret": false}}),
        json!({"hs256": {"secret": "AA", "encoding": "utf8", "allow_short_secret": false}}),
        json!({"rs256": {"keys": []}}),
        json!({"rs256": {"keys": [jwk, jwk]}}),
        json!({"rs256": {"keys": [jwk, with(jwk.clone(), json!({"kid": "key-2", "alg": "HS256"}))]}}),
        json!({"rs256": {"keys": [{"kid": null, "n": jwk["n"], "e": "AQAB"}, jwk]}}),
        json!({"rs256": {"keys": [{"n": jwk["n"], "e": "AQAB"}]}}),
        json!({"rs256": {"keys": [{"kid": "key-1", "kty": "oct", "k": "AAAA"}]}}),
        json!({"es256": {"keys": [{"kid": "a", "x": "AA", "y": "AA"}]}}),
        json!("hs256"),
        json!(null),
    ];
    for key in bad {
        let mut file = hs256_file();
        file["key"] = key;
        tally.holds(
            &format!("key {} was taken", file["key"]),
            Verifier::with_secret(&file, &STANDARD.encode([7; 32])).is_err(),
        );
    }
    tally.allowed("one secret", &Verifier::new(&hs256_file()).decide(&with_claims(json!({}))));
    tally.end();
}
