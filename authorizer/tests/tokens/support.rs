//! The configuration, good tokens for it, and what counts the verdicts.

use std::sync::OnceLock;

use authorizer::config::{self, Rules};
use authorizer::deny::Deny;
use authorizer::key::Keys;
use authorizer::{Allowed, Verdict, decide_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, PrivateKey};
use serde_json::{Value, json};

use crate::reference::{b64, hmac_sha256, unb64};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const ISSUER: &str = "https://identity.example.com:443/oauth2";
pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// The provider's RSA pair, of 2,048 bits: that of RFC 7515 A.2, by its primes.
pub(crate) fn rsa_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| {
        private_key(
            concat!(
                "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_",
                "Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
            ),
            concat!(
                "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7Tje",
                "LQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
            ),
        )
    })
}

/// A pair that nobody configured: that of RFC 7520 3.4.
pub(crate) fn foreign_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| {
        private_key(
            concat!(
                "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9",
                "JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
            ),
            concat!(
                "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15v",
                "MMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc",
            ),
        )
    })
}

fn private_key(first: &str, second: &str) -> PrivateKey {
    let number = |text: &str| BoxedUint::from_be_slice_vartime(&unb64(text));
    PrivateKey::from_p_q(number(first), number(second), BoxedUint::from(65_537_u32)).unwrap()
}

/// `authorizer.json` as the deployer writes it, for HS256.
pub(crate) fn hs256_file() -> Value {
    json!({
        "version": 1,
        "arn_prefix": "arn:aws:iot:eu-west-1:000000000000",
        "issuer": ISSUER, "audience": ["deviceagent"], "audience_claims": ["aud"],
        "scopes": ["mail"], "scope_claims": ["scope", "scp"],
        "types": ["JWT", "at+jwt", ""], "require": {"tokenName": "access_token"},
        "leeway_seconds": 60, "strict_expiry": false,
        "key": {"hs256": {"secret_variable": "SECRET", "encoding": "base64", "allow_short_secret": false}},
        "allow": [{"connect": ["{sub}/*"], "publish": ["customauthtesting", "devices/{sub}/events"],
                   "subscribe": ["devices/{sub}/commands"]}],
    })
}

/// The same for RS256, with the key of [`rsa_key`] as `key-1`.
pub(crate) fn rs256_file() -> Value {
    let public = rsa_key().to_public_key();
    let keys = json!([{"kid": "key-1", "n": b64(public.n_bytes()), "e": b64(public.e_bytes())}]);
    with(hs256_file(), json!({"key": {"rs256": {"keys": keys}}}))
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

/// The header of a good token.
pub(crate) fn header(algorithm: &str) -> Value {
    json!({"typ": "JWT", "alg": algorithm})
}

/// The claims of a good token, in OpenAM's form.
pub(crate) fn claims() -> Value {
    json!({
        "tokenName": "access_token", "sub": "demo", "scope": ["cn", "mail"], "nbf": NOW - 10,
        "iss": ISSUER, "expires_in": 3_600_000, "iat": NOW - 10, "exp": NOW + 3590, "realm": "/",
        "aud": "deviceagent", "jti": "f8010f16", "token_type": "Bearer",
    })
}

pub(crate) fn rsa_sign(key: &PrivateKey, signed: &[u8]) -> Vec<u8> {
    SigningKey::<Sha256>::new(key.clone()).sign(signed).to_vec()
}

/// The first two segments, of these very bytes.
pub(crate) fn signed_part(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", b64(header), b64(payload))
}

/// A token of these very bytes, signed with the shared secret.
pub(crate) fn hs256(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let signed = signed_part(header, payload);
    let signature = b64(hmac_sha256(SECRET, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The same, signed with the provider's key.
pub(crate) fn rs256(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let signed = signed_part(header, payload);
    let signature = b64(rsa_sign(rsa_key(), signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A good token with other header members.
pub(crate) fn with_header(changes: Value) -> String {
    hs256(with(header("HS256"), changes).to_string(), claims().to_string())
}

/// A good token with other claims.
pub(crate) fn with_claims(changes: Value) -> String {
    hs256(header("HS256").to_string(), with(claims(), changes).to_string())
}

/// A configuration that was read.
pub(crate) struct Verifier {
    keys: Keys,
    rules: Rules,
}

impl Verifier {
    pub(crate) fn new(file: &Value) -> Self {
        Self::with_secret(file, &STANDARD.encode(SECRET)).unwrap()
    }

    pub(crate) fn with_secret(file: &Value, secret: &str) -> Result<Self, String> {
        let variable = |name: &str| (name == "SECRET").then(|| secret.to_owned());
        let (keys, rules) =
            config::read(file.to_string().as_bytes(), &variable).map_err(|error| error.to_string())?;
        Ok(Self { keys, rules })
    }

    /// The verdict about the event of an HTTP publish with this token.
    pub(crate) fn decide(&self, token: &str) -> Verdict {
        let event = json!({"token": token, "signatureVerified": true, "protocols": ["tls", "http"],
                           "protocolData": {"http": {"headers": {"token": token}, "queryString": ""}}});
        self.decide_event(event.to_string().as_bytes(), NOW)
    }

    pub(crate) fn decide_event(&self, event: &[u8], now_seconds: u64) -> Verdict {
        decide_bytes(event, &self.keys, &self.rules, now_seconds).verdict
    }
}

/// Counts verdicts. What it prints is a name of a case, never a token.
pub(crate) struct Tally {
    name: &'static str,
    refused: usize,
    accepted: usize,
    allowed: usize,
    wrong: Vec<String>,
}

impl Tally {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, refused: 0, accepted: 0, allowed: 0, wrong: Vec::new() }
    }

    /// The verdict must be a deny, for one of `reasons`; any reason will do if there are none.
    pub(crate) fn refused(&mut self, case: &str, verdict: &Verdict, reasons: &[Deny]) {
        match verdict {
            Verdict::Deny(reason) if reasons.is_empty() || reasons.contains(reason) => self.refused += 1,
            Verdict::Deny(reason) => self.wrong.push(format!("{case}: refused as {}", reason.name())),
            Verdict::Allow(_) => {
                self.accepted += 1;
                self.wrong.push(format!("{case}: ACCEPTED"));
            }
        }
    }

    /// The verdict must be an allow.
    pub(crate) fn allowed(&mut self, case: &str, verdict: &Verdict) -> Option<Allowed> {
        match verdict {
            Verdict::Allow(allowed) => {
                self.allowed += 1;
                Some(allowed.clone())
            }
            Verdict::Deny(reason) => {
                self.wrong.push(format!("{case}: a good token was refused as {}", reason.name()));
                None
            }
        }
    }

    /// What holds, or does not, about something that is no verdict: a configuration that is refused, say.
    pub(crate) fn holds(&mut self, case: &str, holds: bool) {
        if holds {
            self.refused += 1;
        } else {
            self.wrong.push(case.to_owned());
        }
    }

    /// How many were not as they must be, and were told.
    pub(crate) fn wrong(&self) -> usize {
        self.wrong.len()
    }

    /// Prints the counts; fails unless all is as it must be, and something was refused and allowed.
    pub(crate) fn end(self) {
        let Self { name, refused, accepted, allowed, wrong } = self;
        let count = wrong.len();
        println!(
            "tokens: {name}: {refused} refused, {accepted} accepted, {allowed} good ones allowed, {count} wrong"
        );
        let first: Vec<_> = wrong.iter().take(20).collect();
        assert!(wrong.is_empty(), "{} wrong, of which: {first:#?}", wrong.len());
        assert!(refused > 0 && allowed > 0, "{name}: nothing was refused, or nothing allowed");
    }
}
