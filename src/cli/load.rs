//! Reads stack files, all of them, before anything starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::references;
use super::session::Session;
use crate::problem::{Problem, ProblemKind};
use crate::report::Output;
use crate::stack::{self, Stack, Target, Warning};

/// The longest stack file, in bytes.
const STACK_BYTES_MAX: u64 = 64 * 1024;
/// What helps when what was named is no stack file.
const NEXT: &str = "name a stack file: one TOML file, such as stacks/local.toml";

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
    match first.or_else(|| twice(session, &loaded)) {
        None => Ok(loaded),
        Some(problem) => Err(problem),
    }
}

/// Reads every file, and checks that what they refer to is there: for commands that need it.
pub(crate) fn with_references(session: &Session, files: &[PathBuf]) -> Result<Vec<Loaded>, Problem> {
    let loaded = all(session, files)?;
    for one in &loaded {
        references::available(&session.environment, &session.files, &one.stack)?;
    }
    Ok(loaded)
}

/// Two files of one stack would race each other.
fn twice(session: &Session, loaded: &[Loaded]) -> Option<Problem> {
    let mut seen = BTreeMap::new();
    for Loaded { stack, .. } in loaded {
        let place = match stack.target {
            Target::Local => whole(session, &session.state_directory(Some(&stack.file))),
            Target::Aws => PathBuf::from(stack.account.as_ref().map(ToString::to_string).unwrap_or_default()),
        };
        let key = (place, stack.region.to_string(), stack.name.to_string());
        if let Some(earlier) = seen.insert(key, &stack.file) {
            return Some(
                Problem::usage("stack_twice", "two of the stack files are the same stack")
                    .at(stack.file.display().to_string())
                    .because(format!("{} is {} in {} as well", earlier.display(), stack.name, stack.region))
                    .next("name each stack once, or give one of them another `name`"),
            );
        }
    }
    None
}

/// A folder's path from the top, also of one that is not made yet.
fn whole(session: &Session, folder: &Path) -> PathBuf {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = session.files.canonical(above).unwrap_or_else(|_| above.to_owned());
    above.join(folder.file_name().unwrap_or_default())
}

/// Reads one file.
pub(crate) fn one(session: &Session, file: &Path) -> Result<Loaded, Problem> {
    let bytes = session.files.read(file, STACK_BYTES_MAX).map_err(|problem| Problem {
        kind: ProblemKind::Usage,
        what: "the stack file cannot be read".to_owned(),
        next: problem.next.or_else(|| Some(NEXT.to_owned())),
        ..problem
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Problem::usage("not_text", "the stack file cannot be read")
            .at(file.display().to_string())
            .because("it is not UTF-8 text")
            .next(NEXT)
    })?;
    match stack::parse(file, &text) {
        Ok((stack, warnings)) => Ok(Loaded { stack, warnings }),
        Err(errors) => {
            if session.printer.output() == Output::Human {
                session.printer.stack_errors(&stack::render(&errors, &text, false));
            }
            let mut problem = Problem::usage("invalid_stack", format!("{} is not valid", file.display()))
                .next(format!("correct it, then: thinggate validate {}", file.display()));
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
