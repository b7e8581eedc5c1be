//! Reads `authorizer.json`, which the deployer writes beside the executable. Everything is checked
//! here, once, before the first event: a configuration that is wrong stops the function at its
//! start, with a message, and never turns into another verdict.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::header::is_same_type;
use crate::json;
use crate::key::{Encoding, Keys, RsaKey, RsaKeys, Secret};
use crate::policy::{self, Action, Grant, Grants};
use crate::template::{Place, Template};

/// The file's name, beside the executable.
pub const FILE_NAME: &str = "authorizer.json";
/// The version of the format.
pub const VERSION: u64 = 1;
/// The greatest file, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// The most entries in any list.
pub const ENTRIES_MAX: usize = 64;
/// The greatest text, in bytes: issuer, audience, scope, claim name and value, type.
pub const TEXT_BYTES_MAX: usize = 2048;
/// The greatest tolerance for clocks, in seconds.
pub const LEEWAY_SECONDS_MAX: u64 = 300;

/// Which tokens are good, and what a good token gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The exact `iss`.
    pub issuer: String,
    /// One of these must be in the audience claim.
    pub audience: Vec<String>,
    /// The claims looked at for the audience; the first that is present counts.
    pub audience_claims: Vec<String>,
    /// All of these must be in the scope claim.
    pub scopes: Vec<String>,
    /// The claims looked at for scopes; the first that is present counts.
    pub scope_claims: Vec<String>,
    /// The allowed header `typ` values; an empty text allows its absence.
    pub types: Vec<String>,
    /// Claims that must equal a text.
    pub require: BTreeMap<String, String>,
    /// Tolerance for clocks, in seconds: 0 to 300.
    pub leeway_seconds: u64,
    /// Denies MQTT when the token ends before AWS could disconnect.
    pub strict_expiry: bool,
    /// What a good token gets.
    pub grants: Grants,
}

/// Why a configuration cannot be used: place and cause. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// An error about the file as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

fn at(place: &str, cause: impl fmt::Display) -> ConfigError {
    ConfigError(format!("{FILE_NAME}: `{place}` {cause}"))
}

/// The file. Every member is always there, and no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    arn_prefix: String,
    issuer: String,
    audience: Vec<String>,
    audience_claims: Vec<String>,
    scopes: Vec<String>,
    scope_claims: Vec<String>,
    types: Vec<String>,
    require: BTreeMap<String, String>,
    leeway_seconds: u64,
    strict_expiry: bool,
    key: KeyFile,
    allow: Vec<AllowFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeyFile {
    Hs256(Hs256File),
    Rs256(Rs256File),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hs256File {
    secret_variable: String,
    encoding: EncodingFile,
    allow_short_secret: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EncodingFile {
    Base64,
    Utf8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rs256File {
    keys: Vec<RsaKeyFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RsaKeyFile {
    // Without this, serde takes an absent member for `null`.
    #[serde(deserialize_with = "Option::deserialize")]
    kid: Option<String>,
    n: String,
    e: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowFile {
    connect: Vec<String>,
    publish: Vec<String>,
    subscribe: Vec<String>,
}

/// Reads the file's bytes. `variable` looks up an environment variable; it is asked for the secret only.
pub fn read(bytes: &[u8], variable: &dyn Fn(&str) -> Option<String>) -> Result<(Keys, Rules), ConfigError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ConfigError(format!(
            "{FILE_NAME} has {} bytes; at most {FILE_BYTES_MAX} are allowed",
            bytes.len()
        )));
    }
    // First as strict JSON: a map read by serde would take the second of two equal keys.
    json::parse(bytes).map_err(|error| ConfigError(format!("{FILE_NAME}: {error}")))?;
    let file: File =
        serde_json::from_slice(bytes).map_err(|error| ConfigError(format!("{FILE_NAME}: {error}")))?;
    if file.version != VERSION {
        return Err(at("version", format_args!("is {}; this authorizer reads {VERSION}", file.version)));
    }
    let keys = keys(file.key, variable)?;
    let rules = Rules {
        grants: grants(file.arn_prefix, &file.allow)?,
        issuer: text("issuer", file.issuer)?,
        audience: at_least_one("audience", texts("audience", file.audience)?)?,
        audience_claims: at_least_one("audience_claims", texts("audience_claims", file.audience_claims)?)?,
        scope_claims: scope_claims(file.scope_claims, &file.scopes)?,
        scopes: scopes(file.scopes)?,
        types: types(file.types, file.require.is_empty())?,
        require: require(file.require)?,
        leeway_seconds: leeway(file.leeway_seconds)?,
        strict_expiry: file.strict_expiry,
    };
    Ok((keys, rules))
}

fn text(place: &str, text: String) -> Result<String, ConfigError> {
    if text.is_empty() {
        return Err(at(place, "is or has an empty text"));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(at(
            place,
            format_args!("has {} bytes; at most {TEXT_BYTES_MAX} are allowed", text.len()),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(at(place, "has a control character"));
    }
    Ok(text)
}

fn few<T>(place: &str, entries: Vec<T>) -> Result<Vec<T>, ConfigError> {
    if entries.len() > ENTRIES_MAX {
        return Err(at(
            place,
            format_args!("has {} entries; at most {ENTRIES_MAX} are allowed", entries.len()),
        ));
    }
    Ok(entries)
}

fn texts(place: &str, entries: Vec<String>) -> Result<Vec<String>, ConfigError> {
    few(place, entries)?.into_iter().map(|entry| text(place, entry)).collect()
}

fn at_least_one<T>(place: &str, entries: Vec<T>) -> Result<Vec<T>, ConfigError> {
    if entries.is_empty() { Err(at(place, "is empty; at least one entry is needed")) } else { Ok(entries) }
}

fn scope_claims(names: Vec<String>, scopes: &[String]) -> Result<Vec<String>, ConfigError> {
    let names = texts("scope_claims", names)?;
    if scopes.is_empty() { Ok(names) } else { at_least_one("scope_claims", names) }
}

fn scopes(scopes: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let scopes = texts("scopes", scopes)?;
    match scopes.iter().find(|scope| scope.contains(' ')) {
        Some(scope) => {
            Err(at("scopes", format_args!("has {scope:?}; a scope has no space, list each on its own")))
        }
        None => Ok(scopes),
    }
}

/// An empty text is a value here: it allows a header without `typ`. With a type that every kind of token
/// has, a claim must tell access tokens from the others (RFC 8725 3.11 and 3.12).
fn types(types: Vec<String>, requires_nothing: bool) -> Result<Vec<String>, ConfigError> {
    for allowed in at_least_one("types", few("types", types.clone())?)? {
        if !allowed.is_empty() {
            text("types", allowed)?;
        }
    }
    let is_loose = |allowed: &String| allowed.is_empty() || is_same_type(allowed, "JWT");
    if requires_nothing && types.iter().any(is_loose) {
        return Err(at("types", "lets a refresh token or an ID token pass while `require` is empty"));
    }
    Ok(types)
}

fn require(require: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ConfigError> {
    let entries = few("require", require.into_iter().collect())?;
    entries.into_iter().map(|(name, value)| Ok((text("require", name)?, text("require", value)?))).collect()
}

fn leeway(seconds: u64) -> Result<u64, ConfigError> {
    if seconds > LEEWAY_SECONDS_MAX {
        return Err(at(
            "leeway_seconds",
            format_args!("is {seconds}; 0 to {LEEWAY_SECONDS_MAX} are allowed"),
        ));
    }
    Ok(seconds)
}

fn keys(file: KeyFile, variable: &dyn Fn(&str) -> Option<String>) -> Result<Keys, ConfigError> {
    match file {
        KeyFile::Hs256(hs256) => {
            let name = text("key.hs256.secret_variable", hs256.secret_variable)?;
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(at("key.hs256.secret_variable", "is no name of an environment variable"));
            }
            let secret = variable(&name).ok_or_else(|| {
                at("key.hs256.secret_variable", format_args!("names {name}, which is not in the environment"))
            })?;
            let encoding = match hs256.encoding {
                EncodingFile::Base64 => Encoding::Base64,
                EncodingFile::Utf8 => Encoding::Utf8,
            };
            let secret = Secret::new(&secret, encoding, hs256.allow_short_secret).map_err(|cause| {
                ConfigError(format!("the secret in the environment variable {name} {cause}"))
            })?;
            Ok(Keys::Hs256(secret))
        }
        KeyFile::Rs256(rs256) => {
            let mut keys = Vec::new();
            for (index, key) in few("key.rs256.keys", rs256.keys)?.into_iter().enumerate() {
                let place = format!("key.rs256.keys[{index}]");
                keys.push(RsaKey::new(key.kid, &key.n, &key.e).map_err(|cause| at(&place, cause))?);
            }
            RsaKeys::new(keys).map(Keys::Rs256).map_err(|cause| at("key.rs256.keys", cause))
        }
    }
}

/// Checks `arn:PARTITION:iot:REGION:ACCOUNT`: nothing in it may widen what is granted.
fn arn_prefix(text: String) -> Result<String, ConfigError> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_name = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    match parts.as_slice() {
        ["arn", partition, "iot", region, account]
            if is_name(partition)
                && is_name(region)
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Ok(text)
        }
        _ => Err(at("arn_prefix", "is not `arn:PARTITION:iot:REGION:ACCOUNT`")),
    }
}

fn grants(prefix: String, allow: &[AllowFile]) -> Result<Grants, ConfigError> {
    if allow.len() > ENTRIES_MAX {
        return Err(at(
            "allow",
            format_args!("has {} entries; at most {ENTRIES_MAX} are allowed", allow.len()),
        ));
    }
    let all = |texts: fn(&AllowFile) -> &Vec<String>, key: &str, place: Place| {
        let mut templates = Vec::<Template>::new();
        for (index, entry) in allow.iter().enumerate() {
            for source in texts(entry) {
                let template = Template::parse(source, place).map_err(|cause| {
                    at(&format!("allow[{index}].{key}"), format_args!("{source:?} {cause}"))
                })?;
                if !templates.contains(&template) {
                    templates.push(template);
                }
            }
        }
        Ok::<_, ConfigError>(templates)
    };
    let filters = all(|entry| &entry.subscribe, "subscribe", Place::Filter)?;
    let mut topics = Vec::<Template>::new();
    for filter in &filters {
        for topic in filter.topics_of_filter().map_err(|cause| at("allow", cause))? {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
    }
    let by_action = [
        (Action::Connect, all(|entry| &entry.connect, "connect", Place::ClientId)?),
        (Action::Publish, all(|entry| &entry.publish, "publish", Place::Topic)?),
        (Action::Subscribe, filters),
        (Action::Receive, topics),
    ];
    let grants = by_action
        .into_iter()
        .flat_map(|(action, templates)| templates.into_iter().map(move |template| Grant { action, template }))
        .collect::<Vec<_>>();
    let grants = Grants { arn_prefix: arn_prefix(prefix)?, grants: at_least_one("allow", grants)? };
    can_fit(&grants)?;
    Ok(grants)
}

/// Refuses what does not fit even with the shortest values: every token would be denied.
fn can_fit(grants: &Grants) -> Result<(), ConfigError> {
    let names = grants.grants.iter().flat_map(|grant| grant.template.claims());
    let shortest = names.map(|name| (name.into(), json::Json::Text("x".into()))).collect();
    policy::for_claims(&shortest, grants).map(drop).map_err(|_| {
        at(
            "allow",
            format_args!(
                "does not fit in {} policy documents of {} characters",
                policy::DOCUMENTS_MAX,
                policy::DOCUMENT_CHARACTERS_MAX
            ),
        )
    })
}

#[cfg(test)]
mod tests;
