//! What a function prints, line by line, and the lines that Lambda puts around it.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Invoked;
use crate::random;

/// CloudWatch's limit on one event: 256 KB (`PutLogEvents`). A longer line is cut into several.
const LINE_BYTES_MAX: usize = 262_118;
/// What one invocation may print; the rest is counted and dropped.
const PRINTED_BYTES_MAX: usize = 1 << 20;
/// How long the lines printed before an answer may take to arrive after it.
const SETTLE: Duration = Duration::from_secs(1);

/// The output of one process: a pipe whose other end is its stdout and stderr.
#[derive(Debug)]
pub(super) struct Output {
    shared: Arc<Shared>,
    writer: PipeWriter,
    /// What the process cannot guess, and so not print.
    mark: Vec<u8>,
    marks_written: u64,
}

#[derive(Debug, Default)]
struct Shared {
    printed: Mutex<Printed>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Printed {
    lines: Vec<String>,
    bytes: usize,
    dropped: u64,
    marks_seen: u64,
    /// Set by the reader at the end of the pipe.
    ended: bool,
    /// Set by the owner: the next mark is the last.
    ending: bool,
}

impl Output {
    /// Returns the reading side, and the two ends to give to a process.
    pub(super) fn open() -> io::Result<(Self, Stdio, Stdio)> {
        let (reader, writer) = io::pipe()?;
        let (stdout, stderr) = (writer.try_clone()?, writer.try_clone()?);
        let mark = format!("\x1e{}\x1e", random::hex(&random::bytes::<16>())).into_bytes();
        let shared = Arc::new(Shared::default());
        let (theirs, theirs_mark) = (Arc::clone(&shared), mark.clone());
        thread::Builder::new()
            .name("lambda-output".into())
            .spawn(move || read_lines(reader, &theirs_mark, &theirs))?;
        Ok((Self { shared, writer, mark, marks_written: 0 }, stdout.into(), stderr.into()))
    }

    /// Returns what was printed since last asked: everything that was written before this call.
    ///
    /// A mark goes through the same pipe, so what comes before it was printed before it.
    pub(super) fn take(&mut self) -> Vec<String> {
        self.write_mark();
        let deadline = Instant::now() + SETTLE;
        let mut printed = self.shared.printed.lock().unwrap_or_else(PoisonError::into_inner);
        while printed.marks_seen < self.marks_written && !printed.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(printed, left);
            printed = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut lines = std::mem::take(&mut printed.lines);
        if printed.dropped > 0 {
            lines.push(format!("({} more lines dropped by the local target)", printed.dropped));
        }
        printed.bytes = 0;
        printed.dropped = 0;
        lines
    }

    fn write_mark(&mut self) {
        let mut marked = self.mark.clone();
        marked.push(b'\n');
        // It fails only when the reader is gone, and then there is nothing to wait for.
        if self.writer.write_all(&marked).is_ok() {
            self.marks_written += 1;
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Ends the reader even when a child of the function still holds the pipe.
        self.shared.printed.lock().unwrap_or_else(PoisonError::into_inner).ending = true;
        self.write_mark();
    }
}

fn read_lines(mut reader: PipeReader, mark: &[u8], shared: &Shared) {
    let mut pending = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let read = match reader.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        pending.extend_from_slice(&chunk[..read]);
        let mut printed = shared.printed.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let rest = pending.split_off(end + 1);
            let line = std::mem::replace(&mut pending, rest);
            if printed.line(&line[..end], mark) && printed.ending {
                return;
            }
        }
        // A mark is shorter than what stays pending, so it is never cut.
        while pending.len() > LINE_BYTES_MAX + mark.len() {
            let rest = pending.split_off(LINE_BYTES_MAX);
            printed.push(&pending);
            pending = rest;
        }
        if read == 0 {
            printed.push(&pending);
            printed.ended = true;
            shared.changed.notify_all();
            return;
        }
        shared.changed.notify_all();
    }
}

impl Printed {
    /// Takes one line in; true when it ends with the mark.
    fn line(&mut self, line: &[u8], mark: &[u8]) -> bool {
        let Some(before) = line.strip_suffix(mark) else {
            self.push(line);
            return false;
        };
        self.push(before);
        self.marks_seen += 1;
        true
    }

    fn push(&mut self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        if self.bytes + line.len() > PRINTED_BYTES_MAX {
            self.dropped += 1;
            return;
        }
        self.bytes += line.len();
        self.lines.push(String::from_utf8_lossy(line).into_owned());
    }
}

/// The facts of one invocation that Lambda's own lines tell.
#[derive(Debug)]
pub(super) struct Account<'a> {
    pub(super) request_id: &'a str,
    pub(super) version: &'a str,
    pub(super) took: Duration,
    pub(super) init: Option<Duration>,
    pub(super) memory_mb: u32,
    pub(super) memory_used_mb: u64,
    pub(super) invoked: &'a Invoked,
}

impl Account<'_> {
    /// Puts Lambda's lines around what the function printed (format: Lambda Developer Guide,
    /// "Viewing logs", and its troubleshooting page for time-outs and crashes).
    pub(super) fn around(&self, printed: Vec<String>) -> Vec<String> {
        let id = self.request_id;
        let mut lines = vec![format!("START RequestId: {id} Version: {}", self.version)];
        lines.extend(printed);
        let status = match self.invoked {
            Invoked::TimedOut => {
                lines.push(format!("{id} Task timed out after {:.2} seconds", self.took.as_secs_f64()));
                "\tStatus: timeout"
            }
            Invoked::Crashed(text) => {
                lines.push(text.clone());
                "\tStatus: error"
            }
            Invoked::Answered(_) | Invoked::Failed { .. } | Invoked::Throttled => "",
        };
        lines.push(format!("END RequestId: {id}"));
        let milliseconds = self.took.as_secs_f64() * 1000.0;
        let init = self
            .init
            .map(|took| format!("\tInit Duration: {:.2} ms", took.as_secs_f64() * 1000.0))
            .unwrap_or_default();
        lines.push(format!(
            "REPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {:.0} ms\t\
             Memory Size: {} MB\tMax Memory Used: {} MB{init}{status}",
            milliseconds.ceil(),
            self.memory_mb,
            self.memory_used_mb
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn printed_by(script: &str) -> Vec<String> {
        let (mut output, stdout, stderr) = Output::open().unwrap();
        let mut child =
            Command::new("/bin/sh").args(["-c", script]).stdout(stdout).stderr(stderr).spawn().unwrap();
        child.wait().unwrap();
        output.take()
    }

    #[test]
    fn lines_of_both_streams_come_in_order() {
        let lines = printed_by("echo one; echo two >&2; printf 'three\\n\\nfour'");
        assert_eq!(lines, ["one", "two", "three", "four"]);
    }

    #[test]
    fn what_was_printed_is_there_when_asked_though_the_process_lives_on() {
        let (mut output, stdout, stderr) = Output::open().unwrap();
        let mut child = Command::new("/bin/sh")
            .args(["-c", "echo hello; read line; echo $line; read line"])
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut seen = Vec::new();
        while seen.is_empty() {
            seen = output.take();
        }
        assert_eq!(seen, ["hello"]);
        child.stdin.as_mut().unwrap().write_all(b"again\n").unwrap();
        seen.clear();
        while seen.is_empty() {
            seen = output.take();
        }
        assert_eq!(seen, ["again"]);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_flood_is_cut_and_said() {
        let lines = printed_by("head -c 3000000 /dev/zero | tr '\\0' 'x'");
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES_MAX + 64));
        assert!(lines.last().unwrap().contains("dropped by the local target"), "{:?}", lines.last());
        assert!(lines.iter().map(String::len).sum::<usize>() <= PRINTED_BYTES_MAX + 100);
    }
}
