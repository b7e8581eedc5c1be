//! Finds the local target of a state directory: the served one by its run file, else this process hosts
//! it and owns the directory.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use local::state_directory::{OpenError, StateDirectory};
use serde::Deserialize;

use super::session::Session;
use crate::door::{Http, NetworkOptions, Roots};
use crate::names::Region;
use crate::problem::{Problem, ProblemKind};

/// The name under which the AWS APIs of a hosted target are asked for.
const CONTROL_HOST: &str = "control.thinggate.local";
/// The identity provider's host: part of its issuer, known to no name server.
const IDENTITY_HOST: &str = "identity.thinggate.local";
/// How often a waiting command looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The longest run file.
const RUN_FILE_BYTES_MAX: u64 = 64 * 1024;

/// A local target, ready to be used.
#[derive(Clone, Debug)]
pub(crate) enum LocalTarget {
    /// Hosted by this process.
    Hosted {
        /// The target.
        target: local::Target,
        /// Its directory, owned as long as this value lives; `None`: it lives in memory.
        _directory: Option<StateDirectory>,
    },
    /// Served by another process, or by this one.
    Served(Box<RunFile>),
}

/// `run.json`: where a served target is.
#[derive(Clone, Deserialize)]
pub(crate) struct RunFile {
    /// The serving process.
    pub(crate) pid: u32,
    /// The AWS APIs.
    pub(crate) control_url: String,
    /// The port of the device gateway.
    pub(crate) data_port: u16,
    /// The identity provider.
    pub(crate) identity_url: String,
    /// `/_local/…`.
    pub(crate) admin_url: String,
    /// The certificate authority's file.
    pub(crate) ca: PathBuf,
    /// Who signs.
    pub(crate) access_key_id: String,
    /// Its secret.
    pub(crate) secret_access_key: String,
}

impl std::fmt::Debug for RunFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RunFile").field("control_url", &self.control_url).finish_non_exhaustive()
    }
}

/// What there is at a state directory.
pub(crate) enum Found {
    /// Nobody had it; now this process does.
    Free(StateDirectory),
    /// Another process serves it.
    Served(Box<RunFile>),
}

/// Finds the local target of `folder`.
pub(crate) async fn find(session: &Session, folder: &Path) -> Result<LocalTarget, Problem> {
    match look(session, folder).await? {
        Found::Served(run) => Ok(LocalTarget::Served(run)),
        Found::Free(_) if session.global.local_endpoint.is_some() => Err(nothing_served(folder)),
        Found::Free(directory) => {
            let clock = local::clock::Clock::wall();
            let target = local::Target::open(&directory, clock, local::Options::default())
                .map_err(|error| unusable(folder, &error))?;
            Ok(LocalTarget::Hosted { target, _directory: Some(directory) })
        }
    }
}

/// Takes the directory, or finds who serves it. A holder that does not serve is waited for, as long as
/// `--lock-timeout` says.
pub(crate) async fn look(session: &Session, folder: &Path) -> Result<Found, Problem> {
    let deadline = Instant::now() + Duration::from_secs(session.global.lock_timeout);
    let mut is_told = false;
    loop {
        let (pid, command) = match open(folder) {
            Ok(directory) => return Ok(Found::Free(directory)),
            Err(OpenError::Held { pid, command }) => (pid, command),
            Err(error) => return Err(unusable(folder, &error)),
        };
        if let Some(run) = run_file(session, folder)?.filter(|run| run.pid == pid) {
            return Ok(Found::Served(Box::new(run)));
        }
        if session.stop.is_stopped() {
            return Err(Problem::new(ProblemKind::Interrupted, "interrupted", "the run was stopped")
                .because("it was still waiting for the local target; nothing was changed")
                .next("run the same command again"));
        }
        if Instant::now() >= deadline {
            return Err(held(folder, pid, &command));
        }
        if !std::mem::replace(&mut is_told, true) {
            let folder = folder.display();
            session.printer.talk(&format!("waiting for process {pid} ({command}), which holds {folder}\n"));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Takes the directory's lock, without waiting.
pub(crate) fn open(folder: &Path) -> Result<StateDirectory, OpenError> {
    let command: Vec<String> = std::env::args().take(3).collect();
    StateDirectory::open(folder, &command.join(" "), Duration::ZERO)
}

/// The run file of a served target, if there is one.
pub(crate) fn run_file(session: &Session, folder: &Path) -> Result<Option<RunFile>, Problem> {
    let path = folder.join("run.json");
    if !session.files.exists(&path)? {
        return Ok(None);
    }
    let bytes = session.files.read_secret(&path, RUN_FILE_BYTES_MAX)?;
    // A file that is just being written parses at the next look.
    Ok(serde_json::from_slice(&bytes).ok())
}

/// The problem of a state directory that cannot be used.
pub(crate) fn unusable(folder: &Path, error: &OpenError) -> Problem {
    let problem = Problem::failed("state_directory", "the local target's state directory cannot be used")
        .at(folder.display().to_string())
        .because(error.to_string());
    match error {
        OpenError::Held { pid, command } => held(folder, *pid, command),
        OpenError::Io { source, .. } => {
            problem.because(source.to_string()).next("choose another folder with --state-dir")
        }
        OpenError::Damaged { .. } => problem.next("thinggate local reset --yes"),
    }
}

fn held(folder: &Path, pid: u32, command: &str) -> Problem {
    Problem::new(ProblemKind::Held, "state_directory_held", "another process holds the local target's state")
        .at(folder.display().to_string())
        .because(format!("process {pid} holds it: {command}"))
        .next("wait for it, or run `thinggate local up` once: it serves many commands at the same time")
}

/// The problem of what only a served target can do: what does not work, and why.
pub(crate) fn unserved(what: &str, because: &str) -> Problem {
    Problem::failed("nothing_served", what)
        .because(because)
        .next("thinggate local up, in another terminal and the same folder")
}

fn nothing_served(folder: &Path) -> Problem {
    Problem::usage("nothing_served", "--local-endpoint needs a served local target, and none is")
        .at(folder.display().to_string())
        .next("thinggate local up")
}

impl LocalTarget {
    /// Whether only this process reaches it.
    pub(crate) const fn is_hosted(&self) -> bool {
        matches!(self, Self::Hosted { .. })
    }

    /// Where the AWS APIs answer.
    pub(crate) fn endpoint(&self, session: &Session) -> String {
        match (self, &session.global.local_endpoint) {
            (_, Some(replaced)) => replaced.trim_end_matches('/').to_owned(),
            (Self::Hosted { .. }, None) => format!("http://{CONTROL_HOST}"),
            (Self::Served(run), None) => run.control_url.clone(),
        }
    }

    /// Who signs: access key id and secret.
    pub(crate) fn credentials(&self) -> (String, String) {
        match self {
            Self::Hosted { target, .. } => {
                let made = target.credentials();
                (made.access_key_id, made.secret_access_key)
            }
            Self::Served(run) => (run.access_key_id.clone(), run.secret_access_key.clone()),
        }
    }

    /// The door to this target.
    pub(crate) fn http(&self, session: &Session, region: &Region) -> Result<Http, Problem> {
        match self {
            Self::Hosted { target, .. } => {
                Ok(Http::new(Hosted { target: target.clone() }, session.tolls.clone()))
            }
            Self::Served(run) => {
                let data_host = data_host(region);
                let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
                let options = NetworkOptions {
                    roots: Roots::Only(session.files.read(&run.ca, RUN_FILE_BYTES_MAX)?),
                    resolve: vec![(data_host.clone(), loopback)],
                    routes: vec![
                        (data_host.clone(), format!("https://{data_host}:{}", run.data_port)),
                        (IDENTITY_HOST.to_owned(), run.identity_url.clone()),
                    ],
                    proxy_from_environment: false,
                };
                Ok(Http::network(options, session.tolls.clone()))
            }
        }
    }
}

/// The name of the device gateway in a Region.
fn data_host(region: &Region) -> String {
    format!("thinggatelocal-ats.iot.{region}.amazonaws.com")
}

/// Whether an address is the embedded identity provider's.
pub(crate) fn is_embedded_provider(address: &str) -> bool {
    let uri: Option<http::Uri> = address.parse().ok();
    uri.is_some_and(|uri| uri.host() == Some(IDENTITY_HOST))
}

/// Joins requests to the hosted target's plain functions, by host.
#[derive(Debug)]
struct Hosted {
    target: local::Target,
}

impl HttpConnector for Hosted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = self.target.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (mut head, body) = request.into_parts();
            let body = Bytes::copy_from_slice(
                body.bytes().ok_or_else(|| ConnectorError::user("a streaming body".into()))?,
            );
            let host = head.uri.host().unwrap_or_default().to_owned();
            if !head.headers.contains_key(http::header::HOST)
                && let Ok(value) =
                    http::HeaderValue::from_str(head.uri.authority().map_or("", http::uri::Authority::as_str))
            {
                head.headers.insert(http::header::HOST, value);
            }
            let request = http::Request::from_parts(head, body);
            let answer = tokio::task::spawn_blocking(move || match host.as_str() {
                CONTROL_HOST if request.uri().path().starts_with("/_local/") => target.admin(request),
                CONTROL_HOST => target.control(request),
                IDENTITY_HOST => target.identity(request),
                _ => target.data(request),
            })
            .await
            .map_err(|error| ConnectorError::other(error.into(), None))?;
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
