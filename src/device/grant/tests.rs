//! The flow against a scripted provider, in virtual time. The local target's provider, which is read
//! from the same documents but shares no code, is in `double`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::door::Tolls;

mod double;

const DEVICE: &str = "https://idp.example/device/code";
const SECRET: &str = "canary-client-secret";
/// `{"alg":"RS256"}.{"tokenName":"access_token"}`, not signed by anybody.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJ0b2tlbk5hbWUiOiJhY2Nlc3NfdG9rZW4ifQ.c2ln";
const BEGUN: &str = r#"{"device_code":"canary-device-code","user_code":"WDJB-MJHT",
    "verification_uri":"https://idp.example/device","expires_in":60,"interval":5}"#;

fn provider(dialect: Dialect, client_auth: ClientAuth) -> IdentityProvider {
    IdentityProvider {
        device_url: DEVICE.into(),
        token_url: "https://idp.example/token?realm=x".into(),
        client_id: "device agent".into(),
        client_secret: None,
        scope: "mail cn".into(),
        dialect,
        client_auth,
        extra: BTreeMap::new(),
    }
}

fn flow_of(dialect: Dialect, client_auth: ClientAuth) -> Flow {
    let secret = (client_auth != ClientAuth::None).then(|| Secret::new(SECRET));
    Flow::new(provider(dialect, client_auth), secret).unwrap()
}

fn flow() -> Flow {
    flow_of(Dialect::Auto, ClientAuth::Post)
}

fn pace() -> Pace {
    Pace { sleep: SharedAsyncSleep::new(TokioSleep::new()), stop: Stop::new() }
}

/// A request as it was sent: the second it came, its form in order, its header of proof.
#[derive(Clone, Debug)]
struct Sent {
    at: u64,
    form: Vec<(String, String)>,
    authorization: Option<String>,
}

impl Sent {
    fn get(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Gives answers in order, and remembers what it was asked. After the last one, nobody answers.
#[derive(Clone, Debug)]
struct Script {
    answers: Arc<Mutex<VecDeque<http::Response<String>>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
    start: Instant,
}

impl Script {
    fn new(answers: &[(u16, &str)]) -> (Self, Http) {
        let answers = answers.iter().map(|(status, body)| {
            http::Response::builder().status(*status).body((*body).to_owned()).unwrap()
        });
        let script = Self {
            answers: Arc::new(Mutex::new(answers.collect())),
            sent: Arc::default(),
            start: Instant::now(),
        };
        let http = Http::new(script.clone(), Tolls::default());
        (script, http)
    }

    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// The second of every poll.
    fn polls(&self) -> Vec<u64> {
        self.sent().iter().skip(1).map(|sent| sent.at).collect()
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let form = form_urlencoded::parse(request.body().bytes().unwrap()).into_owned().collect();
        let authorization = request.headers().get("authorization").map(str::to_owned);
        assert_eq!(request.headers().get("content-type"), Some("application/x-www-form-urlencoded"));
        let at = self.start.elapsed().as_secs();
        self.sent.lock().unwrap().push(Sent { at, form, authorization });
        let answer = self.answers.lock().unwrap().pop_front();
        HttpConnectorFuture::ready(match answer {
            Some(answer) => Ok(HttpResponse::try_from(answer.map(SdkBody::from)).unwrap()),
            None => Err(ConnectorError::io("connection refused".into())),
        })
    }
}

fn error(code: &str) -> String {
    format!("{{\"error\":\"{code}\"}}")
}

fn tokens() -> String {
    format!(
        "{{\"access_token\":\"{JWT}\",\"token_type\":\"bearer\",\"expires_in\":3599,\"refresh_token\":\"r\"}}"
    )
}

/// Begins, then polls through `answers`.
async fn run(flow: &Flow, answers: &[(u16, &str)]) -> (Script, Result<Login, Problem>) {
    let all: Vec<(u16, &str)> = [(200, BEGUN)].into_iter().chain(answers.iter().copied()).collect();
    let (script, http) = Script::new(&all);
    let pending = flow.begin(&http).await.unwrap();
    let login = flow.wait(&http, &pending, &pace()).await;
    (script, login)
}

#[tokio::test(start_paused = true)]
async fn the_interval_passes_before_every_poll_the_first_included() {
    let pending = error("authorization_pending");
    let (script, login) =
        run(&flow(), &[(400, &pending), (403, &pending), (200, &pending), (200, &tokens())]).await;
    let login = login.unwrap();
    assert_eq!(script.polls(), [5, 10, 15, 20], "and pending is pending with any status");
    assert_eq!(login.access_token.expose(), JWT);
    assert_eq!(login.expires_in, Some(Duration::from_secs(3599)));
    let last = script.sent().pop().unwrap();
    assert_eq!(last.get("grant_type"), Some("urn:ietf:params:oauth:grant-type:device_code"));
    assert_eq!(last.get("device_code"), Some("canary-device-code"));
}

#[tokio::test(start_paused = true)]
async fn slow_down_counts_for_all_later_polls() {
    // RFC 8628 3.5. The third asks for 20 s, the fourth is a 429 without words.
    let (slow, pending) = (error("slow_down"), error("authorization_pending"));
    let longer = r#"{"error":"slow_down","interval":20}"#;
    let answers = [(400, &*slow), (400, &*pending), (429, longer), (429, "busy"), (200, &*tokens())];
    let (script, login) = run(&flow(), &answers).await;
    login.unwrap();
    assert_eq!(script.polls(), [5, 15, 25, 45, 70], "the last one may be late, but not early");
}

#[tokio::test(start_paused = true)]
async fn trouble_doubles_the_pause_and_ends_with_the_code() {
    let answers = [(503, "down"), (400, r#"{"error":"temporarily_unavailable"}"#)];
    let (script, login) = run(&flow(), &answers).await;
    assert_eq!(script.polls(), [5, 15, 35, 60], "5, 10, 20, and what is left of 60");
    assert_eq!(login.unwrap_err().code, "unreachable", "after the two answers nobody answered");
    let (script, login) = run(&flow(), &[(500, &error("server_error")), (200, &tokens())]).await;
    assert_eq!(script.polls(), [5, 15]);
    login.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_outlives_the_code() {
    let pending = error("authorization_pending");
    let answers = [(400, pending.as_str()); 20];
    let (script, login) = run(&flow(), &answers).await;
    assert_eq!(login.unwrap_err().code, "expired_token");
    assert_eq!(script.polls().len(), 12, "60 s, every 5 s");
}

#[tokio::test(start_paused = true)]
async fn every_other_error_ends_the_flow_at_once() {
    let rows = [
        (400, "access_denied", "access_denied"),
        (403, "authorization_declined", "access_denied"),
        (200, "access_denied", "access_denied"),
        (400, "expired_token", "expired_token"),
        (401, "expired_token", "expired_token"),
        (400, "bad_verification_code", "invalid_grant"),
        (400, "invalid_grant", "invalid_grant"),
        (401, "invalid_client", "invalid_client"),
        (403, "unauthorized_client", "invalid_client"),
        (400, "invalid_scope", "invalid_scope"),
        (400, "invalid_request", "invalid_request"),
        (400, "server_error", "provider_refused"),
        (400, "what\u{1b}[2J", "provider_refused"),
    ];
    for (status, said, code) in rows {
        let body = serde_json::json!({ "error": said, "error_description": "see\u{1b}]0;x\u{7} that" });
        let (script, login) = run(&flow(), &[(status, &body.to_string()), (200, &tokens())]).await;
        let problem = login.unwrap_err();
        assert_eq!(problem.code, code, "{said}");
        assert_eq!(script.polls(), [5]);
        assert_eq!(problem.place.as_deref(), Some("https://idp.example/token"), "without the query");
        assert!(!problem.to_string().contains(['\u{1b}', '\u{7}']) && problem.next.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_cannot_be_understood() {
    let long = format!("{{\"access_token\":\"{JWT}\",\"x\":\"{}\"}}", "x".repeat(256 * 1024));
    let rows = [
        (200, "<html>", "strange_answer"),
        (404, "not here", "strange_answer"),
        (200, "{}", "strange_answer"),
        (200, "[]", "strange_answer"),
        (302, "", "strange_answer"),
        (200, &long, "strange_answer"),
        (200, r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA"}"#, "opaque_token"),
        (
            200,
            r#"{"access_token":"eyJhbGciOiJSUzI1NiJ9.eyJ0b2tlbk5hbWUiOiJyZWZyZXNoX3Rva2VuIn0.c2ln"}"#,
            "refresh_token_given",
        ),
        (200, r#"{"access_token":"a","token_type":"mac"}"#, "token_type"),
    ];
    for (status, body, code) in rows {
        let (_, login) = run(&flow(), &[(status, body)]).await;
        assert_eq!(login.unwrap_err().code, code, "{status} {body:.40}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_repeats_a_secret() {
    for echoed in [SECRET, "canary-device-code"] {
        let body =
            serde_json::json!({ "error": "invalid_client", "error_description": format!("bad {echoed}") });
        let (_, login) = run(&flow(), &[(401, &body.to_string())]).await;
        let problem = login.unwrap_err();
        assert!(!format!("{problem:?}").contains("canary"), "{problem:?}");
    }
    let (_, http) = Script::new(&[(200, BEGUN)]);
    let pending = flow().begin(&http).await.unwrap();
    assert!(!format!("{pending:?} {:?}", flow()).contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn the_dialect_is_found_out() {
    let unsupported = error("unsupported_grant_type");
    // The old address key: legacy from the first poll on.
    let old = BEGUN.replace("verification_uri", "verification_url");
    let (script, http) = Script::new(&[(200, &old), (200, &tokens())]);
    let pending = flow().begin(&http).await.unwrap();
    flow().wait(&http, &pending, &pace()).await.unwrap();
    let poll = script.sent().pop().unwrap();
    assert_eq!(poll.get("grant_type"), Some("http://oauth.net/grant_type/device/1.0"));
    assert_eq!((poll.get("code"), poll.get("device_code")), (Some("canary-device-code"), None));
    // The new key, but the grant is unknown: the other one, once.
    let (script, login) = run(&flow(), &[(400, &unsupported), (200, &tokens())]).await;
    login.unwrap();
    assert_eq!(script.sent()[2].get("code"), Some("canary-device-code"));
    assert_eq!(script.polls(), [5, 10]);
    let (script, login) = run(&flow(), &[(400, &unsupported), (400, &unsupported)]).await;
    assert_eq!(login.unwrap_err().code, "unsupported_grant_type");
    assert_eq!(script.polls(), [5, 10]);
    // A dialect that the stack names is kept.
    let (script, login) = run(&flow_of(Dialect::Rfc8628, ClientAuth::Post), &[(400, &unsupported)]).await;
    assert_eq!(login.unwrap_err().code, "unsupported_grant_type");
    assert_eq!(script.polls(), [5]);
}

#[tokio::test(start_paused = true)]
async fn openam_gets_its_response_type() {
    let refused = r#"{"error":"bad_request","error_description":"client_id, scope and response_type are required parameters"}"#;
    let (script, http) = Script::new(&[(400, refused), (200, BEGUN)]);
    flow().begin(&http).await.unwrap();
    let kinds: Vec<_> =
        script.sent().iter().map(|sent| sent.get("response_type").map(str::to_owned)).collect();
    assert_eq!(kinds, [None, Some("token".to_owned())]);
    let (script, http) = Script::new(&[(200, BEGUN)]);
    flow_of(Dialect::OpenamLegacy, ClientAuth::Post).begin(&http).await.unwrap();
    assert_eq!(script.sent()[0].get("response_type"), Some("token"));
    let mut named = provider(Dialect::Auto, ClientAuth::Post);
    named.extra =
        [("audience", "https://api"), ("response_type", "code")].map(|(a, b)| (a.into(), b.into())).into();
    let (script, http) = Script::new(&[(400, refused)]);
    let problem = Flow::new(named, Some(Secret::new(SECRET))).unwrap().begin(&http).await.unwrap_err();
    assert_eq!((problem.code, script.sent().len()), ("invalid_request", 1));
    assert_eq!(script.sent()[0].get("audience"), Some("https://api"));
}

#[tokio::test(start_paused = true)]
async fn the_client_proves_itself_in_one_way() {
    let row = |client_auth, dialect| async move {
        let (script, http) = Script::new(&[(200, BEGUN), (200, &tokens())]);
        let flow = flow_of(dialect, client_auth);
        let pending = flow.begin(&http).await.unwrap();
        flow.wait(&http, &pending, &pace()).await.unwrap();
        let poll = script.sent().pop().unwrap();
        let form = |name: &str| poll.get(name).map(str::to_owned);
        (form("client_id"), form("client_secret"), poll.authorization.clone())
    };
    let (id, secret) = (Some("device agent".to_owned()), Some(SECRET.to_owned()));
    assert_eq!(row(ClientAuth::Post, Dialect::Rfc8628).await, (id.clone(), secret.clone(), None));
    assert_eq!(row(ClientAuth::None, Dialect::Rfc8628).await, (id.clone(), None, None));
    // `printf %s 'device+agent:canary-client-secret' | base64`
    let basic = Some("Basic ZGV2aWNlK2FnZW50OmNhbmFyeS1jbGllbnQtc2VjcmV0".to_owned());
    assert_eq!(row(ClientAuth::Basic, Dialect::Rfc8628).await, (None, None, basic));
    assert_eq!(row(ClientAuth::Basic, Dialect::OpenamLegacy).await, (id, secret, None), "it knows no header");
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_is_checked() {
    let with = |member: &str, value: Value| {
        let mut begun: Map<String, Value> = serde_json::from_str(BEGUN).unwrap();
        begun.insert(member.to_owned(), value);
        Value::Object(begun).to_string()
    };
    let rows = [
        (with("device_code", Value::Null), "strange_answer"),
        (with("user_code", "".into()), "strange_answer"),
        (with("user_code", "x".repeat(65).into()), "strange_answer"),
        (with("expires_in", 0.into()), "strange_answer"),
        (with("verification_uri", Value::Null), "strange_answer"),
        (with("verification_uri", "http://idp.example/device".into()), "unsafe_address"),
        (with("verification_uri", "https://idp.example@evil.example/".into()), "unsafe_address"),
        (with("verification_uri", "javascript:alert(1)".into()), "unsafe_address"),
        (error("invalid_client"), "invalid_client"),
    ];
    for (body, code) in rows {
        let (_, http) = Script::new(&[(200, &body)]);
        assert_eq!(flow().begin(&http).await.unwrap_err().code, code, "{body}");
    }
    let begin = |member: &'static str, value: Value| {
        let body = with(member, value);
        async move {
            let (_, http) = Script::new(&[(200, &body)]);
            flow().begin(&http).await.unwrap()
        }
    };
    assert_eq!(begin("interval", Value::Null).await.interval, Duration::from_secs(5));
    assert_eq!(begin("interval", 0.into()).await.interval, Duration::from_secs(1));
    assert_eq!(begin("interval", "7".into()).await.interval, Duration::from_secs(7));
    assert_eq!(begin("interval", 1e8.into()).await.interval, Duration::from_mins(5));
    assert_eq!(begin("user_code", "A\u{1b}[2J".into()).await.user_code, "A\u{fffd}[2J");
    let pending = begin("verification_uri", "https://login.example/device".into()).await;
    assert_eq!(pending.other_host.as_deref(), Some("login.example"));
    let complete = "https://evil.example/device?user_code=A";
    assert_eq!(begin("verification_uri_complete", complete.into()).await.verification_uri_complete, None);
    // A provider that the stack itself names by plain `http` may send to its own host that way.
    let mut plain = provider(Dialect::Auto, ClientAuth::None);
    plain.device_url = DEVICE.replace("https:", "http:");
    let plain = Flow::new(plain, None).unwrap();
    for (address, safe) in [("http://idp.example/device", true), ("http://other.example/device", false)] {
        let (_, http) = Script::new(&[(200, &with("verification_uri", address.into()))]);
        assert_eq!(plain.begin(&http).await.is_ok(), safe, "{address}");
    }
    let (_, http) = Script::new(&[]);
    assert_eq!(flow().begin(&http).await.unwrap_err().code, "unreachable");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait() {
    let (script, _) = Script::new(&[(200, BEGUN)]);
    let pace = pace();
    let http = Http::new(script.clone(), Tolls::new(vec![Arc::new(pace.stop.clone())]));
    let pending = flow().begin(&http).await.unwrap();
    pace.stop.stop();
    let problem = flow().wait(&http, &pending, &pace).await.unwrap_err();
    assert_eq!((problem.code, script.polls().len()), ("interrupted", 0));
    assert_eq!(script.start.elapsed(), Duration::ZERO, "at once");
}

#[test]
fn what_cannot_work_is_told_before_the_first_request() {
    let refused = |provider| Flow::new(provider, None).unwrap_err().code;
    assert_eq!(refused(provider(Dialect::Auto, ClientAuth::Post)), "no_client_secret");
    let mut scopeless = provider(Dialect::OpenamLegacy, ClientAuth::None);
    scopeless.scope = " ".into();
    assert_eq!(refused(scopeless), "no_scope");
}
