//! What is sent, and what is made of the answer.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::door::Tolls;

const ENDPOINT: &str = "a1b2-ats.iot.eu-west-1.amazonaws.com";

#[derive(Clone, Debug)]
struct Gateway {
    answer: (u16, &'static str),
    sent: Arc<Mutex<Vec<http::Request<Bytes>>>>,
}

impl HttpConnector for Gateway {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().unwrap();
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap()));
        self.sent.lock().unwrap().push(request);
        let (status, body) = self.answer;
        let answer = http::Response::builder().status(status).header("x-amzn-requestid", "from-header");
        let answer = answer.body(SdkBody::from(body)).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(answer).unwrap()))
    }
}

fn gateway(status: u16, body: &'static str) -> (Gateway, Http) {
    let gateway = Gateway { answer: (status, body), sent: Arc::default() };
    let http = Http::new(gateway.clone(), Tolls::default());
    (gateway, http)
}

/// A message with `change` to it, sent to a gateway that takes everything.
async fn sent(change: impl FnOnce(&mut Publish<'_>)) -> Result<http::Request<Bytes>, Problem> {
    let (token, name) = (Secret::new("a.b.c"), TokenKeyName::new("token").unwrap());
    let authorizer = AuthorizerName::new("iot-openam-authorizer").unwrap();
    let mut message = Publish {
        endpoint: ENDPOINT,
        topic: "customauthtesting",
        message: b"hello",
        token_key_name: &name,
        token: &token,
        signature: Some("c2ln+/=="),
        authorizer: Some(&authorizer),
    };
    change(&mut message);
    let (gateway, http) = gateway(200, r#"{"message":"OK","traceId":"t-1"}"#);
    let answer = message.send(&http).await?.delivered()?;
    assert_eq!((answer.status, answer.message.as_str()), (200, "OK"));
    assert_eq!(answer.trace_id.as_deref(), Some("t-1"));
    Ok(gateway.sent.lock().unwrap().pop().unwrap())
}

#[tokio::test]
async fn the_request_is_the_one_that_aws_documents() {
    let request = sent(|_| ()).await.unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri().to_string(), format!("https://{ENDPOINT}/topics/customauthtesting?qos=1"));
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("x-amz-customauthorizer-name"), Some("iot-openam-authorizer"));
    assert_eq!(header("x-amz-customauthorizer-signature"), Some("c2ln+/=="));
    assert_eq!(header("token"), Some("a.b.c"));
    assert_eq!(&request.body()[..], b"hello");
    let request = sent(|message| (message.authorizer, message.signature) = (None, None)).await.unwrap();
    assert!(!request.headers().keys().any(|name| name.as_str().starts_with("x-amz-")));
}

#[tokio::test]
async fn a_topic_stands_in_the_path_as_it_is() {
    for (topic, path) in [
        ("devices/demo/events", "/topics/devices/demo/events"),
        ("a b?c&d%e", "/topics/a%20b%3Fc%26d%25e"),
        ("$aws/things/x", "/topics/%24aws/things/x"),
        ("größe", "/topics/gr%C3%B6%C3%9Fe"),
        ("/a//b", "/topics//a//b"),
    ] {
        let request = sent(|message| message.topic = topic).await.unwrap();
        assert_eq!(request.uri().path(), path);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_before() {
    let long: &str = "x".repeat(257).leak();
    for topic in ["", "a/+", "#", "a\nb", "1/2/3/4/5/6/7/8/9", long] {
        assert_eq!(sent(|message| message.topic = topic).await.unwrap_err().code, "bad_topic", "{topic}");
    }
    let large: &[u8] = vec![0; 128 * 1024 + 1].leak();
    assert_eq!(sent(|message| message.message = large).await.unwrap_err().code, "message_too_long");
    for (signature, code) in
        [("c2ln\nc2ln", "wrapped_signature"), ("", "bad_signature"), ("c2-_", "bad_signature")]
    {
        let problem = sent(|message| message.signature = Some(signature)).await.unwrap_err();
        assert_eq!(problem.code, code);
    }
    for token in ["", "a.b.c\n", "a b"].map(Secret::new) {
        let (name, http) = (TokenKeyName::new("token").unwrap(), gateway(200, "").1);
        let message = Publish {
            endpoint: ENDPOINT,
            topic: "t",
            message: b"",
            token_key_name: &name,
            token: &token,
            signature: None,
            authorizer: None,
        };
        assert_eq!(message.send(&http).await.unwrap_err().code, "token_broken");
    }
    assert_eq!(sent(|message| message.endpoint = "no host").await.unwrap_err().code, "bad_endpoint");
}

#[test]
fn answers_have_their_problems() {
    // aws-facts 2.2.
    let rows = [
        (403, r#"{"message":"Forbidden","traceId":"t-2"}"#, "forbidden", "t-2"),
        (403, r#"{"message":"Missing Authentication Token","traceId":"t-3"}"#, "forbidden", "t-3"),
        (403, "", "forbidden", "from-header"),
        (413, "", "message_too_long", "from-header"),
        (429, "", "throttled", "from-header"),
        (500, "<html>", "unavailable", "from-header"),
        (404, r#"{"message":"\u001b[2J"}"#, "not_delivered", "from-header"),
    ];
    for (status, body, code, trace_id) in rows {
        let answer = http::Response::builder().status(status).header("x-amzn-requestid", "from-header");
        let problem = Answer::read(&answer.body(Bytes::from(body)).unwrap()).delivered().unwrap_err();
        assert_eq!((problem.code, problem.request_id.as_deref()), (code, Some(trace_id)));
        assert!(problem.next.is_some() && !problem.to_string().contains('\u{1b}'));
    }
}
