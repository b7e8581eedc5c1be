//! Reads stack files, all of them, before anything starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::references;
use super::session::Session;
use super::shell_word;
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
    let mut last = None;
    for file in files {
        match read(session, file) {
            Ok(stack) => loaded.push(stack),
            Err(refused) => {
                if let Some(earlier) = last.replace(refused.problem) {
                    // Each problem but the last is told here; the last one becomes the command's.
                    session.printer.problem_beside(&earlier);
                }
                session.printer.stack_errors(&refused.drawn);
            }
        }
    }
    match last.or_else(|| twice(session, &loaded)) {
        None => Ok(loaded),
        Some(problem) => Err(problem),
    }
}

/// Reads every file, and checks that what they refer to is there: for commands that need it.
pub(crate) fn with_references(session: &Session, files: &[PathBuf]) -> Result<Vec<Loaded>, Problem> {
    let loaded = all(session, files)?;
    for one in &loaded {
        references::available(&session.environment, &session.files, &one.stack)
            .map_err(|problem| needed(problem, &one.stack))?;
    }
    Ok(loaded)
}

/// What a stack file refers to and is not there is a mistake of the command line, whether it is a variable or
/// a file.
fn needed(problem: Problem, stack: &Stack) -> Problem {
    let file = stack.file.display();
    match problem.code {
        "file_missing" => Problem { kind: ProblemKind::Usage, ..problem }
            .because(format!("the stack file {file} refers to it"))
            .next("make it as the stack file's comments say, or correct its path there; it begins at the stack file"),
        "variable_unset" => problem.at(file.to_string()),
        _ => problem,
    }
}

/// Two files of one stack would race each other.
pub(crate) fn twice(session: &Session, loaded: &[Loaded]) -> Option<Problem> {
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

/// A file that was not taken: its errors drawn beside their lines, for people, and what it comes to.
struct Refused {
    drawn: String,
    problem: Problem,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { drawn: String::new(), problem }
    }
}

/// Reads one file, telling its errors.
pub(crate) fn one(session: &Session, file: &Path) -> Result<Loaded, Problem> {
    read(session, file).map_err(|refused| {
        session.printer.stack_errors(&refused.drawn);
        refused.problem
    })
}

fn read(session: &Session, file: &Path) -> Result<Loaded, Refused> {
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
            let problem = Problem::usage("invalid_stack", format!("{} is not valid", file.display()));
            let problem = if errors.is_no_stack() {
                problem.next(NEXT)
            } else {
                let file = shell_word(&file.display().to_string());
                problem.next(format!("correct it, then: thinggate validate {file}"))
            };
            if session.printer.output() == Output::Human {
                return Err(Refused { drawn: stack::render(&errors, &text, false), problem });
            }
            let causes = errors.errors.iter();
            let told = causes.fold(problem, |problem, error| {
                problem.because(format!("line {}, column {}: {}", error.line, error.column, error.message))
            });
            Err(told.into())
        }
    }
}
