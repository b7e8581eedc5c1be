//! The follower: `thinggate local follow` in a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::cli::session::Session;
use crate::door::Stop;
use crate::problem::{Problem, ProblemKind};

/// How long a delivered message may take to be printed.
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the follower may take to start.
const START_TIME_MAX: Duration = Duration::from_secs(20);

/// A running follower. It is ended when this value is dropped.
#[derive(Debug)]
pub(super) struct Follower {
    child: Child,
    stop: Stop,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    /// Starts one for all topics, and waits until its subscription stands.
    pub(super) async fn start(session: &Session, state_directory: &Path) -> Result<Self, Problem> {
        let program = std::env::current_exe().map_err(|error| odd(&error.to_string()))?;
        let mut child = Command::new(program)
            .args(["local", "follow", "#", "--output", "jsonl", "--state-dir"])
            .arg(state_directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| odd(&error.to_string()))?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(odd("it has no output"));
        };
        let stop = session.stop.clone();
        let started = tokio::select! {
            started = tokio::time::timeout(START_TIME_MAX, ready(errors)) => started,
            () = stop.stopped() => return Err(stopped()),
        };
        if !matches!(started, Ok(true)) {
            return Err(if stop.is_stopped() { stopped() } else { odd("it did not start following") });
        }
        Ok(Self { child, stop, lines: BufReader::new(output).lines() })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// The next message: topic and text.
    pub(super) async fn next(&mut self) -> Result<(String, String), Problem> {
        let line = tokio::select! {
            line = tokio::time::timeout(DELIVERY_TIME_MAX, self.lines.next_line()) => line,
            () = self.stop.stopped() => return Err(stopped()),
        };
        let line = line
            .map_err(|_| odd(&format!("no message came within {} s", DELIVERY_TIME_MAX.as_secs())))?
            .map_err(|error| odd(&error.to_string()))?
            .ok_or_else(|| odd("it ended"))?;
        let message: Value = serde_json::from_str(&line).map_err(|_| odd("it printed no JSON"))?;
        let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok((text("topic"), text("text")))
    }
}

/// Reads what it says until it says that it follows.
async fn ready(errors: ChildStderr) -> bool {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with("following ") {
            return true;
        }
    }
    false
}

fn stopped() -> Problem {
    Problem::new(ProblemKind::Interrupted, "interrupted", "the demo was stopped")
}

fn odd(because: &str) -> Problem {
    Problem::failed("follower", "the follower did not see the message").because(because)
}
