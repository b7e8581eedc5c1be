//! `local up|status|env|reset|log|follow`: the local target as a server, and a look at it.

pub(super) mod refusals;
mod status;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use local::switches::{BadSwitch, TABLE};
use serde_json::{Value, json};

use super::args::{Limits, LocalCommand};
use super::local_target::{self, Found, RunFile};
use super::session::Session;
use super::{ask, shell_word};
use crate::door::{Http, HttpError, NetworkOptions, Roots};
use crate::problem::{Problem, ProblemKind};
use crate::report::Output;
use crate::stack::alike;

/// The header that gives access to `/_local/…`.
const KEY_HEADER: &str = "x-thinggate-key";
/// How often a served target looks whether its state directory is still there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Runs a `local` command.
pub(super) async fn run(session: &Arc<Session>, command: LocalCommand) -> Result<(), Problem> {
    let folder = session.state_directory(None);
    match command {
        LocalCommand::Up { limits, switches } => up(session, &folder, &limits, &switches).await,
        LocalCommand::Status => status::show(session, &folder).await,
        LocalCommand::Env => env(session, &folder),
        LocalCommand::Reset { yes } => reset(session, &folder, yes).await,
        LocalCommand::Log { trace_id, last } => refusals::show(session, &folder, trace_id, last).await,
        LocalCommand::Follow { filter, count } => follow(session, &folder, &filter, count).await,
    }
}

/// Options of a served target with these limits and switches.
fn options(limits: &Limits, switches: &[String]) -> Result<local::Options, Problem> {
    let mut options = local::Options::default();
    for switch in switches {
        let (name, value) = switch.split_once('=').ok_or_else(|| {
            bad_switch(format!("`{switch}` is not NAME=VALUE")).next("such as --switch page_size=1")
        })?;
        options.set(name, value).map_err(|bad| unknown_switch(&bad))?;
    }
    if let Some(milliseconds) = limits.authorizer_limit_ms {
        options.authorizer_limit = Duration::from_millis(milliseconds);
    }
    Ok(options)
}

fn bad_switch(because: String) -> Problem {
    Problem::usage("bad_switch", "a switch of the local target is refused").because(because)
}

fn unknown_switch(bad: &BadSwitch) -> Problem {
    let problem = bad_switch(bad.to_string());
    let BadSwitch::Unknown(name) = bad else { return problem };
    let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
    let problem = problem.because(format!("there are: {}", names.join(", ")));
    match alike(name, names.iter().copied()) {
        Some(name) => problem.next(format!("did you mean `{name}`?")),
        None => problem,
    }
}

/// Serves the target of `folder` in this process, until the value is stopped.
pub(super) async fn serve(
    session: &Session,
    folder: &Path,
    limits: &Limits,
    switches: &[String],
) -> Result<(local::serve::Running, local::Target), Problem> {
    let options = options(limits, switches)?;
    let directory = match local_target::look(session, folder).await? {
        Found::Free(directory) => directory,
        Found::Served(run) => {
            let what = "another process serves this local target already";
            return Err(Problem::new(ProblemKind::Held, "state_directory_held", what)
                .at(folder.display().to_string())
                .because(format!("process {} serves it at {}", run.pid, run.control_url))
                .next("use it as it is, end that process, or name another folder with --state-dir"));
        }
    };
    let clock = local::clock::Clock::wall();
    let target = local::Target::open(&directory, clock, options)
        .map_err(|error| local_target::unusable(folder, &error))?;
    if let Some(interval_seconds) = limits.identity_interval_s {
        let defaults = local::identity::IdentityOptions::default();
        let options = local::identity::IdentityOptions { interval_seconds, ..defaults };
        target
            .provider()
            .set_options(options)
            .map_err(|because| Problem::usage("bad_interval", "the interval is refused").because(because))?;
    }
    let running = local::serve::serve(target.clone(), &directory).await.map_err(|error| {
        Problem::failed("cannot_serve", "the local target cannot be served")
            .at(folder.display().to_string())
            .because(error.to_string())
            .next("another --state-dir has other ports")
    })?;
    Ok((running, target))
}

async fn up(session: &Session, folder: &Path, limits: &Limits, switches: &[String]) -> Result<(), Problem> {
    let (running, _target) = serve(session, folder, limits, switches).await?;
    let run = running_file(session, folder)?;
    let text = format!(
        "local target in {}\n  AWS APIs           {}\n  device gateway     https://thinggatelocal-ats.iot.REGION.amazonaws.com (127.0.0.1:{})\n  identity provider  {}\nready\n",
        folder.display(),
        run.control_url,
        run.data_port,
        run.identity_url,
    );
    let value = json!({
        "ready": true,
        "control_url": run.control_url,
        "data_port": run.data_port,
        "identity_url": run.identity_url,
        "ca": run.ca,
    });
    session.printer.result(&text, &value);
    session.printer.talk("other commands find it while it runs; Ctrl-C stops it\n");
    let is_lost = tokio::select! {
        () = session.stop.stopped() => false,
        () = moved_away(&running) => true,
    };
    running.stop().await;
    if is_lost { Err(gone(folder)) } else { Ok(()) }
}

/// Comes back once the target's state directory is not where other commands look for it.
async fn moved_away(running: &local::serve::Running) {
    while running.is_in_place() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn gone(folder: &Path) -> Problem {
    Problem::failed("state_directory_gone", "the state directory was moved or removed; the target has ended")
        .at(folder.display().to_string())
        .because("other commands no longer found the target, and no change could be written")
        .next("thinggate local up serves a new target; --state-dir names a directory that was moved")
}

/// The run file of the served target, which must be there.
pub(super) fn running_file(session: &Session, folder: &Path) -> Result<RunFile, Problem> {
    local_target::run_file(session, folder)?.ok_or_else(|| {
        Problem::failed("nothing_served", "no local target is served")
            .at(folder.display().to_string())
            .next("thinggate local up")
    })
}

/// What a shell evaluates where nothing is served: whatever it runs next must not reach real AWS.
const NOWHERE: &str =
    "unset AWS_PROFILE AWS_SESSION_TOKEN\nexport AWS_ENDPOINT_URL=http://127.0.0.1:1\nfalse\n";

fn env(session: &Session, folder: &Path) -> Result<(), Problem> {
    let run = running_file(session, folder).map_err(|problem| {
        if session.printer.output() != Output::Human {
            return problem;
        }
        session.printer.data(NOWHERE);
        problem
            .because(
                "a shell that evaluates this gets an AWS_ENDPOINT_URL that leads nowhere, not to real AWS",
            )
            .next("thinggate local up, in another terminal and the same folder; then this command again")
    })?;
    let ca = absolute(session, &run.ca).display().to_string();
    let port = run.data_port.to_string();
    let variables = [
        ("AWS_ENDPOINT_URL", run.control_url.as_str()),
        ("AWS_ACCESS_KEY_ID", &run.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &run.secret_access_key),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("THINGGATE_LOCAL_DATA_PORT", &port),
        ("THINGGATE_LOCAL_CA", &ca),
        ("THINGGATE_LOCAL_IDENTITY_URL", &run.identity_url),
    ];
    let mut text = "unset AWS_PROFILE AWS_SESSION_TOKEN\n".to_owned();
    for (name, value) in variables {
        let _ = writeln!(text, "export {name}={}", shell_word(value));
    }
    session.printer.result(&text, &json!(BTreeMap::from(variables)));
    Ok(())
}

fn absolute(session: &Session, path: &Path) -> PathBuf {
    session.files.canonical(path).unwrap_or_else(|_| path.to_owned())
}

async fn reset(session: &Session, folder: &Path, yes: bool) -> Result<(), Problem> {
    let question = format!("This forgets everything in {}. Go on?", folder.display());
    let confirmed = yes || (session.printer.can_ask() && ask::yes(session, &question).await);
    if !confirmed {
        return Err(Problem::refused("not_confirmed", "reset was not confirmed; nothing was changed")
            .next("thinggate local reset --yes"));
    }
    match local_target::open(folder) {
        Ok(directory) => {
            directory.forget().map_err(|error| {
                Problem::failed("state_directory", "the state cannot be removed")
                    .at(folder.display().to_string())
                    .because(error.to_string())
            })?;
            session.printer.talk(&format!("everything in {} is forgotten\n", folder.display()));
            Ok(())
        }
        Err(local::state_directory::OpenError::Held { .. }) => {
            let run = running_file(session, folder)?;
            admin(session, &run, http::Method::POST, "/_local/reset").await?;
            let (folder, pid) = (folder.display(), run.pid);
            session
                .printer
                .talk(&format!("everything in {folder} is forgotten; process {pid} serves it on\n"));
            Ok(())
        }
        Err(error) => Err(local_target::unusable(folder, &error)),
    }
}

/// Prints delivered messages as they come.
async fn follow(session: &Session, folder: &Path, filter: &str, count: Option<u64>) -> Result<(), Problem> {
    let run = running_file(session, folder)?;
    let query: String =
        form_urlencoded::Serializer::new(String::new()).append_pair("filter", filter).finish();
    let request = request(&run, http::Method::GET, &format!("/_local/messages?{query}"))?;
    let http = loopback(session);
    let answer = http.open(request).await.map_err(|error| unreachable(&run, &error))?;
    if !answer.status().is_success() {
        return Err(Problem::usage("bad_filter", format!("`{filter}` is not a topic filter")));
    }
    session.printer.talk(&format!("following {filter}; Ctrl-C stops\n"));
    let mut body = answer.into_body();
    let (mut buffered, mut seen) = (Vec::new(), 0_u64);
    loop {
        let piece = tokio::select! {
            piece = body.next() => piece.map_err(|error| unreachable(&run, &error))?,
            () = session.stop.stopped() => return Ok(()),
        };
        let Some(piece) = piece else { return Ok(()) };
        buffered.extend_from_slice(&piece);
        while let Some(end) = buffered.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffered.drain(..=end).collect();
            if let Ok(message) = serde_json::from_slice::<Value>(&line) {
                print_message(session, &message);
                seen += 1;
            }
            if count.is_some_and(|count| seen >= count) {
                return Ok(());
            }
        }
    }
}

fn print_message(session: &Session, message: &Value) {
    if session.printer.output() != Output::Human {
        session.printer.data(&format!("{message}\n"));
        return;
    }
    let text = |name: &str| message.get(name).and_then(Value::as_str).map(crate::device::printable);
    let payload = text("text").or_else(|| text("payload")).unwrap_or_default();
    session.printer.data(&format!("{}  {payload}\n", text("topic").unwrap_or_default()));
}

/// Asks `/_local/…` of a served target.
pub(super) async fn admin(
    session: &Session,
    run: &RunFile,
    method: http::Method,
    path: &str,
) -> Result<Value, Problem> {
    let request = request(run, method, path)?;
    let answer = loopback(session).send(request).await.map_err(|error| unreachable(run, &error))?;
    if !answer.status().is_success() {
        return Err(Problem::failed("local_refused", "the local target refused").because(format!(
            "{} {}",
            answer.status(),
            path
        )));
    }
    Ok(serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
}

fn request(run: &RunFile, method: http::Method, path: &str) -> Result<http::Request<Bytes>, Problem> {
    http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", run.admin_url.trim_end_matches('/').trim_end_matches("/_local")))
        .header(KEY_HEADER, &run.secret_access_key)
        .body(Bytes::new())
        .map_err(|error| {
            Problem::failed("bad_run_file", "the run file is damaged").because(error.to_string())
        })
}

fn loopback(session: &Session) -> Http {
    let options = NetworkOptions { roots: Roots::Only(Vec::new()), ..NetworkOptions::default() };
    Http::network(options, session.tolls.clone())
}

fn unreachable(run: &RunFile, error: &HttpError) -> Problem {
    Problem::failed("local_unreachable", "the served local target does not answer")
        .at(run.control_url.clone())
        .because(error.to_string())
        .next("thinggate local up")
}
