//! Reads stack files, all of them, before anything starts.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::problem::Problem;
use crate::report::Output;
use crate::stack::{self, Stack, Warning};

/// The longest stack file, in bytes.
const STACK_BYTES_MAX: u64 = 64 * 1024;

/// A stack file that was read without an error.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) stack: Stack,
    pub(crate) warnings: Vec<Warning>,
}

/// Reads every file, telling all errors of all files.
pub(crate) fn all(session: &Session, files: &[PathBuf]) -> Result<Vec<Loaded>, Problem> {
    let mut loaded = Vec::new();
    let mut first = None;
    for file in files {
        match one(session, file) {
            Ok(stack) => loaded.push(stack),
            Err(problem) => {
                if let Some(earlier) = first.replace(problem) {
                    // Each problem but the last is told here; the last one becomes the command's.
                    session.printer.problem_beside(&earlier);
                }
            }
        }
    }
    match first {
        None => Ok(loaded),
        Some(problem) => Err(problem),
    }
}

/// Reads one file.
pub(crate) fn one(session: &Session, file: &Path) -> Result<Loaded, Problem> {
    let bytes = session
        .files
        .read(file, STACK_BYTES_MAX)
        .map_err(|problem| Problem { kind: crate::problem::ProblemKind::Usage, ..problem })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Problem::usage("not_text", "the stack file is not UTF-8 text").at(file.display().to_string())
    })?;
    match stack::parse(file, &text) {
        Ok((stack, warnings)) => Ok(Loaded { stack, warnings }),
        Err(errors) => {
            if session.printer.output() == Output::Human {
                session.printer.stack_errors(&stack::render(&errors, &text, false));
            }
            let mut problem = Problem::usage("invalid_stack", format!("{} is not valid", file.display()));
            if session.printer.output() != Output::Human {
                for error in &errors.errors {
                    problem = problem
                        .because(format!("line {}, column {}: {}", error.line, error.column, error.message));
                }
            }
            Err(problem)
        }
    }
}
