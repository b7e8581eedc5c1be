//! Reads stack files, all of them, before anything starts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::args::Stacks;
use super::family;
use super::plan_file::Planned;
use super::references;
use super::session::Session;
use super::shell_word;
use crate::problem::{Problem, ProblemKind};
use crate::report::Output;
use crate::report::pipeline::Level;
use crate::stack::{self, Given, Opened, Read, Stack, Target, VariableOrigin, Warning};

/// The longest stack file, in bytes.
const STACK_BYTES_MAX: u64 = 64 * 1024;
/// What helps when what was named is no stack file.
const NEXT: &str = "name a stack file: one TOML file, such as stacks/local.toml";

/// A stack file that was read without an error.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) stack: Stack,
    pub(crate) warnings: Vec<Warning>,
    /// The names of the variables that it refers to.
    used: BTreeSet<String>,
    /// The plan that is to be carried out, if one was named.
    pub(crate) planned: Option<Planned>,
}

/// Reads every file, telling all errors of all files.
pub(crate) fn all(session: &Session, stacks: &Stacks) -> Result<Vec<Loaded>, Problem> {
    let given = given(session, &stacks.variables.var)?;
    let mut loaded = Vec::new();
    let mut last = None;
    for file in &stacks.files {
        match read(session, file, &given) {
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
    match last.or_else(|| twice(session, &loaded)).or_else(|| unused(&given, &loaded)) {
        None => Ok(loaded),
        Some(problem) => Err(problem),
    }
}

/// Reads every file, and checks that what they refer to is there: for commands that need it.
pub(crate) fn with_references(session: &Session, stacks: &Stacks) -> Result<Vec<Loaded>, Problem> {
    let loaded = all(session, stacks)?;
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

/// The variables of `--var`, or of its environment variable, one a line.
pub(crate) fn given(session: &Session, variables: &[String]) -> Result<Given, Problem> {
    let in_environment = session
        .environment
        .get("THINGGATE_VAR")
        .is_some_and(|set| set.split('\n').eq(variables.iter().map(String::as_str)));
    let origin = if in_environment { VariableOrigin::Environment } else { VariableOrigin::CommandLine };
    let mut given = Given::default();
    for variable in variables.iter().filter(|variable| !variable.is_empty()) {
        // The text is not repeated: who mistakes the flag may have written a secret.
        given.add(variable, origin.clone()).map_err(|message| {
            Problem::usage("bad_variable", message)
                .at(origin.to_string())
                .next("for example `--var stage=test`, for `${var.stage}` in the stack file")
        })?;
    }
    Ok(given)
}

/// A variable that no stack refers to is a mistake: what it was to change stays as it is.
pub(crate) fn unused(given: &Given, loaded: &[Loaded]) -> Option<Problem> {
    let used: BTreeSet<&str> = loaded.iter().flat_map(|one| one.used.iter()).map(String::as_str).collect();
    let name = given.names().find(|name| !used.contains(name))?;
    let problem = Problem::usage("unused_variable", format!("no stack file refers to `${{var.{name}}}`"));
    let names: Vec<&str> = used.iter().copied().collect();
    let problem = problem.because(if names.is_empty() {
        "the stack files refer to no variable".to_owned()
    } else {
        format!("the stack files refer to: {}", names.join(", "))
    });
    Some(match stack::alike(name, used.iter().copied()) {
        Some(meant) => problem.next(format!("did you mean `--var {meant}=…`?")),
        None => problem.next("leave it out"),
    })
}

/// Reads one file, with the variables of the command line, telling its errors.
pub(crate) fn with_variables(
    session: &Session,
    file: &Path,
    variables: &[String],
) -> Result<Loaded, Problem> {
    let given = given(session, variables)?;
    let loaded = with(session, file, &given)?;
    match unused(&given, std::slice::from_ref(&loaded)) {
        None => Ok(loaded),
        Some(problem) => Err(problem),
    }
}

/// Reads one file without variables.
#[cfg(test)]
pub(crate) fn one(session: &Session, file: &Path) -> Result<Loaded, Problem> {
    with_variables(session, file, &[])
}

/// Reads one file, telling its errors.
pub(crate) fn with(session: &Session, file: &Path, given: &Given) -> Result<Loaded, Problem> {
    read(session, file, given).map_err(|refused| {
        session.printer.stack_errors(&refused.drawn);
        refused.problem
    })
}

fn read(session: &Session, file: &Path, given: &Given) -> Result<Loaded, Refused> {
    let Read { stack, mut warnings, sources, used } = match open(session, file, given)? {
        Ok(read) => read,
        Err(refused) => {
            session.pipeline.stack(Level::Error, &refused.errors.errors);
            return Err(invalid(session, file, &refused));
        }
    };
    warnings.extend(family::same_stacks(session, &stack, &sources, given));
    session.pipeline.stack(Level::Warning, &warnings);
    Ok(Loaded { stack, warnings, used, planned: None })
}

/// Opens a stack file and all that it extends, and checks it.
pub(super) fn open(
    session: &Session,
    file: &Path,
    given: &Given,
) -> Result<Result<Read, Box<stack::Refused>>, Problem> {
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
    // Only a file that extends another one can stand in a circle.
    let identity = if text.contains("extends") { session.files.canonical(file)? } else { file.to_owned() };
    let below = |file: &Path| {
        let because = |problem: Problem| problem.because.first().cloned().unwrap_or(problem.what);
        let bytes = session.files.read(file, STACK_BYTES_MAX).map_err(because)?;
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        Ok(Opened { identity: session.files.canonical(file).map_err(because)?, text })
    };
    Ok(stack::read(file, Opened { identity, text }, given, &below))
}

/// What it comes to that a stack file is wrong.
fn invalid(session: &Session, file: &Path, refused: &stack::Refused) -> Refused {
    let errors = &refused.errors;
    let problem = Problem::usage("invalid_stack", format!("{} is not valid", file.display()));
    let problem = if errors.is_no_stack() {
        problem.next(NEXT)
    } else {
        let file = shell_word(&file.display().to_string());
        problem.next(format!("correct it, then: thinggate validate {file}"))
    };
    if session.printer.output() == Output::Human {
        return Refused { drawn: stack::render_all(errors, &refused.sources, false), problem };
    }
    let told = errors.errors.iter().fold(problem, |problem, error| {
        let other = if error.file == file { String::new() } else { format!("{}, ", error.file.display()) };
        let (line, column, message) = (error.line, error.column, &error.message);
        problem.because(format!("{other}line {line}, column {column}: {message}"))
    });
    told.into()
}
