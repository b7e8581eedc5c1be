//! A run that is watched line by line while it goes on.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{RUN_TIME_MAX, Run, ended, signal};

/// The longest wait for one line: a cold build of the authorizer on a slow machine.
const LINE_TIME_MAX: Duration = Duration::from_mins(10);

/// A started run, with a standard input that the test holds.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    /// Each line with whether it is on standard error.
    lines: Receiver<(bool, String)>,
    output: String,
    errors: String,
}

impl Talk {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let streams: [(bool, Box<dyn Read + Send>); 2] =
            [(false, Box::new(child.stdout.take().unwrap())), (true, Box::new(child.stderr.take().unwrap()))];
        for (is_error, stream) in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                lines.for_each(|line| drop(sender.send((is_error, line))));
            });
        }
        Self { input: child.stdin.take(), child, lines, output: String::new(), errors: String::new() }
    }

    /// Reads until a line holds `text`; gives that line.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let deadline = Instant::now() + LINE_TIME_MAX;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let _ = self.child.kill();
                panic!("no line with `{text}`:\n{}{}", self.output, self.errors);
            };
            self.keep(&line);
            if line.1.contains(text) {
                return line.1;
            }
        }
    }

    /// Answers a question with Enter.
    pub(crate) fn enter(&mut self) {
        self.input.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    pub(crate) fn signal(&self, one: Signal) {
        signal(&self.child, one);
    }

    /// Ends its standard input, which answers every further question with nothing, and waits for its end.
    pub(crate) fn finish(mut self) -> Run {
        drop(self.input.take());
        let status = ended(&mut self.child, RUN_TIME_MAX);
        while let Ok(line) = self.lines.recv() {
            self.keep(&line);
        }
        Run::new(status, self.output, self.errors)
    }

    fn keep(&mut self, (is_error, line): &(bool, String)) {
        let kept = if *is_error { &mut self.errors } else { &mut self.output };
        kept.push_str(line);
        kept.push('\n');
    }
}
