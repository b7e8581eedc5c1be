//! `[token]`: which access tokens are good, and how they are verified.

use std::collections::BTreeMap;

use super::checks::{Checks, Found};
use super::finding::Shown;
use super::model::{Encoding, PublicKeys, Reference, Target, Token, TokenKey};
use super::reader::TableReader;
use super::reference::{Expected, reference};
use super::web::issuer;

/// Most seconds of tolerance for clocks.
pub(super) const LEEWAY_MAX_SECONDS: u16 = 300;
/// The tolerance of a stack that names none.
const LEEWAY_DEFAULT_SECONDS: u16 = 60;
/// Header `typ` values of a stack that names none; the empty text stands for "absent".
const TYPES_DEFAULT: [&str; 3] = ["JWT", "at+jwt", ""];

/// Reads `[token]`.
pub(super) fn token(
    checks: &mut Checks<'_>,
    top: &mut TableReader<'_>,
    target: Option<Target>,
) -> Option<Token> {
    let help = "a table `[token]` says which access tokens are good: issuer, audience, and a key";
    top.require(checks, "token", help);
    let mut table = top.table(checks, "token")?;
    let help = "the exact `iss` of the tokens: `issuer = \"https://…\"`";
    let issuer_text = table.required_text(checks, "issuer", help);
    let issuer = issuer_text.and_then(|found| issuer(checks, &found, target));
    table.require(checks, "audience", "`audience = [\"deviceagent\"]`: any of these must be in the token");
    let audience = non_empty(checks, &mut table, "audience");
    let audience_claims = non_empty(checks, &mut table, "audience_claims");
    let scopes = scopes(checks, &mut table);
    let scope_claims = non_empty(checks, &mut table, "scope_claims");
    let leeway = table.number(checks, "leeway_s", &(0..=LEEWAY_MAX_SECONDS));
    let strict_expiry = table.boolean(checks, "strict_expiry").is_some_and(|found| found.value);
    let require: BTreeMap<_, _> = require(checks, &mut table);
    let types = types(checks, &mut table, require.is_empty());
    let key = key(checks, &mut table, target);
    table.finish(checks);
    let or_default = |given: Option<Vec<String>>, default: &[&str]| {
        given.unwrap_or_else(|| default.iter().map(|text| (*text).to_owned()).collect())
    };
    Some(Token {
        issuer: issuer?,
        audience: audience?,
        audience_claims: or_default(audience_claims, &["aud"]),
        scopes,
        scope_claims: or_default(scope_claims, &["scope", "scp"]),
        types,
        require,
        leeway_seconds: leeway.map_or(LEEWAY_DEFAULT_SECONDS, |found| found.value),
        strict_expiry,
        key: key?,
    })
}

fn values(found: Vec<Found<String>>) -> Vec<String> {
    found.into_iter().map(|found| found.value).collect()
}

/// A list that, when given, has an element.
fn non_empty(checks: &mut Checks<'_>, table: &mut TableReader<'_>, key: &'static str) -> Option<Vec<String>> {
    let found = table.texts(checks, key)?;
    if table.is_empty(key) {
        let place = table.place_of(key);
        checks.error(&place, "bad_value", format!("`{}` needs at least one element", place.key));
    }
    Some(values(found))
}

/// Scopes, each on its own: a token lists them with spaces between.
fn scopes(checks: &mut Checks<'_>, table: &mut TableReader<'_>) -> Vec<String> {
    let found = table.texts(checks, "scopes").unwrap_or_default();
    for scope in found.iter().filter(|scope| scope.value.contains(' ')) {
        let message = "a scope has no space; list each on its own";
        checks.error_with_help(
            &scope.place,
            "bad_value",
            message,
            "for example `scopes = [\"mail\", \"cn\"]`",
        );
    }
    values(found)
}

fn require(checks: &mut Checks<'_>, table: &mut TableReader<'_>) -> BTreeMap<String, String> {
    let found = table.text_map(checks, "require");
    for (claim, value) in &found {
        if claim.value.is_empty() || value.value.is_empty() {
            let message = "`token.require` takes claims and the texts they equal, none of them empty";
            checks.error(&value.place, "bad_value", message);
        }
    }
    found.into_iter().map(|(claim, value)| (claim.value, value.value)).collect()
}

/// Whether a refresh token has this type too. Media types are compared without case, and `application/` may
/// be left out (RFC 7515 4.1.9).
fn is_of_every_token(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    matches!(kind.strip_prefix("application/").unwrap_or(&kind), "" | "jwt")
}

/// The header types, and the rule that a refresh token, a JWT too, must not pass for an access token.
fn types(checks: &mut Checks<'_>, table: &mut TableReader<'_>, requires_nothing: bool) -> Vec<String> {
    let given = table.texts_or_empty(checks, "types").map(values);
    let place = table.place_of("types");
    let is_given = given.is_some();
    let types = given.unwrap_or_else(|| TYPES_DEFAULT.map(str::to_owned).to_vec());
    if table.is_empty("types") {
        checks.error(
            &place,
            "bad_value",
            "`token.types` needs at least one element; `\"\"` stands for no type",
        );
    }
    let is_loose = types.iter().any(|kind| is_of_every_token(kind));
    if is_loose && requires_nothing && !table.has("require") {
        let message = if is_given {
            "with these `types` a refresh token passes for an access token: it is a JWT too"
        } else {
            "nothing tells an access token from a refresh token, which is a JWT too"
        };
        let help = "add what your provider puts into access tokens only, such as \
                    `require = { tokenName = \"access_token\" }`, or `types = [\"at+jwt\"]`";
        if !checks.is_broken() {
            checks.error_with_help(&place, "token_kind", message, help);
        }
    } else if is_loose && table.is_empty("require") {
        checks.error(&table.place_of("require"), "bad_value", "`token.require` needs at least one claim");
    }
    types
}

fn key(checks: &mut Checks<'_>, table: &mut TableReader<'_>, target: Option<Target>) -> Option<TokenKey> {
    let ways = (table.has("hs256"), table.has("rs256"));
    let hs256 = hs256(checks, table, target);
    let rs256 = rs256(checks, table, target);
    match ways {
        (true, true) => {
            let message = "tokens are verified one way: keep `token.hs256` or `token.rs256`, not both";
            checks.error(&table.later_of("hs256", "rs256"), "conflict", message);
            None
        }
        (false, false) => {
            let help =
                "`[token.rs256]` with the provider's public keys, or `[token.hs256]` with a shared secret";
            checks.missing(&table.place, "`token` does not say how tokens are verified", help);
            None
        }
        _ => hs256.or(rs256),
    }
}

fn hs256(checks: &mut Checks<'_>, token: &mut TableReader<'_>, target: Option<Target>) -> Option<TokenKey> {
    let mut table = token.table(checks, "hs256")?;
    let expected = Expected { noun: "the secret", local: Some(("local:hs256", Reference::LocalHs256)) };
    let found = table.required_text(checks, "secret", "`secret = \"env:NAME\"` or `secret = \"file:PATH\"`");
    let secret = found.and_then(|found| reference(checks, &found, target, &expected));
    let encodings = [("base64", Encoding::Base64), ("utf8", Encoding::Utf8)];
    let encoding = table.choice(checks, "encoding", &encodings).unwrap_or(Encoding::Base64);
    let short = table.boolean(checks, "allow_short_secret");
    let allow_short_secret = short.is_some_and(|found| {
        if found.value {
            let message = "a secret under 32 bytes can be guessed from one token";
            let help = "give the provider a secret of 32 bytes or more (RFC 7518, 3.2)";
            checks.warn(&found.place, "short_secret", message, Some(help));
        }
        found.value
    });
    in_environment(checks, &mut table);
    table.finish(checks);
    Some(TokenKey::Hs256 { secret: secret?, encoding, allow_short_secret, in_environment: true })
}

/// The only way so far, so it is asked for: nobody should learn afterwards where the secret went.
fn in_environment(checks: &mut Checks<'_>, table: &mut TableReader<'_>) {
    let help =
        "add `in_environment = true`: everybody who may read the function's configuration sees the secret";
    table.require(checks, "in_environment", help);
    let Some(found) = table.boolean(checks, "in_environment") else { return };
    if found.value {
        let message =
            "the function's environment will hold the secret, for everybody who may read its configuration";
        let help = "`[token.rs256]` needs no secret, where the provider can sign so";
        checks.warn(&found.place, "in_environment", message, Some(help));
    } else {
        let message = "the secret can only be in the function's environment in this version";
        checks.error_with_help(&found.place, "not_yet", message, help);
    }
}

fn rs256(checks: &mut Checks<'_>, token: &mut TableReader<'_>, target: Option<Target>) -> Option<TokenKey> {
    let mut table = token.table(checks, "rs256")?;
    let pem_expected = Expected { noun: "the public key", local: None };
    let pem = table.text(checks, "pem").and_then(|found| reference(checks, &found, target, &pem_expected));
    let jwks_expected = Expected { noun: "the key set", local: Some(("local:jwks", Reference::LocalJwks)) };
    let jwks = table.text(checks, "jwks").and_then(|found| literal_url(checks, found));
    let jwks = jwks.and_then(|found| reference(checks, &found, target, &jwks_expected));
    table.not_yet(checks, "jwks_url", "download the key set and name it: `jwks = \"file:jwks.json\"`");
    match (table.has("pem"), table.has("jwks")) {
        (true, true) => {
            let message = "public keys come from one place: keep `pem` or `jwks`, not both";
            checks.error(&table.later_of("pem", "jwks"), "conflict", message);
        }
        (false, false) if !table.has("jwks_url") => {
            let help = "`jwks = \"file:jwks.json\"` or `pem = \"file:provider.pub.pem\"`";
            checks.missing(&table.place, "`token.rs256` does not say where the public keys are", help);
        }
        _ => {}
    }
    table.finish(checks);
    pem.map(PublicKeys::Pem).or(jwks.map(PublicKeys::Jwks)).map(TokenKey::Rs256)
}

/// Refuses an address where a file belongs, and says so.
fn literal_url(checks: &mut Checks<'_>, found: Found<String>) -> Option<Found<String>> {
    if !found.value.starts_with("https://") && !found.value.starts_with("http://") {
        return Some(found);
    }
    let message = "a key set at an address is not yet in this version".to_owned();
    let help = "download it and name the file: `jwks = \"file:jwks.json\"`".to_owned();
    checks.report(&found.place, "not_yet", message, Shown::Line, Some(help));
    None
}
