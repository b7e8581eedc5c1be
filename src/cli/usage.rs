//! A command line that is wrong, told in the output that it asks for.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::environment::Environment;
use crate::problem::{Problem, ProblemKind, Verdict};
use crate::report::{Output, Printer};

/// Help and version go to standard output; a mistake is usage, exit 64.
pub(super) fn refused(error: &clap::Error, arguments: &[OsString], environment: &Environment) -> ExitCode {
    let output = wanted_output(arguments, environment);
    let printer = Printer::new(output, false);
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        printer.data(&text);
        return ExitCode::SUCCESS;
    }
    match output {
        Output::Human => printer.stack_errors(&text),
        Output::Json | Output::Jsonl => printer.problem(&problem(error.kind(), &text)),
    }
    ExitCode::from(Verdict::Problem(ProblemKind::Usage).exit())
}

/// The output that was asked for, as far as a command line that cannot be read says so.
fn wanted_output(arguments: &[OsString], environment: &Environment) -> Output {
    let flags = arguments.iter().map(|argument| argument.to_str().unwrap_or_default());
    let mut wanted = environment.get("THINGGATE_OUTPUT").unwrap_or_default();
    let mut is_value = false;
    for flag in flags {
        if is_value {
            wanted = flag;
        }
        is_value = flag == "--output";
        wanted = flag.strip_prefix("--output=").unwrap_or(wanted);
    }
    match wanted {
        "json" => Output::Json,
        "jsonl" => Output::Jsonl,
        _ => Output::Human,
    }
}

/// The parser's text as a problem: its sentence, its tips, and where help is.
fn problem(kind: ErrorKind, text: &str) -> Problem {
    let next = "thinggate --help";
    if kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Problem::usage("usage", "no command was given").next(next);
    }
    let said =
        text.split("\nUsage:").next().unwrap_or_default().split("\nFor more").next().unwrap_or_default();
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let problem = Problem::usage("usage", first.trim_end_matches(':')).next(next);
    lines.fold(problem, |problem, line| problem.because(line.to_owned()))
}
