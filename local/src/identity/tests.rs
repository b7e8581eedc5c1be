//! The provider through its one function, as devices and browsers see it.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::keys::Algorithm;
use super::*;

const URN: &str = "urn:ietf:params:oauth:grant-type:device_code";
const OLD: &str = "http://oauth.net/grant_type/device/1.0";

/// A provider whose time stands still until it is moved.
struct World {
    provider: Provider,
    clock: Clock,
}

fn world() -> World {
    let start = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let clock = Clock::from_source(move || start);
    let provider = Provider::in_memory().stamping_with(clock.clone());
    World { provider, clock }
}

/// Status and JSON.
type Outcome = (u16, Value);

impl World {
    fn send(&self, request: http::request::Builder, body: &str) -> Response {
        self.provider.handle(&request.body(Bytes::from(body.to_owned())).unwrap(), self.clock.now())
    }

    fn post(&self, path: &str, form: &[(&str, &str)]) -> Outcome {
        self.post_as(path, form, None)
    }

    fn post_as(&self, path: &str, form: &[(&str, &str)], authorization: Option<&str>) -> Outcome {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = http::Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = self.send(request, &body);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    fn begin(&self, dialect: Dialect, client: &str) -> Value {
        let secret = self.provider.client_secret();
        let form = [
            ("client_id", client),
            ("client_secret", secret.as_str()),
            ("scope", "mail cn"),
            ("response_type", "token"),
        ];
        let (status, answer) = self.post(&format!("{}/device/code", dialect.prefix()), &form);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn poll(&self, dialect: Dialect, client: &str, device_code: &str) -> Outcome {
        let secret = self.provider.client_secret();
        let name = if dialect == Dialect::Rfc8628 { "device_code" } else { "code" };
        let form = [
            ("grant_type", dialect.device_grant()),
            (name, device_code),
            ("client_id", client),
            ("client_secret", secret.as_str()),
        ];
        self.post(&format!("{}/access_token", dialect.prefix()), &form)
    }

    fn browser(&self, dialect: Dialect) -> Browser<'_> {
        Browser { world: self, dialect, cookie: String::new(), csrf: String::new() }
    }

    /// The whole form, as the user.
    fn approve(&self, dialect: Dialect, user_code: &str, decision: &str) {
        let mut browser = self.browser(dialect);
        browser.open("");
        let (status, page) = browser.submit(&[("user_code", user_code)]);
        assert!(status == 200 && page.contains("name=\"password\""), "{status} {page}");
        let (_, page) = browser.submit(&[("username", USER), ("password", PASSWORD)]);
        assert!(page.contains("value=\"deny\""), "{page}");
        let (status, page) = browser.submit(&[("decision", decision)]);
        assert!(status == 200 && page.contains("You can close this page"), "{page}");
    }

    /// A whole flow; the token answer.
    fn log_in(&self, dialect: Dialect, client: &str) -> Value {
        let begun = self.begin(dialect, client);
        self.approve(dialect, text(&begun, "user_code"), "allow");
        let (status, tokens) = self.poll(dialect, client, text(&begun, "device_code"));
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    fn refresh(&self, dialect: Dialect, client: &str, token: &str) -> Outcome {
        let secret = self.provider.client_secret();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", client),
            ("client_secret", secret.as_str()),
        ];
        self.post(&format!("{}/access_token", dialect.prefix()), &form)
    }
}

/// Keeps the cookie and the hidden value, as a browser does.
struct Browser<'a> {
    world: &'a World,
    dialect: Dialect,
    cookie: String,
    csrf: String,
}

impl Browser<'_> {
    fn open(&mut self, query: &str) -> (u16, String) {
        let uri = format!("{}/device/user{query}", self.dialect.prefix());
        self.go(http::Request::builder().uri(uri), "")
    }

    fn submit(&mut self, fields: &[(&str, &str)]) -> (u16, String) {
        let csrf = self.csrf.clone();
        self.submit_with(fields, &csrf, |request| request)
    }

    fn submit_with(
        &mut self,
        fields: &[(&str, &str)],
        csrf: &str,
        more: impl FnOnce(http::request::Builder) -> http::request::Builder,
    ) -> (u16, String) {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.append_pair("csrf", csrf).extend_pairs(fields).finish();
        let request = http::Request::builder()
            .method("POST")
            .uri(format!("{}/device/user", self.dialect.prefix()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", format!("other=1; {}", self.cookie));
        self.go(more(request), &body)
    }

    fn go(&mut self, request: http::request::Builder, body: &str) -> (u16, String) {
        let answer = self.world.send(request, body);
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Strict"));
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        let page = String::from_utf8(answer.body().to_vec()).unwrap();
        if let Some((_, rest)) = page.split_once("name=\"csrf\" value=\"") {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
        (answer.status().as_u16(), page)
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("{member} in {value}"))
}

fn error(outcome: &Outcome) -> (u16, &str) {
    (outcome.0, text(&outcome.1, "error"))
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn the_rfc_answer_has_its_members() {
    let world = world();
    world.provider.set_public_base("http://127.0.0.1:4010/");
    let begun = world.begin(Dialect::Rfc8628, "deviceagent");
    let user_code = text(&begun, "user_code");
    assert_eq!((user_code.len(), &user_code[4..5]), (9, "-"));
    assert_eq!((&begun["expires_in"], &begun["interval"]), (&json!(300), &json!(5)));
    let page = "http://127.0.0.1:4010/oauth2/local/device/user";
    assert_eq!(begun["verification_uri"], page);
    assert_eq!(begun["verification_uri_complete"], format!("{page}?user_code={user_code}"));
    assert_eq!(begun["verification_url"], Value::Null);
}

#[test]
fn the_legacy_answer_is_that_of_openam_13() {
    // identity-providers 1.2: these five members, a UUID and eight characters.
    let world = world();
    let begun = world.begin(Dialect::OpenamLegacy, "deviceagent");
    let names: Vec<&str> = begun.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["device_code", "expires_in", "interval", "user_code", "verification_url"]);
    assert_eq!((text(&begun, "device_code").len(), text(&begun, "user_code").len()), (36, 8));
}

#[test]
fn a_flow_ends_in_two_tokens_of_different_kinds() {
    for dialect in Dialect::ALL {
        for (client, algorithm) in
            [("deviceagent", Algorithm::Hs256), ("deviceagent-rs256", Algorithm::Rs256)]
        {
            let world = world();
            let tokens = world.log_in(dialect, client);
            assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
            assert_eq!(tokens["scope"], "cn mail");
            let access = text(&tokens, "access_token");
            let (signed, signature) = access.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            assert!(world.provider.keys().verifies(algorithm, signed.as_bytes(), &signature));
            let claims_of_access = claims(access);
            assert_eq!(claims_of_access["iss"], ISSUER);
            assert_eq!(claims_of_access["aud"], client);
            assert_eq!(claims_of_access["tokenName"], "access_token");
            assert_eq!(claims(text(&tokens, "refresh_token"))["tokenName"], "refresh_token");
        }
    }
}

#[test]
fn polls_before_a_decision_and_after_a_refusal() {
    // RFC 8628 3.5; identity-providers 1.2.
    let rows = [
        (Dialect::Rfc8628, (400, "authorization_pending"), (400, "access_denied"), (400, "invalid_grant")),
        (
            Dialect::OpenamLegacy,
            (403, "authorization_pending"),
            (403, "authorization_declined"),
            (403, "authorization_declined"),
        ),
    ];
    for (dialect, pending, denied, gone) in rows {
        let world = world();
        let begun = world.begin(dialect, "deviceagent");
        let poll = || world.poll(dialect, "deviceagent", text(&begun, "device_code"));
        assert_eq!(error(&poll()), pending);
        assert_eq!(error(&poll()), (400, "slow_down"));
        world.approve(dialect, text(&begun, "user_code"), "deny");
        assert_eq!(error(&poll()), denied);
        assert_eq!(error(&poll()), gone);
        let other = world.begin(dialect, "deviceagent");
        let poll = world.poll(dialect, "deviceagent-rs256", text(&other, "device_code"));
        assert_eq!(error(&poll), (400, "invalid_grant"));
        world.clock.advance(300_000);
        let poll = world.poll(dialect, "deviceagent", text(&other, "device_code"));
        let expired = if dialect == Dialect::Rfc8628 { 400 } else { 401 };
        assert_eq!(error(&poll), (expired, "expired_token"));
    }
}

#[test]
fn a_device_code_is_redeemed_once_and_a_replay_revokes() {
    let world = world();
    let begun = world.begin(Dialect::Rfc8628, "deviceagent");
    world.approve(Dialect::Rfc8628, text(&begun, "user_code"), "allow");
    let poll = || world.poll(Dialect::Rfc8628, "deviceagent", text(&begun, "device_code"));
    let (_, tokens) = poll();
    assert_eq!(error(&poll()), (400, "invalid_grant"));
    let refreshed = world.refresh(Dialect::Rfc8628, "deviceagent", text(&tokens, "refresh_token"));
    assert_eq!(error(&refreshed), (400, "invalid_grant"));
}

/// Path, form, and the error it must give.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);

#[test]
fn requests_that_are_wrong() {
    let world = world();
    let secret = world.provider.client_secret();
    let (id, right) = (("client_id", "deviceagent"), ("client_secret", secret.as_str()));
    let wrong = ("client_secret", "wrong");
    let stranger = ("client_id", "nobody");
    let (urn, old) = (("grant_type", URN), ("grant_type", OLD));
    let rows: &[Row] = &[
        ("local/device/code", &[id], 401, "invalid_client"),
        ("local/device/code", &[id, wrong], 401, "invalid_client"),
        ("local/device/code", &[stranger, right], 401, "invalid_client"),
        ("local/device/code", &[id, right, ("scope", "mail nope")], 400, "invalid_scope"),
        ("local/device/code", &[id, id, right], 400, "invalid_request"),
        ("legacy/device/code", &[id, ("scope", "mail")], 400, "bad_request"),
        ("legacy/device/code", &[id, ("response_type", "token")], 400, "bad_request"),
        ("legacy/device/code", &[("scope", "mail"), ("response_type", "token")], 400, "bad_request"),
        (
            "legacy/device/code",
            &[stranger, ("scope", "mail"), ("response_type", "token")],
            400,
            "invalid_client",
        ),
        ("local/access_token", &[id, right], 400, "invalid_request"),
        ("local/access_token", &[id, right, old], 400, "unsupported_grant_type"),
        ("local/access_token", &[id, right, ("grant_type", "password")], 400, "unsupported_grant_type"),
        ("local/access_token", &[id, right, urn], 400, "invalid_request"),
        ("local/access_token", &[id, right, urn, ("code", "x")], 400, "invalid_request"),
        ("local/access_token", &[id, right, urn, ("device_code", "x")], 400, "invalid_grant"),
        ("local/access_token", &[id, wrong, urn, ("device_code", "x")], 401, "invalid_client"),
        ("legacy/access_token", &[id, right, urn], 400, "unsupported_grant_type"),
        ("legacy/access_token", &[id, right, old, ("device_code", "x")], 400, "bad_request"),
        ("legacy/access_token", &[id, right, old, ("code", "x")], 403, "authorization_declined"),
        ("legacy/access_token", &[id, old, ("code", "x")], 400, "invalid_client"),
        ("legacy/access_token", &[id, wrong, old, ("code", "x")], 400, "invalid_client"),
        ("local/nothing", &[id], 404, "not_found"),
        ("local/connect/jwk_uri", &[id], 405, "method_not_allowed"),
    ];
    for (path, form, status, code) in rows {
        let outcome = world.post(&format!("/oauth2/{path}"), form);
        assert_eq!(error(&outcome), (*status, *code), "{path} {form:?}");
    }
}

#[test]
fn a_client_may_use_the_basic_header_but_not_two_ways() {
    let world = world();
    let path = "/oauth2/local/device/code";
    let secret = world.provider.client_secret();
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("deviceagent:{secret}")));
    let (status, _) = world.post_as(path, &[("scope", "mail")], Some(&basic(&secret)));
    assert_eq!(status, 200);
    let twice = [("client_secret", secret.as_str())];
    assert_eq!(error(&world.post_as(path, &twice, Some(&basic(&secret)))), (400, "invalid_request"));
    for value in [basic("wrong"), "Basic %%%".into(), "Bearer x".into(), "Basic".into()] {
        let request = http::Request::builder().method("POST").uri(path).header("authorization", value);
        let answer = world.send(request, "");
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().contains_key("www-authenticate"));
    }
    let (status, _) = world.post(path, &[("client_id", "deviceagent-public")]);
    assert_eq!(status, 200, "a public client needs no secret");
}

#[test]
fn a_refresh_token_is_used_once_and_an_access_token_never() {
    for dialect in Dialect::ALL {
        let world = world();
        let tokens = world.log_in(dialect, "deviceagent");
        let refresh = |token: &str| world.refresh(dialect, "deviceagent", token);
        assert_eq!(error(&refresh(text(&tokens, "access_token"))), (400, "invalid_grant"));
        let (status, second) = refresh(text(&tokens, "refresh_token"));
        assert_eq!(status, 200);
        let grants =
            [&tokens, &second].map(|tokens| claims(text(tokens, "access_token"))["authGrantId"].clone());
        assert_eq!(grants[0], grants[1]);
        assert_eq!(error(&refresh(text(&tokens, "refresh_token"))), (400, "invalid_grant"));
        let second = refresh(text(&second, "refresh_token"));
        assert_eq!(error(&second), (400, "invalid_grant"), "its predecessor was used twice");
        world.clock.advance(604_800_000);
        let late = world.log_in(dialect, "deviceagent");
        world.clock.advance(604_800_000);
        assert_eq!(error(&refresh(text(&late, "refresh_token"))), (400, "invalid_grant"));
    }
}

#[test]
fn settings_take_effect_and_are_checked() {
    let world = world();
    let set = |json: &str| {
        let options = serde_json::from_str(json).map_err(|error| error.to_string())?;
        world.provider.set_options(options)
    };
    set(r#"{"access_token_lifetime_seconds":7,"interval_seconds":0,"complete_uri":false}"#).unwrap();
    let begun = world.begin(Dialect::Rfc8628, "deviceagent");
    assert_eq!((&begun["interval"], &begun["verification_uri_complete"]), (&json!(0), &Value::Null));
    let tokens = world.log_in(Dialect::Rfc8628, "deviceagent");
    let claims = claims(text(&tokens, "access_token"));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 7);
    for wrong in ["interval", "interval_seconds", "device_code_lifetime_seconds"] {
        let value = if wrong.starts_with("device") { 0 } else { 301 };
        let because = set(&format!("{{\"{wrong}\":{value}}}")).unwrap_err();
        assert!(because.contains(wrong), "{because}");
    }
    assert_eq!(world.provider.options().access_token_lifetime_seconds, 7, "a refused change changes nothing");
    set(r#"{"opaque_tokens":true}"#).unwrap();
    let tokens = world.log_in(Dialect::Rfc8628, "deviceagent");
    assert!(!text(&tokens, "access_token").contains('.'));
}

#[test]
fn keys_are_made_once_per_state_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let open = || {
        let directory = StateDirectory::open(&path, "test", Duration::ZERO).unwrap();
        Provider::open(&directory).map(|provider| (provider.hs256_secret(), provider.jwks()))
    };
    let first = open().unwrap();
    assert_eq!(open().unwrap(), first);
    let content = std::fs::read(path.join(KEYS_FILE)).unwrap();
    let secrets = Secrets::read(&content).unwrap();
    assert_eq!((secrets.hs256_secret, secrets.jwks), first);
    assert!(Secrets::read(b"{}").is_none());
    std::fs::write(path.join(KEYS_FILE), "{}").unwrap();
    assert!(matches!(open(), Err(OpenError::Damaged { .. })));
}

mod form;
