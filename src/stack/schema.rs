//! The stack file as a JSON Schema, for editors: completion, hover and mistakes while one types.
//!
//! It takes every stack file that [`super::read`] takes. It refuses what a schema can say; the rest, such as
//! the size of the whole policy, is for `validate`. Draft 7, which the TOML plug-ins of editors know.

mod tables;

use serde_json::{Map, Value, json};

use super::model::AwsService;
use super::reader::{ELEMENTS_MAX, TEXT_LENGTH_MAX};
use super::regions::REGIONS;
use tables::{allow, authorizer, function, identity, signing, tags, token, vars};

/// No control characters.
const PLAIN: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// A text with a variable in it: what it comes to is for `validate`.
const WITH_VARIABLE: &str = "\\$\\{var\\.[a-z][a-z0-9_]{0,63}\\}|\\$\\$\\{";

/// The schema.
pub fn schema() -> Value {
    let properties = object([
        ("extends", about("The file that this one lies over; it begins at this file's folder", plain_text())),
        ("vars", about("Defaults of the variables of `--var`", vars())),
        ("name", about("Every resource name derives from it", filled(named("[a-z0-9-]{1,100}")))),
        ("target", about("Where the stack lives: the AWS in this binary, or AWS", choice(&["local", "aws"]))),
        ("region", about("Any Region that has AWS IoT", choice(&REGIONS))),
        ("account", about("The one account that the stack may be deployed to", filled(named("[0-9]{12}")))),
        (
            "protect",
            about("Whether `destroy` and the like are refused; true for aws", json!({"type": "boolean"})),
        ),
        ("aws", about("How AWS is reached", aws())),
        ("tags", about("Tags for every resource that takes some", tags())),
        ("signing", about("Who signs tokens for AWS IoT", signing())),
        ("token", about("Which access tokens are good", token())),
        ("identity", about("Where devices log in", identity())),
        ("allow", about("What a good token may do", allow())),
        ("authorizer", about("The AWS IoT authorizer", authorizer())),
        ("function", about("The Lambda function that decides", function())),
    ]);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "thinggate stack file",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "allOf": [
            // What a file that extends another one lacks may be there.
            { "if": { "not": { "required": ["extends"] } }, "then": whole() },
            { "if": target("aws"), "then": of_aws() },
            { "if": target("local"), "then": { "properties": { "aws": without(&["endpoints", "assume_role"]) } } },
            { "not": { "required": ["authorizer", "token"], "properties": {
                "authorizer": is_true("http_caching"), "token": is_true("strict_expiry") } } },
        ],
    })
}

/// What a file that stands alone must have.
fn whole() -> Value {
    let of_every_token = "^$|^([aA][pP][pP][lL][iI][cC][aA][tT][iI][oO][nN]/)?[jJ][wW][tT]$";
    json!({
        "required": ["name", "target", "region", "token", "allow"],
        "properties": {
            "token": {
                "required": ["issuer", "audience"],
                "oneOf": [{ "required": ["hs256"] }, { "required": ["rs256"] }],
                // A refresh token is a JWT too: something has to tell it from an access token.
                "anyOf": [
                    { "required": ["require"], "properties": { "require": { "minProperties": 1 } } },
                    { "required": ["types"], "properties": {
                        "types": { "items": { "not": { "pattern": of_every_token } } } } },
                ],
                "properties": {
                    "hs256": { "required": ["secret", "in_environment"] },
                    "rs256": { "oneOf": [{ "required": ["pem"] }, { "required": ["jwks"] }] },
                },
            },
            "identity": {
                "required": ["device_url", "token_url", "client_id"],
                "if": { "required": ["client_auth"],
                        "properties": { "client_auth": { "enum": ["post", "basic"] } } },
                "then": { "required": ["client_secret"] },
            },
            "signing": { "minProperties": 1, "properties": { "public": { "required": ["keys"] } } },
        },
    })
}

/// What `target = "aws"` adds, wherever the rest stands.
fn of_aws() -> Value {
    let embedded = json!({ "not": { "pattern": "^https?://identity\\.thinggate\\.local([:/?]|$)" } });
    let loopback = "localhost|[a-z0-9.-]+\\.localhost|127(\\.[0-9]+){3}|\\[::1\\]";
    let secure = json!({ "allOf": [
        embedded,
        { "anyOf": [{ "pattern": format!("^https://|^http://({loopback})([:/?]|$)") },
                    { "pattern": WITH_VARIABLE }] },
    ] });
    let not = |word: &str| json!({ "not": { "const": word } });
    json!({
        "if": { "not": { "required": ["extends"] } },
        "then": { "required": ["account"] },
        "properties": {
            "token": { "properties": {
                "issuer": embedded,
                "hs256": { "properties": { "secret": not("local:hs256") } },
                "rs256": { "properties": { "jwks": not("local:jwks") } },
            } },
            "identity": { "properties": {
                "device_url": secure,
                "token_url": secure,
                "client_secret": not("local:client"),
            } },
        },
    })
}

fn target(word: &str) -> Value {
    json!({ "required": ["target"], "properties": { "target": { "const": word } } })
}

fn is_true(key: &str) -> Value {
    json!({ "required": [key], "properties": { key: { "const": true } } })
}

fn without(keys: &[&str]) -> Value {
    let none: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!(false))).collect();
    json!({ "properties": none })
}

fn aws() -> Value {
    let endpoint = filled(json!({
        "type": "string",
        "pattern": "^https://[^/?#@ \\\\]+/?$|^http://(localhost|[a-z0-9.-]+\\.localhost|127(\\.[0-9]+){3}|\\[::1\\])(:[0-9]+)?/?$",
    }));
    let endpoints: Map<String, Value> =
        AwsService::ALL.iter().map(|service| (service.as_str().to_owned(), endpoint.clone())).collect();
    table([
        ("profile", about("A profile of the shared AWS configuration files", text())),
        (
            "endpoints",
            about("Services that are asked elsewhere, such as at a VPC endpoint", closed(endpoints)),
        ),
        ("assume_role", about("Roles that are assumed, one after the other", tables::assume_role())),
    ])
}

/// A table with these keys and no other.
fn table<const N: usize>(keys: [(&str, Value); N]) -> Value {
    closed(object(keys))
}

fn closed(properties: Map<String, Value>) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": false });
    schema["properties"] = Value::Object(properties);
    schema
}

fn object<const N: usize>(keys: [(&str, Value); N]) -> Map<String, Value> {
    keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The same schema with words for a person.
fn about(words: &str, mut schema: Value) -> Value {
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), words.into());
    }
    schema
}

/// A text without a variable.
fn plain_text() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": TEXT_LENGTH_MAX,
            "pattern": "^(?:[^~$\\u0000-\\u001f\\u007f-\\u009f]|\\$(?:[^{]|$))(?:[^$\\u0000-\\u001f\\u007f-\\u009f]|\\$(?:[^{]|$))*$" })
}

/// Any text; a variable in it is filled in.
fn text() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": TEXT_LENGTH_MAX, "pattern": PLAIN })
}

/// A text that matches this pattern whole.
fn named(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{pattern}$") })
}

/// The same, or a text with a variable.
fn filled(schema: Value) -> Value {
    let with_variable = json!({ "type": "string", "pattern": WITH_VARIABLE });
    json!({ "anyOf": Value::Array(vec![schema, with_variable]) })
}

fn choice(words: &[&str]) -> Value {
    filled(json!({ "enum": words }))
}

/// A list of texts, each once.
fn list(element: &Value) -> Value {
    json!({ "type": "array", "items": element, "uniqueItems": true, "maxItems": ELEMENTS_MAX })
}

/// The same, not empty.
fn some(element: &Value) -> Value {
    let mut list = list(element);
    list["minItems"] = json!(1);
    list
}

#[cfg(test)]
mod tests;
