//! `authorizer.json`: the rules that travel in the package. The authorizer reads exactly this form.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::keys::{Jwks, PublicKey};
use crate::names::Identity;
use crate::stack::{self, Encoding, Stack, TokenKey};

/// The version of the form.
const VERSION: u8 = 1;

/// All members, in this order; the authorizer refuses others.
#[derive(Serialize)]
struct File<'a> {
    version: u8,
    arn_prefix: String,
    issuer: &'a str,
    audience: &'a [String],
    audience_claims: &'a [String],
    scopes: &'a [String],
    scope_claims: &'a [String],
    types: &'a [String],
    require: &'a BTreeMap<String, String>,
    leeway_seconds: u16,
    strict_expiry: bool,
    key: Key<'a>,
    allow: Vec<Allow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Key<'a> {
    Hs256 { secret_variable: &'a str, encoding: &'static str, allow_short_secret: bool },
    Rs256 { keys: Vec<RsaKey<'a>> },
}

#[derive(Serialize)]
struct RsaKey<'a> {
    kid: Option<&'a str>,
    n: &'a str,
    e: &'a str,
}

#[derive(Serialize)]
struct Allow<'a> {
    connect: &'a [String],
    publish: &'a [String],
    subscribe: &'a [String],
}

/// The bytes of `authorizer.json` for `stack`. `keys` are the provider's public keys, where tokens are
/// RS256; `secret_variable` is the variable of the function's environment that holds the secret, where
/// they are HS256.
///
/// # Panics
/// Never: texts, numbers and lists have a JSON form.
pub fn configuration(
    stack: &Stack,
    identity: &Identity,
    keys: Option<&Jwks>,
    secret_variable: &str,
) -> Vec<u8> {
    let token = &stack.token;
    let key = match &token.key {
        TokenKey::Hs256 { encoding, allow_short_secret, .. } => Key::Hs256 {
            secret_variable,
            encoding: match encoding {
                Encoding::Base64 => "base64",
                Encoding::Utf8 => "utf8",
            },
            allow_short_secret: *allow_short_secret,
        },
        TokenKey::Rs256(_) => {
            Key::Rs256 { keys: keys.map(|set| set.keys.iter().map(rsa_key).collect()).unwrap_or_default() }
        }
    };
    let file = File {
        version: VERSION,
        arn_prefix: format!("arn:{}:iot:{}:{}", identity.partition, identity.region, identity.account),
        issuer: &token.issuer,
        audience: &token.audience,
        audience_claims: &token.audience_claims,
        scopes: &token.scopes,
        scope_claims: &token.scope_claims,
        types: &token.types,
        require: &token.require,
        leeway_seconds: token.leeway_seconds,
        strict_expiry: token.strict_expiry,
        key,
        allow: stack.allow.iter().map(allow).collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&file).expect("texts, numbers and lists have a JSON form");
    bytes.push(b'\n');
    bytes
}

fn rsa_key(key: &PublicKey) -> RsaKey<'_> {
    RsaKey { kid: key.kid.as_deref(), n: &key.n, e: &key.e }
}

fn allow(allow: &stack::Allow) -> Allow<'_> {
    Allow { connect: &allow.connect, publish: &allow.publish, subscribe: &allow.subscribe }
}
