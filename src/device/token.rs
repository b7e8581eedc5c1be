//! Looks into an access token without verifying it: for people, and to name what was given by mistake.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::text::printable_value;
use crate::keys::Secret;
use crate::problem::Problem;

/// The longest token, in bytes. AWS IoT takes no more in one header.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What kind of token it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An access token.
    Access,
    /// A refresh token. Many providers make it a JWT with the same key, issuer and audience.
    Refresh,
    /// An identity (`OpenID` Connect) token.
    Identity,
    /// It does not say.
    Unsaid,
}

impl Kind {
    /// The word for people and machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
            Self::Identity => "identity token",
            Self::Unsaid => "unsaid",
        }
    }
}

/// A token's content. Not verified: it proves nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The header, every text printable.
    pub header: Value,
    /// The claims, every text printable.
    pub claims: Value,
    /// What it says it is.
    pub kind: Kind,
    /// When it expires, if it says so.
    pub expires: Option<SystemTime>,
}

impl Seen {
    /// Reads a JWT. The problem names what it is instead.
    pub fn read(token: &Secret) -> Result<Self, Problem> {
        let text = token.expose();
        if let Some(problem) = other_thing(text) {
            return Err(problem);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(opaque());
        };
        let (Some(header), Some(claims)) = (object(header), object(claims)) else { return Err(opaque()) };
        if header.get("alg").and_then(Value::as_str).is_none() || signature.is_empty() {
            return Err(opaque());
        }
        let expires =
            claims.get("exp").and_then(Value::as_f64).filter(|seconds| (0.0..1e11).contains(seconds));
        let expires =
            expires.and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds)));
        let kind = kind(&header, &claims);
        Ok(Self { header: printable_value(header), claims: printable_value(claims), kind, expires })
    }

    /// Reads an access token: a JWT that does not say that it is another kind.
    pub fn access(token: &Secret) -> Result<Self, Problem> {
        let seen = Self::read(token)?;
        match seen.kind {
            Kind::Access | Kind::Unsaid => Ok(seen),
            Kind::Refresh => Err(Problem::failed("refresh_token_given", "this is a refresh token")
                .because("AWS IoT is sent access tokens only; a refresh token must never leave the device")
                .next("give the access token: the `access_token` member of the provider's answer")),
            Kind::Identity => Err(Problem::failed("id_token_given", "this is an ID token")
                .because("it is for the client, not for AWS IoT")
                .next("give the access token: the `access_token` member of the provider's answer")),
        }
    }

    /// How long it is still good; zero when its time is over, `None` when it does not expire.
    pub fn left(&self, now: SystemTime) -> Option<Duration> {
        self.expires.map(|expires| expires.duration_since(now).unwrap_or_default())
    }
}

/// What can be told from the outside.
fn other_thing(text: &str) -> Option<Problem> {
    const GIVE: &str = "give the access token alone: three parts with dots between them, on one line";
    let problem = if text.is_empty() {
        Problem::failed("no_token", "there is no token")
    } else if text.len() > TOKEN_BYTES_MAX {
        Problem::failed("token_too_long", "the token is longer than 16 KiB")
    } else if text.contains("-----BEGIN ") {
        Problem::failed("key_given", "this is a key or a certificate, not a token")
    } else if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        Problem::failed("bearer_prefix", "the token has `Bearer ` in front of it")
    } else if text.trim_start().starts_with('{') {
        Problem::failed("answer_given", "this is the provider's whole answer, not the token in it")
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Problem::failed("token_broken", "the token has spaces, line breaks or other odd characters in it")
    } else if text.split('.').count() == 5 {
        let because = "it has five parts; AWS IoT's authorizer cannot look into it";
        return Some(
            Problem::failed("encrypted_token", "the token is encrypted")
                .because(because)
                .next("let the provider sign access tokens (JWS) instead of encrypting them (JWE)"),
        );
    } else if text.ends_with('=') && !text.contains('.') {
        Problem::failed("token_signature_given", "this looks like a token signature, not a token")
    } else {
        return None;
    };
    Some(problem.next(GIVE))
}

fn opaque() -> Problem {
    Problem::failed("opaque_token", "the access token is not a JWT")
        .because("the authorizer can only verify signed tokens, and this one is opaque")
        .next(
            "enable stateless/JWT access tokens at the provider (OpenAM: \"Use Stateless Access & Refresh \
             Tokens\"; Auth0: ask with `identity.extra = { audience = \"…\" }`)",
        )
}

fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

/// The markers of identity-providers 6: OpenAM's `tokenName`, Cognito's `token_use`, glewlwyd's `type`,
/// Keycloak's `typ`, RFC 9068's header, and the hashes that only an ID token has.
fn kind(header: &Value, claims: &Value) -> Kind {
    let markers = ["tokenName", "token_use", "type", "typ"];
    for marker in markers.iter().filter_map(|name| claims.get(name).and_then(Value::as_str)) {
        match marker.to_ascii_lowercase().as_str() {
            "access_token" | "access" | "bearer" => return Kind::Access,
            "refresh_token" | "refresh" | "offline" => return Kind::Refresh,
            "id_token" | "id" => return Kind::Identity,
            _ => {}
        }
    }
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if matches!(typ.as_str(), "at+jwt" | "application/at+jwt") {
        return Kind::Access;
    }
    if claims.get("at_hash").is_some() || claims.get("c_hash").is_some() {
        return Kind::Identity;
    }
    Kind::Unsaid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> Secret {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Secret::new(format!("{}.{}.c2ln", part(header), part(claims)))
    }

    const HEADER: &str = r#"{"alg":"RS256"}"#;

    #[test]
    fn what_was_given_by_mistake_has_a_name() {
        let opaque = "2YotnFZFEjr1zCsicMWpAA"; // RFC 6749 4.1.4
        let encrypted = "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d";
        let signature = format!("{}==", "A".repeat(342));
        let rows = [
            ("", "no_token"),
            (opaque, "opaque_token"),
            ("a.b", "opaque_token"),
            ("a.b.c", "opaque_token"),
            ("1.2.3", "opaque_token"),
            (encrypted, "encrypted_token"),
            (signature.as_str(), "token_signature_given"),
            ("Bearer a.b.c", "bearer_prefix"),
            ("{\"access_token\":\"a.b.c\"}", "answer_given"),
            ("-----BEGIN PRIVATE KEY-----\nMII", "key_given"),
            ("a.b.c\n", "token_broken"),
            ("a.b.\u{1b}", "token_broken"),
        ];
        for (text, code) in rows {
            let problem = Seen::access(&Secret::new(text)).unwrap_err();
            assert_eq!(problem.code, code, "{text}");
            assert!(problem.next.is_some() && (text.len() < 9 || !problem.to_string().contains(text)));
        }
        let long = Secret::new("a".repeat(16 * 1024 + 1));
        assert_eq!(Seen::access(&long).unwrap_err().code, "token_too_long");
    }

    #[test]
    fn kinds_are_told_by_their_markers() {
        // identity-providers 0.4, 1.3, 4.2, 6.
        let rows = [
            (HEADER, r#"{"tokenName":"access_token"}"#, Kind::Access),
            (HEADER, r#"{"tokenName":"refresh_token","typ":"x"}"#, Kind::Refresh),
            (HEADER, r#"{"tokenName":"id_token"}"#, Kind::Identity),
            (HEADER, r#"{"token_use":"access"}"#, Kind::Access),
            (HEADER, r#"{"token_use":"id"}"#, Kind::Identity),
            (HEADER, r#"{"typ":"Bearer"}"#, Kind::Access),
            (HEADER, r#"{"typ":"Offline"}"#, Kind::Refresh),
            (HEADER, r#"{"type":"refresh_token"}"#, Kind::Refresh),
            (r#"{"alg":"RS256","typ":"at+jwt"}"#, "{}", Kind::Access),
            (HEADER, r#"{"at_hash":"x"}"#, Kind::Identity),
            (HEADER, "{}", Kind::Unsaid),
        ];
        for (header, claims, kind) in rows {
            assert_eq!(Seen::read(&token(header, claims)).unwrap().kind, kind, "{claims}");
        }
        let refresh = token(HEADER, r#"{"tokenName":"refresh_token"}"#);
        assert_eq!(Seen::access(&refresh).unwrap_err().code, "refresh_token_given");
        let identity = token(HEADER, r#"{"token_use":"id"}"#);
        assert_eq!(Seen::access(&identity).unwrap_err().code, "id_token_given");
    }

    #[test]
    fn content_is_printable_and_time_is_told() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let seen = Seen::access(&token(HEADER, r#"{"exp":160.5,"sub":"a\u001b[2J"}"#)).unwrap();
        assert_eq!(seen.claims["sub"], "a\u{fffd}[2J");
        assert_eq!(seen.left(now), Some(Duration::from_millis(60_500)));
        let over = Seen::access(&token(HEADER, r#"{"exp":99}"#)).unwrap();
        assert_eq!(over.left(now), Some(Duration::ZERO));
        for never in [r#"{"exp":-1}"#, r#"{"exp":1e300}"#, r#"{"exp":"soon"}"#, "{}"] {
            assert_eq!(Seen::access(&token(HEADER, never)).unwrap().left(now), None, "{never}");
        }
    }
}
