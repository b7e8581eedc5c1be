//! The work of one step, dispatched to its kind. Values that an earlier step made are read by name from
//! where they are durable.

use super::Event;
use super::graph::{self, Node, Ran};
use crate::aws::{Aws, Progress};
use crate::keys::Store;
use crate::plan::{Plan, Step, Task, Work};
use crate::problem::Problem;
use crate::resource::authorizer::with_generations;
use crate::resource::{Action, Resource};

/// What steps go through.
#[derive(Clone, Debug)]
pub struct World {
    /// AWS, or what stands for it.
    pub aws: Aws,
    /// Where the signing key's private half lives; `None` where others hold it.
    pub store: Option<Store>,
}

/// Carries out a plan. `emit` hears every event; `stopped` says whether the user wants to stop.
pub async fn apply(
    plan: &Plan,
    world: &World,
    stopped: impl Fn() -> bool,
    emit: impl Fn(Event) + Clone + Send + Sync + 'static,
) -> Applied {
    let places: Vec<usize> = plan
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.change.action != Action::Keep)
        .map(|(i, _)| i)
        .collect();
    let nodes: Vec<Node> = places.iter().map(|place| node(plan, &places, *place)).collect();
    let perform = |index: usize| {
        let step = plan.steps[places[index]].clone();
        let teller = emit.clone();
        let kind = step.kind;
        let progress = Progress::new(move |until, elapsed| teller(Event::Waiting { kind, until, elapsed }));
        let world = World { aws: world.aws.with_progress(progress), store: world.store.clone() };
        perform(step, world)
    };
    let ran = graph::run(&nodes, perform, stopped, emit.clone()).await;
    Applied { places, ran }
}

/// How a plan was carried out.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The places in the plan of the steps that were to be done.
    pub places: Vec<usize>,
    /// How they ended.
    pub ran: Ran,
}

/// A step as a node; what it waits for, leaving out steps that keep what is there.
fn node(plan: &Plan, places: &[usize], place: usize) -> Node {
    let step = &plan.steps[place];
    let after = step.after.iter().filter_map(|before| places.iter().position(|p| p == before)).collect();
    Node { kind: step.kind, action: step.change.action, after }
}

async fn perform(step: Step, world: World) -> Result<(), Problem> {
    let World { aws, store } = &world;
    match step.work {
        Work::SigningKey(task) => carry_out(store_of(store.as_ref())?, &task).await,
        Work::Role(task) => carry_out(aws, &task).await,
        Work::LogGroup(task) => carry_out(aws, &task).await,
        Work::Function(task) => carry_out(aws, &task).await,
        Work::Release(task) => carry_out(aws, &task).await,
        Work::Permission(task) => carry_out(aws, &task).await,
        Work::Authorizer(mut task) => {
            if let Some(desired) = &mut task.desired
                && let Some(store) = store
            {
                desired.keys = with_generations(&desired.keys, &store.generations().await?);
            }
            carry_out(aws, &task).await
        }
        Work::DefaultAuthorizer(task) => carry_out(aws, &task).await,
    }
}

async fn carry_out<R: Resource>(via: &R::Via, task: &Task<R>) -> Result<(), Problem> {
    match (&task.desired, &task.live) {
        (Some(desired), live) => R::apply(via, desired, live.as_ref()).await,
        (None, Some(live)) => R::delete(via, live).await,
        (None, None) => {
            Err(Problem::failed("empty_step", "a step has nothing to do; this is a bug in thinggate"))
        }
    }
}

fn store_of(store: Option<&Store>) -> Result<&Store, Problem> {
    store.ok_or_else(|| Problem::failed("no_key_store", "this stack has no key store"))
}
