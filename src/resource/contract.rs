//! What every kind owes, against the local target through the real SDK.

use std::time::Duration;

use local::Options;
use local::switches::{Check, DeactivateDefault, DeleteRefusal, KeysOnUpdate, SetDefaultAgain, Switches};

use super::authorizer::Authorizer;
use super::default_authorizer::DefaultAuthorizer;
use super::function::Function;
use super::log_group::LogGroup;
use super::permission::Permission;
use super::release::Release;
use super::role::Role;
use super::testing::World;
use super::{Action, Change, Live, Resource};
use crate::aws::Aws;

async fn before<R: Resource>() -> World {
    let mut world = World::new();
    world.deploy_before::<R>().await;
    world
}

async fn create_then_read_is_settled<R: Resource<Via = Aws>>() {
    let mut world = before::<R>().await;
    assert_eq!(world.change::<R>().await.action, Action::Create);
    world.apply::<R>().await.unwrap();
    assert_eq!(world.change::<R>().await, Change::keep());
    world.writes();
    world.apply::<R>().await.unwrap();
    assert_eq!(world.writes(), Vec::<String>::new());
}

/// A plan that was made before somebody else, or an earlier run, made it.
async fn create_twice_is_once<R: Resource<Via = Aws>>() {
    let mut world = before::<R>().await;
    world.gather().await;
    let desired = R::desired(&world.facts).unwrap();
    R::apply(&world.aws, &desired, None).await.unwrap();
    let first = R::read(&world.aws, &world.facts.identity).await.unwrap();
    R::apply(&world.aws, &desired, None).await.unwrap();
    assert_eq!(R::read(&world.aws, &world.facts.identity).await.unwrap(), first);
    assert_eq!(world.change::<R>().await, Change::keep());
}

async fn gone_behind_our_back<R: Resource<Via = Aws>>() {
    let mut world = before::<R>().await;
    world.apply::<R>().await.unwrap();
    let live = R::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    R::delete(&world.aws, &live).await.unwrap();
    assert_eq!(world.change::<R>().await.action, Action::Create);
    world.apply::<R>().await.unwrap();
    assert_eq!(world.change::<R>().await, Change::keep());
}

async fn delete_twice_is_fine<R: Resource<Via = Aws>>() {
    let mut world = before::<R>().await;
    world.apply::<R>().await.unwrap();
    let live = R::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    R::delete(&world.aws, &live).await.unwrap();
    assert_eq!(R::read(&world.aws, &world.facts.identity).await.unwrap(), None);
    R::delete(&world.aws, &live).await.unwrap();
}

/// Each changing call of a create and of a delete loses its answer once, after its effect.
async fn lost_answers_converge_at_once<R: Resource<Via = Aws>>() {
    let mut world = before::<R>().await;
    world.writes();
    world.apply::<R>().await.unwrap();
    let creating = world.writes();
    let live = R::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    R::delete(&world.aws, &live).await.unwrap();
    let deleting = world.writes();
    assert!(!creating.is_empty() && !deleting.is_empty(), "{creating:?} {deleting:?}");
    for operation in &creating {
        world.lose_answer(operation);
        world.apply::<R>().await.unwrap_or_else(|problem| panic!("{operation}: {problem:#?}"));
        world.assert_answer_was_lost();
        assert_eq!(world.change::<R>().await, Change::keep(), "{operation}");
        let live = R::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
        R::delete(&world.aws, &live).await.unwrap();
    }
    for operation in &deleting {
        world.apply::<R>().await.unwrap();
        let live = R::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
        world.lose_answer(operation);
        R::delete(&world.aws, &live).await.unwrap_or_else(|problem| panic!("{operation}: {problem:#?}"));
        world.assert_answer_was_lost();
        assert_eq!(R::read(&world.aws, &world.facts.identity).await.unwrap(), None, "{operation}");
    }
}

/// After Ctrl-C the first call is refused, and the problem says so.
async fn a_stop_is_told_as_one<R: Resource<Via = Aws>>() {
    let mut world = before::<R>().await;
    world.gather().await;
    let desired = R::desired(&world.facts).unwrap();
    world.writes();
    world.stop.stop();
    let problem = R::apply(&world.aws, &desired, None).await.unwrap_err();
    assert_eq!(problem.kind, crate::problem::ProblemKind::Interrupted, "{problem:#?}");
    assert_eq!(world.writes(), Vec::<String>::new());
}

/// Deploys, deploys again without a write, destroys, and nothing is left.
async fn comes_and_goes(options: Options) {
    let mut world = World::with(options);
    world.deploy().await;
    world.writes();
    world.deploy().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.destroy().await;
    assert_eq!(format!("{:?}", world.facts.live), format!("{:?}", Live::default()));
}

/// AWS's open questions, answered the other way one by one and all together.
#[tokio::test(start_paused = true)]
async fn it_works_however_aws_answers_open_questions() {
    let edits: [fn(&mut Switches); 6] = [
        |switches| switches.set_default_again = SetDefaultAgain::Overwrite,
        |switches| switches.delete_refusal = DeleteRefusal::InvalidRequest,
        |switches| switches.deactivate_default = DeactivateDefault::Allow,
        |switches| switches.function_existence = Check::Unchecked,
        |switches| switches.signing_keys = Check::Unchecked,
        |switches| switches.keys_on_update = KeysOnUpdate::Merge,
    ];
    let mut all = Switches::default();
    for edit in edits {
        let mut one = Switches::default();
        edit(&mut one);
        edit(&mut all);
        comes_and_goes(Options { switches: one, ..Options::default() }).await;
    }
    comes_and_goes(Options { switches: all, ..Options::default() }).await;
}

/// Slow life cycles and short pages.
#[tokio::test(start_paused = true)]
async fn it_works_when_aws_is_slow() {
    comes_and_goes(Options {
        role_propagation: Duration::from_mins(4),
        function_settling: Duration::from_mins(1),
        page_size: 1,
        ..Options::default()
    })
    .await;
}

/// One module of tests per kind.
macro_rules! contract {
    ($($module:ident: $kind:ty),+ $(,)?) => {
        $(mod $module {
            use super::*;

            contract! { @tests $kind:
                create_then_read_is_settled
                create_twice_is_once
                gone_behind_our_back
                delete_twice_is_fine
                lost_answers_converge_at_once
                a_stop_is_told_as_one
            }
        })+
    };
    (@tests $kind:ty: $($test:ident)+) => {
        $(#[tokio::test(start_paused = true)]
        async fn $test() {
            super::$test::<$kind>().await;
        })+
    };
}

contract! {
    role: Role,
    log_group: LogGroup,
    function: Function,
    release: Release,
    permission: Permission,
    authorizer: Authorizer,
    default_authorizer: DefaultAuthorizer,
}
