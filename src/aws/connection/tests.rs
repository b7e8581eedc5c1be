use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::door::{Crossing, Gate, Toll, Tolls};
use crate::problem::ProblemKind;

/// Answers every request the same.
#[derive(Clone, Debug)]
enum Server {
    /// Status and body; the request id is `r-2`.
    Answers(u16, &'static str),
    /// So many requests are too many; after them it says who is calling.
    Throttles(Arc<AtomicUsize>),
    RefusesConnections,
    BreaksConnections,
    /// Never answers.
    Silent,
    /// Answers 200 and then never ends.
    Endless,
}

impl HttpConnector for Server {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let broken = |kind: io::ErrorKind| Err(ConnectorError::io(io::Error::from(kind).into()));
        HttpConnectorFuture::ready(match self {
            Self::Silent => return HttpConnectorFuture::new(std::future::pending()),
            Self::Endless => {
                let status = 200.try_into().expect("it is a status");
                Ok(HttpResponse::new(status, SdkBody::from_body_1_x(NeverEnds)))
            }
            Self::Answers(status, body) => Ok(answer(*status, body)),
            Self::Throttles(left) => {
                let less =
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                Ok(if less.is_ok() { answer(400, THROTTLED) } else { answer(200, IDENTITY) })
            }
            Self::RefusesConnections => broken(io::ErrorKind::ConnectionRefused),
            Self::BreaksConnections => broken(io::ErrorKind::ConnectionReset),
        })
    }
}

fn answer(status: u16, body: &'static str) -> HttpResponse {
    let answer =
        http::Response::builder().status(status).header("x-amzn-requestid", "r-2").body(SdkBody::from(body));
    HttpResponse::try_from(answer.expect("status and body are set")).expect("it is HTTP")
}

/// A body whose next piece never comes.
struct NeverEnds;

impl http_body::Body for NeverEnds {
    type Data = bytes::Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        Poll::Pending
    }
}

#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded_no_source()))
    }
}

/// Counts how often it is asked.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl ProvideCredentials for Counted {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.fetch_add(1, Ordering::Relaxed);
        future::ProvideCredentials::ready(Ok(Credentials::from_keys("AKIAEXAMPLE", "secret", None)))
    }
}

fn connect(server: Server, credentials: SharedCredentialsProvider) -> Aws {
    connect_through(server, credentials, Tolls::default())
}

fn connect_through(server: Server, credentials: SharedCredentialsProvider, tolls: Tolls) -> Aws {
    Aws::connect(Connection {
        http: Http::new(server, tolls),
        stop: Stop::new(),
        credentials,
        region: Region::new("eu-west-1").unwrap(),
        endpoints: Endpoints::One("http://aws.invalid".to_owned()),
        time: SharedTimeSource::new(SystemTimeSource::new()),
        sleep: SharedAsyncSleep::new(TokioSleep::new()),
    })
}

fn somebody() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::from_keys("AKIAEXAMPLE", "secret", None))
}

async fn caller(server: Server) -> Result<Caller, Problem> {
    connect(server, somebody()).caller().await
}

/// The answer's form: AWS STS API reference, `GetCallerIdentity`, "Sample Response".
const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws-cn:sts::123456789012:assumed-role/deploy/ci</Arn>\
    <UserId>AROAEXAMPLE:ci</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
    <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";

#[tokio::test(start_paused = true)]
async fn the_partition_is_taken_from_the_callers_arn() {
    let caller = caller(Server::Answers(200, IDENTITY)).await.unwrap();
    assert_eq!((caller.account.as_str(), caller.partition.as_str()), ("123456789012", "aws-cn"));
}

#[tokio::test(start_paused = true)]
async fn credentials_are_fetched_once_for_all_services() {
    let count = Arc::new(AtomicUsize::new(0));
    let credentials = SharedCredentialsProvider::new(Counted(Arc::clone(&count)));
    let aws = connect(Server::Answers(200, IDENTITY), credentials);
    aws.caller().await.unwrap();
    // Whatever it makes of the answer: the request was signed.
    let _ = aws.data_endpoint().await;
    let _ = aws.lambda.list_functions().send().await;
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn credentials_are_a_problem_of_their_own() {
    let problem = connect(Server::Answers(200, IDENTITY), SharedCredentialsProvider::new(Nobody))
        .caller()
        .await
        .unwrap_err();
    assert_eq!((problem.kind, problem.code), (ProblemKind::Credentials, "no_credentials"), "{problem:?}");

    // The error's form: AWS STS API reference, "Common Errors", and the query protocol's ErrorResponse.
    let expired = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security \
        token included in the request is expired</Message></Error><RequestId>r-2</RequestId></ErrorResponse>";
    let problem = caller(Server::Answers(403, expired)).await.unwrap_err();
    assert_eq!((problem.kind, problem.code), (ProblemKind::Credentials, "bad_credentials"));
    assert_eq!(problem.request_id.as_deref(), Some("r-2"));
}

#[tokio::test(start_paused = true)]
async fn no_connection_and_a_lost_answer_are_told_apart() {
    assert_eq!(caller(Server::RefusesConnections).await.unwrap_err().code, "unreachable");
    assert_eq!(caller(Server::BreaksConnections).await.unwrap_err().code, "answer_lost");
    assert_eq!(caller(Server::Answers(200, "no XML")).await.unwrap_err().code, "answer_lost");
}

/// The error's form: the query protocol's `ErrorResponse`.
const THROTTLED: &str = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>\
    </ErrorResponse>";

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_given_up_after_a_while() {
    let began = tokio::time::Instant::now();
    assert_eq!(caller(Server::Answers(400, THROTTLED)).await.unwrap_err().code, "throttled");
    let took = began.elapsed();
    assert!(took >= TAKES_REQUESTS.within && took < Duration::from_mins(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_outlasts_more_refusals_than_the_sdk_has_attempts() {
    let refusals = usize::try_from(3 * ATTEMPTS_MAX).unwrap();
    let left = Arc::new(AtomicUsize::new(refusals));
    assert_eq!(caller(Server::Throttles(Arc::clone(&left))).await.unwrap().account.as_str(), "123456789012");
    assert_eq!(left.load(Ordering::Relaxed), 0);
}

/// The rate limiter with a long queue before it.
#[derive(Debug, Default)]
struct Queue(AtomicUsize);

impl Toll for Queue {
    fn before(&self, _: &Crossing) -> Gate {
        self.0.fetch_add(1, Ordering::Relaxed);
        Gate::After(3 * ATTEMPT_TIME_MAX)
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_our_own_limiter_does_not_run_out_of_time() {
    let queue = Arc::new(Queue::default());
    let tolls = Tolls::new(vec![Arc::<Queue>::clone(&queue)]);
    let caller = connect_through(Server::Answers(200, IDENTITY), somebody(), tolls).caller().await;
    assert!(caller.is_ok(), "{caller:?}");
    assert_eq!(queue.0.load(Ordering::Relaxed), 1, "one attempt");
}

/// The limit of an attempt holds from the moment it leaves, to the end of the answer.
#[tokio::test(start_paused = true)]
async fn an_attempt_has_a_limit() {
    for server in [Server::Silent, Server::Endless] {
        let began = tokio::time::Instant::now();
        assert_eq!(caller(server.clone()).await.unwrap_err().code, "answer_lost", "{server:?}");
        let limits = ATTEMPTS_MAX * ATTEMPT_TIME_MAX;
        let took = began.elapsed();
        assert!(took >= limits && took < limits + Duration::from_mins(1), "{server:?}: {took:?}");
    }
}
