//! Runs an uploaded package as a real process over the Lambda Runtime API.
//!
//! A process takes one event at a time and stays warm for the next; a second one is started only when
//! the first is busy. It has a cleared environment, no credentials, and ends with the host; when the host
//! is killed, with its next call to the Runtime API. What is not as on AWS: memory is told, not enforced;
//! the process is not in a sandbox; and on the same machine another user could speak to the loopback port
//! of its Runtime API.

mod exchange;
mod output;
mod package;
mod pool;
mod process;
mod runtime_api;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use package::Packages;
pub(crate) use package::check as check_package;
use pool::{NoPlace, Pool};
pub(crate) use process::INIT_LIMIT;
use process::Process;

/// One version of a function, ready to be run. `Debug` shows no value of its environment: it may hold
/// secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Invokable {
    /// The ARN it was asked for by, qualifier included.
    pub arn: String,
    /// Region.
    pub region: String,
    /// The function's name.
    pub function: String,
    /// Tells it from one of the same name that was deleted.
    pub function_id: String,
    /// The unique id of its role.
    pub role_id: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// SHA-256 (hex) of its zip, by which the package is found in the store.
    pub package: String,
    /// The function's own environment variables.
    pub environment: BTreeMap<String, String>,
    /// The function's timeout.
    pub timeout: Duration,
    /// Its memory, which it is told in `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`.
    pub memory_mb: u32,
    /// Its handler, which it is told in `_HANDLER`.
    pub handler: String,
    /// The log group its output goes to; `None` when it cannot log.
    pub log_group: Option<String>,
    /// Its reserved concurrency: how many of its events, whatever the version, are worked on at a time.
    pub concurrency_max: Option<u32>,
}

impl fmt::Debug for Invokable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Invokable")
            .field("arn", &self.arn)
            .field("version", &self.version)
            .field("package", &self.package)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invoked {
    /// The function answered.
    Answered(Bytes),
    /// The function reported an error: its type and message.
    Failed {
        /// `errorType`.
        kind: String,
        /// `errorMessage`.
        message: String,
    },
    /// It did not answer within the limit; its process was ended.
    TimedOut,
    /// The process could not start or ended before it answered.
    Crashed(String),
    /// As many events as the function's reserved concurrency allows are being worked on.
    Throttled,
}

/// One invocation: how it ended, and what goes to the log.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// How it ended.
    pub invoked: Invoked,
    /// Its request id.
    pub request_id: String,
    /// The log stream of the process, such as `2026/11/25/thinggate-demo[1]6f1c…`.
    pub stream: String,
    /// What goes to the log, Lambda's own `START`, `END` and `REPORT` lines included.
    pub lines: Vec<String>,
    /// Whether a process took the event at all; false when none could be started or all were busy.
    pub started: bool,
}

impl Invocation {
    fn without_process(invoked: Invoked) -> Self {
        let request_id = crate::random::uuid();
        Self { invoked, request_id, stream: String::new(), lines: Vec::new(), started: false }
    }
}

/// The function that a process belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Region.
    pub region: String,
    /// Name.
    pub name: String,
    /// Tells it from one of the same name that was deleted.
    pub id: String,
}

/// Processes that nobody will use again. They end when it is dropped, which waits for them.
#[derive(Debug)]
pub struct Orphans {
    _idle: Vec<pool::Idle>,
}

/// The processes of all functions. Cheap to clone; the processes end with the last clone.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Before the packages, so that processes end before their files go.
    pool: Pool,
    /// Where packages are unpacked; `None`: in a temporary directory.
    root: Option<PathBuf>,
    /// Made when the first package is unpacked.
    packages: Mutex<Option<Arc<Packages>>>,
}

impl Hosts {
    /// Hosts that unpack below `directory`, which they own: what is in it is removed before the first use.
    /// The default unpacks into a temporary directory.
    pub fn below(directory: PathBuf) -> Self {
        let inner = Inner { pool: Pool::default(), root: Some(directory), packages: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Runs `function` on `event`, and waits for the end of it, at most `limit` and, once its process has
    /// started, the function's own timeout. `zip` is called when the package is not unpacked yet.
    pub fn invoke(
        &self,
        function: &Invokable,
        zip: impl FnOnce() -> io::Result<Bytes>,
        event: Bytes,
        limit: Duration,
    ) -> Invocation {
        let until = Instant::now() + limit;
        let mut place = match self.inner.pool.place(function, until) {
            Ok(place) => place,
            Err(NoPlace::Reserved) => return Invocation::without_process(Invoked::Throttled),
            Err(NoPlace::InTime) => return Invocation::without_process(Invoked::TimedOut),
        };
        let process = match place.process.take() {
            Some(warm) => Ok(warm),
            None => self.start(function, zip),
        };
        let mut process = match process {
            Ok(process) => process,
            Err(invoked) => return Invocation::without_process(invoked),
        };
        let (invocation, reusable) = process.run(function, event, until);
        if reusable {
            place.process = Some(process);
        }
        invocation
    }

    /// Takes out the idle processes of functions that `is_gone` names; they end when what is returned is
    /// dropped. One that is busy ends with the first look after its answer, or when it was idle too long.
    pub fn take_orphans(&self, is_gone: impl Fn(&Owner) -> bool) -> Orphans {
        Orphans { _idle: self.inner.pool.take_orphans(is_gone) }
    }

    fn start(
        &self,
        function: &Invokable,
        zip: impl FnOnce() -> io::Result<Bytes>,
    ) -> Result<Process, Invoked> {
        let packages = self.packages().map_err(|error| {
            Invoked::Crashed(format!("the local target has no place for packages: {error}"))
        })?;
        let directory = packages.directory(&function.package, zip).map_err(Invoked::Crashed)?;
        Process::start(function, &directory)
    }

    fn packages(&self) -> io::Result<Arc<Packages>> {
        let mut packages = self.inner.packages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(packages) = &*packages {
            return Ok(Arc::clone(packages));
        }
        let made = match &self.inner.root {
            Some(root) => Packages::below(root)?,
            None => Packages::temporary()?,
        };
        Ok(Arc::clone(packages.insert(Arc::new(made))))
    }
}
