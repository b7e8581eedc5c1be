//! The life of one stack under one setting, flow by flow.

use std::time::Duration;

use local::Options;
use local::fault::Order;
use local::switches::{DelayedCalls, QualifiedFunction};
use serde_json::Value;

use super::super::bench::{Bench, Command, Ended, one_key};
use super::super::sweep::difference;
use crate::problem::Verdict;

/// Longer than any copy lags.
const LATER: Duration = Duration::from_mins(2);

/// What a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// The first deploy.
    Deploy,
    /// A deploy with nothing to do.
    Again,
    /// A deploy of other code, rules and settings.
    Change,
    /// A look, a change by hand, a look, and a deploy that repairs it.
    Drift,
    /// An authorizer that AWS cannot change, made anew while it is the default.
    Replace,
    /// Everything goes.
    Destroy,
}

impl Flow {
    pub(super) const ALL: [Self; 6] =
        [Self::Deploy, Self::Again, Self::Change, Self::Drift, Self::Replace, Self::Destroy];
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// As without any trouble.
    Converged,
    /// It is refused, as it must be, and says why.
    Refused,
    /// Otherwise: how.
    Failed(String),
}

/// How every flow ended, and what was there then.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) cells: Vec<(Flow, Cell)>,
    ends: Vec<Value>,
}

impl Life {
    /// Leads the life under these options, in which `order` is given to the target before each flow.
    pub(super) async fn lead(options: Options, order: Option<Order>) -> Self {
        let refused = options.switches.qualified_function == QualifiedFunction::Refuse;
        let bench = Bench::with(options);
        bench.put_keys(one_key().await);
        let mut life = Self { cells: Vec::new(), ends: Vec::new() };
        for flow in Flow::ALL {
            settled(&bench).await;
            bench.target.faults().order(order.clone().unwrap_or_default());
            let result = if refused { Refused(&bench).live(flow).await } else { live(&bench, flow).await };
            let cell = match result {
                Err(because) => Cell::Failed(because),
                Ok(()) if refused && flow != Flow::Destroy => Cell::Refused,
                Ok(()) => Cell::Converged,
            };
            life.cells.push((flow, cell));
            life.ends.push(end(&bench));
        }
        life
    }

    /// Marks as failed every flow that ended elsewhere than in `model`.
    pub(super) fn compare(&mut self, model: &Self) {
        let ends = self.ends.iter().zip(&model.ends);
        for ((_, cell), (found, expected)) in self.cells.iter_mut().zip(ends) {
            if *cell == Cell::Converged && found != expected {
                *cell = Cell::Failed(format!("another end: {}", difference("", expected, found)));
            }
        }
    }
}

/// What is there, without what differs between two targets: the provider's secret is made with each.
fn end(bench: &Bench) -> Value {
    let text = bench.dump().to_string().replace(&bench.target.identity_hs256_secret(), "the secret");
    serde_json::from_str(&text).unwrap()
}

/// Waits, where copies answer in turn, until they agree: what they say meanwhile nobody can tell from a
/// change by hand. Where all calls meet the same copy, the end of a run waits for it.
async fn settled(bench: &Bench) {
    if bench.target.options().switches.delayed_calls == DelayedCalls::EverySecond {
        tokio::time::advance(LATER).await;
    }
}

/// One flow where nothing is refused.
async fn live(bench: &Bench, flow: Flow) -> Result<(), String> {
    match flow {
        Flow::Deploy => done(bench, Command::Deploy, "stack.toml").await,
        Flow::Again => idle(bench, Command::Deploy, "stack.toml").await,
        Flow::Change => {
            done(bench, Command::Deploy, "changed.toml").await?;
            settled(bench).await;
            idle(bench, Command::Deploy, "changed.toml").await
        }
        Flow::Drift => drift(bench).await,
        Flow::Replace => done(bench, Command::Deploy, "unsigned.toml").await,
        Flow::Destroy => {
            done(bench, Command::Destroy, "unsigned.toml").await?;
            settled(bench).await;
            idle(bench, Command::Destroy, "unsigned.toml").await
        }
    }
}

async fn drift(bench: &Bench) -> Result<(), String> {
    idle(bench, Command::Drift, "changed.toml").await?;
    tokio::time::advance(LATER).await;
    bench.target.with_world(|world| {
        let regional = world.region("eu-west-1");
        let function = regional.lambda.functions.get_mut("thinggate-demo").ok_or("no function")?;
        function.latest.settings.memory_mb = 1024;
        regional.iot.authorizers.get_mut("door").ok_or("no authorizer")?.enable_caching_for_http = true;
        Ok::<(), &str>(())
    })?;
    let ended = bench.run(Command::Drift, "changed.toml", None).await;
    if ended.verdict.exit() != 2 || !ended.writes.is_empty() {
        return Err(format!("a change by hand is not seen: {}", told(&ended)));
    }
    done(bench, Command::Deploy, "changed.toml").await
}

/// A run that must end well.
async fn done(bench: &Bench, command: Command, file: &str) -> Result<(), String> {
    let ended = bench.run(command, file, None).await;
    if ended.verdict == Verdict::Done { Ok(()) } else { Err(told(&ended)) }
}

/// A run that must end well without a write.
async fn idle(bench: &Bench, command: Command, file: &str) -> Result<(), String> {
    let ended = bench.run(command, file, None).await;
    if ended.verdict != Verdict::Done || !ended.writes.is_empty() {
        return Err(format!("{command:?} is not settled: {} {:?}", told(&ended), ended.writes));
    }
    Ok(())
}

fn told(ended: &Ended) -> String {
    let problem = ended.problem.as_ref().map(|problem| {
        let because = problem.because.join("; ");
        format!(" {} at {:?}: {} ({because})", problem.code, problem.place, problem.what)
    });
    format!("exit {}{}", ended.verdict.exit(), problem.unwrap_or_default())
}

/// The flows where AWS IoT takes no alias: every deploy fails and names it, no default is set, and
/// nothing stays after a destroy.
struct Refused<'a>(&'a Bench);

impl Refused<'_> {
    async fn live(&self, flow: Flow) -> Result<(), String> {
        match flow {
            Flow::Deploy | Flow::Again => self.deploy("stack.toml").await,
            Flow::Change => self.deploy("changed.toml").await,
            Flow::Replace => self.deploy("unsigned.toml").await,
            Flow::Drift => {
                let ended = self.0.run(Command::Drift, "changed.toml", None).await;
                if ended.verdict.exit() == 2 { Ok(()) } else { Err(told(&ended)) }
            }
            Flow::Destroy => live(self.0, flow).await,
        }
    }

    async fn deploy(&self, file: &str) -> Result<(), String> {
        let ended = self.0.run(Command::Deploy, file, None).await;
        let (exit, told) = (ended.verdict.exit(), told(&ended));
        let alias = "arn:aws:lambda:eu-west-1:000000000000:function:thinggate-demo:live";
        if exit != 1 || !told.contains(alias) || !told.contains("authorizer door") {
            return Err(format!("the alias is not named: {told}"));
        }
        let iot = self.0.target.with_world(|world| world.region("eu-west-1").iot.clone());
        if iot.default.is_some() || !iot.authorizers.is_empty() {
            return Err("an authorizer or a default is there".to_owned());
        }
        Ok(())
    }
}
