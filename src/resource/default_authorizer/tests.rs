use super::super::Action;
use super::super::testing::{World, facts};
use super::*;
use crate::problem::ProblemKind;

fn live(authorizer: &str, owner: Owner) -> Live {
    Live { authorizer: authorizer.to_owned(), owner }
}

fn foreign_live() -> Live {
    live("theirs", Owner::Foreign(Some("theirs".to_owned())))
}

#[test]
fn ours_is_kept_none_is_set_and_anothers_is_left_alone() {
    let desired = DefaultAuthorizer::desired(&facts()).unwrap();
    let action =
        |desired: Option<&Desired>, live: Option<&Live>| DefaultAuthorizer::diff(desired, live).action;
    assert_eq!(action(Some(&desired), None), Action::Create);
    assert_eq!(action(Some(&desired), Some(&live("door", Owner::Ours))), Action::Keep);
    assert_eq!(action(None, Some(&live("door", Owner::Ours))), Action::Delete);
    assert_eq!(action(None, Some(&foreign_live())), Action::Keep);
    assert_eq!(action(None, None), Action::Keep);

    let change = DefaultAuthorizer::diff(Some(&desired), Some(&foreign_live()));
    assert_eq!(change.differences[0].field, "authorizer");
    let refusal = change.refusal.expect("another's default is not taken");
    assert_eq!(refusal.code, "default_is_foreign");
    assert!(refusal.next.starts_with("aws iot clear-default-authorizer --region eu-west-1"), "{refusal:?}");
}

#[test]
fn a_stack_without_default_wants_none() {
    let mut facts = facts();
    facts.stack.authorizer.default = false;
    assert_eq!(DefaultAuthorizer::desired(&facts), None);
}

async fn anothers_default(world: &World) {
    let iot = &world.aws.iot;
    let create = iot.create_authorizer().authorizer_name("theirs").signing_disabled(true);
    create
        .authorizer_function_arn(world.facts.identity.alias_arn())
        .status(aws_sdk_iot::types::AuthorizerStatus::Active)
        .send()
        .await
        .unwrap();
    iot.set_default_authorizer().authorizer_name("theirs").send().await.unwrap();
}

/// Another stack took the slot between the plan and the step.
#[tokio::test(start_paused = true)]
async fn a_default_taken_meanwhile_is_not_taken_back() {
    let mut world = World::new();
    world.deploy_before::<DefaultAuthorizer>().await;
    world.gather().await;
    let desired = DefaultAuthorizer::desired(&world.facts).unwrap();
    anothers_default(&world).await;
    world.writes();
    let problem = DefaultAuthorizer::apply(&world.aws, &desired, None).await.unwrap_err();
    assert_eq!((problem.kind, problem.code), (ProblemKind::Refused, "default_is_foreign"));
    assert_eq!(world.writes(), Vec::<String>::new());
}

/// It was moved by hand: neither taken back nor, in a destroy, cleared.
#[tokio::test(start_paused = true)]
async fn a_default_moved_by_hand_is_refused_and_survives_a_destroy() {
    let mut world = World::new();
    world.deploy().await;
    world.gather().await;
    let ours = world.facts.live.default_authorizer.clone().unwrap();
    world.aws.iot.clear_default_authorizer().send().await.unwrap();
    anothers_default(&world).await;
    let change = world.change::<DefaultAuthorizer>().await;
    assert_eq!(change.refusal.map(|refusal| refusal.code), Some("default_is_foreign"));
    world.writes();
    DefaultAuthorizer::delete(&world.aws, &ours).await.unwrap();
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_gives_it_up_clears_it() {
    let mut world = World::new();
    world.deploy().await;
    world.facts.stack.authorizer.default = false;
    let change = world.change::<DefaultAuthorizer>().await;
    assert_eq!((change.action, change.impact), (Action::Delete, Impact::NewConnections));
    world.apply::<DefaultAuthorizer>().await.unwrap();
    assert_eq!(world.change::<DefaultAuthorizer>().await, Change::keep());
}
