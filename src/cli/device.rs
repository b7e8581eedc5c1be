//! `device login|token|sign|publish`: the device of a stack, for real.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use serde_json::json;

use super::args::{DeviceCommand, TokenSource, Variables};
use super::local::refusals;
use super::local_target::{self, LocalTarget};
use super::references;
use super::session::Session;
use super::target::{self, Connected};
use super::{ask, load, shell_word};
use crate::device::{Answer, Flow, Login, Pace, Pending, Publish, Seen};
use crate::gather::References as _;
use crate::keys::Secret;
use crate::problem::{Problem, ProblemKind};
use crate::stack::IdentityProvider;

/// The longest token that is read, in bytes: what the authorizer takes.
const TOKEN_BYTES_MAX: u64 = 8192 + 2;

/// Runs a `device` command.
pub(super) async fn run(session: &Arc<Session>, command: DeviceCommand) -> Result<(), Problem> {
    let stack = match &command {
        DeviceCommand::Login { stack, .. }
        | DeviceCommand::Token { stack, .. }
        | DeviceCommand::Sign { stack, .. }
        | DeviceCommand::Publish { stack, .. } => stack.display().to_string(),
    };
    carried_out(session, command).await.map_err(|problem| problem.of_stack(&shell_word(&stack)))
}

async fn carried_out(session: &Arc<Session>, command: DeviceCommand) -> Result<(), Problem> {
    match command {
        DeviceCommand::Login { stack, variables, save } => {
            log_in(session, &stack, &variables, save.as_deref()).await
        }
        DeviceCommand::Token { stack: _, token } => show(session, &read(session, &token)?),
        DeviceCommand::Sign { stack, variables, token } => {
            let connected = connect(session, &stack, &variables).await?;
            let token = read(session, &token)?;
            Seen::access(&token)?;
            let signature = signature(&connected, &token).await?;
            session.printer.result(&format!("{signature}\n"), &json!({ "token_signature": signature }));
            Ok(())
        }
        DeviceCommand::Publish { stack, variables, topic, message, token, signature, default_authorizer } => {
            let connected = connect(session, &stack, &variables).await?;
            let token = read(session, &token)?;
            Seen::access(&token)?;
            // Another account's gateway must not get the token.
            connected.identity().await?;
            let signature = match signature {
                Some(given) => Some(given),
                None => optional_signature(&connected, &token).await?,
            };
            let request = Request { topic: &topic, message: message.as_bytes(), default_authorizer };
            let answer = publish(&connected, &token, signature.as_deref(), &request).await?;
            let answer = answer.delivered().map_err(|problem| match connected.local {
                Some(_) => refusals::pointed_to(session, &stack, problem),
                None => problem,
            })?;
            told(session, &answer, &topic);
            Ok(())
        }
    }
}

async fn connect<'a>(
    session: &'a Session,
    file: &Path,
    variables: &Variables,
) -> Result<Connected<'a>, Problem> {
    target::connect(session, load::with_variables(session, file, &variables.var)?.stack).await
}

/// `[identity]` of a stack with its client secret, ready for a login.
pub(super) async fn flow(connected: &Connected<'_>) -> Result<(IdentityProvider, Flow), Problem> {
    let stack = &connected.stack;
    let provider = stack.identity.clone().ok_or_else(|| {
        Problem::usage("no_identity", "the stack file does not say where devices log in")
            .at(stack.file.display().to_string())
            .next("add an `[identity]` table; stacks/openam-hs256.toml shows one")
    })?;
    let resolver = connected.resolver.with_parameters(&connected.aws, references::of_device(stack)).await;
    let secret = provider.client_secret.as_ref().map(|secret| resolver.secret(secret)).transpose()?;
    let flow = Flow::new(provider.clone(), secret)?;
    Ok((provider, flow))
}

/// How a login waits.
pub(super) fn pace(session: &Session) -> Pace {
    Pace { sleep: SharedAsyncSleep::new(TokioSleep::new()), stop: session.stop.clone() }
}

async fn log_in(
    session: &Session,
    file: &Path,
    variables: &Variables,
    save: Option<&Path>,
) -> Result<(), Problem> {
    let connected = connect(session, file, variables).await?;
    let (provider, flow) = Box::pin(flow(&connected)).await?;
    reachable(&connected, &provider)?;
    if let Some(path) = save {
        savable(session, path)?;
    }
    let pending = flow.begin(&connected.http).await?;
    let picture = session.printer.is_watched();
    session.printer.question(&instructions(&pending, connected.local.is_some(), picture));
    let login = flow.wait(&connected.http, &pending, &pace(session)).await.map_err(stopped)?;
    Seen::access(&login.access_token)?;
    deliver(session, &login, save)
}

/// A login that Ctrl-C ended, in its own words: there is nothing to go on with, its code is lost.
fn stopped(problem: Problem) -> Problem {
    if problem.kind != ProblemKind::Interrupted {
        return problem;
    }
    Problem { what: "the login was stopped; no token was fetched".to_owned(), ..problem }
        .next("thinggate device login STACK starts a new login, with a new code")
}

/// Refuses a login at the embedded provider while nobody serves it: no browser could open its page.
fn reachable(connected: &Connected<'_>, provider: &IdentityProvider) -> Result<(), Problem> {
    let hosted = connected.local.as_ref().is_some_and(LocalTarget::is_hosted);
    if hosted && local_target::is_embedded_provider(&provider.device_url) {
        let what = "no browser can open the embedded provider's page";
        return Err(local_target::unserved(what, "the local target is not served"));
    }
    Ok(())
}

/// Looks, before a person is asked to approve, whether the token can be saved.
fn savable(session: &Session, path: &Path) -> Result<(), Problem> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if session.files.is_folder(folder)? {
        return Ok(());
    }
    Err(Problem::usage("no_folder", "the access token could not be saved there")
        .at(path.display().to_string())
        .because("its folder is not there")
        .next("make the folder, or name another file"))
}

/// What the device shows. Always with the code, so that the person can compare. The local provider's
/// page is always on another host than its constant issuer. `picture`: with a QR code, for a terminal.
fn instructions(pending: &Pending, local: bool, picture: bool) -> String {
    let mut text = String::new();
    if let Some(message) = &pending.message {
        text.push_str(message);
        text.push('\n');
    }
    let address = pending.verification_uri_complete.as_ref().unwrap_or(&pending.verification_uri);
    if picture && let Ok(code) = qrcode::QrCode::new(address.as_bytes()) {
        let picture = code.render::<qrcode::render::unicode::Dense1x2>().quiet_zone(true).build();
        text.push_str(&picture);
        text.push('\n');
    }
    let (page, code) = (&pending.verification_uri, &pending.user_code);
    let _ = writeln!(text, "open   {page}\ncode   {code}\n(good for {} s)", pending.expires_in.as_secs());
    if let Some(host) = pending.other_host.as_ref().filter(|_| !local) {
        let _ = writeln!(text, "note: this page is on {host}, another host than the stack file's");
    }
    text
}

/// Gives the token to standard output, or to a file that only its owner can read.
fn deliver(session: &Session, login: &Login, save: Option<&Path>) -> Result<(), Problem> {
    let token = login.access_token.expose();
    let expires_in = login.expires_in.map(|left| left.as_secs());
    let (text, value) = match save {
        Some(path) => {
            session.files.replace_secret(path, format!("{token}\n").as_bytes())?;
            session.printer.talk(&format!("the access token is in {}\n", path.display()));
            (String::new(), json!({ "saved": path, "expires_in": expires_in }))
        }
        None => (format!("{token}\n"), json!({ "access_token": token, "expires_in": expires_in })),
    };
    session.printer.result(&text, &value);
    Ok(())
}

/// Reads an access token from where the flag says.
fn read(session: &Session, source: &TokenSource) -> Result<Secret, Problem> {
    let text = match source.source.as_str() {
        "-" => ask::standard_input(TOKEN_BYTES_MAX)?,
        other => match other.split_once(':') {
            Some(("env", name)) => session.environment.get(name).map(Secret::new).ok_or_else(|| {
                Problem::usage("variable_unset", format!("the environment variable `{name}` is not set"))
                    .because("--token says that it holds the access token")
                    .next("thinggate device login STACK --save FILE, then --token file:FILE")
            })?,
            Some(("file", path)) => {
                let bytes =
                    session.files.read_secret(Path::new(path), TOKEN_BYTES_MAX).map_err(token_missing)?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| Problem::usage("not_text", "the token file is not text").at(path))?;
                Secret::new(text)
            }
            _ => {
                return Err(Problem::usage(
                    "token_source",
                    "--token says where the token is, not what it is",
                )
                .because("a command line can be read by everybody on the machine")
                .next("--token env:NAME, --token file:PATH, or --token - for standard input"));
            }
        },
    };
    Ok(Secret::new(text.expose().trim()))
}

/// A token file that is not there is a mistake on the command line, as a variable that is not set is.
fn token_missing(problem: Problem) -> Problem {
    if problem.code != "file_missing" {
        return problem;
    }
    Problem { kind: ProblemKind::Usage, ..problem }
        .because("--token says that it holds the access token")
        .next("thinggate device login STACK --save FILE, then --token file:FILE")
}

/// Shows what a token says. Its signature, which makes it usable, stays out.
fn show(session: &Session, token: &Secret) -> Result<(), Problem> {
    let seen = Seen::read(token)?;
    let left = seen.left(now()).map(|left| left.as_secs());
    let value =
        json!({"header": seen.header, "claims": seen.claims, "kind": seen.kind.word(), "seconds_left": left});
    session.printer.result(&format!("{value:#}\n"), &value);
    Ok(())
}

fn now() -> SystemTime {
    SystemTime::now()
}

/// The token signature by the stack's key store, where this machine can sign.
pub(super) async fn signature(connected: &Connected<'_>, token: &Secret) -> Result<String, Problem> {
    match &connected.store {
        Some(store) => store.sign(token.expose().as_bytes()).await,
        None => Err(Problem::usage("nothing_signs", "this stack has no key store that could sign")
            .at(connected.store_text())
            .next("--signature, made by whoever holds the private key")),
    }
}

async fn optional_signature(connected: &Connected<'_>, token: &Secret) -> Result<Option<String>, Problem> {
    if connected.stack.signing == crate::stack::Signing::Off {
        return Ok(None);
    }
    signature(connected, token).await.map(Some)
}

/// What is published, and whether the default authorizer decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) topic: &'a str,
    pub(super) message: &'a [u8],
    pub(super) default_authorizer: bool,
}

/// Publishes as a device.
pub(super) async fn publish(
    connected: &Connected<'_>,
    token: &Secret,
    signature: Option<&str>,
    request: &Request<'_>,
) -> Result<Answer, Problem> {
    let stack = &connected.stack;
    let endpoint = connected.aws.data_endpoint().await?;
    Publish {
        endpoint: &endpoint,
        topic: request.topic,
        message: request.message,
        token_key_name: &stack.authorizer.token_key_name,
        token,
        signature,
        authorizer: (!request.default_authorizer).then_some(&stack.authorizer.name),
    }
    .send(&connected.http)
    .await
}

fn told(session: &Session, answer: &Answer, topic: &str) {
    let trace = answer.trace_id.as_deref().unwrap_or("none");
    let text = format!("{} {}  {topic}  trace id {trace}\n", answer.status, answer.message);
    let value =
        json!({"status": answer.status, "message": answer.message, "topic": topic, "trace_id": trace});
    session.printer.result(&text, &value);
}
