//! The pipeline that a command runs in: which system it is, and where that takes what a run has to say.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::args::ReportFlag;
use super::environment::Environment;
use super::session::Session;
use crate::problem::{Problem, Verdict};
use crate::report::Report;
use crate::report::pipeline::{self, ANNOTATIONS_MAX, Annotation, Ended, Level, System};
use crate::stack;

/// What the pipeline is told at the end of a command.
#[derive(Debug)]
pub(crate) struct Pipeline {
    system: Option<System>,
    /// Whether files are written into the checkout: only where it was asked for.
    writes_files: bool,
    /// The command, if it is one that a pipeline is told about.
    command: OnceLock<&'static str>,
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    annotations: Vec<Annotation>,
    reports: Vec<Report>,
    problems: Vec<Problem>,
}

impl Pipeline {
    /// The pipeline that the flag names, or else the one that the environment says this is.
    pub(crate) fn new(flag: ReportFlag, environment: &Environment) -> Self {
        let is = |name: &str| environment.get(name) == Some("true");
        let system = match flag {
            ReportFlag::Github => Some(System::GitHub),
            ReportFlag::Gitlab => Some(System::GitLab),
            ReportFlag::Auto if is("GITHUB_ACTIONS") => Some(System::GitHub),
            ReportFlag::Auto if is("GITLAB_CI") => Some(System::GitLab),
            ReportFlag::Auto | ReportFlag::None => None,
        };
        Self {
            system,
            writes_files: flag == ReportFlag::Gitlab,
            command: OnceLock::new(),
            found: Mutex::default(),
        }
    }

    /// A command begins that a pipeline is told about.
    pub(crate) fn begin(&self, command: &'static str) {
        self.command.get_or_init(|| command);
    }

    /// The command that began.
    pub(crate) fn command(&self) -> Option<&'static str> {
        self.command.get().copied()
    }

    /// Whose it is.
    pub(crate) fn system(&self) -> Option<System> {
        self.system
    }

    /// What was found in a stack file.
    pub(crate) fn stack(&self, level: Level, findings: &[stack::Finding]) {
        let found = findings.iter().map(|finding| Annotation::of_stack(level, finding));
        self.change(|all| all.annotations.extend(found));
    }

    /// How a stack's run ended.
    pub(crate) fn report(&self, report: &Report) {
        self.change(|all| all.reports.push(report.clone()));
    }

    /// A problem of the command itself.
    pub(crate) fn problem(&self, problem: &Problem) {
        self.change(|all| all.problems.push(problem.clone()));
    }

    fn change(&self, change: impl FnOnce(&mut Found)) {
        if self.system.is_some() {
            change(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Hands everything over. What cannot be written is said, and changes nothing about how the command ended.
    pub(crate) fn finish(&self, session: &Session, verdict: Verdict) {
        let (Some(system), Some(command)) = (self.system, self.command()) else { return };
        let mut found = std::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner));
        found.reports.sort_by(|one, other| one.file.cmp(&other.file));
        let annotations = self.annotations(session, &found);
        let ended = Ended { reports: &found.reports, verdict, calls: session.calls() };
        let written = match system {
            System::GitHub => to_github(session, &annotations, &ended, &found.problems),
            System::GitLab if self.writes_files => to_gitlab(session, command, &annotations, &ended),
            System::GitLab => Ok(()),
        };
        if let Err(problem) = written {
            session.printer.talk(&format!("note: this run's report is not complete: {problem}\n"));
        }
    }

    /// All annotations, the worst first, with files from the top of the repository.
    fn annotations(&self, session: &Session, found: &Found) -> Vec<Annotation> {
        let of_reports = found.reports.iter().flat_map(pipeline::annotations);
        let of_problems = found.problems.iter().map(|problem| Annotation::of_problem(None, problem));
        let mut all: Vec<Annotation> =
            found.annotations.iter().cloned().chain(of_reports).chain(of_problems).collect();
        // Its errors are annotations already, each at its line.
        let has_errors = found.annotations.iter().any(|annotation| annotation.level == Level::Error);
        all.retain(|annotation| annotation.code != "invalid_stack" || !has_errors);
        let top = match self.system {
            Some(System::GitHub) => session.environment.get("GITHUB_WORKSPACE"),
            Some(System::GitLab) => session.environment.get("CI_PROJECT_DIR"),
            None => None,
        };
        for annotation in &mut all {
            annotation.file = annotation.file.take().map(|file| from_the_top(session, top, &file));
        }
        all.sort_by_key(|annotation| annotation.level);
        all
    }
}

/// A file as the repository names it.
fn from_the_top(session: &Session, top: Option<&str>, file: &str) -> String {
    let whole = |path: &str| session.files.canonical(Path::new(path)).ok();
    let inside = top
        .and_then(whole)
        .zip(whole(file))
        .and_then(|(top, file)| file.strip_prefix(top).ok().map(Path::to_owned));
    inside.map_or_else(|| file.trim_start_matches("./").to_owned(), |path| path.display().to_string())
}

fn to_github(
    session: &Session,
    annotations: &[Annotation],
    ended: &Ended<'_>,
    problems: &[Problem],
) -> Result<(), Problem> {
    for level in [Level::Error, Level::Warning, Level::Notice] {
        let of_level = || annotations.iter().filter(|annotation| annotation.level == level);
        for annotation in of_level().take(ANNOTATIONS_MAX) {
            session.printer.command(&pipeline::command(annotation));
        }
        let further = of_level().count().saturating_sub(ANNOTATIONS_MAX);
        if further > 0 {
            session.printer.talk(&format!("  {further} more of them are in the summary\n"));
        }
    }
    let (summary, values) = ended.github(&delimiter()?, problems);
    for (variable, text) in [("GITHUB_STEP_SUMMARY", summary), ("GITHUB_OUTPUT", values)] {
        if let Some(path) = session.environment.get(variable) {
            session.files.append(Path::new(path), text.as_bytes())?;
        }
    }
    Ok(())
}

/// What ends a value of several lines: nobody who can put text into the value can know it.
fn delimiter() -> Result<String, Problem> {
    let mut random = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| Problem::failed("no_random", "the system has no random numbers"))?;
    Ok(random.iter().fold("thinggate_".to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

fn to_gitlab(
    session: &Session,
    command: &str,
    annotations: &[Annotation],
    ended: &Ended<'_>,
) -> Result<(), Problem> {
    let folder = PathBuf::from(session.environment.get("CI_PROJECT_DIR").unwrap_or("."));
    let file = |end: &str| folder.join(format!("thinggate-{command}.{end}"));
    let lines = |value: serde_json::Value| format!("{value:#}\n");
    let mut files = vec![
        (file("codequality.json"), lines(pipeline::code_quality(annotations))),
        (file("env"), ended.dotenv()),
    ];
    if command == "plan" {
        files.push((file("terraform.json"), lines(ended.counts())));
    }
    for (path, text) in files {
        session.files.replace(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Seconds since 1970, as sections of a log have them.
pub(super) fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}
