//! One function a table of the stack file.

use serde_json::{Value, json};

use super::{PLAIN, about, choice, filled, list, named, plain_text, some, table, text};
use crate::stack::assume_role::{CHAINED_DURATION_MAX_S, DURATION_S, ROLES_MAX};
use crate::stack::function::RETENTION_DAYS;
use crate::stack::identity::OWN_PARAMETERS;
use crate::stack::reader::{ELEMENTS_MAX, TEXT_LENGTH_MAX};
use crate::stack::signing::BITS;
use crate::stack::tags::{KEY_LENGTH_MAX, TAGS_MAX, VALUE_LENGTH_MAX};
use crate::stack::token::LEEWAY_MAX_SECONDS;

/// A letter of an `[[allow]]` entry, without what means something there.
const LETTER: &str = "[!%&'(),./0-9:;<=>@A-Z\\[\\]^_`a-z|~-]";
/// The same without the `/`.
const LETTER_OF_LEVEL: &str = "[!%&'(),.0-9:;<=>@A-Z\\[\\]^_`a-z|~-]";
/// A parameter's name in Systems Manager.
const PARAMETER: &str = "(?:[A-Za-z0-9_.-]+|(?:/[A-Za-z0-9_.-]+){1,14})";
/// Parameters that AWS keeps for itself, and names that are too long.
const RESERVED_PARAMETER: &str = "^ssm:(?:/?(?:[aA][wW][sS]|[sS][sS][mM])|.{901})";
/// A claim that is filled in.
const CLAIM: &str = "\\{[A-Za-z0-9_.:/@-]{1,64}\\}";
/// An address: a scheme, a host, no user, no `#`.
const ADDRESS: &str = "https?://[^/?#@ \\\\]+(?:[/?][^# \\\\]*)?";

/// Where a secret is. It takes no variable.
fn secret(local: &str) -> Value {
    json!({ "type": "string", "maxLength": TEXT_LENGTH_MAX,
            "pattern": format!("^(?:env:[A-Za-z_][A-Za-z0-9_]{{0,127}}|file:[^~$\\u0000-\\u001f][^$\\u0000-\\u001f]*|ssm:{PARAMETER}|{local})$"),
            "not": { "pattern": RESERVED_PARAMETER } })
}

/// Where something public is: a variable, a file, or the local target's own.
fn reference(local: Option<&str>) -> Value {
    let local = local.map(|local| format!("|{local}")).unwrap_or_default();
    let mut reference =
        named(&format!("(?:env:[A-Za-z_][A-Za-z0-9_]{{0,127}}|file:[^~].*|ssm:{PARAMETER}{local})"));
    reference["not"] = json!({ "pattern": RESERVED_PARAMETER });
    filled(reference)
}

/// A table of texts with the user's own keys.
fn texts(names: &Value, value: &Value) -> Value {
    json!({ "type": "object", "maxProperties": ELEMENTS_MAX, "propertyNames": names,
            "additionalProperties": value })
}

fn any_text() -> Value {
    json!({ "type": "string", "maxLength": TEXT_LENGTH_MAX, "pattern": PLAIN })
}

pub(super) fn vars() -> Value {
    let mut value = plain_text();
    value["minLength"] = json!(0);
    value["pattern"] = json!("^(?:[^$\\u0000-\\u001f\\u007f-\\u009f]|\\$(?:[^{]|$))*$");
    let suspect = "secret|password|passwd|passphrase|credential|private|bearer|apikey|api_key|^eyj|akia";
    let names = json!({ "pattern": "^[a-z][a-z0-9_]{0,63}$", "not": { "pattern": suspect } });
    texts(&names, &value)
}

pub(super) fn assume_role() -> Value {
    let name = |letters: &str, least: usize, most: usize| {
        filled(named(&format!("[A-Za-z0-9_+=,.@{letters}-]{{{least},{most}}}")))
    };
    let arn = "arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/([!-~]+/)?[A-Za-z0-9_+=,.@-]{1,64}";
    let duration = |most: u16| json!({ "type": "integer", "minimum": DURATION_S.start(), "maximum": most });
    let mut one = table([
        ("arn", about("The role", filled(named(arn)))),
        ("external_id", about("What its trust policy wants as `sts:ExternalId`", name(":/", 2, 1224))),
        ("session_name", about("The session's name, which logs show", name("", 2, 64))),
        ("duration_s", about("How long the session lasts", duration(*DURATION_S.end()))),
    ]);
    one["required"] = json!(["arn"]);
    let mut later = one.clone();
    later["properties"]["duration_s"] = duration(CHAINED_DURATION_MAX_S);
    json!({ "type": "array", "items": [one], "additionalItems": later, "minItems": 1, "maxItems": ROLES_MAX })
}

pub(super) fn tags() -> Value {
    let letters = "[^\\u0000-\\u001f!-*,;<>?\\[-^`{-\\u00a0]";
    let names = json!({ "pattern": format!("^{letters}{{1,{KEY_LENGTH_MAX}}}$"),
                        "not": { "pattern": "^([aA][wW][sS]|[tT][hH][iI][nN][gG][gG][aA][tT][eE]):" } });
    let mut tags = texts(&names, &filled(named(&format!("{letters}{{0,{VALUE_LENGTH_MAX}}}"))));
    tags["maxProperties"] = json!(TAGS_MAX);
    tags
}

pub(super) fn signing() -> Value {
    let mut store = named("(?:file:[^~].*|ssm:(?:/[A-Za-z0-9_.-]+){1,14})");
    store["not"] = json!({ "pattern": RESERVED_PARAMETER });
    let store = filled(store);
    let generated = table([
        ("bits", about("Key length", json!({ "enum": BITS }))),
        ("store", about("Where the private half is kept", store)),
    ]);
    let names = json!({ "pattern": "^[A-Za-z0-9:_-]{1,128}$" });
    let mut keys = texts(&names, &reference(None));
    keys["minProperties"] = json!(1);
    let public = table([("keys", about("Key name and PEM file of each public key", keys))]);
    let mut signing = table([
        ("generated", about("We make the RSA pair", generated)),
        ("public", about("Others hold the private halves", public)),
        ("off", about("AWS IoT checks no token signature", table([]))),
    ]);
    signing["maxProperties"] = json!(1);
    signing
}

pub(super) fn token() -> Value {
    let types = json!({ "type": "array", "items": any_text(), "uniqueItems": true, "minItems": 1,
                        "maxItems": ELEMENTS_MAX });
    let scope = json!({ "type": "string", "minLength": 1, "maxLength": TEXT_LENGTH_MAX,
                        "pattern": "^[^ \\u0000-\\u001f\\u007f-\\u009f]+$" });
    let require = texts(&json!({ "minLength": 1, "maxLength": TEXT_LENGTH_MAX }), &text());
    let leeway = json!({ "type": "integer", "minimum": 0, "maximum": LEEWAY_MAX_SECONDS });
    let hs256 = table([
        ("secret", about("Where the secret is: env:NAME, file:PATH or ssm:NAME", secret("local:hs256"))),
        ("encoding", about("How its text becomes bytes", choice(&["base64", "utf8"]))),
        ("allow_short_secret", about("Take a secret under 32 bytes", json!({ "type": "boolean" }))),
        ("in_environment", about("The function's environment holds the secret", json!({ "const": true }))),
    ]);
    let mut rs256 = table([
        ("pem", about("The provider's one public key", reference(None))),
        ("jwks", about("The provider's key set", reference(Some("local:jwks")))),
    ]);
    rs256["not"] = json!({ "required": ["pem", "jwks"] });
    let mut token = table([
        ("issuer", about("The exact `iss`", filled(named(ADDRESS)))),
        ("audience", about("Any of these must be in the audience", some(&text()))),
        ("audience_claims", about("Where the audience stands, first present wins", some(&text()))),
        ("scopes", about("All of these must be in the scope", list(&scope))),
        ("scope_claims", about("Where scopes stand, first present wins", some(&text()))),
        ("types", about("Header `typ` of an access token; \"\" is none", types)),
        ("require", about("Claims that must equal these texts", require)),
        ("leeway_s", about("Tolerance for clocks, in seconds", leeway)),
        ("strict_expiry", about("Deny MQTT in a token's last 5 minutes", json!({ "type": "boolean" }))),
        ("hs256", about("A secret shared with the provider", hs256)),
        ("rs256", about("The provider's public keys", rs256)),
    ]);
    token["not"] = json!({ "required": ["hs256", "rs256"] });
    token
}

pub(super) fn identity() -> Value {
    let names = json!({ "not": { "enum": OWN_PARAMETERS } });
    let mut identity = table([
        ("device_url", about("The device authorization endpoint", filled(named(ADDRESS)))),
        ("token_url", about("The token endpoint", filled(named(ADDRESS)))),
        ("client_id", about("The OAuth client of the devices", text())),
        ("client_secret", about("Where its secret is; none for a public client", secret("local:client"))),
        ("scope", about("Scopes to ask for, with spaces between", any_text())),
        ("dialect", about("Which device flow", choice(&["auto", "rfc8628", "openam-legacy"]))),
        ("client_auth", about("How the client authenticates", choice(&["post", "basic", "none"]))),
        ("extra", about("Further parameters of the device request", texts(&names, &any_text()))),
    ]);
    identity["not"] = json!({ "required": ["client_auth", "client_secret"],
                              "properties": { "client_auth": { "const": "none" } } });
    identity
}

pub(super) fn allow() -> Value {
    let plain = format!("(?:{LETTER}|{CLAIM}/)*(?:{CLAIM})?");
    let connect = format!("(?:{plain}|(?:{LETTER}|{CLAIM}/)*{CLAIM}/(?:(?:{LETTER}|{CLAIM}/)*/)?\\*)");
    let level = format!("(?:\\+|(?:{LETTER_OF_LEVEL})*(?:{CLAIM})?)");
    let subscribe = format!("(?:{level}/)*(?:{level}|#)");
    // At most 7 slashes besides those in the names of claims.
    let shallow = "^(?:(?:[^/{}]|\\{[^}]*\\})*/){0,7}(?:[^/{}]|\\{[^}]*\\})*$";
    let entry = |pattern: &str, length_max: usize, also: &str| {
        let mut entry = named(pattern);
        entry["minLength"] = json!(1);
        entry["maxLength"] = json!(length_max);
        entry["allOf"] = json!([{ "pattern": also }]);
        filled(entry)
    };
    let mut one = table([
        ("connect", about("MQTT client ids", list(&entry(&connect, 128, PLAIN)))),
        ("publish", about("Topics it may publish to", list(&entry(&plain, 256, shallow)))),
        (
            "subscribe",
            about("Topic filters; implies receiving there", list(&entry(&subscribe, 256, shallow))),
        ),
    ]);
    let given = |key: &str| json!({ "required": [key], "properties": { key: { "minItems": 1 } } });
    one["anyOf"] = json!([given("connect"), given("publish"), given("subscribe")]);
    json!({ "type": "array", "items": one, "minItems": 1, "maxItems": 64 })
}

pub(super) fn authorizer() -> Value {
    let taken = "^([xX]-[aA][mM][zZ]-|([cC][oO][nN][nN][eE][cC][tT][iI][oO][nN]|[hH][oO][sS][tT]|[qQ][oO][sS]|\
                 [cC][oO][nN][tT][eE][nN][tT]-([lL][eE][nN][gG][tT][hH]|[tT][yY][pP][eE])|\
                 [tT][rR][aA][nN][sS][fF][eE][rR]-[eE][nN][cC][oO][dD][iI][nN][gG])$)";
    let mut key = named("[A-Za-z0-9_-]{1,128}");
    key["not"] = json!({ "pattern": taken });
    table([
        ("name", about("Its name in the account and Region", filled(named("[A-Za-z0-9_=,@-]{1,128}")))),
        ("token_key_name", about("The header or parameter that carries the token", filled(key))),
        ("default", about("One per account and Region", json!({ "type": "boolean" }))),
        ("http_caching", about("Keep an answer as long as an HTTP connection", json!({ "type": "boolean" }))),
    ])
}

pub(super) fn function() -> Value {
    let path = filled(named("(?:file:)?[^~].*"));
    let mut function = table([
        ("architecture", about("The processor", choice(&["x86_64", "arm64"]))),
        ("memory_mb", about("Memory", json!({ "type": "integer", "minimum": 128, "maximum": 10_240 }))),
        ("log_retention_days", about("How long logs are kept", json!({ "enum": RETENTION_DAYS }))),
        ("source", about("The authorizer's sources", path.clone())),
        ("bootstrap", about("A ready binary, instead of a build", path)),
    ]);
    function["not"] = json!({ "required": ["source", "bootstrap"] });
    function
}
