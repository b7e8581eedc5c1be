//! Writes to the two streams. A closed pipe is not an error: the reader has seen enough.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pipeline::{System, neutral};
use super::{Report, human, json};
use crate::apply::Event;
use crate::problem::{Problem, Verdict};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Text for people.
    #[default]
    Human,
    /// One JSON value on standard output.
    Json,
    /// Events and results, one JSON value a line.
    Jsonl,
}

/// Requests of one command, counted at the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Those that only read.
    pub reads: usize,
    /// Those that change something.
    pub writes: usize,
}

/// The one place from which anything is printed. Clones write to the same streams.
#[derive(Clone, Debug)]
pub struct Printer {
    output: Output,
    quiet: bool,
    /// Whose pipeline takes the streams.
    system: Option<System>,
    /// Keeps lines of stacks that run side by side whole, and knows the fold that they are in.
    line: Arc<Mutex<Fold>>,
}

/// A part of standard error that a pipeline's log can fold away.
#[derive(Debug, Default)]
enum Fold {
    /// There is none.
    #[default]
    None,
    /// It opens with this text before the next line of talk.
    Ready(String),
    /// It is open.
    Open,
}

impl Printer {
    /// A printer for this output; `quiet` leaves out all talk but problems.
    pub fn new(output: Output, quiet: bool) -> Self {
        Self { output, quiet, system: None, line: Arc::default() }
    }

    /// The same in a pipeline: nothing of others can be a command to its runner.
    #[must_use]
    pub fn within(self, system: Option<System>) -> Self {
        Self { system, ..self }
    }

    /// From here on, talk is in a fold that opens with `text`.
    pub fn fold(&self, text: String) {
        *self.fold_state() = Fold::Ready(text);
    }

    /// Ends the fold with `text`, if anything was in it.
    pub fn unfold(&self, text: &str) {
        let mut fold = self.fold_state();
        if matches!(std::mem::take(&mut *fold), Fold::Open) {
            raw(text);
        }
    }

    /// Writes a command for the pipeline's runner, as it is.
    pub fn command(&self, line: &str) {
        let _whole = self.fold_state();
        raw(line);
    }

    fn fold_state(&self) -> MutexGuard<'_, Fold> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Data in which the runner finds no command. JSON stays what it is: `#` stands in its texts only, where
    /// it may be written so.
    fn neutral<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match (self.system, self.output) {
            (Some(System::GitHub), Output::Human) => Cow::Owned(neutral(text)),
            (Some(System::GitHub), Output::Json | Output::Jsonl) => {
                Cow::Owned(text.replace("##[", "#\\u0023["))
            }
            (Some(System::GitLab) | None, _) => Cow::Borrowed(text),
        }
    }

    /// The output it was made for.
    pub fn output(&self) -> Output {
        self.output
    }

    /// Whether standard input and standard error are both a terminal, so that a question can be asked.
    pub fn can_ask(&self) -> bool {
        self.output == Output::Human && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether a person watches standard error at a terminal, so that a picture can be drawn there.
    pub fn is_watched(&self) -> bool {
        self.output == Output::Human && io::stderr().is_terminal()
    }

    /// Tells an event of `stack`.
    pub fn event(&self, stack: &str, event: &Event) {
        match self.output {
            Output::Human => {
                if let Some(line) = human::event(event) {
                    self.talk(&format!("  {stack}: {line}\n"));
                }
            }
            Output::Jsonl => self.data(&format!("{}\n", json::event(stack, event))),
            Output::Json => {}
        }
    }

    /// Tells a stack's result as soon as it is there. With `json` it waits for [`Printer::results`].
    pub fn report(&self, report: &Report) {
        match self.output {
            Output::Human => {
                self.data(&human::report(report));
                for finding in &report.findings {
                    self.talk(&human::finding(finding));
                }
                if let Some(problem) = &report.problem {
                    self.problem_text(problem);
                }
            }
            Output::Jsonl => {
                let mut value = json::report(report);
                if let Some(map) = value.as_object_mut() {
                    map.insert("event".into(), "result".into());
                }
                self.data(&format!("{value}\n"));
            }
            Output::Json => {}
        }
    }

    /// Closes a command: with `json`, the one result. `calls` are the requests of the whole command.
    pub fn results(&self, reports: &[Report], verdict: Verdict, calls: Calls) {
        if self.output == Output::Json {
            self.data(&format!("{:#}\n", json::result(reports, verdict, calls)));
        }
    }

    /// Tells a problem of the command itself, where no stack was started.
    pub fn problem(&self, problem: &Problem) {
        match self.output {
            Output::Human => self.problem_text(problem),
            Output::Json => self.data(&format!("{:#}\n", json::error(problem))),
            Output::Jsonl => {
                let mut value = json::error(problem);
                if let Some(map) = value.as_object_mut() {
                    map.insert("event".into(), "error".into());
                }
                self.data(&format!("{value}\n"));
            }
        }
    }

    /// Tells a problem of the command itself that came after all results; with `json` it ends each of them, so
    /// that there is one value.
    pub fn problem_at_the_end(&self, reports: &mut [Report], problem: &Problem) {
        if self.output != Output::Json {
            return self.problem(problem);
        }
        for report in reports {
            report.verdict = Verdict::Problem(problem.kind);
            report.problem = Some(problem.clone());
        }
    }

    /// Tells a problem beside the one that the command ends in; with `json` only the latter is told.
    pub fn problem_beside(&self, problem: &Problem) {
        if self.output == Output::Human {
            self.problem_text(problem);
        }
    }

    /// Puts a question to the person, whatever `quiet` says.
    pub fn question(&self, text: &str) {
        self.write_error(text);
    }

    /// Prints a text that a stack file's reader made, such as errors with source lines, as a problem.
    pub fn stack_errors(&self, text: &str) {
        self.write_error(text);
    }

    /// Says something to the person who watches; not data.
    pub fn talk(&self, text: &str) {
        if self.quiet {
            return;
        }
        let mut fold = self.fold_state();
        if let Fold::Ready(opening) = &*fold {
            raw(opening);
            *fold = Fold::Open;
        }
        drop(fold);
        self.write_error(text);
    }

    /// Tells the one result of a command without stacks: as text, or as one JSON value.
    pub fn result(&self, text: &str, value: &serde_json::Value) {
        match self.output {
            Output::Human => self.data(text),
            Output::Json => self.data(&format!("{value:#}\n")),
            Output::Jsonl => self.data(&format!("{value}\n")),
        }
    }

    /// Writes data.
    pub fn data(&self, text: &str) {
        let text = self.neutral(text);
        let _whole = self.fold_state();
        let mut stream = anstream::stdout().lock();
        finish(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
    }

    fn problem_text(&self, problem: &Problem) {
        self.write_error(&human::problem(problem));
    }

    fn write_error(&self, text: &str) {
        let text = if self.system == Some(System::GitHub) { neutral(text) } else { text.to_owned() };
        let _whole = self.fold_state();
        let mut stream = anstream::stderr().lock();
        // Nobody is left to be told when standard error is gone.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

/// To standard error as it is: a log takes escapes, though it is no terminal.
fn raw(text: &str) {
    let mut stream = io::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// A reader that went away has what it wanted; anything else on standard output is fatal, because data
/// would be missing without a word.
fn finish(result: io::Result<()>) {
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: cannot write to standard output: {error}");
            std::process::exit(1);
        }
    }
}
