//! The door for requests: the SDK's and everybody else's go through one connector.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;

use super::network::{Network, NetworkOptions};
use super::toll::{Crossing, Refusal, Tolls};

/// How long [`Http::send`] waits for the whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// The longest body that [`Http::send`] takes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The one way to any server. Clones share the connector and the tolls.
#[derive(Clone, Debug)]
pub struct Http {
    connector: SharedHttpConnector,
    tolls: Tolls,
}

impl Http {
    /// A door in front of `connector`: a network, the embedded target, or a test's.
    pub fn new(connector: impl HttpConnector + 'static, tolls: Tolls) -> Self {
        Self { connector: SharedHttpConnector::new(connector), tolls }
    }

    /// A door in front of the real network. Nothing is opened or read before the first request.
    pub fn network(options: NetworkOptions, tolls: Tolls) -> Self {
        Self::new(Network::new(options), tolls)
    }

    /// This door as the SDK's HTTP client. Give the SDK [`LabelOperation`] too, which tells the door
    /// the operation's name.
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Client { door: self.clone(), errand: Errand::Calls })
    }

    /// This door as the HTTP client of what fetches credentials: metadata services, single sign-on, STS. None of
    /// that changes anything, wherever it is asked. What goes to AWS's own address of STS goes to `sts` instead,
    /// when that is named; a Host that was signed stays.
    pub fn credentials_client(&self, sts: Option<&str>) -> SharedHttpClient {
        let errand = Errand::Credentials { sts: sts.map(Arc::from) };
        SharedHttpClient::new(Client { door: self.clone(), errand })
    }

    /// Sends `request` and reads the whole answer, whatever its status: 60 s and 4 MiB at most.
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let whole = async {
            let (head, mut answer) = self.open(request).await?.into_parts();
            let mut body = Vec::new();
            while let Some(chunk) = answer.next().await? {
                if body.len() + chunk.len() > BODY_BYTES_MAX {
                    return Err(HttpError::TooLong { bytes_max: BODY_BYTES_MAX });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(http::Response::from_parts(head, Bytes::from(body)))
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, whole).await {
            Ok(result) => result,
            Err(_) => Err(HttpError::Timeout { seconds: ANSWER_TIMEOUT.as_secs() }),
        }
    }

    /// Sends `request` and gives its answer piece by piece, for streams. No time limit: the caller's.
    pub async fn open(&self, request: http::Request<Bytes>) -> Result<http::Response<Answer>, HttpError> {
        let request = request.map(SdkBody::from);
        let request = HttpRequest::try_from(request).map_err(|error| HttpError::Request(chain(&error)))?;
        let answer = self.cross(request, None).await.map_err(HttpError::from)?;
        let answer = answer.try_into_http1x().map_err(|error| HttpError::Connection(chain(&error)))?;
        Ok(answer.map(|body| Answer(ByteStream::new(body))))
    }

    /// One crossing, with every toll. With a `limit` the whole answer must be there within it; what the
    /// tolls delay does not count, so that nothing runs out of time in our own queue.
    async fn cross(
        &self,
        request: HttpRequest,
        limit: Option<Duration>,
    ) -> Result<HttpResponse, ConnectorError> {
        let pass = match self.tolls.pass(&crossing(&request)).await {
            Ok(pass) => pass,
            // Kind "other" is not retried, "io" is: nobody wants the SDK to try again after Ctrl-C.
            Err(Refusal::Stopped) => return Err(ConnectorError::other(Box::new(Refusal::Stopped), None)),
            Err(Refusal::Injected) => return Err(ConnectorError::io(Box::new(Refusal::Injected))),
        };
        let answer = self.connector.call(request);
        let answer = match limit {
            None => answer.await,
            Some(limit) => tokio::time::timeout(limit, async { read_whole(answer.await?).await })
                .await
                .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(Box::new(elapsed)))),
        };
        if pass.lose_answer {
            return Err(ConnectorError::io(Box::new(Refusal::Injected)));
        }
        if answer.is_ok() {
            pass.answered();
        }
        answer
    }
}

/// The same answer with its body in memory.
async fn read_whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let mut stream = ByteStream::new(answer.take_body());
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| ConnectorError::io(error.into()))?;
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            let error = HttpError::TooLong { bytes_max: BODY_BYTES_MAX };
            return Err(ConnectorError::other(error.into(), None));
        }
        body.extend_from_slice(&chunk);
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

/// The body of an answer, piece by piece.
#[derive(Debug)]
pub struct Answer(ByteStream);

impl Answer {
    /// The next piece, or `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        self.0.next().await.transpose().map_err(|error| HttpError::Connection(chain(&error)))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A toll refused the request; it was not sent, or its answer was lost on purpose.
    #[error("{0}")]
    Refused(Refusal),
    /// No whole answer in time.
    #[error("no answer within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// The answer is longer than we take.
    #[error("the answer is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// The server cannot be reached, or the connection broke; with the causes.
    #[error("{0}")]
    Connection(String),
    /// The request itself is impossible, such as one without a host.
    #[error("{0}")]
    Request(String),
}

impl From<ConnectorError> for HttpError {
    fn from(error: ConnectorError) -> Self {
        match Refusal::of(&error) {
            Some(refusal) => Self::Refused(refusal),
            None => Self::Connection(chain(error.into_source().as_ref())),
        }
    }
}

/// The texts of an error and its causes, without those that only repeat what stands before them.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    for error in std::iter::successors(Some(error), |error| error.source()) {
        let cause = error.to_string();
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

/// The door as an SDK client.
#[derive(Debug)]
struct Client {
    door: Http,
    errand: Errand,
}

/// What a client is for.
#[derive(Clone, Debug)]
enum Errand {
    /// Calls of AWS's APIs, each with its label.
    Calls,
    /// Credentials.
    Credentials {
        /// Where STS is asked instead.
        sts: Option<Arc<str>>,
    },
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Crosser {
            door: Arc::new(self.door.clone()),
            limit: settings.read_timeout(),
            errand: self.errand.clone(),
        })
    }
}

#[derive(Debug)]
struct Crosser {
    door: Arc<Http>,
    limit: Option<Duration>,
    errand: Errand,
}

impl HttpConnector for Crosser {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        if let Errand::Credentials { sts } = &self.errand {
            if let Err(error) = redirected(&mut request, sts.as_deref()) {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error)));
            }
            let (service, operation) = ("credentials".to_owned(), "GetCredentials".to_owned());
            request.add_extension(Label { service, operation });
        }
        let (door, limit) = (Arc::clone(&self.door), self.limit);
        HttpConnectorFuture::new(async move { door.cross(request, limit).await })
    }
}

/// The SDK interceptor that tells the door which operation a request is. The label is an extension of
/// the request value, not a header, so it cannot reach the wire.
#[derive(Clone, Copy, Debug, Default)]
pub struct LabelOperation;

#[derive(Clone, Debug)]
struct Label {
    service: String,
    operation: String,
}

impl Intercept for LabelOperation {
    fn name(&self) -> &'static str {
        "LabelOperation"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        configuration: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = configuration.load::<Metadata>() {
            let label =
                Label { service: metadata.service().to_owned(), operation: metadata.name().to_owned() };
            context.request_mut().add_extension(label);
        }
        Ok(())
    }
}

/// What the tolls are told about a request.
fn crossing(request: &HttpRequest) -> Crossing {
    let target = request.uri().split('?').next().unwrap_or_default().to_owned();
    if let Some(Label { service, operation }) = request.extension::<Label>() {
        let writes = operation_writes(operation);
        return Crossing::Http { service: service.clone(), operation: operation.clone(), target, writes };
    }
    let method = request.method();
    let writes = !matches!(method, "GET" | "HEAD" | "OPTIONS");
    Crossing::Http { service: String::new(), operation: method.to_owned(), target, writes }
}

/// Whether an AWS operation changes anything, by its name.
fn operation_writes(operation: &str) -> bool {
    const READING: [&str; 6] = ["Get", "List", "Describe", "Simulate", "Filter", "AssumeRole"];
    // Both run code of ours that only decides.
    const INVOKING: [&str; 2] = ["Invoke", "TestInvokeAuthorizer"];
    !READING.iter().any(|prefix| operation.starts_with(prefix)) && !INVOKING.contains(&operation)
}

/// Leads a request for AWS's own address of STS to `sts`.
fn redirected(request: &mut HttpRequest, sts: Option<&str>) -> Result<(), BoxError> {
    let uri: http::Uri = request.uri().parse()?;
    let (Some(sts), Some(host)) = (sts, uri.host().filter(|host| is_sts(host))) else { return Ok(()) };
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let elsewhere = format!("{}{path}", sts.trim_end_matches('/'));
    // The Host is under the signature, if there is one.
    if request.headers().contains_key("authorization") {
        let host = host.to_owned();
        request.headers_mut().insert("host", host);
    }
    request.set_uri(elsewhere)?;
    Ok(())
}

/// Whether a host is AWS's own of STS, in any partition, also with FIPS or both versions of IP.
fn is_sts(host: &str) -> bool {
    const ENDS: [&str; 4] =
        [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"];
    (host.starts_with("sts.") || host.starts_with("sts-fips.")) && ENDS.iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests;
