//! Keys, a configuration for each algorithm, good events and hostile ones.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{Generate as _, PrivateKey};
use serde_json::{Value, json};

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

#[derive(Clone, Copy)]
pub(crate) enum Algorithm {
    Hs256,
    Rs256,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
        }
    }
}

/// What both programs are given.
pub(crate) struct Fixture {
    folder: PathBuf,
    modulus: String,
    good: [String; 2],
    hostile: [Vec<String>; 2],
}

impl Fixture {
    pub(crate) fn new(folder: &Path) -> Self {
        let key = PrivateKey::generate();
        let modulus = URL_SAFE_NO_PAD.encode(key.to_public_key().n_bytes());
        let signer = SigningKey::<Sha256>::new(key);
        let rs256 = json!({"rs256": {"keys": [{"kid": "key-1", "n": modulus, "e": "AQAB"}]}});
        let hs256 = json!({"hs256": {"secret_variable": "BENCH_SECRET", "encoding": "base64", "allow_short_secret": false}});
        for (algorithm, key) in [(Algorithm::Hs256, hs256), (Algorithm::Rs256, rs256)] {
            let folder = folder.join(algorithm.name());
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("authorizer.json"), configuration(&key).to_string()).unwrap();
        }
        let by_secret = |signed: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), signed.as_bytes()).as_ref().to_vec()
        };
        let by_key = |signed: &str| signer.sign(signed.as_bytes()).to_vec();
        Self {
            folder: folder.to_owned(),
            modulus,
            good: [event(&good("HS256", &by_secret)), event(&good("RS256", &by_key))],
            hostile: [hostile("HS256", &by_secret), hostile("RS256", &by_key)],
        }
    }

    pub(crate) fn good(&self, algorithm: Algorithm) -> &str {
        let [hs256, rs256] = &self.good;
        match algorithm {
            Algorithm::Hs256 => hs256,
            Algorithm::Rs256 => rs256,
        }
    }

    pub(crate) fn hostile(&self, algorithm: Algorithm) -> &[String] {
        let [hs256, rs256] = &self.hostile;
        match algorithm {
            Algorithm::Hs256 => hs256,
            Algorithm::Rs256 => rs256,
        }
    }

    /// The environment of either program.
    pub(crate) fn variables(&self, algorithm: Algorithm) -> Vec<(&'static str, String)> {
        let folder = self.folder.join(algorithm.name()).display().to_string();
        let key = match algorithm {
            Algorithm::Hs256 => ("BENCH_SECRET", STANDARD.encode(SECRET)),
            Algorithm::Rs256 => ("FLOOR_MODULUS", self.modulus.clone()),
        };
        vec![("LAMBDA_TASK_ROOT", folder), key]
    }
}

fn configuration(key: &Value) -> Value {
    json!({
        "version": 1, "arn_prefix": "arn:aws:iot:eu-west-1:000000000000",
        "issuer": "https://identity.example.com:443/oauth2", "audience": ["deviceagent"],
        "audience_claims": ["aud"], "scopes": ["mail"], "scope_claims": ["scope", "scp"], "types": ["JWT"],
        "require": {"tokenName": "access_token"}, "leeway_seconds": 60, "strict_expiry": false, "key": key,
        "allow": [{"connect": ["{sub}/*"], "publish": ["customauthtesting", "devices/{sub}/events"],
                   "subscribe": ["devices/{sub}/commands"]}],
    })
}

/// The claims of an OpenAM token, good for an hour.
fn claims() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    json!({
        "tokenName": "access_token", "sub": "demo", "scope": ["cn", "openid", "mail"], "nbf": now,
        "authGrantId": "56ceac36-5bd8-4b7c-a7b5-2d1f5a4cd2f3", "iss": "https://identity.example.com:443/oauth2",
        "expires_in": 3_600_000, "iat": now, "exp": now + 3600, "realm": "/", "aud": "deviceagent",
        "auditTrackingId": "6e26308d-3b8f-4f0b-8f0c-2d8c3d0b9a1e", "jti": "f8010f16", "token_type": "Bearer",
    })
}

fn token(header: &Value, claims: &Value, sign: &dyn Fn(&str) -> Vec<u8>) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = URL_SAFE_NO_PAD.encode(sign(&signed));
    format!("{signed}.{signature}")
}

fn good(algorithm: &str, sign: &dyn Fn(&str) -> Vec<u8>) -> String {
    token(&json!({"typ": "JWT", "zip": "NONE", "alg": algorithm}), &claims(), sign)
}

/// Garbage, the longest tokens, and keys that are not ours.
fn hostile(algorithm: &str, sign: &dyn Fn(&str) -> Vec<u8>) -> Vec<String> {
    let mut long = claims();
    long["pad"] = json!("x".repeat(5000));
    let mut expired = long.clone();
    expired["exp"] = json!(1);
    let nested = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode("[".repeat(700)), "A".repeat(7000));
    let tokens = [
        "garbage".to_owned(),
        ".".repeat(8192),
        "A".repeat(100_000),
        nested,
        token(&json!({"typ": "JWT", "alg": algorithm, "kid": "unknown"}), &claims(), &|_| vec![0x5a; 256]),
        token(&json!({"typ": "JWT", "alg": algorithm}), &long, &|_| vec![0x5a; 256]),
        token(&json!({"typ": "JWT", "alg": algorithm}), &expired, sign),
        token(&json!({"typ": "JWT", "alg": "none"}), &claims(), &|_| Vec::new()),
    ];
    tokens.iter().map(|token| event(token)).collect()
}

/// The event of an HTTP publish, with the token once more among the headers, as AWS sends it.
fn event(token: &str) -> String {
    json!({
        "token": token, "signatureVerified": true, "protocols": ["tls", "http"],
        "protocolData": {
            "tls": {"serverName": "a1b2c3-ats.iot.eu-west-1.amazonaws.com"},
            "http": {"headers": {"token": token, "user-agent": "curl/8", "x-amz-customauthorizer-name": "demo",
                                 "x-amz-customauthorizer-signature": "A".repeat(344)}, "queryString": "?qos=1"},
        },
        "connectionMetadata": {"id": "2b5c3f8e-5d4a-4f9a-9b1c-0a4f1f2d3c4b"},
    })
    .to_string()
}
