//! What other verifiers once accepted (`docs/reliability.md` 8.2): one test for each class with a number.

use std::io::ErrorKind;
use std::net::TcpListener;

use authorizer::deny::Deny;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::reference::{b64, hmac_sha256, unb64};
use crate::support::{
    SECRET, Tally, Verifier, claims, foreign_key, header, hs256, hs256_file, rs256, rs256_file, rsa_key,
    rsa_sign, signed_part, with, with_claims, with_header,
};

/// `alg: none` (published in 2015; Wycheproof `AlgIsNone`): every spelling, with and without something as signature.
#[test]
fn no_algorithm() {
    let mut tally = Tally::new("alg none");
    for (file, good) in [
        (hs256_file(), hs256(header("HS256").to_string(), claims().to_string())),
        (rs256_file(), rs256(header("RS256").to_string(), claims().to_string())),
    ] {
        let verifier = Verifier::new(&file);
        tally.allowed("good", &verifier.decide(&good));
        let signature = good.rsplit_once('.').unwrap().1;
        for bits in 0_u8..16 {
            let spelled = "none"
                .chars()
                .zip(0..)
                .map(|(c, at)| if bits >> at & 1 == 1 { c.to_ascii_uppercase() } else { c });
            let spelled: String = spelled.collect();
            for around in ["{}", " {}", "{} ", "{}\0", "\u{feff}{}"] {
                let algorithm = around.replace("{}", &spelled);
                let signed = signed_part(header(&algorithm).to_string(), claims().to_string());
                for signature in ["", "AA", "AAAA", "e30", &b64([0; 32]), &b64([0; 256]), signature, "none"] {
                    let verdict = verifier.decide(&format!("{signed}.{signature}"));
                    tally.refused(
                        &format!("{algorithm:?}, {signature:.8}"),
                        &verdict,
                        &[Deny::WrongAlgorithm],
                    );
                }
                tally.refused("two segments", &verifier.decide(&signed), &[Deny::WrongSegmentCount]);
            }
        }
    }
    tally.end();
}

/// CVE-2018-0114 and its like: the token brings or points to the key that signed it. Nothing is fetched:
/// the address is that of a listener to which nobody comes.
#[test]
fn keys_chosen_by_the_token() {
    let mut tally = Tally::new("keys chosen by the token");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let public = foreign_key().to_public_key();
    let jwk = |kid: Value| json!({"kty": "RSA", "n": b64(public.n_bytes()), "e": "AQAB", "kid": kid, "alg": "RS256"});
    let oct = json!({"kty": "oct", "k": b64(b"attacker attacker attacker attack"), "alg": "HS256"});
    let verifier = Verifier::new(&rs256_file());
    tally.allowed("good", &verifier.decide(&rs256(header("RS256").to_string(), claims().to_string())));
    for (case, member) in [
        ("jwk", json!({"jwk": jwk(json!("key-1"))})),
        ("jwk and kid", json!({"jwk": jwk(json!("key-1")), "kid": "key-1"})),
        ("jwk without kid", json!({"jwk": jwk(json!(null))})),
        (
            "jwk that is the configured key",
            json!({"jwk": {"kty": "RSA", "n": b64(rsa_key().to_public_key().n_bytes()), "e": "AQAB"}}),
        ),
        ("jwk, secret", json!({"jwk": oct})),
        ("jku", json!({"jku": url, "kid": "key-1"})),
        ("jku with the issuer before", json!({"jku": format!("https://identity.example.com@{url}")})),
        ("x5u", json!({"x5u": url})),
        ("x5c", json!({"x5c": [b64(public.n_bytes())]})),
        ("x5c and x5t", json!({"x5c": ["MIIB"], "x5t": "AA"})),
        ("iss in the header", json!({"iss": url, "jku": url})),
    ] {
        let head = with(header("RS256"), member);
        let signed = signed_part(head.to_string(), claims().to_string());
        let forged = format!("{signed}.{}", b64(rsa_sign(foreign_key(), signed.as_bytes())));
        tally.refused(case, &verifier.decide(&forged), &[Deny::EmbeddedKey]);
        let genuine = rs256(head.to_string(), claims().to_string());
        tally.refused(
            &format!("{case}, signed by the right key"),
            &verifier.decide(&genuine),
            &[Deny::EmbeddedKey],
        );
    }
    // Addresses where no address is expected are texts.
    for claim in ["iss", "jwks_uri", "jku", "x5u"] {
        let verdict = verifier
            .decide(&rs256(header("RS256").to_string(), with(claims(), json!({claim: url})).to_string()));
        match claim {
            "iss" => tally.refused(claim, &verdict, &[Deny::WrongIssuer]),
            _ => drop(tally.allowed(claim, &verdict)),
        }
    }
    let came = listener.accept().map(|_| ()).map_err(|error| error.kind());
    tally.holds("somebody came to fetch a key", came == Err(ErrorKind::WouldBlock));
    tally.end();
}

/// CVE-2022-21449: r = s = 0 and the other constants of ECDSA. ES256 is not supported, and as an RSA
/// signature they are none.
#[test]
fn psychic_signatures() {
    let mut tally = Tally::new("psychic signatures");
    // The order and the prime of P-256 (SEC 2, 2.4.2).
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let prime = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    let bytes = |hex: &str| {
        (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect::<Vec<u8>>()
    };
    let mut one = vec![0; 32];
    one[31] = 1;
    let numbers = [vec![0; 32], one, bytes(order), bytes(prime), vec![0xff; 32]];
    for file in [hs256_file(), rs256_file()] {
        let verifier = Verifier::new(&file);
        let own = if file["key"]["hs256"].is_object() { "HS256" } else { "RS256" };
        for r in &numbers {
            for s in &numbers {
                for algorithm in ["ES256", "ES384", "ES512", "ES256K", "EdDSA", own] {
                    let signed = signed_part(header(algorithm).to_string(), claims().to_string());
                    let reason = if algorithm == own { Deny::BadSignature } else { Deny::WrongAlgorithm };
                    // As JOSE has it, and in DER.
                    let der = [&[0x30, 0x44, 2, 0x20], &**r, &[2, 0x20], s].concat();
                    for signature in [[&**r, s].concat(), der] {
                        tally.refused(
                            algorithm,
                            &verifier.decide(&format!("{signed}.{}", b64(signature))),
                            &[reason],
                        );
                    }
                }
            }
        }
    }
    let good = hs256(header("HS256").to_string(), claims().to_string());
    tally.allowed("good", &Verifier::new(&hs256_file()).decide(&good));
    tally.end();
}

/// CVE-2022-39227 and its like: JSON serialisation (RFC 7515 7.2), several signatures, tokens side by side,
/// a token in a token, an encrypted one (RFC 7516).
#[test]
fn mixed_serialisations() {
    let mut tally = Tally::new("serialisations");
    let verifier = Verifier::new(&hs256_file());
    let good = with_claims(json!({}));
    tally.allowed("compact", &verifier.decide(&good));
    for (case, token) in other_serialisations(&good) {
        tally.refused(case, &verifier.decide(&token), &[]);
    }
    // A token in a token, rightly signed outside (RFC 7519 5.2): the payload is no object of claims.
    let nested = hs256(with(header("HS256"), json!({"cty": "JWT"})).to_string(), good.clone());
    tally.refused("nested", &verifier.decide(&nested), &[Deny::MalformedPayload]);
    let quoted = hs256(header("HS256").to_string(), json!(good).to_string());
    tally.refused("nested in quotes", &verifier.decide(&quoted), &[Deny::MalformedPayload]);
    // The parts of two good tokens.
    let other =
        hs256(json!({"alg": "HS256"}).to_string(), with(claims(), json!({"sub": "other"})).to_string());
    for mix in 1..7 {
        let token = (0..3)
            .map(|at| part(if mix >> at & 1 == 1 { &good } else { &other }, at))
            .collect::<Vec<_>>()
            .join(".");
        tally.refused("parts of two tokens", &verifier.decide(&token), &[Deny::BadSignature]);
    }
    tally.end();
}

fn part(token: &str, index: usize) -> String {
    token.split('.').nth(index).unwrap().to_owned()
}

/// A good token in other forms, and beside others, by name.
fn other_serialisations(good: &str) -> Vec<(&'static str, String)> {
    let forged = with_claims(json!({"sub": "admin"}));
    let (head, payload, signature) = (part(good, 0), part(good, 1), part(good, 2));
    let flattened = json!({"protected": head, "payload": payload, "signature": signature});
    let one = json!({"protected": head, "signature": signature});
    let general = |signatures: Value| json!({"payload": payload, "signatures": signatures}).to_string();
    let unprotected = json!({"header": {"alg": "HS256"}, "signature": signature});
    let mixed = |dots: &str| {
        format!(
            "{{\"{}.{}{dots}\":\"\",\"protected\":\"{head}\",\"payload\":\"{payload}\",\"signature\":\"{signature}\"}}",
            part(&forged, 0),
            part(&forged, 1)
        )
    };
    vec![
        ("flattened", flattened.to_string()),
        ("flattened in base64", b64(flattened.to_string())),
        ("general", general(json!([one]))),
        ("two signatures", general(json!([one, one]))),
        (
            "two signatures, one of them none",
            general(json!([one, {"protected": b64("{\"alg\":\"none\"}"), "signature": ""}])),
        ),
        ("no signatures", general(json!([]))),
        ("unprotected header", general(json!([unprotected]))),
        ("python-jwt, one dot", mixed("")),
        ("python-jwt, two dots", mixed(".")),
        ("python-jwt, three dots", mixed("..")),
        ("two tokens", format!("{good}{good}")),
        ("two tokens, a dot between", format!("{good}.{good}")),
        ("two tokens, a comma between", format!("{good},{good}")),
        ("two tokens, a space between", format!("{good} {good}")),
        ("two tokens, a line between", format!("{good}\n{forged}")),
        ("a token, and a payload", format!("{good}.{payload}")),
        ("a list", json!([good]).to_string()),
        ("quoted", json!(good).to_string()),
        ("in base64", b64(good)),
        (
            "encrypted, five segments",
            format!(
                "{}.{}.{}.{}.{}",
                b64("{\"alg\":\"dir\",\"enc\":\"A128GCM\"}"),
                "",
                b64([0; 12]),
                payload,
                b64([0; 16])
            ),
        ),
        (
            "encrypted, three segments",
            format!("{}.{payload}.{signature}", b64("{\"alg\":\"dir\",\"enc\":\"A128GCM\"}")),
        ),
        ("SD-JWT", format!("{good}~WyJhIiwiYiJd~")),
        ("detached", format!("{head}..{signature}")),
    ]
}

/// GHSA-869p-cjfg-cm3x and its like: the key comes from what the token says about itself.
#[test]
fn secrets_from_the_token() {
    let mut tally = Tally::new("secrets from the token");
    let verifier = Verifier::new(&hs256_file());
    // A name is no part of the key: whatever it is, there is one secret.
    tally.allowed("any name", &verifier.decide(&with_header(json!({"kid": "whatever"}))));
    let claims = claims();
    for kid in ["", "SECRET", "/dev/null", "key-1", "0", "' OR 1=1 --", "../../../../dev/null"] {
        let signed = signed_part(with(header("HS256"), json!({"kid": kid})).to_string(), claims.to_string());
        let (head, payload) = signed.split_once('.').unwrap();
        let issuer = claims["iss"].as_str().unwrap();
        let of_claims = [
            issuer,
            "demo",
            "deviceagent",
            "f8010f16",
            "secret",
            "changeit",
            "test",
            "password",
            "null",
            "undefined",
        ];
        let keys = [kid.as_bytes(), b"", head.as_bytes(), payload.as_bytes(), b"HS256", b"kid"];
        for key in keys.into_iter().chain(of_claims.map(str::as_bytes)) {
            let token = format!("{signed}.{}", b64(hmac_sha256(key, signed.as_bytes())));
            tally.refused(&format!("kid {kid:?}"), &verifier.decide(&token), &[Deny::BadSignature]);
        }
    }
    tally.end();
}

/// CVE-2020-28042, CVE-2026-29000: a signature that is empty or too short is compared as far as it goes.
#[test]
fn short_signatures() {
    let mut tally = Tally::new("short and long signatures");
    for (file, good) in [
        (hs256_file(), hs256(header("HS256").to_string(), claims().to_string())),
        (rs256_file(), rs256(header("RS256").to_string(), claims().to_string())),
    ] {
        let verifier = Verifier::new(&file);
        tally.allowed("good", &verifier.decide(&good));
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let bytes = unb64(signature);
        for length in 0..bytes.len() {
            for (case, part) in [("beginning", &bytes[..length]), ("end", &bytes[bytes.len() - length..])] {
                let verdict = verifier.decide(&format!("{signed}.{}", b64(part)));
                tally.refused(&format!("{case} of {length} bytes"), &verdict, &[Deny::BadSignature]);
            }
            // As long as it must be, the rest zeros.
            let mut filled = bytes[..length].to_vec();
            filled.resize(bytes.len(), 0);
            if filled != bytes {
                let verdict = verifier.decide(&format!("{signed}.{}", b64(filled)));
                tally.refused(&format!("{length} bytes and zeros"), &verdict, &[Deny::BadSignature]);
            }
            let longer = [&*bytes, &bytes[..=length]].concat();
            let verdict = verifier.decide(&format!("{signed}.{}", b64(longer)));
            tally.refused(&format!("{length} bytes more"), &verdict, &[Deny::BadSignature]);
        }
        // The signature of another text is of the right length and form.
        let other =
            if signature.len() < 100 { hmac_sha256(SECRET, b"other") } else { rsa_sign(rsa_key(), b"other") };
        tally.refused(
            "of another text",
            &verifier.decide(&format!("{signed}.{}", b64(other))),
            &[Deny::BadSignature],
        );
    }
    tally.end();
}
