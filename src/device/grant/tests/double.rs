//! The flow against the local target's provider, in process and in virtual time.

use std::time::SystemTime;

use local::clock::Clock;
use local::{Options, Target};

use super::*;

/// The target's provider behind the door.
#[derive(Clone, Debug)]
struct Double(Target);

impl HttpConnector for Double {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().unwrap();
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap()));
        let answer = self.0.identity(request);
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer.map(SdkBody::from)).unwrap()))
    }
}

struct World {
    target: Target,
    http: Http,
}

fn world() -> World {
    let start = Instant::now();
    let clock =
        Clock::from_source(move || SystemTime::UNIX_EPOCH + Duration::from_hours(500_000) + start.elapsed());
    let target = Target::in_memory(clock, Options::default());
    let http = Http::new(Double(target.clone()), Tolls::default());
    World { target, http }
}

impl World {
    fn flow(&self, path: &str, client: &str, dialect: Dialect, client_auth: ClientAuth) -> Flow {
        let mut provider = provider(dialect, client_auth);
        provider.device_url = format!("http://identity.thinggate.local/oauth2/{path}/device/code");
        provider.token_url = format!("http://identity.thinggate.local/oauth2/{path}/access_token");
        provider.client_id = client.into();
        let secret =
            (client_auth != ClientAuth::None).then(|| Secret::new(self.target.identity_client_secret()));
        Flow::new(provider, secret).unwrap()
    }

    /// Posts the real form, as a browser would.
    fn decide(&self, page: &str, user_code: &str, decision: &str) {
        let (mut cookie, mut csrf) = (String::new(), String::new());
        let mut go = |fields: &[(&str, &str)]| {
            let mut form = Serializer::new(String::new());
            let form = form.append_pair("csrf", &csrf).extend_pairs(fields).finish();
            let method = if fields.is_empty() { Method::GET } else { Method::POST };
            let request = http::Request::builder().method(method).uri(page).header("cookie", &cookie);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = self.target.identity(request.body(Bytes::from(form)).unwrap());
            let set = answer.headers()["set-cookie"].to_str().unwrap();
            set.split(';').next().unwrap().clone_into(&mut cookie);
            let body = String::from_utf8(answer.body().to_vec()).unwrap();
            let hidden = body.split("name=\"csrf\" value=\"").nth(1).unwrap_or_default();
            hidden.split('"').next().unwrap().clone_into(&mut csrf);
            body
        };
        go(&[]);
        go(&[("user_code", user_code)]);
        go(&[("username", "demo"), ("password", "changeit")]);
        assert!(go(&[("decision", decision)]).contains("You can close this page"));
    }

    /// A whole login whose user takes twelve seconds.
    async fn log_in(&self, flow: &Flow, decision: &str) -> Result<Login, Problem> {
        let pending = flow.begin(&self.http).await.unwrap();
        let pace = pace();
        let user = async {
            pace.sleep.sleep(Duration::from_secs(12)).await;
            self.decide(&pending.verification_uri, &pending.user_code, decision);
        };
        tokio::join!(flow.wait(&self.http, &pending, &pace), user).0
    }
}

const SPOKEN: [(&str, Dialect); 4] = [
    ("local", Dialect::Auto),
    ("local", Dialect::Rfc8628),
    ("legacy", Dialect::Auto),
    ("legacy", Dialect::OpenamLegacy),
];

#[tokio::test(start_paused = true)]
async fn both_dialects_and_algorithms_log_in_and_refresh() {
    for (path, dialect) in SPOKEN {
        for client in ["deviceagent", "deviceagent-rs256"] {
            let world = world();
            let flow = world.flow(path, client, dialect, ClientAuth::Post);
            let login = world.log_in(&flow, "allow").await.unwrap();
            let seen = Seen::access(&login.access_token).unwrap();
            assert_eq!((&seen.claims["aud"], &seen.claims["sub"]), (&client.into(), &"demo".into()));
            assert_eq!(login.scope.as_deref(), Some("cn mail"));
            let refresh_token = login.refresh_token.unwrap();
            assert_eq!(Seen::access(&refresh_token).unwrap_err().code, "refresh_token_given");
            let next = flow.refresh(&world.http, &refresh_token).await.unwrap();
            assert_ne!(next.access_token, login.access_token);
            let again = flow.refresh(&world.http, &refresh_token).await.unwrap_err();
            assert_eq!(again.code, "invalid_grant");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_way_to_prove_a_client_works() {
    let rows = [
        ("local", "deviceagent", ClientAuth::Basic),
        ("local", "deviceagent-public", ClientAuth::None),
        ("legacy", "deviceagent", ClientAuth::Basic),
    ];
    for (path, client, client_auth) in rows {
        let world = world();
        let flow = world.flow(path, client, Dialect::Auto, client_auth);
        world.log_in(&flow, "allow").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_denial_a_silence_and_a_wrong_secret_end_in_their_own_problems() {
    for (path, dialect) in SPOKEN {
        let world = world();
        let flow = world.flow(path, "deviceagent", dialect, ClientAuth::Post);
        assert_eq!(world.log_in(&flow, "deny").await.unwrap_err().code, "access_denied");
        let pending = flow.begin(&world.http).await.unwrap();
        let begun = Instant::now();
        let problem = flow.wait(&world.http, &pending, &pace()).await.unwrap_err();
        assert_eq!((problem.code, begun.elapsed()), ("expired_token", Duration::from_mins(5)));
        let mut wrong = flow.clone();
        wrong.secret = Some(Secret::new("wrong"));
        let begun = wrong.begin(&world.http).await;
        let problem = match begun {
            Ok(pending) => wrong.wait(&world.http, &pending, &pace()).await.unwrap_err(),
            Err(problem) => problem,
        };
        assert_eq!(problem.code, "invalid_client");
    }
}
