//! What parameters may be. Source: the shapes of botocore 1.43.11, `sts/2011-06-15/service-2.json`.

use crate::control::ServiceError;
use crate::control::iam::{TAG_KEY, TAG_VALUE};
use crate::control::protocol::query::Form;
use crate::control::validate::{Checks, Text};

const ARN: Text = Text {
    length_min: 20,
    length_max: 2048,
    pattern: Some((
        r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
        is_printable,
    )),
};
const NAME: Text = Text { length_min: 2, length_max: 64, pattern: Some((r"[\w+=,.@-]*", is_name)) };
const EXTERNAL_ID: Text =
    Text { length_min: 2, length_max: 1224, pattern: Some((r"[\w+=,.@:\/-]*", is_external_id)) };
const SERIAL_NUMBER: Text =
    Text { length_min: 9, length_max: 256, pattern: Some((r"[\w+=/:,.@-]*", is_external_id)) };
const TOKEN_CODE: Text = Text {
    length_min: 6,
    length_max: 6,
    pattern: Some((r"[\d]*", |text| text.bytes().all(|byte| byte.is_ascii_digit()))),
};
const POLICY: Text = Text {
    length_min: 1,
    length_max: 131_072,
    pattern: Some((r"[\u0009\u000A\u000D\u0020-\u00FF]+", is_document)),
};
/// With a web identity a policy is shorter.
const WEB_POLICY: Text = Text { length_max: 2048, ..POLICY };
const ASSERTION: Text = Text { length_min: 4, length_max: 2048, pattern: None };
const WEB_TOKEN: Text = Text { length_min: 4, length_max: 20_000, pattern: None };
const URL: Text = Text { length_min: 4, length_max: 2048, pattern: None };
/// Seconds that a session may last, and how long it lasts when nothing is said.
const DURATION: (i64, i64) = (900, 43_200);
const DURATION_DEFAULT: i64 = 3600;
/// Entries of `Tags` and `TransitiveTagKeys`, and of `ProvidedContexts`.
const TAGS_MAX: usize = 50;
const CONTEXTS_MAX: usize = 5;
/// What changes a session, and is not taken here: a session that has other rights than was asked for would
/// prove nothing.
const NOT_TAKEN: [&str; 8] = [
    "Policy",
    "PolicyArns",
    "Tags",
    "TransitiveTagKeys",
    "SerialNumber",
    "TokenCode",
    "SourceIdentity",
    "ProvidedContexts",
];

fn is_printable(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|one| matches!(one, '\t' | '\n' | '\r' | '\u{85}') || !one.is_control())
}

/// `\w` of these patterns is ASCII.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

fn is_external_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte))
}

fn is_document(text: &str) -> bool {
    text.chars().all(|character| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
}

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) role_arn: &'a str,
    pub(super) session_name: &'a str,
    /// How long it is to last.
    pub(super) seconds: i64,
    pub(super) external_id: Option<&'a str>,
    /// Of a web identity; empty without.
    pub(super) token: &'a str,
}

/// The parameters of `AssumeRole`.
pub(super) fn role(form: &Form) -> Result<Wanted<'_>, ServiceError> {
    let mut checks = Checks::default();
    let mut wanted = common(&mut checks, form, &POLICY)?;
    wanted.external_id = checks.optional("externalId", form.get("ExternalId"), &EXTERNAL_ID);
    checks.optional("serialNumber", form.get("SerialNumber"), &SERIAL_NUMBER);
    checks.optional("tokenCode", form.get("TokenCode"), &TOKEN_CODE);
    checks.optional("sourceIdentity", form.get("SourceIdentity"), &NAME);
    let tags = form.structures("Tags", ["Key", "Value"]);
    most(&mut checks, "tags", tags.len(), TAGS_MAX);
    for (index, [key, value]) in tags.into_iter().enumerate() {
        let place = format!("tags.{}.member", index + 1);
        checks.required(&format!("{place}.key"), key, &TAG_KEY);
        checks.required(&format!("{place}.value"), value, &TAG_VALUE);
    }
    let transitive: Vec<String> = form.strings("TransitiveTagKeys").into_iter().map(str::to_owned).collect();
    checks.list("transitiveTagKeys", &transitive, (0, TAGS_MAX), &TAG_KEY);
    let contexts = form.structures("ProvidedContexts", ["ProviderArn", "ContextAssertion"]);
    if form.get("ProvidedContexts") == Some("") {
        checks.fail("providedContexts", "[]", "Member must have length greater than or equal to 1");
    }
    most(&mut checks, "providedContexts", contexts.len(), CONTEXTS_MAX);
    for (index, [arn, assertion]) in contexts.into_iter().enumerate() {
        let place = format!("providedContexts.{}.member", index + 1);
        checks.optional(&format!("{place}.providerArn"), arn, &ARN);
        checks.optional(&format!("{place}.contextAssertion"), assertion, &ASSERTION);
    }
    end(checks, form)?;
    Ok(wanted)
}

/// The parameters of `AssumeRoleWithWebIdentity`.
pub(super) fn with_web_identity(form: &Form) -> Result<Wanted<'_>, ServiceError> {
    let mut checks = Checks::default();
    let mut wanted = common(&mut checks, form, &WEB_POLICY)?;
    // The token is not repeated in a refusal.
    match form.get("WebIdentityToken").map(|token| token.chars().count()) {
        None => checks.missing("webIdentityToken"),
        Some(length) if length < WEB_TOKEN.length_min => {
            let least = format!("Member must have length greater than or equal to {}", WEB_TOKEN.length_min);
            checks.fail("webIdentityToken", "***", &least);
        }
        Some(length) if length > WEB_TOKEN.length_max => {
            let most = format!("Member must have length less than or equal to {}", WEB_TOKEN.length_max);
            checks.fail("webIdentityToken", "***", &most);
        }
        Some(_) => wanted.token = form.get("WebIdentityToken").unwrap_or_default(),
    }
    checks.optional("providerId", form.get("ProviderId"), &URL);
    end(checks, form)?;
    if form.get("ProviderId").is_some() {
        // Source: `ProviderId` of the API Reference: "Do not specify this value for OpenID Connect".
        let text = "The ProviderId is only for OAuth 2.0 access tokens, which are not taken here.";
        return Err(ServiceError::new(400, "ValidationError", text));
    }
    Ok(wanted)
}

fn common<'a>(checks: &mut Checks, form: &'a Form, policy: &Text) -> Result<Wanted<'a>, ServiceError> {
    let role_arn = checks.required("roleArn", form.get("RoleArn"), &ARN);
    let session_name = checks.required("roleSessionName", form.get("RoleSessionName"), &NAME);
    let (least, longest) = DURATION;
    let seconds = checks
        .number("durationSeconds", form.number("DurationSeconds")?, least, longest)
        .unwrap_or(DURATION_DEFAULT);
    checks.optional("policy", form.get("Policy"), policy);
    for (index, [arn]) in form.structures("PolicyArns", ["arn"]).into_iter().enumerate() {
        checks.optional(&format!("policyArns.{}.member.arn", index + 1), arn, &ARN);
    }
    Ok(Wanted { role_arn, session_name, seconds, external_id: None, token: "" })
}

fn most(checks: &mut Checks, member: &str, count: usize, most: usize) {
    if count > most {
        checks.fail(member, "[...]", &format!("Member must have length less than or equal to {most}"));
    }
}

fn end(checks: Checks, form: &Form) -> Result<(), ServiceError> {
    checks.finish("ValidationError")?;
    match NOT_TAKEN.iter().find(|name| form.has(name)) {
        None => Ok(()),
        Some(name) => {
            Err(ServiceError::new(400, "ValidationError", format!("The local target does not take {name}.")))
        }
    }
}
