//! Key confusion (`docs/reliability.md` 8.2, RFC 8725 2.1): a token signed with something that is no key of
//! this algorithm, though it is known to everybody, or is a key of another one.

use authorizer::deny::Deny;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs1v15;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::signature::hazmat::PrehashSigner as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::json;

use crate::reference::{b64, hex, hmac_sha256, hmac_sha384, hmac_sha512};
use crate::support::{
    SECRET, Tally, Verifier, claims, foreign_key, header, hs256, hs256_file, rs256, rs256_file, rsa_key,
    rsa_sign, signed_part, with,
};

/// The public key in every form in which somebody could take it for a secret.
pub(crate) fn public_key_forms() -> Vec<(&'static str, Vec<u8>)> {
    let public = rsa_key().to_public_key();
    let spki = public.to_public_key_pem(LineEnding::LF).unwrap();
    let pkcs1 = public.to_pkcs1_pem(LineEnding::LF).unwrap();
    let der = public.to_public_key_der().unwrap().as_bytes().to_vec();
    let pkcs1_der = public.to_pkcs1_der().unwrap().as_bytes().to_vec();
    let n = public.n_bytes().to_vec();
    let hex = hex(&n);
    let jwk = json!({"kty": "RSA", "n": b64(&n), "e": "AQAB", "kid": "key-1", "alg": "RS256", "use": "sig"});
    let body = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    vec![
        ("PEM", spki.clone().into_bytes()),
        ("PEM, CRLF", spki.replace('\n', "\r\n").into_bytes()),
        ("PEM, trimmed", spki.trim().as_bytes().to_vec()),
        ("PEM, two line ends", format!("{spki}\n").into_bytes()),
        ("PEM, leading space", format!(" {spki}").into_bytes()),
        ("PEM, leading line", format!("\n{spki}").into_bytes()),
        ("PEM, comment before", format!("# key\n{spki}").into_bytes()),
        ("PEM, escaped lines", spki.trim().replace('\n', "\\n").into_bytes()),
        ("PEM, one line", spki.replace('\n', "").into_bytes()),
        ("PEM's body", body(&spki).into_bytes()),
        ("PEM's body, a line", format!("{}\n", body(&spki)).into_bytes()),
        ("PKCS #1 PEM", pkcs1.clone().into_bytes()),
        ("PKCS #1 PEM, CRLF", pkcs1.replace('\n', "\r\n").into_bytes()),
        ("PKCS #1 PEM, trimmed", pkcs1.trim().as_bytes().to_vec()),
        ("PKCS #1 PEM's body", body(&pkcs1).into_bytes()),
        ("DER", der.clone()),
        ("DER, a line", [&*der, b"\n"].concat()),
        ("PKCS #1 DER", pkcs1_der),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWK, pretty", serde_json::to_vec_pretty(&jwk).unwrap()),
        ("JWK of RFC 7638", json!({"e": "AQAB", "kty": "RSA", "n": b64(&n)}).to_string().into_bytes()),
        ("JWKS", json!({"keys": [jwk]}).to_string().into_bytes()),
        ("modulus", n.clone()),
        ("modulus, leading zero", [&[0], &*n].concat()),
        ("modulus, base64url", b64(&n).into_bytes()),
        ("modulus, hex", hex.clone().into_bytes()),
        ("modulus, upper hex", hex.to_uppercase().into_bytes()),
        ("modulus and exponent", [&*n, &[1, 0, 1]].concat()),
        ("no key, but its exponent", vec![1, 0, 1]),
        ("no key, but its exponent's text", b"AQAB".to_vec()),
        ("no key, but its name", b"key-1".to_vec()),
        ("no key, but its hash", Sha256::digest(&der).to_vec()),
        ("no key at all", Vec::new()),
        ("no key, but zeros", vec![0; 32]),
    ]
}

/// RS256 is configured, and the token is an HMAC keyed with what everybody can read.
#[test]
fn hmac_keyed_with_the_public_key() {
    let mut tally = Tally::new("HMAC with the public key");
    let verifier = Verifier::new(&rs256_file());
    tally.allowed("RS256", &verifier.decide(&rs256(header("RS256").to_string(), claims().to_string())));
    for (form, key) in public_key_forms() {
        for (algorithm, reason) in [
            ("HS256", Deny::WrongAlgorithm),
            ("HS384", Deny::WrongAlgorithm),
            ("HS512", Deny::WrongAlgorithm),
            ("hs256", Deny::WrongAlgorithm),
            ("none", Deny::WrongAlgorithm),
            ("RS256", Deny::BadSignature),
        ] {
            for kid in [json!(null), json!("key-1")] {
                let head = with(header(algorithm), json!({"kid": kid})).to_string();
                let signed = signed_part(head, claims().to_string());
                for (hash, mac) in [
                    ("256", hmac_sha256 as fn(&[u8], &[u8]) -> Vec<u8>),
                    ("384", hmac_sha384),
                    ("512", hmac_sha512),
                ] {
                    let token = format!("{signed}.{}", b64(mac(&key, signed.as_bytes())));
                    tally.refused(
                        &format!("{form}, {algorithm}, SHA-{hash}"),
                        &verifier.decide(&token),
                        &[reason],
                    );
                }
            }
        }
    }
    tally.end();
}

/// HS256 is configured, and the token is signed with an RSA key, or with the secret in a wrong way.
#[test]
fn other_signatures_where_hmac_is_configured() {
    let mut tally = Tally::new("not this HMAC");
    let verifier = Verifier::new(&hs256_file());
    tally.allowed("HS256", &verifier.decide(&hs256(header("HS256").to_string(), claims().to_string())));
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "HS384", "HS512", "none", "HS256"]
    {
        let signed = signed_part(header(algorithm).to_string(), claims().to_string());
        let bytes = signed.as_bytes();
        let reason = if algorithm == "HS256" { Deny::BadSignature } else { Deny::WrongAlgorithm };
        let (head, payload) = signed.split_once('.').unwrap();
        let plain = format!("{}.{}", header(algorithm), claims());
        let secret_text = String::from_utf8(SECRET.to_vec()).unwrap();
        let mac = hmac_sha256(SECRET, bytes);
        let signatures = [
            ("RSA, the provider's", rsa_sign(rsa_key(), bytes)),
            ("RSA, somebody's", rsa_sign(foreign_key(), bytes)),
            ("HMAC with SHA-384", hmac_sha384(SECRET, bytes)),
            ("HMAC with SHA-512", hmac_sha512(SECRET, bytes)),
            ("HMAC with SHA-512, cut", hmac_sha512(SECRET, bytes)[..32].to_vec()),
            ("a hash without key", Sha256::digest(bytes).to_vec()),
            ("a hash of secret and text", Sha256::digest([SECRET, bytes].concat()).to_vec()),
            ("a hash of text and secret", Sha256::digest([bytes, SECRET].concat()).to_vec()),
            ("secret and text changed places", hmac_sha256(bytes, SECRET)),
            ("the secret in base64", hmac_sha256(b64(SECRET).as_bytes(), bytes)),
            ("the secret and a line", hmac_sha256(&[SECRET, b"\n"].concat(), bytes)),
            ("the secret without its end", hmac_sha256(&SECRET[..31], bytes)),
            ("the secret twice", hmac_sha256(&[SECRET, SECRET].concat(), bytes)),
            ("the secret in upper case", hmac_sha256(secret_text.to_uppercase().as_bytes(), bytes)),
            ("the hash of the secret", hmac_sha256(&Sha256::digest(SECRET), bytes)),
            ("no secret", hmac_sha256(b"", bytes)),
            ("zeros", hmac_sha256(&[0; 32], bytes)),
            ("of the payload alone", hmac_sha256(SECRET, payload.as_bytes())),
            ("of the header alone", hmac_sha256(SECRET, head.as_bytes())),
            ("of a payload and a header", hmac_sha256(SECRET, format!("{payload}.{head}").as_bytes())),
            ("of the decoded texts", hmac_sha256(SECRET, plain.as_bytes())),
            ("without the dot", hmac_sha256(SECRET, signed.replace('.', "").as_bytes())),
            ("with a dot more", hmac_sha256(SECRET, format!("{signed}.").as_bytes())),
            ("of the lower case", hmac_sha256(SECRET, signed.to_lowercase().as_bytes())),
            ("of nothing", hmac_sha256(SECRET, b"")),
            ("in hex", hex(&mac).into_bytes()),
            ("in base64 twice", b64(&mac).into_bytes()),
            ("twice", [mac.clone(), mac.clone()].concat()),
            ("turned round", mac.iter().rev().copied().collect()),
            ("and a byte", [mac.clone(), vec![0]].concat()),
            ("after a byte", [vec![0], mac.clone()].concat()),
        ];
        for (case, signature) in signatures {
            let token = format!("{signed}.{}", b64(signature));
            tally.refused(&format!("{algorithm}, {case}"), &verifier.decide(&token), &[reason]);
        }
        // The right HMAC under another name is still refused; under its own, it is the good token above.
        if algorithm != "HS256" {
            let token = format!("{signed}.{}", b64(mac));
            tally.refused(&format!("{algorithm}, right HMAC"), &verifier.decide(&token), &[reason]);
        }
    }
    tally.end();
}

/// RS256 is configured, and the signature is of another key, padding, hash or text.
#[test]
fn other_signatures_where_rsa_is_configured() {
    let mut tally = Tally::new("not this RSA signature");
    let verifier = Verifier::new(&rs256_file());
    let signed = signed_part(header("RS256").to_string(), claims().to_string());
    let (bytes, hash) = (signed.as_bytes(), Sha256::digest(signed.as_bytes()));
    let key = rsa_key().clone();
    let good = rsa_sign(&key, bytes);
    tally.allowed("RS256", &verifier.decide(&format!("{signed}.{}", b64(&good))));
    let n = key.to_public_key().n_bytes().to_vec();
    let (head, payload) = signed.split_once('.').unwrap();
    let signatures = [
        ("nothing", Vec::new()),
        ("somebody's key", rsa_sign(foreign_key(), bytes)),
        ("SHA-384", pkcs1v15::SigningKey::<Sha384>::new(key.clone()).sign(bytes).to_vec()),
        ("SHA-512", pkcs1v15::SigningKey::<Sha512>::new(key.clone()).sign(bytes).to_vec()),
        ("PSS", rsa::pss::SigningKey::<Sha256>::new(key.clone()).sign(bytes).to_vec()),
        (
            "no name of the hash",
            pkcs1v15::SigningKey::<Sha256>::new_unprefixed(key.clone()).sign_prehash(&hash).unwrap().to_vec(),
        ),
        ("the hash itself", hash.to_vec()),
        ("the encoded message itself", encoded_message(&hash)),
        ("the payload alone", rsa_sign(&key, payload.as_bytes())),
        ("the header alone", rsa_sign(&key, head.as_bytes())),
        ("the hash's text", rsa_sign(&key, &hash)),
        ("a dot more", rsa_sign(&key, format!("{signed}.").as_bytes())),
        ("cut", good[..255].to_vec()),
        ("without its beginning", good[1..].to_vec()),
        ("a byte after", [&*good, &[0]].concat()),
        ("a zero byte before", [&[0], &*good].concat()),
        ("twice", [&*good, &*good].concat()),
        ("turned round", good.iter().rev().copied().collect()),
        ("and the modulus", plus(&good, &n)),
        ("the modulus", n.clone()),
        ("the modulus and one", plus(&n, &[1])),
        ("HMAC with a secret", hmac_sha256(SECRET, bytes)),
    ];
    for (case, signature) in signatures {
        let token = format!("{signed}.{}", b64(signature));
        tally.refused(case, &verifier.decide(&token), &[Deny::BadSignature]);
    }
    for (length, byte) in
        [0, 1, 31, 32, 64, 128, 255, 256, 257, 512].into_iter().flat_map(|l| [0, 1, 0xff].map(|b| (l, b)))
    {
        let token = format!("{signed}.{}", b64(vec![byte; length]));
        tally.refused(&format!("{length} x {byte}"), &verifier.decide(&token), &[Deny::BadSignature]);
    }
    tally.end();
}

/// EMSA-PKCS1-v1_5 (RFC 8017 9.2): what a key of exponent 1 would make of the signature.
fn encoded_message(hash: &[u8]) -> Vec<u8> {
    // The DigestInfo of SHA-256 (RFC 8017 9.2, note 1).
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let padding = vec![0xff; 256 - 3 - info.len() - hash.len()];
    [&[0, 1], &*padding, &[0], &info, hash].concat()
}

/// The sum of two numbers, the greatest byte first: the same signature to whoever reduces it.
fn plus(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut sum = Vec::new();
    let mut carry = 0;
    for place in 0..left.len().max(right.len()) {
        let digit = |number: &[u8]| number.iter().rev().nth(place).map_or(0, |byte| u16::from(*byte));
        let value = digit(left) + digit(right) + carry;
        sum.push(value.to_le_bytes()[0]);
        carry = value >> 8;
    }
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}
