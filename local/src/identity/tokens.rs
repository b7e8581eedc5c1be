//! Access and refresh tokens: JWTs with the header and claims of `OpenAM`'s stateless tokens
//! (identity-providers 1.3, openam-recipe 4.3). Both kinds have the same key, `iss` and `aud`; only
//! `tokenName` tells them apart, which is what a verifier must look at.

use std::io;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

use super::codes::Grant;
use super::keys::{Algorithm, Keys};
use super::{Dialect, ISSUER, REALM};
use crate::random::uuid;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Refresh,
}

impl Kind {
    const fn token_name(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

/// What a good refresh token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refresh {
    pub(super) id: String,
    pub(super) grant: Grant,
    pub(super) expires: SystemTime,
}

/// Signs a token of this kind, good from `now` for `lifetime`.
pub(super) fn mint(
    keys: &Keys,
    dialect: Dialect,
    algorithm: Algorithm,
    kind: Kind,
    grant: &Grant,
    now: SystemTime,
    lifetime: Duration,
) -> String {
    let mut header = json!({ "typ": "JWT", "alg": algorithm.as_str() });
    if dialect == Dialect::Rfc8628 {
        header["zip"] = json!("NONE");
        if algorithm == Algorithm::Rs256 {
            header["kid"] = json!(keys.key_id());
        }
    }
    let claims = claims(dialect, kind, grant, now, lifetime);
    let text = format!("{}.{}", encode(&header, dialect), encode(&claims, dialect));
    let signature = keys.sign(algorithm, text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims(dialect: Dialect, kind: Kind, grant: &Grant, now: SystemTime, lifetime: Duration) -> Value {
    let issued = seconds(now);
    let mut claims = json!({
        "tokenName": kind.token_name(), "token_type": "Bearer", "sub": grant.user, "iss": ISSUER,
        "aud": grant.client, "realm": REALM, "jti": uuid(), "authGrantId": grant.id,
        "auditTrackingId": uuid(), "iat": issued, "nbf": issued, "exp": issued + lifetime.as_secs(),
        // In milliseconds here, though the answer's member of the same name is in seconds.
        "expires_in": lifetime.as_secs() * 1000, "scope": grant.scopes,
    });
    if dialect == Dialect::Rfc8628 {
        match kind {
            Kind::Access => {
                claims["scope"] = json!(grant.scopes.join(" "));
                claims["typ"] = json!("Bearer");
                claims["realm_access"] = json!({});
                claims["auth_time"] = json!(issued);
            }
            Kind::Refresh => claims["auth_time"] = json!(issued * 1000),
        }
    }
    claims
}

/// Reads a refresh token of this client; `None` for anything else, an access token included.
pub(super) fn read_refresh(
    keys: &Keys,
    algorithm: Algorithm,
    client: &'static str,
    token: &str,
    now: SystemTime,
) -> Option<Refresh> {
    let (text, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !keys.verifies(algorithm, text.as_bytes(), &signature) {
        return None;
    }
    let (header, claims) = text.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let expires = claims["exp"].as_u64()?;
    let ours = header["alg"] == algorithm.as_str()
        && claims["tokenName"] == Kind::Refresh.token_name()
        && claims["iss"] == ISSUER
        && claims["aud"] == client
        && seconds(now) < expires;
    let scopes = claims["scope"].as_array()?.iter().map(|scope| scope.as_str().map(str::to_owned));
    ours.then_some(Refresh {
        id: claims["jti"].as_str()?.to_owned(),
        grant: Grant {
            id: claims["authGrantId"].as_str()?.to_owned(),
            client,
            user: claims["sub"].as_str()?.to_owned(),
            scopes: scopes.collect::<Option<_>>()?,
        },
        expires: SystemTime::UNIX_EPOCH + Duration::from_secs(expires),
    })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn encode(value: &Value, dialect: Dialect) -> String {
    let mut text = Vec::new();
    let written = match dialect {
        Dialect::Rfc8628 => value.serialize(&mut serde_json::Serializer::new(&mut text)),
        Dialect::OpenamLegacy => {
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, Spaced))
        }
    };
    written.expect("a JSON value is always written to memory");
    URL_SAFE_NO_PAD.encode(text)
}

/// JSON as `OpenAM` 13.5 writes it, with spaces inside the brackets: `{ "typ": "JWT" }`.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"{ ")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" }")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"[ ")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" ]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const HOUR: Duration = Duration::from_hours(1);

    fn grant() -> Grant {
        Grant {
            id: "grant".into(),
            client: "deviceagent",
            user: "demo".into(),
            scopes: vec!["cn".into(), "mail".into()],
        }
    }

    fn part(token: &str, index: usize) -> String {
        let part = token.split('.').nth(index).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn headers_are_openams() {
        let keys = Keys::generate();
        let header =
            |dialect, algorithm| part(&mint(&keys, dialect, algorithm, Kind::Access, &grant(), NOW, HOUR), 0);
        let kid = keys.key_id();
        // openam-recipe 4.3 and identity-providers 1.3, members sorted.
        let cases = [
            (Dialect::Rfc8628, Algorithm::Hs256, r#"{"alg":"HS256","typ":"JWT","zip":"NONE"}"#.to_owned()),
            (
                Dialect::Rfc8628,
                Algorithm::Rs256,
                format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT","zip":"NONE"}}"#),
            ),
            (Dialect::OpenamLegacy, Algorithm::Hs256, r#"{ "alg": "HS256", "typ": "JWT" }"#.to_owned()),
            (Dialect::OpenamLegacy, Algorithm::Rs256, r#"{ "alg": "RS256", "typ": "JWT" }"#.to_owned()),
        ];
        for (dialect, algorithm, expected) in cases {
            assert_eq!(header(dialect, algorithm), expected);
        }
    }

    #[test]
    fn claims_are_openams() {
        let members = |dialect, kind| {
            let claims = claims(dialect, kind, &grant(), NOW + HOUR, HOUR);
            let mut names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
            names.sort();
            (names.join(" "), claims)
        };
        // identity-providers 1.3: the decoded token of 13.5.
        let legacy = "aud auditTrackingId authGrantId exp expires_in iat iss jti nbf realm scope sub tokenName token_type";
        // openam-recipe 4.3: the token of 14.8.4.
        let access = "aud auditTrackingId authGrantId auth_time exp expires_in iat iss jti nbf realm \
                      realm_access scope sub tokenName token_type typ";
        let (names, claims) = members(Dialect::OpenamLegacy, Kind::Access);
        assert_eq!(names, legacy);
        assert_eq!(claims["scope"], json!(["cn", "mail"]));
        let (names, claims) = members(Dialect::Rfc8628, Kind::Access);
        assert_eq!(names, access);
        assert_eq!(claims["scope"], "cn mail");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(3600), &json!(7200)));
        assert_eq!(claims["expires_in"], 3_600_000);
        let (names, claims) = members(Dialect::Rfc8628, Kind::Refresh);
        assert!(!names.contains("realm_access") && !names.contains(" typ"));
        assert_eq!(claims["auth_time"], 3_600_000);
        assert_eq!(claims["tokenName"], "refresh_token");
    }

    #[test]
    fn only_a_refresh_token_of_the_same_client_refreshes() {
        let keys = Keys::generate();
        for dialect in Dialect::ALL {
            for algorithm in [Algorithm::Hs256, Algorithm::Rs256] {
                let token = |kind| mint(&keys, dialect, algorithm, kind, &grant(), NOW, HOUR);
                let read = |token: &str, client, now| read_refresh(&keys, algorithm, client, token, now);
                let refresh = token(Kind::Refresh);
                let good = read(&refresh, "deviceagent", NOW + HOUR / 2).unwrap();
                assert_eq!(good.grant, grant());
                assert_eq!(read(&refresh, "deviceagent", NOW + HOUR), None, "its time is over");
                assert_eq!(read(&refresh, "other", NOW), None);
                assert_eq!(read(&token(Kind::Access), "deviceagent", NOW), None);
                assert_eq!(read(&refresh.replace('.', ".A"), "deviceagent", NOW), None, "tampered");
                let stranger = Keys::generate();
                assert_eq!(read_refresh(&stranger, algorithm, "deviceagent", &refresh, NOW), None);
            }
        }
    }
}
