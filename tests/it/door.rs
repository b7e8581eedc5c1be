//! The door as the SDK's HTTP client.

use std::sync::{Arc, Mutex};

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use thinggate::door::{Crossing, Gate, Http, LabelOperation, Recorder, Refusal, Stop, Toll, Tolls};

/// The answer to `GetCallerIdentity`, after the example in the AWS STS API reference.
const ANSWER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/Alice</Arn>
  <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#;

#[derive(Clone, Debug, Default)]
struct Server(Arc<Mutex<Vec<Vec<String>>>>);

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let names = request.headers().iter().map(|(name, _)| name.to_owned()).collect();
        self.0.lock().expect("no test panics holding it").push(names);
        let status = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(Response::new(status, SdkBody::from(ANSWER))))
    }
}

fn client(door: &Http) -> aws_sdk_sts::Client {
    let configuration = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
        .http_client(door.client())
        .interceptor(LabelOperation)
        .build();
    aws_sdk_sts::Client::from_conf(configuration)
}

#[tokio::test]
async fn the_operations_name_reaches_the_tolls_and_not_the_wire() {
    let (server, recorder) = (Server::default(), Recorder::new());
    let door = Http::new(server.clone(), Tolls::new(vec![Arc::new(recorder.clone())]));
    let answer = client(&door).get_caller_identity().send().await.unwrap();
    assert_eq!(answer.account(), Some("123456789012"));
    let expected = Crossing::Http {
        service: "STS".to_owned(),
        operation: "GetCallerIdentity".to_owned(),
        target: "https://sts.eu-west-1.amazonaws.com/".to_owned(),
        writes: false,
    };
    assert_eq!(recorder.crossings(), [expected]);
    let known = [
        "content-type",
        "content-length",
        "x-amz-date",
        "authorization",
        "x-amz-user-agent",
        "user-agent",
        "amz-sdk-request",
        "amz-sdk-invocation-id",
        "x-amz-content-sha256",
    ];
    let seen = server.0.lock().expect("no test panics holding it");
    let odd: Vec<_> = seen.iter().flatten().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(odd.is_empty() && seen.len() == 1, "{odd:?} in {} requests", seen.len());
}

#[tokio::test(start_paused = true)]
async fn stopped_is_told_apart_from_injected_and_is_not_retried() {
    #[derive(Debug, Default)]
    struct Injecting(Mutex<usize>);
    impl Toll for Injecting {
        fn before(&self, _: &Crossing) -> Gate {
            *self.0.lock().expect("no test panics holding it") += 1;
            Gate::Refused(Refusal::Injected)
        }
    }
    let injecting = Arc::new(Injecting::default());
    let door = Http::new(Server::default(), Tolls::new(vec![Arc::<Injecting>::clone(&injecting)]));
    let error = client(&door).get_caller_identity().send().await.unwrap_err();
    assert_eq!(Refusal::of(&error), Some(Refusal::Injected));
    assert_eq!(
        *injecting.0.lock().expect("no test panics holding it"),
        3,
        "a broken connection is retried by the SDK"
    );

    let (stop, recorder) = (Stop::new(), Arc::new(Injecting::default()));
    stop.stop();
    let door =
        Http::new(Server::default(), Tolls::new(vec![Arc::new(stop), Arc::<Injecting>::clone(&recorder)]));
    let started = tokio::time::Instant::now();
    let error = client(&door).get_caller_identity().send().await.unwrap_err();
    assert_eq!(Refusal::of(&error), Some(Refusal::Stopped));
    assert_eq!((started.elapsed().as_secs(), *recorder.0.lock().expect("no test panics holding it")), (0, 0));
}
