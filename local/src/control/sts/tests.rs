//! Sessions, through the whole target: what is signed by whom, and what it may do then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::control::sigv4;
use crate::{Credentials, Options, Request, Response, Target};

const ROLE: &str = "arn:aws:iam::000000000000:role/deploy";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "repo:Octo-Org/octo-repo:ref:refs/heads/main";
/// 2015-08-30T12:36:00Z.
const NOW: u64 = 1_440_938_160;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn target() -> Target {
    Target::in_memory(Clock::from_source(now), Options::default())
}

/// Credentials and their token.
type Key = (Credentials, Option<String>);

fn user(target: &Target) -> Key {
    (target.credentials(), None)
}

fn request(parameters: &[(&str, &str)]) -> Request {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    http::Request::post("http://localhost/").body(Bytes::from(form)).unwrap()
}

fn signed(target: &Target, (credentials, token): &Key, service: &str, mut request: Request) -> Response {
    if let Some(token) = token {
        request.headers_mut().insert("x-amz-security-token", token.parse().unwrap());
    }
    sigv4::sign(&mut request, credentials, service, "eu-west-1", target.clock().now());
    target.control(request)
}

fn sts(target: &Target, key: &Key, parameters: &[(&str, &str)]) -> String {
    let version = [("Version", super::VERSION)];
    text(&signed(target, key, "sts", request(&[&version, parameters].concat())))
}

fn iam(target: &Target, key: &Key, parameters: &[(&str, &str)]) -> String {
    let version = [("Version", "2010-05-08")];
    text(&signed(target, key, "iam", request(&[&version, parameters].concat())))
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

/// The text of an element, or of the refusal.
fn element<'a>(answer: &'a str, name: &str) -> &'a str {
    let after = answer.split_once(&format!("<{name}>")).map(|(_, after)| after);
    after.and_then(|after| after.split_once("</")).map_or("", |(text, _)| text)
}

fn key(answer: &str) -> Key {
    let credentials = Credentials {
        access_key_id: element(answer, "AccessKeyId").to_owned(),
        secret_access_key: element(answer, "SecretAccessKey").to_owned(),
    };
    (credentials, Some(element(answer, "SessionToken").to_owned()))
}

/// Code and text of a refusal.
fn refusal(answer: &str) -> (&str, &str) {
    (element(answer, "Code"), element(answer, "Message"))
}

fn create_role(target: &Target, name: &str, statements: &Value) {
    let trust = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let parameters = [("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", &trust)];
    let answer = iam(target, &user(target), &parameters);
    assert!(answer.contains("<CreateRoleResult>"), "{answer}");
}

fn allow(target: &Target, role: &str, actions: &Value) {
    let statement = json!([{ "Effect": "Allow", "Action": actions, "Resource": "*" }]);
    let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    let parameters =
        [("Action", "PutRolePolicy"), ("RoleName", role), ("PolicyName", "p"), ("PolicyDocument", &policy)];
    assert_eq!(refusal(&iam(target, &user(target), &parameters)), ("", ""));
}

fn account() -> Value {
    json!([{ "Effect": "Allow", "Principal": { "AWS": "000000000000" }, "Action": "sts:AssumeRole" }])
}

fn assume(target: &Target, key: &Key, more: &[(&str, &str)]) -> String {
    let parameters = [("Action", "AssumeRole"), ("RoleArn", ROLE), ("RoleSessionName", "run-1")];
    sts(target, key, &[&parameters, more].concat())
}

#[test]
fn a_session_is_the_role_and_may_do_what_the_role_may() {
    let target = target();
    create_role(&target, "deploy", &account());
    allow(&target, "deploy", &json!(["iam:GetRole"]));
    let answer = assume(&target, &user(&target), &[]);
    assert_eq!(element(&answer, "Expiration"), "2015-08-30T13:36:00Z");
    let session = key(&answer);
    let who = sts(&target, &session, &[("Action", "GetCallerIdentity")]);
    assert_eq!(element(&who, "Arn"), "arn:aws:sts::000000000000:assumed-role/deploy/run-1");
    assert!(element(&who, "UserId").starts_with("AROA") && element(&who, "UserId").ends_with(":run-1"));
    let get = [("Action", "GetRole"), ("RoleName", "deploy")];
    assert_eq!(refusal(&iam(&target, &session, &get)), ("", ""));
    let delete = iam(&target, &session, &[("Action", "DeleteRole"), ("RoleName", "deploy")]);
    assert_eq!(element(&delete, "Code"), "AccessDenied");
    assert_eq!(
        element(&delete, "Message"),
        "User: arn:aws:sts::000000000000:assumed-role/deploy/run-1 is not authorized to perform: iam:DeleteRole on \
         resource: arn:aws:iam::000000000000:role/deploy because no identity-based policy allows the iam:DeleteRole action"
    );
}

#[test]
fn credentials_end_and_none_is_made_up() {
    let target = target();
    create_role(&target, "deploy", &account());
    let session = key(&assume(&target, &user(&target), &[("DurationSeconds", "900")]));
    let who = |key: &Key| {
        let answer = sts(&target, key, &[("Action", "GetCallerIdentity")]);
        element(&answer, "Code").to_owned()
    };
    let (credentials, token) = session.clone();
    assert_eq!(who(&(credentials.clone(), None)), "InvalidClientTokenId");
    let other = key(&assume(&target, &user(&target), &[]));
    assert_eq!(who(&(credentials.clone(), other.1)), "InvalidClientTokenId");
    assert_eq!(who(&(target.credentials(), token.clone())), "InvalidClientTokenId");
    let secret = Credentials { secret_access_key: "x".repeat(40), ..credentials };
    assert_eq!(who(&(secret, token)), "SignatureDoesNotMatch");

    target.clock().advance(899_000);
    assert_eq!(who(&session), "");
    target.clock().advance(1000);
    assert_eq!(who(&session), "ExpiredToken");
    let call = http::Request::get("http://localhost/2015-03-31/functions").body(Bytes::new()).unwrap();
    let refused = signed(&target, &session, "lambda", call);
    assert_eq!(
        (refused.status(), &refused.headers()["x-amzn-errortype"]),
        (http::StatusCode::FORBIDDEN, &"ExpiredTokenException".parse().unwrap())
    );

    let session = key(&assume(&target, &user(&target), &[]));
    assert_eq!(who(&session), "");
    iam(&target, &user(&target), &[("Action", "DeleteRole"), ("RoleName", "deploy")]);
    create_role(&target, "deploy", &account());
    assert_eq!(who(&session), "InvalidClientTokenId", "the role was made again: it is another role");
}

#[test]
fn the_trust_policy_decides_who_may() {
    const DENIED: &str = "User: arn:aws:iam::000000000000:user/local is not authorized to perform: sts:AssumeRole on \
                          resource: arn:aws:iam::000000000000:role/deploy";
    let external = |id: &str| {
        json!([{ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::000000000000:user/local" },
            "Action": "sts:AssumeRole", "Condition": { "StringEquals": { "sts:ExternalId": id } } }])
    };
    let deny = json!([account()[0], { "Effect": "Deny", "Principal": "*", "Action": "sts:*",
        "Condition": { "DateLessThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } } }]);
    let service = json!([{ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }]);
    for (statements, parameters, code) in [
        (account(), &[][..], ""),
        (account(), &[("DurationSeconds", "3601")], "ValidationError"),
        (account(), &[("DurationSeconds", "899")], "ValidationError"),
        (account(), &[("Policy", "{}")], "ValidationError"),
        (external("Shop-1"), &[("ExternalId", "Shop-1")], ""),
        (external("Shop-1"), &[("ExternalId", "shop-1")], "AccessDenied"),
        (external("Shop-1"), &[], "AccessDenied"),
        (deny, &[], "AccessDenied"),
        (service, &[], "AccessDenied"),
    ] {
        let target = target();
        create_role(&target, "deploy", &statements);
        let answer = assume(&target, &user(&target), parameters);
        assert_eq!(element(&answer, "Code"), code, "{statements} {parameters:?} {answer}");
        assert!(code != "AccessDenied" || element(&answer, "Message") == DENIED, "{answer}");
    }
    let answer = assume(&target(), &user(&target()), &[]);
    assert_eq!(element(&answer, "Code"), "InvalidClientTokenId");
    let target = target();
    assert_eq!(
        refusal(&assume(&target, &user(&target), &[])),
        ("AccessDenied", DENIED),
        "there is no such role"
    );
}

#[test]
fn a_chain_needs_both_sides_and_lasts_an_hour() {
    let target = target();
    create_role(&target, "first", &account());
    create_role(&target, "deploy", &account());
    let first = sts(
        &target,
        &user(&target),
        &[
            ("Action", "AssumeRole"),
            ("RoleArn", "arn:aws:iam::000000000000:role/first"),
            ("RoleSessionName", "run-1"),
        ],
    );
    let first = key(&first);
    assert_eq!(element(&assume(&target, &first, &[]), "Code"), "AccessDenied");
    allow(&target, "first", &json!(["sts:AssumeRole"]));
    assert_eq!(element(&assume(&target, &first, &[]), "Code"), "");
    let long = assume(&target, &first, &[("DurationSeconds", "3601")]);
    assert_eq!(
        refusal(&long),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    );
}

/// A provider's pair.
struct Provider(KeyPair);

impl Provider {
    fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The provider in the account. The key's numbers are read from its DER form (RFC 8017 A.1.1): behind a
    /// head of 9 bytes stand 256 of the modulus, behind 2 more 3 of the exponent.
    fn register(&self, target: &Target) {
        let der = self.0.public_key().as_der().unwrap();
        let spki = der.as_ref();
        let modulus = &spki[spki.len() - 256 - 5..spki.len() - 5];
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let issuer = json!({ "issuer": ISSUER, "client_ids": ["sts.amazonaws.com"],
            "jwks": { "keys": [{ "kty": "RSA", "kid": "k", "n": encode(modulus), "e": encode(&[1, 0, 1]) }] } });
        target.issuers().put(serde_json::from_value(issuer).unwrap()).unwrap();
    }

    fn token(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(head), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": SUBJECT, "aud": "sts.amazonaws.com", "exp": NOW + 300 })
}

/// The trust of "Configuring `OpenID` Connect in Amazon Web Services" of GitHub's documentation.
fn trusts_github(subject: &str) -> Value {
    json!([{ "Effect": "Allow",
        "Principal": { "Federated": "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com" },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
            "StringLike": { "token.actions.githubusercontent.com:sub": subject } } }])
}

fn with_token(target: &Target, token: &str) -> String {
    let parameters = [
        ("Version", super::VERSION),
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "run-1"),
        ("WebIdentityToken", token),
    ];
    text(&target.control(request(&parameters)))
}

#[test]
fn a_token_of_a_known_provider_is_enough() {
    let (target, provider) = (target(), Provider::new());
    provider.register(&target);
    create_role(&target, "deploy", &trusts_github("repo:Octo-Org/octo-repo:*"));
    let head = json!({ "alg": "RS256", "kid": "k" });
    let answer = with_token(&target, &provider.token(&head, &claims()));
    assert_eq!(element(&answer, "Provider"), ISSUER, "{answer}");
    assert_eq!(element(&answer, "SubjectFromWebIdentityToken"), SUBJECT);
    let who = sts(&target, &key(&answer), &[("Action", "GetCallerIdentity")]);
    assert_eq!(element(&who, "Arn"), "arn:aws:sts::000000000000:assumed-role/deploy/run-1");
    // Any other call without a signature stays refused.
    let unsigned = text(&target.control(request(&[("Version", super::VERSION), ("Action", "AssumeRole")])));
    assert_eq!(element(&unsigned, "Code"), "MissingAuthenticationToken");
}

#[test]
fn a_token_is_refused_for_what_is_wrong_with_it() {
    let (target, provider) = (target(), Provider::new());
    provider.register(&target);
    // Names are case-exact, which is what people meet.
    create_role(&target, "deploy", &trusts_github("repo:octo-org/octo-repo:*"));
    let good = json!({ "alg": "RS256", "kid": "k" });
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        provider.token(&good, &claims)
    };
    let mut altered = provider.token(&good, &claims()).into_bytes();
    let place = altered.len() - 40;
    altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
    for (token, code, said) in [
        (
            provider.token(&good, &claims()),
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        (with("exp", json!(NOW)), "ExpiredTokenException", "current date/time 1440938160 must be before"),
        (with("aud", json!(["other"])), "InvalidIdentityToken", "Incorrect token audience"),
        (
            with("iss", json!("https://x.example")),
            "InvalidIdentityToken",
            "in your account for https://x.example",
        ),
        (with("sub", Value::Null), "InvalidIdentityToken", "Missing a required claim: sub"),
        (String::from_utf8(altered).unwrap(), "InvalidIdentityToken", "signature"),
        (
            provider.token(&json!({ "alg": "none", "kid": "k" }), &claims()),
            "InvalidIdentityToken",
            "verification key",
        ),
        (
            provider.token(&json!({ "alg": "RS256", "kid": "x" }), &claims()),
            "InvalidIdentityToken",
            "verification key",
        ),
        ("abcd".to_owned(), "InvalidIdentityToken", "not a valid JWT"),
        ("abc".to_owned(), "ValidationError", "webIdentityToken"),
    ] {
        let answer = with_token(&target, &token);
        let (found, text) = refusal(&answer);
        assert!(found == code && text.contains(said), "{code}: {answer}");
        assert!(!answer.contains(&token), "a refusal repeats no token");
    }
}
