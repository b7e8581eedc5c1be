//! One connection: limits, who may ask, and the target's plain functions behind it.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::guard::{self, Askers};
use super::write_limit::WriteLimited;
use crate::control::caller::Session;
use crate::data::broker::Subscription;
use crate::data::endpoint::Peer;
use crate::data::topic::Filter;
use crate::{Request, Response, Target, admin, random};

/// For the whole head of a request, and between two requests of a connection.
const HEAD_LIMIT: Duration = Duration::from_mins(1);
/// For the whole body of a request.
const BODY_LIMIT: Duration = Duration::from_mins(1);
/// For the client to read something more of an answer, so that one that never reads holds no connection.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// For a TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Head of a request. A token signature and a token of AWS's sizes fit.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// What one connection reads ahead.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Fields in the head.
const HEADERS_MAX: usize = 100;
/// A 50 MB package in base64, with room (aws-facts: the largest direct upload).
const CONTROL_BODY_BYTES_MAX: usize = 72 << 20;
/// A payload of 128 KB and something more, so that the gateway itself refuses what is slightly too large.
const DATA_BODY_BYTES_MAX: usize = 256 << 10;
/// A form.
const IDENTITY_BODY_BYTES_MAX: usize = 64 << 10;
/// What a body may have before somebody has shown the access key, or asks for the target's own switches.
const UNKNOWN_BODY_BYTES_MAX: usize = 1 << 20;
/// Larger bodies in memory at a time.
const LARGE_BODIES_MAX: usize = 4;

/// Requests of each kind that are answered at a time, and may block: a slow authorizer must not stop the
/// AWS APIs, nor a held reply the switch that releases it. Together fewer than the threads that tokio
/// has for blocking work.
#[derive(Debug)]
pub(super) struct Places {
    data: Semaphore,
    control: Semaphore,
    admin: Semaphore,
    identity: Semaphore,
    large_bodies: Semaphore,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            data: Semaphore::new(256),
            control: Semaphore::new(128),
            admin: Semaphore::new(32),
            identity: Semaphore::new(32),
            large_bodies: Semaphore::new(LARGE_BODIES_MAX),
        }
    }
}

impl Places {
    fn of(&self, port: &Port, path: &str) -> &Semaphore {
        match port {
            Port::Control if path.starts_with("/_local/") => &self.admin,
            Port::Control => &self.control,
            Port::Data(_) => &self.data,
            Port::Identity => &self.identity,
        }
    }
}

/// What a port is for.
#[derive(Clone)]
pub(super) enum Role {
    /// The AWS APIs, and `/_local/`.
    Control,
    /// Devices, over TLS.
    Data(TlsAcceptor),
    /// The identity provider.
    Identity,
}

type Answer = http::Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Serves one connection until it ends, or `stop` says so and the current request is answered.
pub(super) async fn serve(
    socket: TcpStream,
    role: Role,
    target: Target,
    places: Arc<Places>,
    stop: watch::Receiver<bool>,
) {
    // Without it answers wait for the client's acknowledgement of the one before.
    let _delayed = socket.set_nodelay(true);
    serve_stream(socket, role, target, places, stop).await;
}

/// The same for whatever carries bytes both ways.
async fn serve_stream(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    role: Role,
    target: Target,
    places: Arc<Places>,
    stop: watch::Receiver<bool>,
) {
    let stream = WriteLimited::new(stream, WRITE_LIMIT);
    // A connection that breaks has nobody to be told.
    let _broken = match role {
        Role::Data(acceptor) => match timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let server_name = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
                let peer = Peer { server_name, connection: random::uuid() };
                http(stream, Shared { port: Port::Data(peer), target, places }, stop).await
            }
            _ => return,
        },
        Role::Control => http(stream, Shared { port: Port::Control, target, places }, stop).await,
        Role::Identity => http(stream, Shared { port: Port::Identity, target, places }, stop).await,
    };
}

/// A port as one of its requests sees it.
#[derive(Clone)]
enum Port {
    Control,
    Data(Peer),
    Identity,
}

/// What the requests of one connection have in common.
struct Shared {
    port: Port,
    target: Target,
    places: Arc<Places>,
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: Shared,
    mut stop: watch::Receiver<bool>,
) -> hyper::Result<()> {
    let shared = Arc::new(shared);
    let for_requests = Arc::clone(&shared);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&for_requests);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX);
    if matches!(shared.port, Port::Data(_)) {
        // A signature as `openssl base64` prints it has line ends in it, which curl sends as they are: AWS
        // answers 403 rather than 400 (aws-facts, gotcha 1), since what is left of it is a wrong signature.
        builder.ignore_invalid_headers(true);
    }
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

async fn answer(shared: &Shared, request: http::Request<Incoming>) -> Answer {
    let (askers, names): (Askers, guard::Names) = match shared.port {
        Port::Control => (Askers::Programs, guard::is_sts),
        Port::Identity => (Askers::OwnPages, |name| name == "identity.thinggate.local"),
        // Devices come by the endpoint's name, which the gateway itself checks; there is no page to fool.
        Port::Data(_) => return plain(shared, request, DATA_BODY_BYTES_MAX).await,
    };
    if let Err(refused) = guard::check(request.uri(), request.headers(), askers, names) {
        return whole(crate::plain_answer(403, &format!("{}\n", refused.text())));
    }
    match shared.port {
        Port::Control if request.uri().path() == "/_local/messages" => messages(&shared.target, request),
        Port::Identity => plain(shared, request, IDENTITY_BODY_BYTES_MAX).await,
        _ if names_our_key(&shared.target, &request) => plain(shared, request, CONTROL_BODY_BYTES_MAX).await,
        _ => plain(shared, request, UNKNOWN_BODY_BYTES_MAX).await,
    }
}

/// Whether the request says that our access key signed it, or brings a session of ours. The signature is checked once the body is there;
/// until then this keeps the memory from who does not know the key's id, which is random.
fn names_our_key(target: &Target, request: &http::Request<Incoming>) -> bool {
    let said = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let key = target.key();
    said("authorization").is_some_and(|claim| claim.contains(&format!("Credential={}/", key.access_key_id)))
        || said("x-amz-security-token").is_some_and(|token| Session::is_ours(key, token))
}

/// Reads the request whole, and lets the target's plain function answer it, which may block.
async fn plain(shared: &Shared, request: http::Request<Incoming>, bytes_max: usize) -> Answer {
    let (parts, body) = request.into_parts();
    let places = &shared.places;
    // A body of an unknown size may become large.
    let is_large = body.size_hint().upper().is_none_or(|upper| upper > UNKNOWN_BODY_BYTES_MAX as u64);
    // An error means that the semaphore is closed, which never happens.
    let _large = if is_large && bytes_max > UNKNOWN_BODY_BYTES_MAX {
        places.large_bodies.acquire().await.ok()
    } else {
        None
    };
    let body = match timeout(BODY_LIMIT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("the body is larger than {bytes_max} bytes");
            return closing(crate::json_answer(413, &serde_json::json!({ "message": text })));
        }
        Ok(Err(_)) => return closing(crate::plain_answer(400, "the body is broken\n")),
        Err(_) => return closing(crate::plain_answer(408, "the body did not come in time\n")),
    };
    let mut request = Request::from_parts(parts, body);
    let _place = places.of(&shared.port, request.uri().path()).acquire().await.ok();
    let (port, target) = (shared.port.clone(), shared.target.clone());
    let answered = tokio::task::spawn_blocking(move || match port {
        Port::Control if request.uri().path().starts_with("/_local/") => target.admin(request),
        Port::Control => target.control(request),
        Port::Identity => target.identity(request),
        Port::Data(peer) => {
            request.extensions_mut().insert(peer);
            target.data(request)
        }
    });
    let text = "the local target failed at this request; please report it\n";
    answered.await.map_or_else(|_| closing(crate::plain_answer(500, text)), whole)
}

fn whole(response: Response) -> Answer {
    response.map(|body| Full::new(body).boxed_unsync())
}

/// An answer after which the connection cannot be used: the rest of the request was not read.
fn closing(mut response: Response) -> Answer {
    response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    whole(response)
}

/// `GET /_local/messages?filter=FILTER[&region=REGION]`: one line of JSON for each delivered message
/// ([`crate::data::broker::Message::to_json_line`]), from the moment of the answer's head on. The stream
/// ends with the target, or when its reader is too slow.
fn messages(target: &Target, request: http::Request<Incoming>) -> Answer {
    let request = request.map(|_| Bytes::new());
    if let Err((status, because)) = admin::admit(target, &request) {
        return whole(admin::refused(status, &because));
    }
    if request.method() != Method::GET {
        return whole(crate::plain_answer(405, "GET it\n"));
    }
    let query = request.uri().query().unwrap_or_default();
    let (mut filter, mut region) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "filter" => filter = Some(value.into_owned()),
            "region" => region = Some(value.into_owned()),
            _ => return whole(crate::plain_answer(400, "the parameters are `filter` and `region`\n")),
        }
    }
    let filter = match Filter::new(filter.as_deref().unwrap_or("#")) {
        Ok(filter) => filter,
        Err(error) => {
            return whole(crate::plain_answer(400, &format!("`filter` is no topic filter: {error}\n")));
        }
    };
    let subscription = match target.subscribe(region.as_deref(), filter) {
        Ok(subscription) => subscription,
        Err(error) => return whole(crate::plain_answer(429, &format!("{error}\n"))),
    };
    let mut answer = Answer::new(Messages { subscription }.boxed_unsync());
    *answer.status_mut() = StatusCode::OK;
    let lines = http::HeaderValue::from_static("application/x-ndjson");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, lines);
    answer
}

/// The lines of a subscription as a body without an end.
struct Messages {
    subscription: Subscription,
}

impl Body for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.subscription
            .poll(context)
            .map(|message| message.map(|message| Ok(Frame::data(message.to_json_line().into()))))
    }
}

/// Whether accepting failed for this connection alone.
pub(super) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests;
