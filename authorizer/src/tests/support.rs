//! A configuration, tokens signed for it, and small helpers for tables.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{Generate as _, PrivateKey};
use serde_json::{Value, json};

use crate::config::{self, Rules};
use crate::deny::Deny;
use crate::key::Keys;
use crate::{Decision, Verdict, decide_bytes};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const ISSUER: &str = "https://identity.example.com:443/oauth2";
pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// An RSA pair, made once for the whole test binary.
pub(crate) fn rsa_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(PrivateKey::generate)
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `authorizer.json` as the deployer writes it, for HS256.
pub(crate) fn hs256_file() -> Value {
    json!({
        "version": 1,
        "arn_prefix": "arn:aws:iot:eu-west-1:000000000000",
        "issuer": ISSUER, "audience": ["deviceagent"], "audience_claims": ["aud", "client_id"],
        "scopes": ["mail"], "scope_claims": ["scope", "scp"],
        "types": ["JWT", "at+jwt", ""], "require": {"tokenName": "access_token"},
        "leeway_seconds": 60, "strict_expiry": false,
        "key": {"hs256": {"secret_variable": "SECRET", "encoding": "base64", "allow_short_secret": false}},
        "allow": [{"connect": ["{sub}/*"], "publish": ["customauthtesting"],
                   "subscribe": ["devices/{sub}/commands"]}],
    })
}

/// The same for RS256, with the key of [`rsa_key`] as `key-1`.
pub(crate) fn rs256_file() -> Value {
    let public = rsa_key().to_public_key();
    let mut file = hs256_file();
    file["key"] = json!({"rs256": {"keys": [{
        "kid": "key-1", "n": b64(public.n_bytes()), "e": b64(public.e_bytes()),
    }]}});
    file
}

pub(crate) fn read(file: &Value) -> Result<(Keys, Rules), String> {
    let secret = STANDARD.encode(SECRET);
    let variable = |name: &str| (name == "SECRET").then(|| secret.clone());
    config::read(file.to_string().as_bytes(), &variable).map_err(|error| error.to_string())
}

/// The header of a good token.
pub(crate) fn header(algorithm: &str) -> Value {
    json!({"typ": "JWT", "alg": algorithm})
}

/// The claims of a good token, in OpenAM's form (`docs/identity-providers.md` 1.3).
pub(crate) fn claims() -> Value {
    json!({
        "tokenName": "access_token", "sub": "demo", "scope": ["cn", "mail"], "nbf": NOW - 10,
        "iss": ISSUER, "expires_in": 3_600_000, "iat": NOW - 10, "exp": NOW + 3590, "realm": "/",
        "aud": "deviceagent", "jti": "f8010f16", "token_type": "Bearer",
    })
}

pub(crate) fn hmac_sign(secret: &[u8], signed: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed).as_ref().to_vec()
}

pub(crate) fn rsa_sign(signed: &[u8]) -> Vec<u8> {
    SigningKey::<Sha256>::new(rsa_key().clone()).sign(signed).to_vec()
}

/// A token of these very texts, signed with the HS256 secret.
pub(crate) fn hs256_texts(header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", b64(header), b64(payload));
    let signature = b64(hmac_sign(SECRET, signed.as_bytes()));
    format!("{signed}.{signature}")
}

pub(crate) fn hs256(header: &Value, claims: &Value) -> String {
    hs256_texts(&header.to_string(), &claims.to_string())
}

pub(crate) fn rs256(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = b64(rsa_sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A good value with some members replaced; `null` removes.
pub(crate) fn with(mut value: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut value, changes) else { panic!("objects") };
    for (name, change) in changes {
        match change {
            Value::Null => members.remove(&name),
            change => members.insert(name, change),
        };
    }
    value
}

/// The event of an HTTP publish with this token.
pub(crate) fn http_event(token: &str) -> Vec<u8> {
    json!({"token": token, "signatureVerified": true, "protocols": ["tls", "http"],
           "protocolData": {"http": {"headers": {"token": token}, "queryString": ""}},
           "connectionMetadata": {"id": "f0a1"}})
    .to_string()
    .into_bytes()
}

pub(crate) fn decide_token(file: &Value, token: &str) -> Decision {
    let (keys, rules) = read(file).expect("a good configuration");
    decide_bytes(&http_event(token), &keys, &rules, NOW)
}

#[track_caller]
pub(crate) fn denied(file: &Value, token: &str, reason: Deny) {
    assert_eq!(decide_token(file, token).verdict, Verdict::Deny(reason), "{token}");
}

#[track_caller]
pub(crate) fn allowed(file: &Value, token: &str) -> crate::Allowed {
    match decide_token(file, token).verdict {
        Verdict::Allow(allowed) => allowed,
        Verdict::Deny(reason) => panic!("denied: {}: {token}", reason.name()),
    }
}
