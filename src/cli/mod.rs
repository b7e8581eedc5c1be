//! The command line: arguments in, reports and an exit code out. The only module that reads the
//! environment and knows what a target is.

mod args;
mod ask;
mod ci;
mod commands;
mod demo;
mod device;
mod endpoints;
mod environment;
mod family;
mod init;
mod load;
mod local;
mod local_target;
mod pipeline;
mod plan_file;
mod references;
mod session;
mod target;
mod usage;

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use clap::FromArgMatches as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use args::{Cli, Command};
use commands::{deploy, destroy, drift, outputs, plan, policy, show_config, validate};
use environment::Environment;
use load::Loaded;
use session::Session;

use crate::problem::{Problem, Verdict};
use crate::report::{self, Report};
use crate::stack::{self, Target};

/// Stacks that run at the same time, at most.
const STACKS_PARALLEL_MAX: usize = 8;

/// The command line's grammar: commands, flags and their environment variables, for whatever documents it.
///
/// Help names the variables and never shows their values: one of them holds a token signature.
pub fn command() -> clap::Command {
    fn without_values(command: clap::Command) -> clap::Command {
        command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(without_values)
    }
    switches(without_values(<Cli as clap::CommandFactory>::command()))
}

/// Flags that are variables as well are on and off in the usual words; a wrong one names its variable.
fn switches(command: clap::Command) -> clap::Command {
    let switch = |argument: clap::Arg| match argument.get_env().and_then(std::ffi::OsStr::to_str) {
        Some(variable) if matches!(argument.get_action(), clap::ArgAction::SetTrue) => {
            let variable = variable.to_owned();
            argument.value_parser(move |text: &str| on_or_off(&variable, text))
        }
        _ => argument,
    };
    command.mut_args(switch).mut_subcommands(switches)
}

fn on_or_off(variable: &str, text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!(
            "the environment variable {variable} is 1, true, yes or on, or else 0, false, no or off"
        )),
    }
}

/// A text as one word of a POSIX shell, whatever is in it.
fn shell_word(text: &str) -> String {
    let is_plain =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-+=@".contains(c));
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = Environment::read();
    let parsed = command().try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return usage::refused(&error, &arguments, &environment),
    };
    let session = Arc::new(Session::new(environment, cli.global));
    if let Some(command) = reported(&cli.command) {
        session.pipeline.begin(command);
    }
    if let Command::Validate { stacks } = &cli.command {
        // Offline and immediate: no runtime, no client, no certificates.
        return exit(session.finish(validate_all(&session, stacks)));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let problem = Problem::failed("no_runtime", "cannot start").because(error.to_string());
            session.printer.problem(&problem);
            return exit(Verdict::Problem(problem.kind));
        }
    };
    let verdict = runtime.block_on(async {
        tokio::spawn(stop_on_signal(Arc::clone(&session)));
        dispatch(&session, cli.command).await
    });
    // A blocking read of the terminal must not keep the program alive.
    runtime.shutdown_background();
    exit(session.finish(verdict))
}

/// The word of a command that a pipeline is told about.
const fn reported(command: &Command) -> Option<&'static str> {
    match command {
        Command::Validate { .. } => Some("validate"),
        Command::Plan { .. } => Some("plan"),
        Command::Deploy { .. } => Some("deploy"),
        Command::Drift { .. } => Some("drift"),
        Command::Destroy { .. } => Some("destroy"),
        Command::Outputs { .. } => Some("outputs"),
        _ => None,
    }
}

fn exit(verdict: Verdict) -> ExitCode {
    ExitCode::from(verdict.exit())
}

/// The first signal lets running calls finish; the second ends the program at once.
async fn stop_on_signal(session: Arc<Session>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    for count in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        if count == 0 {
            session.stop.stop();
            let words = "\nstopping: calls in flight finish, nothing new starts (Ctrl-C again: at once)\n";
            session.printer.talk(words);
        }
    }
    std::process::exit(130);
}

async fn dispatch(session: &Arc<Session>, command: Command) -> Verdict {
    match command {
        Command::Init(wishes) => ended(session, init::run(session, wishes).await),
        Command::Validate { stacks } => validate_all(session, &stacks),
        Command::Plan { stacks, out, exit_code, keep_code } => {
            plan_file::plan(session, &stacks, out, plan::Wishes { exit_code, keep_code }).await
        }
        Command::Deploy { stacks, plan, allow_impact, keep_code } => {
            let wishes = deploy::Wishes { allow_impact, keep_code };
            each(
                session,
                plan_file::take_up(session, &stacks, plan, wishes),
                move |session, loaded| async move { deploy::run(&session, loaded, wishes).await },
            )
            .await
        }
        Command::Drift { stacks, strict } => {
            each(session, load::all(session, &stacks), move |session, loaded| async move {
                drift::run(&session, loaded, strict).await
            })
            .await
        }
        Command::Destroy { stacks, yes, delete_key } => {
            let wishes = destroy::Wishes { yes, delete_key };
            each(session, load::all(session, &stacks), move |session, loaded| async move {
                destroy::run(&session, loaded, wishes).await
            })
            .await
        }
        Command::Outputs { stacks, audience } => {
            each(session, load::all(session, &stacks), move |session, loaded| async move {
                outputs::run(&session, loaded, audience).await
            })
            .await
        }
        Command::Policy { stack, variables, purpose } => {
            ended(session, policy::run(session, &stack, &variables, purpose))
        }
        Command::Ci { command: args::CiCommand::Init(wishes) } => ended(session, ci::run(session, &wishes)),
        Command::ShowConfig { stacks } => ended(session, show_config::run(session, &stacks)),
        Command::Schema => {
            let schema = stack::schema();
            session.printer.result(&format!("{schema:#}\n"), &schema);
            Verdict::Done
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut self::command(), "thinggate", &mut script);
            let script = String::from_utf8_lossy(&script);
            session.printer.result(&script, &serde_json::json!({ "script": script }));
            Verdict::Done
        }
        Command::Device { command } => ended(session, device::run(session, command).await),
        Command::Local { command } => ended(session, local::run(session, command).await),
        Command::Demo(wishes) => ended(session, demo::run(session, wishes).await),
    }
}

/// The verdict of a command before or without its stacks; its problem is told here.
fn ended(session: &Session, result: Result<(), Problem>) -> Verdict {
    match result {
        Ok(()) => Verdict::Done,
        Err(problem) => {
            session.printer.problem(&problem);
            session.pipeline.problem(&problem);
            Verdict::Problem(problem.kind)
        }
    }
}

fn validate_all(session: &Session, stacks: &args::Stacks) -> Verdict {
    let given = match load::given(session, &stacks.variables.var) {
        Ok(given) => given,
        Err(problem) => return ended(session, Err(problem)),
    };
    let (mut reports, mut loaded) = (Vec::new(), Vec::new());
    for file in &stacks.files {
        let report = match load::with(session, file, &given) {
            Ok(one) => {
                let report = validate::run(&one);
                loaded.push(one);
                report
            }
            Err(problem) => validate::refused(file, problem),
        };
        session.printer.report(&report);
        session.pipeline.report(&report);
        reports.push(report);
    }
    let unused = || load::unused(&given, &loaded).filter(|_| loaded.len() == stacks.files.len());
    if let Some(problem) = load::twice(session, &loaded).or_else(unused) {
        return ended(session, Err(problem));
    }
    let verdicts: Vec<Verdict> = reports.iter().map(|report| report.verdict).collect();
    let verdict = Verdict::of_many(&verdicts);
    session.printer.results(&reports, verdict, session.calls());
    verdict
}

/// Runs one command on every stack, side by side; results are told as they come.
async fn each<Fut>(
    session: &Arc<Session>,
    loaded: Result<Vec<Loaded>, Problem>,
    run: impl Fn(Arc<Session>, Loaded) -> Fut + Clone + Send + 'static,
) -> Verdict
where
    Fut: Future<Output = Report> + Send + 'static,
{
    each_then(session, loaded, run, |_| Ok(())).await
}

/// The same; once all results are there, `close` has the last word.
async fn each_then<Fut>(
    session: &Arc<Session>,
    loaded: Result<Vec<Loaded>, Problem>,
    run: impl Fn(Arc<Session>, Loaded) -> Fut + Clone + Send + 'static,
    close: impl FnOnce(&[Report]) -> Result<(), Problem>,
) -> Verdict
where
    Fut: Future<Output = Report> + Send + 'static,
{
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(problem) => return ended(session, Err(problem)),
    };
    // Lines of several stacks beside each other would fall into each other's fold.
    let fold = match loaded.as_slice() {
        [one] => session.fold(&one.stack.file.display().to_string()),
        _ => None,
    };
    let permits = Arc::new(Semaphore::new(STACKS_PARALLEL_MAX));
    let mut running = JoinSet::new();
    for one in loaded {
        let (permits, session, run) = (Arc::clone(&permits), Arc::clone(session), run.clone());
        let target = one.stack.target;
        running.spawn(async move {
            let _permit = permits.acquire().await;
            let report = run(Arc::clone(&session), one).await;
            let report = commands::with_stack(report);
            match target {
                Target::Local => commands::with_way_home(&session, report),
                Target::Aws => report,
            }
        });
    }
    let mut reports = Vec::new();
    while let Some(joined) = running.join_next().await {
        let report = joined.unwrap_or_else(|error| crashed(&error));
        if let Some(fold) = &fold {
            session.unfold(fold);
        }
        session.printer.report(&report);
        session.pipeline.report(&report);
        reports.push(report);
    }
    let mut verdicts: Vec<Verdict> = reports.iter().map(|report| report.verdict).collect();
    if let Err(problem) = close(&reports) {
        verdicts.push(Verdict::Problem(problem.kind));
        session.printer.problem_at_the_end(&mut reports, &problem);
        session.pipeline.problem(&problem);
    }
    let verdict = Verdict::of_many(&verdicts);
    session.printer.results(&reports, verdict, session.calls());
    verdict
}

fn crashed(error: &tokio::task::JoinError) -> Report {
    let problem = Problem::failed("crashed", "a stack's run ended by a bug in thinggate")
        .because(if error.is_panic() { "it panicked" } else { "it was cancelled" })
        .next("run the same command again, and report this");
    Report::of_problem(report::Command::Plan, "?", "?", "?", problem)
}

#[cfg(test)]
mod tests;
