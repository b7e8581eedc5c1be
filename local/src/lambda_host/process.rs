//! One running `bootstrap`: its environment, its output, its end.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use time::OffsetDateTime;

use super::exchange::{Exchange, Lost, Offer};
use super::output::{Account, Output};
use super::runtime_api::RuntimeApi;
use super::{Invocation, Invokable, Invoked};
use crate::random;

/// AWS's limit on the time before the first event is asked for (Lambda Developer Guide, "Init phase").
pub(crate) const INIT_LIMIT: Duration = Duration::from_secs(10);
/// Tries to start a file that another thread's fork still holds open for writing.
const BUSY_TRIES_MAX: u32 = 50;

/// A process that takes one event after the other. Dropping it ends it and what it started.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    exchange: Arc<Exchange>,
    output: Output,
    stream: String,
    /// How long it took to its first event, told in the first report only.
    init: Option<Duration>,
    started: Instant,
    ready: bool,
    _api: RuntimeApi,
}

impl Process {
    /// Starts the `bootstrap` of `task_root`. The error is one that Lambda would report.
    pub(super) fn start(function: &Invokable, task_root: &Path) -> Result<Self, Invoked> {
        let bootstrap = task_root.join("bootstrap");
        if !bootstrap.is_file() {
            return Err(invalid_entrypoint(
                "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
            ));
        }
        let host =
            |error: io::Error| Invoked::Crashed(format!("the local target cannot start a process: {error}"));
        let exchange = Arc::new(Exchange::new());
        let api = RuntimeApi::listen(&exchange).map_err(host)?;
        let (output, stdout, stderr) = Output::open().map_err(host)?;
        let stream = stream_name(function, SystemTime::from(OffsetDateTime::now_utc()));
        let mut command = Command::new(&bootstrap);
        command
            .current_dir(task_root)
            .env_clear()
            .envs(&function.environment)
            .envs(variables(function, task_root, &stream, &api))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0);
        let started = Instant::now();
        let child = spawn(&mut command)
            .map_err(|error| invalid_entrypoint(&format!("fork/exec /var/task/bootstrap: {error}")))?;
        Ok(Self { child, exchange, output, stream, init: None, started, ready: false, _api: api })
    }

    /// True while it runs.
    pub(super) fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets it work on one event. It can be used again only when this returns true.
    pub(super) fn run(&mut self, function: &Invokable, event: Bytes, until: Instant) -> (Invocation, bool) {
        let request_id = random::uuid();
        let mut began = Instant::now();
        let outcome = self.get_ready(until).and_then(|()| {
            began = Instant::now();
            let until = until.min(began + function.timeout);
            let offer = Offer {
                request_id: request_id.clone(),
                deadline_unix_milliseconds: unix_milliseconds(until),
                arn: function.arn.clone(),
                event,
            };
            let child = &mut self.child;
            self.exchange.run(offer, until, || matches!(child.try_wait(), Ok(None)))
        });
        let took = began.elapsed();
        let reusable = outcome.is_ok();
        let memory_used_mb = memory_used_mb(&self.child);
        let invoked = match outcome {
            Ok(invoked) => invoked,
            Err(Lost::InitFailed(kind, message)) => Invoked::Failed { kind, message },
            Err(Lost::TimedOut) => {
                self.end();
                Invoked::TimedOut
            }
            Err(Lost::Gone) => Invoked::Crashed(exit_text(&request_id, self.child.wait().ok())),
        };
        let printed = self.output.take();
        let account = Account {
            request_id: &request_id,
            version: &function.version,
            took,
            init: self.init.take(),
            memory_mb: function.memory_mb,
            memory_used_mb,
            invoked: &invoked,
        };
        let lines = account.around(printed);
        (Invocation { stream: self.stream.clone(), lines, request_id, started: true, invoked }, reusable)
    }

    fn get_ready(&mut self, until: Instant) -> Result<(), Lost> {
        if self.ready {
            return Ok(());
        }
        let until = until.min(self.started + INIT_LIMIT);
        let child = &mut self.child;
        self.exchange.wait_ready(until, || matches!(child.try_wait(), Ok(None)))?;
        self.init = Some(self.started.elapsed());
        self.ready = true;
        Ok(())
    }

    fn end(&mut self) {
        self.exchange.end();
        // The whole group first: a script's own children would otherwise live on.
        if let Some(group) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            // It fails when the group has ended by itself.
            let _ended = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts the command. Another thread that forks while the package is being written holds the file open
/// for writing until it executes its own, and meanwhile the system refuses to run it ("text file busy").
fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES_MAX => {
                tries += 1;
                thread::park_timeout(Duration::from_millis(u64::from(tries)));
            }
            other => return other,
        }
    }
}

fn invalid_entrypoint(text: &str) -> Invoked {
    Invoked::Failed { kind: "Runtime.InvalidEntrypoint".into(), message: format!("Error: {text}") }
}

/// The variables that Lambda sets (Lambda Developer Guide, "Defined runtime environment variables").
/// The role's credentials are not among them: nothing of the local target's is worth having.
fn variables(
    function: &Invokable,
    task_root: &Path,
    stream: &str,
    api: &RuntimeApi,
) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_LAMBDA_RUNTIME_API", api.address().to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.function.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group.clone().unwrap_or_default()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        ("AWS_REGION", function.region.clone()),
        ("AWS_DEFAULT_REGION", function.region.clone()),
        ("LAMBDA_TASK_ROOT", task_root.display().to_string()),
        ("LAMBDA_RUNTIME_DIR", task_root.display().to_string()),
        ("_HANDLER", function.handler.clone()),
        ("LANG", "en_US.UTF-8".into()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".into()),
        ("TZ", ":UTC".into()),
    ]
}

/// The stream of one process. A group of its own choice has the function's name in it, as AWS documents
/// ("Configuring CloudWatch log groups", log stream naming for custom log groups).
fn stream_name(function: &Invokable, now: SystemTime) -> String {
    let today = OffsetDateTime::from(now).date();
    let ours = function.log_group.as_deref() == Some(&format!("/aws/lambda/{}", function.function));
    format!(
        "{:04}/{:02}/{:02}/{}[{}]{}",
        today.year(),
        u8::from(today.month()),
        today.day(),
        if ours { "" } else { &function.function },
        function.version,
        random::hex(&random::bytes::<16>())
    )
}

fn unix_milliseconds(until: Instant) -> u128 {
    let left = until.saturating_duration_since(Instant::now());
    // Wall time: it is what the process compares with.
    (SystemTime::from(OffsetDateTime::now_utc()) + left)
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis())
}

/// How Lambda says that a process ended (recorded texts: "Runtime exited with error: exit status 1").
fn exit_text(request_id: &str, status: Option<ExitStatus>) -> String {
    let how = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(0), _)) => "Runtime exited without providing a reason".to_owned(),
        Some((Some(code), _)) => format!("Runtime exited with error: exit status {code}"),
        Some((None, Some(signal))) => format!("Runtime exited with error: signal {signal}"),
        _ => "Runtime exited without providing a reason".to_owned(),
    };
    format!("RequestId: {request_id} Error: {how}")
}

/// The most memory it ever had, where the system tells (Linux); otherwise 0.
fn memory_used_mb(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default().div_ceil(1024)
}
