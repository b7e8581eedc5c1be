//! From facts to a plan: pure, synchronous, complete. A plan leaves nothing to choose.

mod collision;
mod moved;
mod order;
mod saved;

pub use collision::Collision;
pub use moved::{same_steps, unmoved};
pub use saved::{PLAN_BYTES_MAX, PlanFile, SavedPlan};

use crate::names::Identity;
use crate::problem::Problem;
use crate::resource::authorizer::Authorizer;
use crate::resource::default_authorizer::DefaultAuthorizer;
use crate::resource::function::Function;
use crate::resource::log_group::LogGroup;
use crate::resource::permission::Permission;
use crate::resource::release::Release;
use crate::resource::role::Role;
use crate::resource::signing_key::SigningKey;
use crate::resource::{Action, Change, Facts, Impact, Kind, Owner, Resource};

/// What is wanted of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Live becomes desired.
    Deploy,
    /// Nothing is left.
    Destroy {
        /// Also the signing key's store.
        delete_key: bool,
    },
}

/// What to do, in an order that works: a step stands behind everything it needs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The steps, those that keep what is there included.
    pub steps: Vec<Step>,
    /// Resources with our name that are not ours. A plan that has one is never applied.
    pub collisions: Vec<Collision>,
}

/// One action on one resource.
#[derive(Clone, Debug)]
pub struct Step {
    /// On which kind.
    pub kind: Kind,
    /// The resource's name, for people.
    pub name: String,
    /// What and why.
    pub change: Change,
    /// The steps that must be done before, by their place in the plan.
    pub after: Vec<usize>,
    /// The typed work.
    pub(crate) work: Work,
}

impl Step {
    /// Whether it makes a function of nothing.
    fn lacks_package(&self) -> bool {
        match &self.work {
            Work::Function(Task { desired: Some(desired), live: None }) => desired.code.package().is_err(),
            _ => false,
        }
    }
}

/// The work of one step, typed: what is wanted and what is there.
#[derive(Debug)]
pub(crate) struct Task<R: Resource> {
    /// What is wanted; `None` in a delete.
    pub(crate) desired: Option<R::Desired>,
    /// What is there; `None` where nothing is, or where an earlier step deletes it.
    pub(crate) live: Option<R::Live>,
}

impl<R: Resource> Clone for Task<R> {
    fn clone(&self) -> Self {
        Self { desired: self.desired.clone(), live: self.live.clone() }
    }
}

/// A task of each kind. Closed: steps are data.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    SigningKey(Task<SigningKey>),
    Role(Task<Role>),
    LogGroup(Task<LogGroup>),
    Function(Task<Function>),
    Release(Task<Release>),
    Permission(Task<Permission>),
    Authorizer(Task<Authorizer>),
    DefaultAuthorizer(Task<DefaultAuthorizer>),
}

impl Plan {
    /// Steps that do something.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.change.action != Action::Keep)
    }

    /// The worst that the plan does to devices.
    pub fn impact(&self) -> Impact {
        self.changes().map(|step| step.change.impact).max().unwrap_or(Impact::None)
    }

    /// The problem of a plan that must not be applied: foreign resources, all of them, or repairs that
    /// are refused.
    pub fn guard(&self) -> Result<(), Problem> {
        if let Some(problem) = collision::problem(&self.collisions) {
            return Err(problem);
        }
        if self.steps.iter().any(Step::lacks_package) {
            // Whoever gathered the facts should have refused or built: nothing is deleted on its word.
            return Err(Problem::refused(
                "no_package",
                "the function has to be made, and there is no package to make it of; nothing was changed",
            )
            .next("the same command where the authorizer's sources or a `function.bootstrap` are"));
        }
        let mut refused = self.steps.iter().filter_map(|step| Some((step, step.change.refusal.as_ref()?)));
        let Some((step, refusal)) = refused.next() else { return Ok(()) };
        let mut problem = Problem::refused(refusal.code, "the plan is refused; nothing was changed")
            .at(format!("{} {}", step.kind.noun(), step.name))
            .because(refusal.because.clone())
            .next(refusal.next.clone());
        for (step, refusal) in refused {
            problem = problem.because(format!("{} {}: {}", step.kind.noun(), step.name, refusal.because));
        }
        Err(problem)
    }
}

/// Makes the plan. `store` is the key store's place, for people.
pub fn plan(intent: Intent, facts: &Facts, store: &str) -> Plan {
    let mut maker =
        Maker { intent, facts, store, steps: Vec::new(), collisions: Vec::new(), some_are_ours: false };
    let live = &facts.live;
    maker.add::<SigningKey>(live.signing_key.as_ref(), Work::SigningKey);
    maker.add::<Role>(live.role.as_ref(), Work::Role);
    maker.add::<LogGroup>(live.log_group.as_ref(), Work::LogGroup);
    maker.add::<Function>(live.function.as_ref(), Work::Function);
    maker.add::<Release>(live.release.as_ref(), Work::Release);
    maker.add::<Permission>(live.permission.as_ref(), Work::Permission);
    maker.add::<Authorizer>(live.authorizer.as_ref(), Work::Authorizer);
    maker.add::<DefaultAuthorizer>(live.default_authorizer.as_ref(), Work::DefaultAuthorizer);
    maker.finish()
}

struct Maker<'a> {
    intent: Intent,
    facts: &'a Facts,
    store: &'a str,
    steps: Vec<Step>,
    collisions: Vec<Collision>,
    /// Whether a resource that carries a tag of its own says that it is this stack's.
    some_are_ours: bool,
}

impl Maker<'_> {
    fn add<R: Resource>(&mut self, live: Option<&R::Live>, wrap: fn(Task<R>) -> Work) {
        let desired = match self.intent {
            Intent::Deploy => R::desired(self.facts),
            Intent::Destroy { delete_key: false } if R::KIND == Kind::SigningKey => return,
            Intent::Destroy { .. } => None,
        };
        let owner = live.map(R::owner);
        self.some_are_ours |=
            owner == Some(Owner::Ours) && collision::claim(R::KIND, &self.facts.identity).is_some();
        // Somebody else's default is none of our business when we want none ourselves.
        if desired.is_none() && R::KIND == Kind::DefaultAuthorizer && owner != Some(Owner::Ours) {
            return;
        }
        if desired.is_none() && live.is_none() {
            return;
        }
        let change = R::diff(desired.as_ref(), live);
        if let (Some(Owner::Foreign(owner)), true) = (owner, R::KIND != Kind::DefaultAuthorizer)
            && change.action != Action::Keep
        {
            let name = name(R::KIND, &self.facts.identity, self.store);
            self.collisions.push(Collision { kind: R::KIND, name, owner, claim: None });
        }
        self.split::<R>(desired, live.cloned(), change, wrap);
    }

    /// One step; a replacement is two, with what names the old object taken away first.
    fn split<R: Resource>(
        &mut self,
        desired: Option<R::Desired>,
        live: Option<R::Live>,
        change: Change,
        wrap: fn(Task<R>) -> Work,
    ) {
        if change.action != Action::Replace {
            self.push::<R>(change, wrap(Task { desired, live }));
            return;
        }
        let delete = Change { action: Action::Delete, ..change.clone() };
        self.push::<R>(delete, wrap(Task { desired: None, live }));
        // What may not be taken away is refused once, where it would be.
        let create = Change { action: Action::Create, differences: Vec::new(), refusal: None, ..change };
        self.push::<R>(create, wrap(Task { desired, live: None }));
    }

    fn push<R: Resource>(&mut self, change: Change, work: Work) {
        let name = name(R::KIND, &self.facts.identity, self.store);
        self.steps.push(Step { kind: R::KIND, name, change, after: Vec::new(), work });
    }

    fn finish(mut self) -> Plan {
        if self.intent == Intent::Deploy {
            self.make_again_what_a_replacement_takes();
            self.free_the_default_before_replacing();
        }
        order::arrange(&mut self.steps, self.intent);
        for one in self.collisions.iter_mut().filter(|one| one.owner.is_none() && self.some_are_ours) {
            one.claim = collision::claim(one.kind, &self.facts.identity);
        }
        Plan { steps: self.steps, collisions: self.collisions }
    }

    /// Where a kind's old object is deleted to be replaced.
    fn replaced(&self, kind: Kind) -> Option<usize> {
        self.steps.iter().position(|step| step.kind == kind && step.change.action == Action::Delete)
    }

    /// A function takes its alias and its policies with it, an alias its policy: they are made again.
    fn make_again_what_a_replacement_takes(&mut self) {
        let function = self.replaced(Kind::Function).is_some();
        let release = function || self.replaced(Kind::Release).is_some();
        if function {
            self.steps.retain(|step| step.kind != Kind::Release || step.change.action != Action::Delete);
        }
        for step in &mut self.steps {
            match &mut step.work {
                Work::Release(task) if function => task.live = None,
                Work::Permission(task) if release => task.live = None,
                _ => continue,
            }
            step.change = Change { action: Action::Create, impact: Impact::All, ..Change::create() };
        }
    }

    /// AWS IoT deletes no authorizer that is the default: our slot is cleared first, and set again where
    /// it is still wanted. Somebody else's slot, and a refused repair, stay as they are.
    fn free_the_default_before_replacing(&mut self) {
        let Some(place) = self.replaced(Kind::Authorizer) else { return };
        let Some(slot) = self.steps.iter().position(|step| step.kind == Kind::DefaultAuthorizer) else {
            return;
        };
        let Work::DefaultAuthorizer(Task { desired: wanted, live }) = &self.steps[slot].work else { return };
        let ours = live.as_ref().is_some_and(|live| DefaultAuthorizer::owner(live) == Owner::Ours);
        if !ours || self.steps[slot].change.refusal.is_some() {
            return;
        }
        let (wanted, live) = (wanted.clone(), live.clone());
        let mut again = self.steps.remove(slot);
        let clear = Step {
            change: Change::delete(Impact::NewConnections),
            work: Work::DefaultAuthorizer(Task { desired: None, live }),
            ..again.clone()
        };
        self.steps.insert(place, clear);
        if wanted.is_some() {
            again.change = Change { impact: Impact::NewConnections, ..Change::create() };
            again.work = Work::DefaultAuthorizer(Task { desired: wanted, live: None });
            self.steps.push(again);
        }
    }
}

/// A resource's name, for people.
fn name(kind: Kind, identity: &Identity, store: &str) -> String {
    match kind {
        Kind::SigningKey => store.to_owned(),
        Kind::Role => identity.role().to_string(),
        Kind::LogGroup => identity.log_group().to_string(),
        Kind::Function => identity.function().to_string(),
        Kind::Release => format!("{}:{}", identity.function(), crate::names::ALIAS),
        Kind::Permission => crate::names::STATEMENT_ID.to_owned(),
        Kind::Authorizer | Kind::DefaultAuthorizer => identity.authorizer.to_string(),
    }
}

#[cfg(test)]
mod tests;
