//! A small identity provider with the OAuth 2.0 device flow, in both of its dialects.
//!
//! `/oauth2/local/…` speaks RFC 8628, `/oauth2/legacy/…` what `OpenAM` 13.5 to 14.4 speaks
//! (identity-providers 1.2): `verification_url`, its own grant type, 403 for "pending". Tokens are
//! JWTs with `OpenAM`'s claims, HS256 for client `deviceagent`, RS256 for `deviceagent-rs256`. The only
//! way to approve a device is the form at `device/user`. It is a double: real providers are what
//! proves a device or a verifier.
//!
//! Device codes and sessions live by the target's clock, so that tests need not wait; tokens are
//! stamped with wall time, as the authorizer's process reads it. Codes and sessions are forgotten when
//! the process ends; keys are kept by whoever owns the state directory.

mod client;
mod codes;
mod form;
mod keys;
mod options;
mod page;
mod sessions;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod user;

pub use options::IdentityOptions;

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::state_directory::{OpenError, StateDirectory};
use crate::{Request, Response, Target};
use codes::Codes;
use form::Refusal;
use keys::Keys;
use sessions::Sessions;
use token::Revocations;

/// The `iss` of every token: a constant, never an address, so that a stack file can name it.
pub const ISSUER: &str = "https://identity.thinggate.local/oauth2/local";
/// The `realm` of every token.
pub const REALM: &str = "/local";
/// The one user.
pub const USER: &str = "demo";
/// The user's password.
pub const PASSWORD: &str = "changeit";
/// The scopes that there are, in alphabetical order.
pub const SCOPES: [&str; 2] = ["cn", "mail"];
/// Where the keys are kept in the state directory.
const KEYS_FILE: &str = "identity.json";
/// Where the endpoints are when nobody serves them.
const ISSUER_BASE: &str = "https://identity.thinggate.local";

/// Which device flow is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 8628, under `/oauth2/local`.
    Rfc8628,
    /// `OpenAM` 13.5 to 14.4, under `/oauth2/legacy`.
    OpenamLegacy,
}

impl Dialect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rfc8628, Self::OpenamLegacy];

    /// The start of every path of this dialect.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Rfc8628 => "/oauth2/local",
            Self::OpenamLegacy => "/oauth2/legacy",
        }
    }

    /// The device grant's name.
    pub const fn device_grant(self) -> &'static str {
        match self {
            Self::Rfc8628 => "urn:ietf:params:oauth:grant-type:device_code",
            Self::OpenamLegacy => "http://oauth.net/grant_type/device/1.0",
        }
    }
}

/// What others may know of a provider whose `identity.json` they can read.
pub struct Secrets {
    /// The HMAC secret in standard base64.
    pub hs256_secret: String,
    /// The clients' secret.
    pub client_secret: String,
    /// The public keys, as a JSON Web Key Set.
    pub jwks: String,
}

impl Secrets {
    /// From the content of `identity.json`; `None` when it is damaged.
    pub fn read(content: &[u8]) -> Option<Self> {
        let keys = Keys::from_json(content).ok()?;
        Some(Self {
            hs256_secret: keys.hs256_secret(),
            client_secret: keys.client_secret().to_owned(),
            jwks: keys.jwks(false),
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secrets").field("jwks", &self.jwks).finish_non_exhaustive()
    }
}

/// Answers one request to the target's provider.
pub fn handle(target: &Target, request: &Request) -> Response {
    target.provider().handle(request, target.clock().now())
}

/// The provider. Answers from memory; one lock, held for moments.
pub struct Provider {
    keys: OnceLock<Keys>,
    stamps: Clock,
    state: Mutex<State>,
}

/// What changes while it runs.
#[derive(Debug, Default)]
struct State {
    options: IdentityOptions,
    public_base: Option<String>,
    codes: Codes,
    sessions: Sessions,
    revocations: Revocations,
}

impl Provider {
    /// A provider whose keys are made at first use, and last as long as it.
    pub fn in_memory() -> Self {
        Self { keys: OnceLock::new(), stamps: Clock::wall(), state: Mutex::default() }
    }

    /// The provider whose keys are in `identity.json`, made when it is not there.
    pub fn open(directory: &StateDirectory) -> Result<Self, OpenError> {
        let path = || directory.path().join(KEYS_FILE);
        let keys = if let Some(kept) = directory.read(KEYS_FILE)? {
            Keys::from_json(&kept)
                .map_err(|error| OpenError::Damaged { path: path(), because: error.to_string() })?
        } else {
            let keys = Keys::generate();
            directory
                .write(KEYS_FILE, keys.to_json().as_bytes())
                .map_err(|source| OpenError::Io { path: path(), source })?;
            keys
        };
        let provider = Self::in_memory();
        provider.keys.get_or_init(|| keys);
        Ok(provider)
    }

    /// Stamps tokens by another clock than wall time, for tests of expiry.
    #[must_use]
    pub fn stamping_with(mut self, stamps: Clock) -> Self {
        self.stamps = stamps;
        self
    }

    /// Says where it is served: scheme, host and port, without a slash at the end.
    pub fn set_public_base(&self, url: &str) {
        self.state().public_base = Some(url.trim_end_matches('/').to_owned());
    }

    /// Scheme, host and port of its endpoints.
    pub fn base(&self) -> String {
        self.state().public_base.clone().unwrap_or_else(|| ISSUER_BASE.to_owned())
    }

    /// The HMAC secret in standard base64.
    pub fn hs256_secret(&self) -> String {
        self.keys().hs256_secret()
    }

    /// The secret of the clients `deviceagent` and `deviceagent-rs256`.
    pub fn client_secret(&self) -> String {
        self.keys().client_secret().to_owned()
    }

    /// The public keys, as a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        self.keys().jwks(false)
    }

    /// The settings in force.
    pub fn options(&self) -> IdentityOptions {
        self.state().options.clone()
    }

    /// Changes the settings for codes and tokens from now on; the error says what is out of range.
    pub fn set_options(&self, options: IdentityOptions) -> Result<(), String> {
        options.check()?;
        self.state().options = options;
        Ok(())
    }

    /// Answers one request. Codes and sessions live by `now`.
    pub fn handle(&self, request: &Request, now: SystemTime) -> Response {
        let Some((dialect, endpoint)) = endpoint(request.uri().path()) else {
            return Refusal::new(404, "not_found", "there is no such endpoint").answer();
        };
        match (endpoint, request.method()) {
            ("/device/code", &Method::POST) => answer(token::device_code(self, dialect, request, now)),
            ("/access_token", &Method::POST) => answer(token::access_token(self, dialect, request, now)),
            ("/device/user", &Method::GET) => user::first_page(self, dialect, request, now),
            ("/device/user", &Method::POST) => user::next_page(self, dialect, request, now),
            ("/connect/jwk_uri", &Method::GET) => {
                let old = dialect == Dialect::OpenamLegacy;
                json_answer(StatusCode::OK, self.keys().jwks(old))
            }
            ("/.well-known/openid-configuration", &Method::GET) => {
                json_answer(StatusCode::OK, self.discovery(dialect).to_string())
            }
            (endpoint, _) => wrong_method(endpoint),
        }
    }

    fn keys(&self) -> &Keys {
        self.keys.get_or_init(Keys::generate)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn discovery(&self, dialect: Dialect) -> Value {
        let root = format!("{}{}", self.base(), dialect.prefix());
        json!({
            "issuer": ISSUER,
            "device_authorization_endpoint": format!("{root}/device/code"),
            "token_endpoint": format!("{root}/access_token"),
            "jwks_uri": format!("{root}/connect/jwk_uri"),
            "grant_types_supported": [dialect.device_grant(), "refresh_token"],
            "response_types_supported": ["token"],
            "scopes_supported": SCOPES,
            "token_endpoint_auth_methods_supported": match dialect {
                Dialect::Rfc8628 => json!(["client_secret_post", "client_secret_basic", "none"]),
                Dialect::OpenamLegacy => json!(["client_secret_post"]),
            },
        })
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provider").finish_non_exhaustive()
    }
}

fn endpoint(path: &str) -> Option<(Dialect, &str)> {
    const ENDPOINTS: [&str; 5] = [
        "/device/code",
        "/device/user",
        "/access_token",
        "/connect/jwk_uri",
        "/.well-known/openid-configuration",
    ];
    Dialect::ALL.into_iter().find_map(|dialect| {
        let rest = path.strip_prefix(dialect.prefix())?;
        ENDPOINTS.contains(&rest).then_some((dialect, rest))
    })
}

fn wrong_method(endpoint: &str) -> Response {
    let allowed = match endpoint {
        "/device/user" => "GET, POST",
        "/device/code" | "/access_token" => "POST",
        _ => "GET",
    };
    let mut answer =
        Refusal::new(405, "method_not_allowed", "this endpoint does not know that method").answer();
    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    answer
}

fn answer(outcome: Result<Value, Refusal>) -> Response {
    match outcome {
        Ok(body) => json_answer(StatusCode::OK, body.to_string()),
        Err(refusal) => refusal.answer(),
    }
}

/// JSON that no cache may keep (RFC 6749 5.1).
fn json_answer(status: StatusCode, body: String) -> Response {
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json;charset=UTF-8"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    answer
}
