//! One file per command. A command turns stacks into reports; `report` prints them.

pub(super) mod deploy;
pub(super) mod destroy;
pub(super) mod drift;
pub(super) mod outputs;
pub(super) mod plan;
pub(super) mod policy;
mod preflight;
pub(super) mod show_config;
pub(super) mod validate;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::aws::retry::SETTLED;
use crate::aws::wait::Look;
use crate::aws::{Aws, SessionEnd};
use crate::build::Tools;
use crate::cli::endpoints;
use crate::cli::references;
use crate::cli::session::Session;
use crate::cli::shell_word;
use crate::cli::target::{self, Connected};
use crate::gather::{self, CodeMode, SECRET_VARIABLE, Sources};
use crate::names::Identity;
use crate::plan::{Plan, Step};
use crate::problem::{self, Problem};
use crate::report::{Command, Finding, Report, StepReport};
use crate::resource::{Facts, Kind, NotCompared};
use crate::stack::{Stack, Target, Warning};

/// One stack in one command: connected, with the caller known.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session,
    pub(super) connected: Connected<'a>,
    pub(super) identity: Identity,
    /// The caller's ARN.
    pub(super) caller: String,
    pub(super) command: Command,
}

impl<'a> Work<'a> {
    /// Connects a stack and asks who calls. A failure is already the command's report.
    pub(super) async fn begin(session: &'a Session, command: Command, stack: Stack) -> Result<Self, Report> {
        let (name, file) = (stack.name.to_string(), stack.file.display().to_string());
        let place = target::target_text(&stack, None);
        let failed = |problem| Report::of_problem(command, &name, &file, &place, problem);
        let connected = target::connect(session, stack).await.map_err(failed)?;
        let (identity, caller) = connected.identity().await.map_err(|problem| {
            let elsewhere = match connected.stack.target {
                Target::Local => {
                    session.global.local_endpoint.clone().map(|at| format!("--local-endpoint says {at}"))
                }
                Target::Aws => {
                    endpoints::text(&connected.stack).map(|at| format!("the stack file says {at}"))
                }
            };
            failed(match elsewhere {
                Some(elsewhere) => problem.because(elsewhere),
                None => problem,
            })
        })?;
        Ok(Self { session, connected, identity, caller, command })
    }

    pub(super) fn aws(&self) -> &Aws {
        &self.connected.aws
    }

    pub(super) fn stack(&self) -> &Stack {
        &self.connected.stack
    }

    /// The facts of the stack.
    pub(super) async fn gather(&self, code: CodeMode) -> Result<Facts, Problem> {
        let name = self.stack().name.clone();
        let tell = |line: &str| self.session.printer.talk(&format!("  {name}: {line}\n"));
        let tools = Tools::new(self.session.environment.variables(), self.session.stop.clone());
        let read = if code == CodeMode::Ignore { Vec::new() } else { references::of_deploy(self.stack()) };
        let resolver = Box::pin(self.connected.resolver.with_parameters(self.aws(), read)).await;
        let sources = Sources {
            aws: self.aws(),
            store: self.connected.store.as_ref(),
            files: &self.session.files,
            without_secrets: self.command == Command::Plan,
            references: &resolver,
            code,
            machine_forgets: self.session.environment.is_continuous_integration(),
            tools: &tools,
            progress: &tell,
        };
        Box::pin(gather::gather(self.stack(), &self.identity, &sources)).await
    }

    /// An empty report of this stack.
    pub(super) fn report(&self) -> Report {
        let stack = self.stack();
        let now = self.session.time.now();
        let end = self.connected.watch.as_ref().and_then(|watch| watch.ends_soon(now));
        let (file, target) =
            (stack.file.display().to_string(), target::target_text(stack, Some(&self.identity)));
        Report {
            session_end: end.map(|end| ends_soon(&end, now)),
            places: stack.places.clone(),
            ..Report::empty(self.command, stack.name.as_str(), &file, &target)
        }
    }

    /// A report that ends in `problem`.
    pub(super) fn failed(&self, problem: Problem) -> Report {
        self.report().ending_in(problem)
    }
}

/// Looks at the target after the last write, and again while it ends in a problem of `code`: AWS answers
/// from copies that lag behind what was written.
pub(super) async fn until_settled<T, F>(
    aws: &Aws,
    code: &'static str,
    look: impl Fn() -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    let settled = aws.until(SETTLED, || async {
        match look().await {
            Ok(found) => Ok(Look::Yes(found)),
            // One copy names what another does not have yet.
            Err(problem) if problem.code == code || problem.code == "not_found" => Ok(Look::NotYet),
            Err(problem) => Err(problem),
        }
    });
    match settled.await {
        Err(problem) if problem.code == "timed_out" => look().await,
        result => result,
    }
}

/// Says, where the report of a stack with a local target prints `aws` commands, how they reach that
/// target: in an ordinary shell they would go to a real account.
pub(super) fn with_way_home(session: &Session, mut report: Report) -> Report {
    let refusals = report.steps.iter().filter_map(|step| step.refusal.as_ref().map(|(_, next)| next));
    let problem = report.problem.iter().filter_map(|problem| problem.next.as_ref());
    let names_aws = refusals.chain(problem).any(|next| next.contains("aws "));
    if names_aws {
        let folder = session.state_directory(Some(Path::new(&report.file)));
        report.findings.push(Finding {
            code: "local_aws",
            what: "this stack is local: an `aws` command would go to a real account".to_owned(),
            next: Some(format!(
                "while `thinggate local up` runs, first: eval \"$(thinggate local env --state-dir {})\"",
                shell_word(&folder.display().to_string())
            )),
        });
    }
    report
}

/// Puts the stack's file into the commands that a report tells to run, and the end of the session among its findings.
pub(super) fn with_stack(report: Report) -> Report {
    let file = shell_word(&report.file);
    let named = |next: String| problem::with_stack(&next, &file);
    let findings = report.findings.into_iter().chain(report.session_end);
    Report {
        findings: findings.map(|finding| Finding { next: finding.next.map(named), ..finding }).collect(),
        problem: report.problem.map(|problem| problem.of_stack(&file)),
        session_end: None,
        ..report
    }
}

/// What a session that ends soon means for a run.
fn ends_soon(end: &SessionEnd, now: SystemTime) -> Finding {
    let minutes = |duration: Duration| duration.as_secs().div_ceil(60);
    let when = match end.at.duration_since(now) {
        Ok(left) if !left.is_zero() => format!("ends at {}, in {} min", clock_time(end.at), minutes(left)),
        _ => format!("ended at {}", clock_time(end.at)),
    };
    Finding {
        code: "session_ends",
        what: format!(
            "the session of these credentials {when}: what a run has not done by then, the next one does"
        ),
        next: Some(end.next.clone()),
    }
}

/// A moment of this day or the next: `18:05:09 UTC`.
fn clock_time(moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

/// A plan's steps, for the reader.
pub(super) fn step_reports(plan: &Plan) -> Vec<StepReport> {
    plan.steps.iter().map(step_report).collect()
}

fn step_report(step: &Step) -> StepReport {
    StepReport {
        kind: step.kind,
        name: step.name.clone(),
        action: step.change.action,
        differences: step.change.differences.clone(),
        impact: step.change.impact,
        refusal: step.change.refusal.as_ref().map(|refusal| (refusal.because.clone(), refusal.next.clone())),
        outcome: None,
    }
}

/// What a plan could not compare.
pub(super) fn not_compared(plan: &Plan) -> Vec<(Kind, NotCompared)> {
    plan.steps
        .iter()
        .flat_map(|step| step.change.not_compared.iter().map(|missing| (step.kind, missing.clone())))
        .collect()
}

/// A stack file's remarks, for the report.
pub(super) fn remarks(warnings: &[Warning]) -> Vec<Finding> {
    let finding = |warning: &Warning| Finding {
        code: warning.code,
        what: warning.message.clone(),
        next: warning.help.clone(),
    };
    warnings.iter().map(finding).collect()
}

/// What every plan of this stack must say.
pub(super) fn findings(facts: &Facts, warnings: &[Warning]) -> Vec<Finding> {
    let mut findings = remarks(warnings);
    if holds_secret(facts) {
        for finding in findings.iter_mut().filter(|finding| finding.code == "in_environment") {
            "the function's environment holds the secret".clone_into(&mut finding.what);
            finding.next = None;
        }
    }
    if facts.live.release.is_some() {
        findings.push(Finding {
            code: "not_proven",
            what: "the release is not proven: this version does not test an authorizer before it serves"
                .to_owned(),
            next: None,
        });
    }
    findings
}

/// Whether the secret is already where the stack file lets it be.
fn holds_secret(facts: &Facts) -> bool {
    let function = facts.live.function.as_ref();
    let environment = function.and_then(|function| function.configuration.environment.as_ref().ok());
    environment.is_some_and(|variables| variables.contains_key(SECRET_VARIABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_session_is_told_with_its_time() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        // 2015-08-30T12:36:00Z.
        let end = SessionEnd { at: at(1_440_938_160), next: "aws sso login --profile company".to_owned() };
        for (now, when) in [
            (1_440_937_261, "ends at 12:36:00 UTC, in 15 min"),
            (1_440_938_159, "ends at 12:36:00 UTC, in 1 min"),
            (1_440_938_160, "ended at 12:36:00 UTC"),
            (1_440_938_200, "ended at 12:36:00 UTC"),
        ] {
            let finding = ends_soon(&end, at(now));
            assert!(
                finding.what.starts_with(&format!("the session of these credentials {when}:")),
                "{finding:?}"
            );
            assert_eq!(finding.next.as_deref(), Some("aws sso login --profile company"));
        }
    }
}
