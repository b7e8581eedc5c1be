//! Known attacks (`docs/reliability.md` 8.2): each class has its row there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::support::{
    NOW, allowed, b64, claims, denied, header, hmac_sign, hs256, hs256_file, read, rs256, rs256_file, rsa_key,
};
use crate::deny::Deny;
use crate::{Verdict, decide_bytes};

/// Every bit of every byte, turned. What is no UTF-8 afterwards is no event.
#[test]
fn no_flipped_bit_is_accepted() {
    let tokens = [
        (hs256_file(), hs256(&header("HS256"), &claims())),
        (rs256_file(), rs256(&header("RS256"), &claims())),
    ];
    for (file, token) in tokens {
        allowed(&file, &token);
        let (keys, rules) = read(&file).unwrap();
        for position in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                let event = match String::from_utf8(bytes) {
                    Ok(token) => json!({"token": token}).to_string().into_bytes(),
                    Err(error) => [b"{\"token\":\"", error.as_bytes(), b"\"}"].concat(),
                };
                let verdict = decide_bytes(&event, &keys, &rules, NOW).verdict;
                assert!(matches!(verdict, Verdict::Deny(_)), "byte {position}, bit {bit}");
            }
        }
    }
}

/// Removed, doubled and cut off at every place.
#[test]
fn no_shortened_token_is_accepted() {
    let (keys, rules) = read(&hs256_file()).unwrap();
    let token = hs256(&header("HS256"), &claims());
    for position in 0..token.len() {
        let removed = format!("{}{}", &token[..position], &token[position + 1..]);
        let doubled = format!("{}{}", &token[..=position], &token[position..]);
        for token in [&token[..position], &removed, &doubled] {
            let event = json!({"token": token}).to_string();
            let verdict = decide_bytes(event.as_bytes(), &keys, &rules, NOW).verdict;
            assert!(matches!(verdict, Verdict::Deny(_)), "at {position}: {token}");
        }
    }
}

#[test]
fn the_token_does_not_choose_the_algorithm() {
    let spellings = [
        "none", "None", "NONE", "nOnE", "NoNe", "noNE", "nONE", "NOne", " none", "none ", "none\0", "",
        "null", "HS256 ", "hs256", "Hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "dir",
        "HS256\0",
    ];
    for algorithm in spellings {
        let signed = format!("{}.{}", b64(header(algorithm).to_string()), b64(claims().to_string()));
        let good = b64(hmac_sign(super::support::SECRET, signed.as_bytes()));
        for signature in ["", "AAAA", &b64([0; 64]), &good] {
            denied(&hs256_file(), &format!("{signed}.{signature}"), Deny::WrongAlgorithm);
        }
    }
    for algorithm in ["HS256", "RS384", "none"] {
        denied(&rs256_file(), &rs256(&header(algorithm), &claims()), Deny::WrongAlgorithm);
    }
}

/// The public key in every form in which somebody could take it for a secret.
fn public_key_forms() -> Vec<(&'static str, Vec<u8>)> {
    let public = rsa_key().to_public_key();
    let spki = public.to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    let pkcs1 = public.to_pkcs1_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    let jwk = json!({"kty": "RSA", "n": b64(public.n_bytes()), "e": "AQAB"});
    let body: String = spki.lines().filter(|line| !line.starts_with('-')).collect();
    vec![
        ("PEM", spki.clone().into_bytes()),
        ("PEM's body", body.clone().into_bytes()),
        ("PEM's body, a line", format!("{body}\n").into_bytes()),
        ("PEM, CRLF", spki.replace('\n', "\r\n").into_bytes()),
        ("PEM, trimmed", spki.trim().as_bytes().to_vec()),
        ("PEM, leading space", format!(" {spki}").into_bytes()),
        ("PEM, leading line", format!("\n{spki}").into_bytes()),
        ("PEM, comment before", format!("# key\n{spki}").into_bytes()),
        ("PKCS #1 PEM", pkcs1.into_bytes()),
        ("DER", public.to_public_key_der().unwrap().as_bytes().to_vec()),
        ("DER, a line", [public.to_public_key_der().unwrap().as_bytes(), b"\n"].concat()),
        ("PKCS #1 DER", public.to_pkcs1_der().unwrap().as_bytes().to_vec()),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWK, pretty", serde_json::to_vec_pretty(&jwk).unwrap()),
        ("JWKS", json!({"keys": [jwk]}).to_string().into_bytes()),
        ("modulus", public.n_bytes().to_vec()),
        ("modulus text", b64(public.n_bytes()).into_bytes()),
        ("empty", Vec::new()),
    ]
}

#[test]
fn an_hs256_token_keyed_with_the_public_key_is_refused() {
    for (_, key) in public_key_forms() {
        for algorithm in ["HS256", "RS256"] {
            let signed = format!("{}.{}", b64(header(algorithm).to_string()), b64(claims().to_string()));
            let token = format!("{signed}.{}", b64(hmac_sign(&key, signed.as_bytes())));
            let reason = if algorithm == "HS256" { Deny::WrongAlgorithm } else { Deny::BadSignature };
            denied(&rs256_file(), &token, reason);
        }
    }
}

/// The other side of the same mistake: the operator configures a public key as secret.
#[test]
fn a_public_key_is_no_secret() {
    let mut utf8 = hs256_file();
    utf8["key"]["hs256"]["encoding"] = json!("utf8");
    let refused = |file: &Value, secret: String| {
        crate::config::read(file.to_string().as_bytes(), &|_| Some(secret.clone())).unwrap_err().to_string()
    };
    for (form, key) in
        public_key_forms().into_iter().filter(|(form, _)| !form.starts_with("modulus") && *form != "empty")
    {
        let error = refused(&hs256_file(), STANDARD.encode(&key));
        assert!(error.contains("looks like a public or private key"), "{form}: {error}");
        if let Ok(text) = String::from_utf8(key) {
            for file in [&utf8, &hs256_file()] {
                let error = refused(file, text.clone());
                assert!(error.contains("looks like a public or private key"), "{form}: {error}");
                assert!(!error.contains(&text), "{form}");
            }
        }
    }
    for text in
        ["ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7", "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAy"]
    {
        assert!(refused(&utf8, text.to_owned()).contains("looks like"), "{text}");
    }
}

/// The signature is over the bytes as sent: the same JSON in other bytes is another token.
#[test]
fn a_signature_is_of_its_own_bytes_only() {
    let first = hs256(&header("HS256"), &claims());
    let second = hs256(&json!({"alg": "HS256"}), &super::support::with(claims(), json!({"sub": "other"})));
    let part = |token: &str, index: usize| token.split('.').nth(index).unwrap().to_owned();
    for mix in [(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1)] {
        let tokens = [&first, &second];
        let token =
            format!("{}.{}.{}", part(tokens[mix.0], 0), part(tokens[mix.1], 1), part(tokens[mix.2], 2));
        denied(&hs256_file(), &token, Deny::BadSignature);
    }
}

/// ECDSA's "psychic signature" and other constants are no RSA signature.
#[test]
fn constant_signatures_are_refused() {
    let signed = format!("{}.{}", b64(header("RS256").to_string()), b64(claims().to_string()));
    let modulus = rsa_key().to_public_key().n_bytes();
    for signature in [
        vec![],
        vec![0; 256],
        vec![0; 64],
        vec![1; 256],
        vec![0xff; 256],
        modulus.to_vec(),
        vec![0; 255],
        vec![0; 257],
    ] {
        denied(&rs256_file(), &format!("{signed}.{}", b64(signature)), Deny::BadSignature);
    }
}
