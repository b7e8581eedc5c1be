//! Runs the real binary in a folder of its own, with an environment of its own, and shows all that it
//! said. Only this folder may look again at another process after a nap; every wait has a deadline.

mod bootstrap;
mod person;
mod record;
mod served;
mod talk;

pub(crate) use bootstrap::{Behaviour, bootstrap};
pub(crate) use person::approve;
pub(crate) use served::{Proxy, Served};
pub(crate) use talk::Talk;

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that one run of the binary may take in a test; a cold build of the authorizer is in it.
pub(crate) const RUN_TIME_MAX: Duration = Duration::from_mins(10);
/// How long to wait between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A folder with a stack file, and the binary.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// One run of the binary, ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The exit code; a signal's number made negative.
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Bench {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("thinggate-").tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    /// A folder with `stack.toml`: the README's, with a ready authorizer binary.
    pub(crate) fn new() -> Self {
        let bench = Self::empty();
        bench.stack("stack.toml", &[]);
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a stack file: stacks/local.toml with `edits` (text, replacement), each of which must fit, and
    /// a binary that allows.
    pub(crate) fn stack(&self, name: &str, edits: &[(&str, &str)]) {
        let binary = bootstrap(Behaviour::Allows);
        let mut text = local_toml();
        for (from, to) in edits {
            assert!(text.contains(from), "`{from}` is not in the stack file");
            text = text.replace(from, to);
        }
        if !text.contains("[function]") {
            text.extend(["\n[function]\nbootstrap = \"", binary.to_str().unwrap(), "\"\n"]);
        }
        self.write(name, &text);
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Sets who may read a file.
    pub(crate) fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The binary with `arguments`, in this folder, with nothing of the machine's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thinggate"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", self.path().join("home"));
        command.env("TMPDIR", std::env::temp_dir());
        command.env("NO_COLOR", "1").env("COLUMNS", "100").env("AWS_EC2_METADATA_DISABLED", "true");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        run(self.command(arguments))
    }

    /// Runs the binary; its exit code must be `code`.
    pub(crate) fn ends(&self, code: i32, arguments: &[&str]) -> Run {
        let ended = self.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}\n{ended}");
        ended
    }

    /// Every file under the folder, by its path from there, without the binary's home.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = files_under(self.path());
        found.retain(|path| !path.starts_with("home"));
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        record::left(self.path());
    }
}

/// Every file under `folder`, by its path from there, sorted.
pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The README's stack file.
pub(crate) fn local_toml() -> String {
    fs::read_to_string(checkout().join("stacks/local.toml")).unwrap()
}

/// The top of the repository.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lets a command build the authorizer, with what was fetched for this test run and nothing more.
pub(crate) fn with_cargo(command: &mut Command) {
    command.env("CARGO_NET_OFFLINE", "true");
    for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Run {
    finish(command.spawn().unwrap())
}

/// Reads all that a started command says, and how it ends, within [`RUN_TIME_MAX`].
pub(crate) fn finish(mut child: Child) -> Run {
    let (output, errors) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = ended(&mut child, RUN_TIME_MAX);
    Run::new(status, output.join().unwrap(), errors.join().unwrap())
}

fn reader<R: std::io::Read + Send + 'static>(from: Option<R>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut from) = from {
            from.read_to_end(&mut text).unwrap();
        }
        String::from_utf8(text).unwrap()
    })
}

/// Waits for the end of a process; one that takes longer is ended, and the test fails.
pub(crate) fn ended(child: &mut Child, time_max: Duration) -> ExitStatus {
    let deadline = Instant::now() + time_max;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it still runs after {time_max:?}");
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Waits until `holds`, at most a minute.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| -status.signal().unwrap_or_default())
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(id, signal).unwrap();
}

impl Run {
    fn new(status: ExitStatus, output: String, errors: String) -> Self {
        record::said([&output, &errors]);
        Self { code: code(status), output, errors }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "exit {}", self.code)?;
        // Steps run side by side: which of them ends first is not the same every time.
        let errors = sorted_events(&self.errors);
        for (name, text) in [("output", &self.output), ("errors", &errors)] {
            if !text.is_empty() {
                write!(formatter, "-- {name}\n{text}")?;
                if !text.ends_with('\n') {
                    writeln!(formatter, "(no newline)")?;
                }
            }
        }
        Ok(())
    }
}

/// Each block of lines about steps in alphabetical order.
fn sorted_events(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    for block in lines
        .chunk_by_mut(|one, next| one.starts_with("  local-demo: ") && next.starts_with("  local-demo: "))
    {
        block.sort_unstable();
    }
    lines.concat()
}

/// What differs from run to run, and from machine to machine, is replaced in a snapshot.
pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let temporary = format!(r"{}/thinggate-\w+", std::env::temp_dir().display());
    for (pattern, replacement) in [
        (temporary.as_str(), "FOLDER"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\(\d+\.\d s\)", "(TIME)"),
        (r#""(took|elapsed)_ms":\d+"#, "\"${1}_ms\":0"),
        (r"(?m)^((?:THINGGATE_RESULT_)?(?i:reads)=)\d+$", "${1}N"),
        (r"(?m)^((?:THINGGATE_RESULT_)?(?i:writes)=)[1-9]\d*$", "${1}N"),
        (r#""reads": \d+"#, "\"reads\": N"),
        // A create is sent again while the role cannot be assumed yet; only none is a promise.
        (r#""writes": [1-9]\d*"#, "\"writes\": N"),
        (r"([0-9a-f]{2}:){31}[0-9a-f]{2}", "FINGERPRINT"),
        (r"\b(process|pid) \d+", "$1 PID"),
        (r"\b[0-9a-f]{64}\b", "HASH"),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
        (r"\bSHA256:[A-Za-z0-9+/]{43}", "SHA256:FINGERPRINT"),
        (r"\bAROA[A-Z0-9]{17}\b", "ROLE-ID"),
        (r"\S*/debug/(deps/)?thinggate\b", "thinggate"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings
}

/// Compares all that a run said, with its exit code, with the text beside it, or with a long text in the
/// folder `snapshots`.
macro_rules! shown {
    ($run:expr, @$expected:literal) => {
        $crate::support::settings().bind(|| insta::assert_snapshot!($run.to_string(), @$expected));
    };
    ($run:expr, $name:literal) => {
        $crate::support::settings().bind(|| insta::assert_snapshot!($name, $run.to_string()));
    };
}
pub(crate) use shown;
