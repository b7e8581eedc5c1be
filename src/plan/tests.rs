use std::collections::BTreeMap;

use super::*;
use crate::names::OWNER_TAG;
use crate::problem::ProblemKind;
use crate::resource::testing::{World, facts};
use crate::resource::{Live, authorizer, default_authorizer};

pub(in crate::plan) mod deployed;

/// Facts in which our authorizer checks no signature, which the stack wants and AWS cannot change in
/// place; the default slot holds `slot`, the rest is not there.
fn unsigned(slot: &str, wanted: bool) -> Facts {
    let mut facts = facts();
    facts.stack.authorizer.default = wanted;
    let identity = &facts.identity;
    facts.live.authorizer = Some(authorizer::Live {
        name: identity.authorizer.to_string(),
        arn: identity.authorizer_arn(),
        function_arn: identity.alias_arn(),
        token_key_name: None,
        keys: BTreeMap::new(),
        status: "ACTIVE".to_owned(),
        signing_disabled: true,
        http_caching: false,
        tags: crate::resource::tags(&facts),
        owner: Owner::Ours,
    });
    let owner = if slot == identity.authorizer.as_str() { Owner::Ours } else { Owner::Foreign(None) };
    facts.live.default_authorizer = Some(default_authorizer::Live { authorizer: slot.to_owned(), owner });
    facts
}

fn ours(facts: &Facts) -> String {
    facts.identity.authorizer.to_string()
}

/// The steps that do something, as `action kind`.
fn words(plan: &Plan) -> Vec<String> {
    plan.changes().map(|step| format!("{} {}", step.change.action.word(), step.kind.noun())).collect()
}

fn place(plan: &Plan, kind: Kind, action: Action) -> usize {
    plan.steps.iter().position(|step| step.kind == kind && step.change.action == action).unwrap()
}

#[test]
fn a_new_stack_is_made_in_the_order_of_the_kinds() {
    let plan = plan(Intent::Deploy, &facts(), "keys");
    let kinds: Vec<Kind> = plan.changes().map(|step| step.kind).collect();
    let mut sorted = kinds.clone();
    sorted.sort();
    assert_eq!(kinds, sorted);
    assert!(plan.changes().all(|step| step.change.action == Action::Create));
    assert_eq!(plan.impact(), Impact::None);
    assert!(plan.guard().is_ok());
}

#[test]
fn a_replaced_authorizer_frees_the_default_and_waits_for_all_that_it_needs() {
    let name = ours(&facts());
    let plan = plan(Intent::Deploy, &unsigned(&name, true), "keys");
    assert_eq!(
        words(&plan)[words(&plan).len() - 4..],
        ["delete default authorizer", "delete authorizer", "create authorizer", "create default authorizer"]
    );
    let clear = place(&plan, Kind::DefaultAuthorizer, Action::Delete);
    let delete = place(&plan, Kind::Authorizer, Action::Delete);
    assert!(plan.steps[delete].after.contains(&clear));
    // A failure of anything before leaves authorizer and default untouched.
    for kind in [Kind::Role, Kind::Function, Kind::Release, Kind::Permission] {
        let before = place(&plan, kind, Action::Create);
        for step in [clear, delete] {
            assert!(plan.steps[step].after.contains(&before), "{step} does not wait for {kind:?}");
        }
    }
    assert!(plan.impact() > Impact::None);
}

#[test]
fn a_default_that_is_no_longer_wanted_is_cleared_before_its_authorizer_is_replaced() {
    let name = ours(&facts());
    let plan = plan(Intent::Deploy, &unsigned(&name, false), "keys");
    let clear = place(&plan, Kind::DefaultAuthorizer, Action::Delete);
    let delete = place(&plan, Kind::Authorizer, Action::Delete);
    assert!(plan.steps[delete].after.contains(&clear));
    let Work::DefaultAuthorizer(task) = &plan.steps[clear].work else { panic!("another kind") };
    assert!(task.live.is_some(), "there is nothing to clear");
    assert_eq!(plan.steps.iter().filter(|step| step.kind == Kind::DefaultAuthorizer).count(), 1);
}

#[test]
fn a_foreign_default_stays_refused_when_our_authorizer_is_replaced() {
    let plan = plan(Intent::Deploy, &unsigned("somebody", true), "keys");
    assert_eq!(plan.guard().unwrap_err().code, "default_is_foreign");
    assert!(!words(&plan).contains(&"delete default authorizer".to_owned()), "{:?}", words(&plan));
}

#[test]
fn destroy_takes_away_first_what_needs_others() {
    let name = ours(&facts());
    let plan = plan(Intent::Destroy { delete_key: false }, &unsigned(&name, true), "keys");
    assert_eq!(words(&plan), ["delete default authorizer", "delete authorizer"]);
    assert_eq!(plan.steps[1].after, [0]);
}

#[test]
fn foreign_resources_are_all_listed() {
    let name = ours(&facts());
    let mut facts = unsigned(&name, true);
    if let Some(live) = &mut facts.live.authorizer {
        live.owner = Owner::Foreign(Some("other@eu-west-1".to_owned()));
    }
    let problem = plan(Intent::Deploy, &facts, "keys").guard().unwrap_err();
    assert_eq!(problem.code, "foreign_resource");
    assert_eq!(problem.because.len(), 1);
    assert!(problem.because[0].contains("other@eu-west-1"), "{problem}");
}

/// Everything is deployed, then the function's owner tag is what `owner` says.
async fn function_of(owner: Option<&str>) -> World {
    let mut world = World::new();
    world.deploy().await;
    world.gather().await;
    let function = world.facts.live.function.as_mut().unwrap();
    function.owner = Owner::Foreign(owner.map(str::to_owned));
    let tags = function.tags.as_mut().unwrap();
    tags.remove(OWNER_TAG);
    tags.extend(owner.map(|owner| (OWNER_TAG.to_owned(), owner.to_owned())));
    world
}

fn refusal(world: &World) -> Problem {
    let problem = plan(Intent::Deploy, &world.facts, "keys").guard().unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Refused);
    problem
}

/// The tag is the only thing that was lost: the command puts it back.
#[tokio::test(start_paused = true)]
async fn a_lost_owner_tag_is_refused_with_the_command_that_puts_it_back() {
    let problem = refusal(&function_of(None).await);
    assert_eq!(problem.code, "foreign_resource");
    assert_eq!(
        problem.next.unwrap().split("   #").next().unwrap(),
        "aws lambda tag-resource --region eu-west-1 \
         --resource arn:aws:lambda:eu-west-1:000000000000:function:thinggate-demo --tags thinggate:stack=demo@eu-west-1"
    );
}

/// Another stack says that it is its own, or nothing else is ours: nobody is told to take it.
#[tokio::test(start_paused = true)]
async fn what_may_be_somebody_elses_is_not_offered() {
    let next = refusal(&function_of(Some("other@eu-west-1")).await).next.unwrap();
    assert!(!next.contains("aws "), "{next}");
    let mut world = function_of(None).await;
    let function = world.facts.live.function.take();
    world.facts.live = Live { function, ..Live::default() };
    let next = refusal(&world).next.unwrap();
    assert!(!next.contains("aws "), "{next}");
}
