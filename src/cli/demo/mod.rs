//! `demo`: the whole story once, on the real parts: deploy, a device that logs in and publishes, a
//! follower in a process of its own, forgeries that are refused each for the right reason, and nothing
//! left at the end. Every line is checked; the first that does not hold ends the demo, exit 1.

mod follower;
mod forge;
mod person;
mod story;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::args::Demo;
use super::commands::{deploy, destroy, drift};
use super::load::{self, Loaded};
use super::local;
use super::local_target::LocalTarget;
use super::session::Session;
use crate::build;
use crate::problem::{Problem, ProblemKind, Verdict};
use crate::report::{Output, Report};
use crate::resource::Action;
use crate::stack::{Reference, Stack, Target, TokenKey};

/// The demo's own stack file, where the user names none: the one of the README.
const STACK: &str = include_str!("../../../stacks/local.toml");

/// Runs the demo.
pub(super) async fn run(session: &Arc<Session>, wishes: Demo) -> Result<(), Problem> {
    let mut lines = Lines { session, told: Vec::new(), step: wishes.step };
    let loaded = stack(session, &wishes)?;
    let folder = session.state_directory(Some(&loaded.stack.file));
    let (running, _target) = local::serve(session, &folder, &wishes.limits, &[]).await?;
    let run_file = local::running_file(session, &folder)?;
    lines.say("local target", &format!("AWS APIs at {}", run_file.control_url)).await;
    session.adopt_local(&folder, LocalTarget::Served(Box::new(run_file.clone()))).await;

    let result = told(session, &mut lines, &loaded, &folder, &run_file).await;
    if result.is_ok() && wishes.keep {
        session.printer.talk("everything stays as it is until Ctrl-C\n");
        session.stop.stopped().await;
    }
    let result = match (result, wishes.keep) {
        (Ok(()), false) => take_down(session, &mut lines, &loaded).await,
        (result, _) => result,
    };
    running.stop().await;
    result.map_err(|problem| unfinished(session, problem, &loaded.stack.file, &folder))?;
    lines.close();
    Ok(())
}

/// A demo that did not end: what it made is still there, for a look or for the next demo.
fn unfinished(session: &Session, problem: Problem, file: &Path, folder: &Path) -> Problem {
    let problem = if session.stop.is_stopped() {
        // Whatever did not work then, it did not because of the stop.
        Problem::new(ProblemKind::Interrupted, "interrupted", "the demo was stopped")
    } else {
        problem
    };
    let (file, folder) = (file.display(), folder.display());
    let next = format!(
        "everything stays for a look: thinggate local up --state-dir {folder}, then drift {file}; or: thinggate demo, \
         which goes on from there"
    );
    match problem.next.clone() {
        None => problem.next(next),
        Some(first) => problem.next(format!("{first}; {next}")),
    }
}

/// Deploys, and tells the story on what was deployed.
async fn told(
    session: &Arc<Session>,
    lines: &mut Lines<'_>,
    loaded: &Loaded,
    folder: &Path,
    run_file: &super::local_target::RunFile,
) -> Result<(), Problem> {
    let wishes = deploy::Wishes { allow_impact: true, keep_code: false };
    let report = deploy::run(session, loaded.clone(), wishes).await;
    let (changed, total) = (changes(&report), report.steps.len());
    ended("deploy", report)?;
    let again = deploy::run(session, loaded.clone(), wishes).await;
    let changed_again = changes(&again);
    ended("deploy", again)?;
    if changed_again != 0 {
        return Err(lines.broken("deploy", format!("a second deploy changed {changed_again} resources")));
    }
    lines
        .say("deploy", &format!("{changed} of {total} resources changed; a second deploy changes none"))
        .await;
    story::tell(session, lines, loaded, folder, run_file).await?;
    let report = drift::run(session, loaded.clone(), true).await;
    ended("drift", report)?;
    lines.say("drift", "in step").await;
    Ok(())
}

fn changes(report: &Report) -> usize {
    report.steps.iter().filter(|step| step.action != Action::Keep).count()
}

async fn take_down(session: &Arc<Session>, lines: &mut Lines<'_>, loaded: &Loaded) -> Result<(), Problem> {
    let wishes = destroy::Wishes { yes: true, delete_key: true };
    ended("destroy", destroy::run(session, loaded.clone(), wishes).await)?;
    lines.say("destroy --delete-key", "nothing is left").await;
    Ok(())
}

/// A command's report as a line's result.
fn ended(what: &'static str, report: Report) -> Result<(), Problem> {
    match (report.verdict, report.problem) {
        (Verdict::Done, _) => Ok(()),
        (_, Some(problem)) => Err(problem),
        (_, None) => Err(Problem::failed("demo_line", format!("{what} found differences"))),
    }
}

/// The stack that is shown: the user's, or our own in the state directory.
fn stack(session: &Session, wishes: &Demo) -> Result<Loaded, Problem> {
    let file = match &wishes.stack {
        Some(file) => file.clone(),
        None => own_stack(session)?,
    };
    let mut loaded = load::with_variables(session, &file, &wishes.variables.var)?;
    if let Some(bootstrap) = &wishes.bootstrap {
        loaded.stack.function.bootstrap = Some(bootstrap.clone());
    } else if wishes.stack.is_none() {
        // Our own stack file may lie outside the checkout; the sources are looked for from here up.
        let here = Stack { file: PathBuf::from("local.toml"), ..loaded.stack.clone() };
        loaded.stack.function.source = Some(build::find_source(&session.files, &here)?);
    }
    let hs256_of_local =
        matches!(&loaded.stack.token.key, TokenKey::Hs256 { secret: Reference::LocalHs256, .. });
    if loaded.stack.target != Target::Local || !hs256_of_local || loaded.stack.identity.is_none() {
        return Err(Problem::usage("not_for_demo", "the demo cannot use this stack")
            .at(file.display().to_string())
            .because("it needs `target = \"local\"`, `[identity]` and `secret = \"local:hs256\"`, because it mints an expired token")
            .next("thinggate demo"));
    }
    Ok(loaded)
}

/// Writes our own stack file where the state is. Its sources are looked for from the working folder up.
fn own_stack(session: &Session) -> Result<PathBuf, Problem> {
    let folder = session.global.state_dir.clone().unwrap_or_else(|| PathBuf::from(".thinggate")).join("demo");
    session.files.create_folder(&folder)?;
    let file = folder.join("local.toml");
    session.files.replace(&file, STACK.as_bytes())?;
    Ok(file)
}

/// The numbered lines of the demo.
struct Lines<'a> {
    session: &'a Session,
    told: Vec<Value>,
    step: bool,
}

impl Lines<'_> {
    /// Tells one line that held; with `--step`, waits for Enter.
    async fn say(&mut self, what: &str, how: &str) {
        let line = self.told.len() + 1;
        let value = json!({ "line": line, "what": what, "how": how });
        if self.session.printer.output() != Output::Json {
            self.session.printer.result(&format!("{line:>2}  {what:<24}{how}\n"), &value);
        }
        self.told.push(value);
        if self.step {
            super::ask::text(self.session, "(Enter goes on)").await;
        }
    }

    /// Ends the demo: with JSON, all lines are one value.
    fn close(&self) {
        if self.session.printer.output() == Output::Json {
            self.session.printer.result("", &json!({ "exit": 0, "lines": self.told }));
        }
    }

    /// The problem of a line that did not hold.
    fn broken(&self, what: &str, because: impl Into<String>) -> Problem {
        Problem::failed("demo_line", format!("line {} does not hold: {what}", self.told.len() + 1))
            .because(because)
    }
}
