//! Runs steps in dependency order, side by side, bounded. Knows nothing of AWS.
//!
//! On the first failure nothing new is started, running steps finish, and everything that was not
//! started says so. A stop (Ctrl-C) does the same.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Event, Outcome};
use crate::problem::{Problem, ProblemKind};
use crate::resource::{Action, Kind};

/// Steps that run at the same time, at most: the widest layer of a deploy has three.
const PARALLEL_STEPS_MAX: usize = 4;

/// One step of a graph. Its number is its place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// On which kind.
    pub kind: Kind,
    /// What it does.
    pub action: Action,
    /// The steps that must be done before; each number is smaller than this node's own.
    pub after: Vec<usize>,
}

/// How a run of a graph ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// How each node ended, in order.
    pub outcomes: Vec<Outcome>,
    /// The first failure.
    pub problem: Option<Problem>,
}

/// Runs `nodes`. `perform` does the work of one node; `stopped` says whether the user wants to stop.
pub async fn run<Fut>(
    nodes: &[Node],
    perform: impl Fn(usize) -> Fut,
    stopped: impl Fn() -> bool,
    emit: impl Fn(Event),
) -> Ran
where
    Fut: Future<Output = Result<(), Problem>> + Send + 'static,
{
    let mut outcomes = vec![Outcome::NotStarted; nodes.len()];
    let mut first: Option<(Kind, Problem)> = None;
    let mut waiting: VecDeque<usize> = (0..nodes.len()).collect();
    let mut running: JoinSet<(usize, Duration, Result<(), Problem>)> = JoinSet::new();
    loop {
        while first.is_none() && !stopped() && running.len() < PARALLEL_STEPS_MAX {
            let ready = waiting.iter().position(|index| is_ready(nodes, &outcomes, *index));
            let Some(index) = ready.and_then(|place| waiting.remove(place)) else { break };
            let node = &nodes[index];
            emit(Event::Started { kind: node.kind, action: node.action });
            let work = perform(index);
            let began = Instant::now();
            running.spawn(async move {
                let result = work.await;
                (index, began.elapsed(), result)
            });
        }
        let Some(joined) = running.join_next().await else { break };
        let (index, took, result) = match joined {
            Ok(done) => done,
            Err(error) => {
                first.get_or_insert((Kind::SigningKey, crashed(&error)));
                continue;
            }
        };
        let node = &nodes[index];
        match result {
            Ok(()) => {
                outcomes[index] = Outcome::Done;
                emit(Event::Done { kind: node.kind, action: node.action, took });
            }
            Err(problem) => {
                outcomes[index] = Outcome::Failed;
                emit(Event::Failed { kind: node.kind, problem: problem.clone() });
                first.get_or_insert((node.kind, problem));
            }
        }
    }
    for index in waiting {
        emit(Event::Skipped { kind: nodes[index].kind, after: first.as_ref().map(|(kind, _)| *kind) });
    }
    let unfinished = outcomes.contains(&Outcome::NotStarted);
    let problem = first.map(|(_, problem)| problem).or_else(|| unfinished.then(interrupted));
    Ran { outcomes, problem }
}

fn is_ready(nodes: &[Node], outcomes: &[Outcome], index: usize) -> bool {
    nodes[index].after.iter().all(|before| outcomes[*before] == Outcome::Done)
}

fn crashed(error: &tokio::task::JoinError) -> Problem {
    Problem::failed("step_crashed", "a step ended by a bug in thinggate")
        .because(if error.is_panic() { "it panicked" } else { "it was cancelled" })
        .next("run the same command again, and report this")
}

/// What a stopped run ends in.
pub(crate) fn interrupted() -> Problem {
    Problem::new(ProblemKind::Interrupted, "interrupted", "interrupted")
        .because("Ctrl-C: what was running has finished, nothing new was started")
        .next("run the same command again: it goes on from here")
}

#[cfg(test)]
mod tests;
