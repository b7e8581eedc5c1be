use std::sync::Mutex;

use aws_smithy_runtime_api::http::{Response, StatusCode};

use super::super::recorder::Recorder;
use super::super::stop::Stop;
use super::super::toll::{Gate, Toll};
use super::*;

/// A server in process: answers 200 with `body`, and remembers what it was sent.
#[derive(Clone, Debug)]
struct Server {
    body: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(body: &'static str) -> Self {
        Self { body, seen: Arc::default() }
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.seen.lock().unwrap().push(format!("{request:?}"));
        let status = StatusCode::try_from(200).unwrap();
        HttpConnectorFuture::ready(Ok(Response::new(status, SdkBody::from(self.body))))
    }
}

/// A server that never answers.
#[derive(Debug)]
struct Silent;

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

#[derive(Debug)]
struct Always(Gate);

impl Toll for Always {
    fn before(&self, _: &Crossing) -> Gate {
        self.0.clone()
    }
}

fn door(connector: impl HttpConnector + 'static, tolls: Vec<Arc<dyn Toll>>) -> Http {
    Http::new(connector, Tolls::new(tolls))
}

fn post(uri: &str) -> http::Request<Bytes> {
    http::Request::post(uri).body(Bytes::from_static(b"grant_type=x")).unwrap()
}

#[tokio::test]
async fn an_answer_comes_back_and_the_crossing_is_recorded_without_its_query() {
    let (server, recorder) = (Server::new("hello"), Recorder::new());
    let door = door(server.clone(), vec![Arc::new(recorder.clone())]);
    let answer = door.send(post("http://id.example/token?access_token=secret")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, b"hello".as_ref()));
    let expected = Crossing::Http {
        service: String::new(),
        operation: "POST".to_owned(),
        target: "http://id.example/token".to_owned(),
        writes: true,
    };
    assert_eq!(recorder.crossings(), [expected]);
    assert_eq!((recorder.http_writes(), recorder.http_reads()), (1, 0));
}

#[tokio::test]
async fn after_stop_nothing_new_starts() {
    let (server, stop, recorder) = (Server::new(""), Stop::new(), Recorder::new());
    let door = door(server.clone(), vec![Arc::new(recorder.clone()), Arc::new(stop.clone())]);
    door.send(post("http://a.example/")).await.unwrap();
    stop.stop();
    stop.stopped().await;
    let refused = Err(HttpError::Refused(Refusal::Stopped));
    assert_eq!(door.send(post("http://a.example/")).await.map(|_| ()), refused);
    let get = http::Request::get("http://a.example/").body(Bytes::new()).unwrap();
    assert_eq!(door.send(get).await.map(|_| ()), refused, "reads are refused too");
    assert_eq!((server.requests(), recorder.crossings().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn stop_cuts_a_delay_short() {
    let (server, stop) = (Server::new(""), Stop::new());
    let hour = Duration::from_hours(1);
    let door = door(server.clone(), vec![Arc::new(Always(Gate::After(hour))), Arc::new(stop.clone())]);
    let started = tokio::time::Instant::now();
    let sending = tokio::spawn(async move { door.send(post("http://a.example/")).await.map(|_| ()) });
    tokio::time::advance(Duration::from_millis(50)).await;
    stop.stop();
    assert_eq!(sending.await.unwrap(), Err(HttpError::Refused(Refusal::Stopped)));
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(server.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_slept() {
    let server = Server::new("");
    let delay = Duration::from_millis(730);
    let door = door(server, vec![Arc::new(Always(Gate::After(delay)))]);
    let started = tokio::time::Instant::now();
    door.send(post("http://a.example/")).await.unwrap();
    assert_eq!(started.elapsed(), delay);
}

#[tokio::test]
async fn a_refusal_has_no_effect_and_a_lost_answer_has() {
    let (server, recorder) = (Server::new(""), Recorder::new());
    let refusing = Always(Gate::Refused(Refusal::Injected));
    let refused = door(server.clone(), vec![Arc::new(recorder.clone()), Arc::new(refusing)]);
    let injected = Err(HttpError::Refused(Refusal::Injected));
    assert_eq!(refused.send(post("http://a.example/")).await.map(|_| ()), injected);
    assert_eq!((server.requests(), recorder.http_writes()), (0, 0));
    let losing = Always(Gate::LoseAnswer);
    let lost = door(server.clone(), vec![Arc::new(recorder.clone()), Arc::new(losing)]);
    assert_eq!(lost.send(post("http://a.example/")).await.map(|_| ()), injected);
    assert_eq!((server.requests(), recorder.http_writes()), (1, 1), "its effect counts");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_and_an_endless_answer_have_limits() {
    let silent = door(Silent, vec![]).send(post("http://a.example/")).await;
    assert_eq!(silent.map(|_| ()), Err(HttpError::Timeout { seconds: 60 }));
    let body: &'static str = Box::leak("x".repeat(BODY_BYTES_MAX + 1).into_boxed_str());
    let long = door(Server::new(body), vec![]).send(post("http://a.example/")).await;
    assert_eq!(long.map(|_| ()), Err(HttpError::TooLong { bytes_max: BODY_BYTES_MAX }));
}

#[tokio::test]
async fn a_cancelled_request_is_told_as_unanswered() {
    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<bool>>);
    impl Toll for Told {
        fn before(&self, _: &Crossing) -> Gate {
            Gate::Open
        }
        fn after(&self, _: &Crossing, answered: bool) {
            self.0.lock().unwrap().push(answered);
        }
    }
    let told = Arc::new(Told::default());
    let tolls = Tolls::new(vec![Arc::<Told>::clone(&told)]);
    Http::new(Server::new(""), tolls.clone()).send(post("http://a.example/")).await.unwrap();
    let silent = Http::new(Silent, tolls);
    let sending = tokio::spawn(async move { silent.send(post("http://a.example/")).await.map(|_| ()) });
    tokio::task::yield_now().await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    assert_eq!(*told.0.lock().unwrap(), [true, false]);
}

#[tokio::test]
async fn the_network_says_why_there_is_no_connection() {
    // Port 9 of a machine that nobody has: refused at once on loopback.
    let options = NetworkOptions {
        roots: super::super::network::Roots::Only(Vec::new()),
        resolve: vec![("nobody.example".to_owned(), std::net::IpAddr::from([127, 0, 0, 1]))],
        ..NetworkOptions::default()
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Http::network(options, Tolls::default())
        .send(post(&format!("http://nobody.example:{port}/")))
        .await
        .unwrap_err();
    assert!(matches!(&error, HttpError::Connection(text) if text.contains("refused")), "{error:?}");
}

/// A host of the local target's, such as its identity provider, is reached where it is served.
#[tokio::test]
async fn a_routed_host_is_served_elsewhere() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let options = NetworkOptions {
        roots: super::super::network::Roots::Only(Vec::new()),
        routes: vec![("identity.example".to_owned(), base)],
        ..NetworkOptions::default()
    };
    let answer =
        Http::network(options, Tolls::default()).send(post("https://identity.example/a/b?c=d")).await;
    assert_eq!(answer.unwrap().status().as_u16(), 204);
    assert!(served.await.unwrap().starts_with("POST /a/b?c=d HTTP/1.1\r\n"));
}

#[test]
fn operations_that_write() {
    for reading in [
        "GetCallerIdentity",
        "ListTagsForResource",
        "DescribeAuthorizer",
        "SimulatePrincipalPolicy",
        "Invoke",
        "TestInvokeAuthorizer",
        "GetFunction",
        "AssumeRoleWithWebIdentity",
    ] {
        assert!(!operation_writes(reading), "{reading}");
    }
    for writing in [
        "CreateAuthorizer",
        "UpdateAlias",
        "DeleteRole",
        "PutRolePolicy",
        "TagResource",
        "AddPermission",
        "SetDefaultAuthorizer",
        "ClearDefaultAuthorizer",
        "PublishVersion",
        "AttachRolePolicy",
        "InvokeAsync",
    ] {
        assert!(operation_writes(writing), "{writing}");
    }
}

/// What fetches credentials changes nothing, whatever it is asked by; a call to AWS's own STS goes where the stack
/// file says, with the Host that was signed.
#[tokio::test]
async fn credentials_are_fetched_where_the_stack_file_says_and_count_as_reading() {
    let cases = [
        (
            "https://sts.eu-west-1.amazonaws.com/?a=b",
            true,
            "https://vpce.example/?a=b",
            Some("sts.eu-west-1.amazonaws.com"),
        ),
        ("https://sts.cn-north-1.amazonaws.com.cn/", false, "https://vpce.example/", None),
        ("https://sts-fips.us-east-1.amazonaws.com", false, "https://vpce.example/", None),
        ("https://sts.eu-west-1.api.aws/", false, "https://vpce.example/", None),
        (
            "https://portal.sso.eu-west-1.amazonaws.com/x",
            true,
            "https://portal.sso.eu-west-1.amazonaws.com/x",
            None,
        ),
        ("http://169.254.169.254/latest/api/token", false, "http://169.254.169.254/latest/api/token", None),
        ("https://sts.amazonaws.com.evil.example/", false, "https://sts.amazonaws.com.evil.example/", None),
    ];
    for (uri, is_signed, sent_to, host) in cases {
        let mut request = HttpRequest::try_from(post(uri).map(SdkBody::from)).unwrap();
        if is_signed {
            request.headers_mut().insert("authorization", "AWS4-HMAC-SHA256 …".to_owned());
        }
        redirected(&mut request, Some("https://vpce.example/")).unwrap();
        assert_eq!((request.uri(), request.headers().get("host")), (sent_to, host), "{uri}");
    }
    let (server, recorder) = (Server::new(""), Recorder::new());
    let door = door(server, vec![Arc::new(recorder.clone())]);
    let crosser = Crosser { door: Arc::new(door), limit: None, errand: Errand::Credentials { sts: None } };
    let put = http::Request::put("http://127.0.0.1:9/latest/api/token").body(SdkBody::empty()).unwrap();
    crosser.call(HttpRequest::try_from(put).unwrap()).await.unwrap();
    assert_eq!((recorder.http_writes(), recorder.http_reads()), (0, 1));
}
