//! Plan files: where `plan` leaves its plans, and `deploy` takes them up.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use super::args::Stacks;
use super::commands::{deploy, plan};
use super::load::{self, Loaded};
use super::session::Session;
use super::{each_then, ended, shell_word};
use crate::plan::{PLAN_BYTES_MAX, PlanFile, SavedPlan};
use crate::problem::{Problem, ProblemKind, Verdict};
use crate::report::Report;

/// A plan that is to be carried out.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The plan.
    pub(crate) saved: Arc<SavedPlan>,
    /// Whether it leaves the deployed code as it is.
    pub(crate) keep_code: bool,
    /// Where it was read from.
    pub(crate) file: PathBuf,
}

/// Plans every stack; with `out` the plans are saved there, once all of them are made.
pub(super) async fn plan(
    session: &Arc<Session>,
    stacks: &Stacks,
    out: Option<PathBuf>,
    wishes: plan::Wishes,
) -> Verdict {
    if let Some(Err(problem)) = out.as_deref().map(|out| is_free(session, out)) {
        return ended(session, Err(problem));
    }
    let (sender, receiver) = mpsc::channel();
    let run = move |session: Arc<Session>, loaded: Loaded| {
        let sender = sender.clone();
        async move {
            let (report, saved) = plan::run(&session, loaded, wishes).await;
            if let Some(saved) = saved {
                // Nobody waits for it where no file was named.
                let _ = sender.send(saved);
            }
            report
        }
    };
    let close = |reports: &[Report]| {
        let complete = reports.iter().all(|report| report.problem.is_none());
        match out.filter(|_| complete) {
            Some(out) => write(session, &out, &stacks.files, wishes.keep_code, receiver.try_iter().collect()),
            None => Ok(()),
        }
    };
    each_then(session, load::with_references(session, stacks), run, close).await
}

/// Refuses, before anything is looked at, a place where no plan can be written without losing something else.
fn is_free(session: &Session, path: &Path) -> Result<(), Problem> {
    let occupied = |because: &str| {
        Problem::usage("not_a_plan_file", "a plan cannot be saved there")
            .at(path.display().to_string())
            .because(because)
            .next("name another file after `-o`")
    };
    if session.files.is_folder(path)? {
        return Err(occupied("it is a folder"));
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !session.files.is_folder(above)? {
        return Err(occupied("there is no such folder"));
    }
    if !session.files.exists(path)? {
        return Ok(());
    }
    match session.files.read(path, PLAN_BYTES_MAX) {
        Ok(bytes) if bytes.is_empty() || PlanFile::is_one(&bytes) => Ok(()),
        Ok(_) => Err(occupied("a file is there that is no plan")),
        Err(problem) => Err(Problem { kind: ProblemKind::Usage, ..problem }),
    }
}

/// Writes the plans of one command, whole or not at all, for its owner alone, in the order of the stack files.
fn write(
    session: &Session,
    out: &Path,
    files: &[PathBuf],
    keep_code: bool,
    mut plans: Vec<SavedPlan>,
) -> Result<(), Problem> {
    plans.sort_by_key(|plan| files.iter().position(|file| file.display().to_string() == plan.file));
    session.files.replace_secret(out, PlanFile::new(keep_code, plans).to_text().as_bytes())?;
    let out = shell_word(&out.display().to_string());
    let files = words(files);
    session.printer.talk(&format!("plan saved: {out}\n\nnext: thinggate deploy {files} --plan {out}\n"));
    Ok(())
}

/// The stacks of a deploy, each with its plan where a plan file is named.
pub(super) fn take_up(
    session: &Session,
    stacks: &Stacks,
    path: Option<PathBuf>,
    wishes: deploy::Wishes,
) -> Result<Vec<Loaded>, Problem> {
    let loaded = load::with_references(session, stacks)?;
    let Some(path) = path else { return Ok(loaded) };
    read(session, &path)
        .and_then(|file| {
            if wishes.keep_code && !file.keep_code {
                let problem = Problem::usage("other_code", "the plan was made without --keep-code");
                return Err(problem.at(path.display().to_string()).next("leave --keep-code out"));
            }
            matched(&file, &path, loaded)
        })
        .map_err(|problem| problem.of_stack(&words(&stacks.files)))
}

/// Files as words of a shell.
fn words(files: &[PathBuf]) -> String {
    files.iter().map(|file| shell_word(&file.display().to_string())).collect::<Vec<_>>().join(" ")
}

fn read(session: &Session, path: &Path) -> Result<PlanFile, Problem> {
    let again = format!("thinggate plan STACK -o {}", shell_word(&path.display().to_string()));
    let bytes = session.files.read(path, PLAN_BYTES_MAX).map_err(|problem| Problem {
        kind: ProblemKind::Usage,
        what: "the plan file cannot be read".to_owned(),
        next: Some(again.clone()),
        ..problem
    })?;
    PlanFile::read(&bytes).map_err(|problem| problem.at(path.display().to_string()).next(again))
}

/// Each stack with its plan. Every stack has one, and none is left over: the file was approved as a whole.
fn matched(file: &PlanFile, path: &Path, loaded: Vec<Loaded>) -> Result<Vec<Loaded>, Problem> {
    let refused = |because: String| {
        Problem::refused("other_stacks", "the plan is of other stacks; nothing was changed")
            .at(path.display().to_string())
            .because(because)
            .next("name the stack files that it was made with")
    };
    let mut left: Vec<&SavedPlan> = file.stacks.iter().collect();
    // A stack that was renamed, or moved to another Region, is refused by the name of that field.
    let is_alone = file.stacks.len() == 1 && loaded.len() == 1;
    let mut planned = Vec::new();
    for mut one in loaded {
        let name = one.stack.file.display().to_string();
        let owner = format!("{}@{}", one.stack.name, one.stack.region);
        let place = left
            .iter()
            .position(|plan| plan.file == name)
            .or_else(|| left.iter().position(|plan| plan.stack == owner || is_alone))
            .ok_or_else(|| refused(format!("{name} ({owner}) has no plan in it")))?;
        let saved = Arc::new(left.remove(place).clone());
        one.planned = Some(Planned { saved, keep_code: file.keep_code, file: path.to_owned() });
        planned.push(one);
    }
    match left.first() {
        None => Ok(planned),
        Some(plan) => Err(refused(format!("it has a plan of {} ({}) too", plan.file, plan.stack))),
    }
}
