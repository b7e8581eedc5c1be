//! `OpenID` Connect providers of the account, and their tokens. The target goes nowhere to fetch a provider's
//! keys: whoever tests brings them (`PUT /_local/web-identity`). They live as long as the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::control::ServiceError;

/// Providers at most; AWS's quota is 100 an account.
const ISSUERS_MAX: usize = 100;

/// One provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` of its tokens, such as `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// What the `aud` of a token may be.
    pub client_ids: Vec<String>,
    /// Its public keys, as a JSON Web Key Set; RSA for RS256.
    pub jwks: KeySet,
}

/// A JSON Web Key Set.
#[derive(Clone, Debug, Deserialize)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Clone, Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The providers that the account knows.
#[derive(Debug, Default)]
pub struct Issuers(Mutex<BTreeMap<String, Issuer>>);

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// The issuer without its scheme: how condition keys and the provider's ARN name it.
    pub(super) host: String,
    /// `iss`.
    pub(super) issuer: String,
    /// `sub`.
    pub(super) name: String,
    /// The `aud` that the provider is known for.
    pub(super) audience: String,
}

impl Issuers {
    /// Adds a provider, or replaces the one of the same issuer.
    pub fn put(&self, issuer: Issuer) -> Result<(), String> {
        let host =
            issuer.issuer.strip_prefix("https://").filter(|host| !host.is_empty() && !host.ends_with('/'));
        let host = host.ok_or("`issuer` is an https:// address without a slash at its end")?.to_owned();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= ISSUERS_MAX && !kept.contains_key(&host) {
            return Err(format!("no more than {ISSUERS_MAX} providers"));
        }
        kept.insert(host, issuer);
        Ok(())
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Checks a token. Codes are the model's. Texts are AWS's where public reports quote them: of a provider that is
    /// not known aws-actions/configure-aws-credentials#280, of an audience awslabs/amazon-eks-irsa-cfn#18; the
    /// wording of the others is believed.
    pub(super) fn check(&self, token: &str, now: SystemTime) -> Result<Subject, ServiceError> {
        let no_jwt = || {
            invalid(
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            )
        };
        let parts: Vec<&str> = token.split('.').collect();
        let [head, body, signature] = parts[..] else { return Err(no_jwt()) };
        let read = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok().filter(Value::is_object)
        };
        let (head, claims) = (read(head).ok_or_else(no_jwt)?, read(body).ok_or_else(no_jwt)?);
        let claim = |name: &str| {
            let found = claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            found.ok_or_else(|| invalid(format!("Missing a required claim: {name}")))
        };
        let issuer = claim("iss")?;
        let host = issuer.strip_prefix("https://").unwrap_or(issuer).to_owned();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&host).cloned();
        let known = known.ok_or_else(|| {
            invalid(format!("No OpenIDConnect provider found in your account for {issuer}"))
        })?;
        let name = claim("sub")?.to_owned();
        let audience = audiences(&claims).into_iter().find(|one| known.client_ids.iter().any(|id| id == one));
        let audience = audience.ok_or_else(|| invalid("Incorrect token audience"))?.to_owned();
        let signed = &token[..token.len() - signature.len() - 1];
        known.verify(&head, signed, signature)?;
        let expires = claims.get("exp").and_then(Value::as_u64);
        let expires = expires.ok_or_else(|| invalid("Missing a required claim: exp"))?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now >= expires {
            let text = format!(
                "Token expired: current date/time {now} must be before the expiration date/time {expires}"
            );
            return Err(ServiceError::new(400, "ExpiredTokenException", text));
        }
        Ok(Subject { host, issuer: issuer.to_owned(), name, audience })
    }
}

impl Issuer {
    fn verify(&self, head: &Value, signed: &str, signature: &str) -> Result<(), ServiceError> {
        let kid = head.get("kid").and_then(Value::as_str);
        let usable = |key: &&Key| key.kty == "RSA" && (kid.is_none() || key.kid.as_deref() == kid);
        let key = self.jwks.keys.iter().find(usable);
        let key = key.filter(|_| head.get("alg").and_then(Value::as_str) == Some("RS256"));
        let no_key = || {
            invalid(
                "Couldn't retrieve verification key from your identity provider, please reference \
                 AssumeRoleWithWebIdentity documentation for requirements",
            )
        };
        let numbers = key.and_then(|key| {
            Some((URL_SAFE_NO_PAD.decode(&key.n).ok()?, URL_SAFE_NO_PAD.decode(&key.e).ok()?))
        });
        let (n, e) = numbers.ok_or_else(no_key)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .map_err(|_| invalid("Token signature is invalid"))
    }
}

fn audiences(claims: &Value) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidIdentityToken", text)
}
