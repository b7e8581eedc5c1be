use std::time::Duration;

use super::super::Action;
use super::super::function::Function;
use super::super::testing::{World, inputs, package};
use super::*;
use crate::problem::ProblemKind;

/// The field that an edit of a settled release makes differ.
type Edit = (&'static str, fn(&mut Live));

async fn deployed() -> World {
    let mut world = World::new();
    world.deploy().await;
    world.gather().await;
    world
}

fn live(world: &World) -> Live {
    world.facts.live.release.clone().unwrap()
}

fn record(world: &World) -> Record {
    Record::parse(&live(world).description).unwrap()
}

/// The package that this world builds from now on.
fn build(world: &mut World, text: &str) {
    world.facts.code =
        super::super::Code { inputs: Ok(inputs(text)), parts: BTreeMap::new(), package: Some(package(text)) };
}

#[tokio::test(start_paused = true)]
async fn the_first_release_records_what_it_is_made_from() {
    let world = deployed().await;
    let package = package("one");
    let expected = Record {
        package: package.code_sha256.clone(),
        binary: package.binary_sha256.clone(),
        configuration: package.configuration_sha256.clone(),
        inputs: inputs("one"),
        previous: None,
        proof: Proof::None,
        held: None,
    };
    assert_eq!((live(&world).version.as_str(), record(&world)), ("1", expected));
}

/// A run that died right after `CreateFunction` leaves a function that is not ready yet; to the next run
/// it is already as wanted.
#[tokio::test(start_paused = true)]
async fn a_function_that_is_still_pending_is_waited_for() {
    let mut world = World::new();
    world.deploy_before::<Function>().await;
    tokio::time::advance(Duration::from_mins(1)).await;
    let died = tokio::time::timeout(Duration::from_millis(1), world.apply::<Function>()).await;
    assert!(died.is_err(), "the function was ready at once");
    assert_eq!(world.change::<Function>().await, Change::keep());
    world.apply::<Release>().await.unwrap();
    world.gather().await;
    assert_eq!(live(&world).version, "1");
}

/// Every field of a settled release, edited: the difference is named.
#[tokio::test(start_paused = true)]
async fn every_edit_is_named() {
    let world = deployed().await;
    let desired = Release::desired(&world.facts).unwrap();
    let edits: [Edit; 16] = [
        ("version", |live| live.version = LATEST.to_owned()),
        ("record", |live| live.description = "mine".to_owned()),
        ("record", |live| live.description.clear()),
        ("alias mine", |live| drop(live.aliases.as_mut().unwrap().insert("mine".into(), "1".into()))),
        ("version state", |live| live.state = "Failed".to_owned()),
        ("routing", |live| live.routing.push("2: 0.5".to_owned())),
        ("version code", |live| live.configuration.code_sha256.push('x')),
        ("version role", |live| live.configuration.role_arn.push('x')),
        ("version runtime", |live| live.configuration.runtime.push('x')),
        ("version handler", |live| live.configuration.handler.push('x')),
        ("version memory_mb", |live| live.configuration.memory_mb = 1),
        ("version timeout_seconds", |live| live.configuration.timeout_seconds = 1),
        ("version log group", |live| live.configuration.log_group.push('x')),
        ("version description", |live| live.configuration.description.push('x')),
        ("version extra", |live| live.configuration.extras.push("layer: x".to_owned())),
        ("version environment.THINGGATE_HS256_SECRET", |live| {
            live.configuration.environment.as_mut().unwrap().clear();
        }),
    ];
    for (field, edit) in edits {
        let mut live = live(&world);
        edit(&mut live);
        let change = Release::diff(Some(&desired), Some(&live));
        assert_eq!(change.action, Action::Update, "{field}");
        assert!(change.differences.iter().any(|one| one.field == field), "{field}: {change:#?}");
    }
    assert_eq!(Release::diff(Some(&desired), Some(&live(&world))), Change::keep());
    let mut for_life = live(&world);
    for_life.configuration.fixed_extras.push("tenant isolation: x".to_owned());
    let change = Release::diff(Some(&desired), Some(&for_life));
    assert_eq!((change.action, change.impact), (Action::Replace, Impact::All));
}

/// Equal inputs are not enough for a function that has to be made anew: it is deleted first.
#[tokio::test(start_paused = true)]
async fn a_function_that_is_made_anew_needs_a_package() {
    let edits: [fn(&mut Found); 2] = [
        |found| found.package_type = "Image".to_owned(),
        |found| found.fixed_extras.push("tenant isolation: PER_TENANT".to_owned()),
    ];
    let world = deployed().await;
    for edit in edits {
        let mut facts = world.facts.clone();
        edit(&mut facts.live.function.as_mut().unwrap().configuration);
        let needed = needs_package(&facts.live, facts.code.inputs.as_ref().ok());
        assert_eq!(needed, Some("the function has to be made anew"));
        assert!(matches!(Code::wanted(&facts), Code::Package(_)));
    }
}

/// A reader that may not list them says so; it does not say that there are none.
#[tokio::test(start_paused = true)]
async fn aliases_that_cannot_be_seen_are_not_compared() {
    let world = deployed().await;
    let mut live = live(&world);
    live.aliases = Err("`lambda:ListAliases` is missing".to_owned());
    let change = Release::diff(Release::desired(&world.facts).as_ref(), Some(&live));
    assert_eq!((change.action, change.not_compared[0].field.as_str()), (Action::Keep, "other aliases"));
}

#[tokio::test(start_paused = true)]
async fn equal_inputs_are_equal_whoever_built_them() {
    let mut world = deployed().await;
    // The same inputs, other bytes: another toolchain linked them.
    let mut other = (*package("linked elsewhere")).clone();
    other.inputs = inputs("one");
    world.facts.code.package = Some(std::sync::Arc::new(other));
    assert_eq!(needs_package(&world.facts.live, world.facts.code.inputs.as_ref().ok()), None);
    assert_eq!(world.change::<Function>().await, Change::keep());
    assert_eq!(world.change::<Release>().await, Change::keep());
    // And without a package, as `drift` reads it.
    world.facts.code.package = None;
    assert_eq!(world.change::<Release>().await, Change::keep());
    world.facts.code.inputs = Err("no sources here".to_owned());
    let change = world.change::<Release>().await;
    assert_eq!((change.action, change.not_compared[0].field.as_str()), (Action::Keep, "inputs"));
}

#[tokio::test(start_paused = true)]
async fn new_code_is_a_new_version_and_the_old_one_is_remembered() {
    let mut world = deployed().await;
    build(&mut world, "two");
    let change = world.change::<Release>().await;
    assert_eq!((change.action, change.impact), (Action::Update, Impact::None), "code only cuts nobody");
    world.deploy().await;
    world.gather().await;
    assert_eq!((live(&world).version.as_str(), record(&world).previous.as_deref()), ("2", Some("1")));
    assert_eq!(world.change::<Release>().await, Change::keep());
}

/// Nobody can tell from two hashes whether a rule was tightened.
#[tokio::test(start_paused = true)]
async fn other_rules_may_refuse_devices() {
    let mut world = deployed().await;
    let mut other = (*package("two")).clone();
    other.configuration_sha256 = "ab".repeat(32);
    let inputs = other.inputs.clone();
    world.facts.code = super::super::Code {
        inputs: Ok(inputs),
        parts: BTreeMap::new(),
        package: Some(std::sync::Arc::new(other)),
    };
    let change = world.change::<Release>().await;
    assert_eq!(change.impact, Impact::NewConnections);
    assert_eq!(change.differences[0].field, "rules");
}

/// Without a record nothing says what the rules were.
#[tokio::test(start_paused = true)]
async fn unknown_rules_may_refuse_devices() {
    let mut world = deployed().await;
    let mut unknown = live(&world);
    unknown.description = "mine".to_owned();
    let impact =
        |world: &World| Release::diff(Release::desired(&world.facts).as_ref(), Some(&unknown)).impact;
    world.facts.live.release = Some(unknown.clone());
    assert_eq!(impact(&world), Impact::None, "the same package has the same rules");
    build(&mut world, "two");
    assert_eq!(impact(&world), Impact::NewConnections);
}

#[tokio::test(start_paused = true)]
async fn a_new_configuration_is_a_new_version() {
    let mut world = deployed().await;
    world.facts.stack.function.memory_mb = 512;
    let change = world.change::<Release>().await;
    assert_eq!(change.differences[0].field, "version memory_mb");
    world.deploy().await;
    world.gather().await;
    assert_eq!(live(&world).version, "2");
    assert_eq!(world.change::<Release>().await, Change::keep());
}

#[tokio::test(start_paused = true)]
async fn an_alias_moved_or_edited_by_hand_is_seen_and_put_back() {
    let mut world = deployed().await;
    build(&mut world, "two");
    world.deploy().await;
    world.gather().await;
    let good = live(&world);
    let lambda = world.aws.lambda.clone();
    let update = || lambda.update_alias().function_name("thinggate-demo").name(ALIAS);

    update().function_version("1").send().await.unwrap();
    world.expect_drift::<Release>(&["version code", "package"]).await;
    update().description("mine").send().await.unwrap();
    world.expect_drift::<Release>(&["record", "rules", "binary", "inputs"]).await;
    for alias in ["mine", "yours"] {
        let create = lambda.create_alias().function_name("thinggate-demo").name(alias);
        create.function_version("1").send().await.unwrap();
    }
    world.expect_drift::<Release>(&["alias mine", "alias yours"]).await;
    let half = sdk::AliasRoutingConfiguration::builder().additional_version_weights("1", 0.5).build();
    update().routing_config(half).send().await.unwrap();
    world.expect_drift::<Release>(&["routing"]).await;

    world.gather().await;
    assert_eq!((live(&world).version, live(&world).routing), (good.version, good.routing));
}

/// Code replaced behind the alias: a version published by hand from other code.
#[tokio::test(start_paused = true)]
async fn code_replaced_behind_the_alias_is_seen_and_put_back() {
    let mut world = deployed().await;
    let lambda = world.aws.lambda.clone();
    let code = lambda.update_function_code().function_name("thinggate-demo").publish(true);
    let evil = aws_sdk_lambda::primitives::Blob::new(package("evil").zip.clone());
    let version = code.zip_file(evil).send().await.unwrap().version.unwrap();
    let update = lambda.update_alias().function_name("thinggate-demo").name(ALIAS);
    update.function_version(version).send().await.unwrap();
    world.gather().await;
    assert!(needs_package(&world.facts.live, world.facts.code.inputs.as_ref().ok()).is_some());
    let change = world.change::<Release>().await;
    assert_eq!(change.differences[0].field, "version code");
    assert_eq!(world.change::<Function>().await.differences[0].field, "code");
    world.deploy().await;
    world.gather().await;
    assert_eq!(live(&world).configuration.code_sha256, package("one").code_sha256);
    assert_eq!(world.change::<Release>().await, Change::keep());
}

#[tokio::test(start_paused = true)]
async fn an_alias_changed_since_the_plan_is_not_overwritten() {
    let mut world = deployed().await;
    build(&mut world, "two");
    world.apply::<Function>().await.unwrap();
    world.gather().await;
    let planned = live(&world);
    let desired = Release::desired(&world.facts).unwrap();
    let update = world.aws.lambda.update_alias().function_name("thinggate-demo").name(ALIAS);
    update.description("somebody else").send().await.unwrap();
    let problem = Release::apply(&world.aws, &desired, Some(&planned)).await.unwrap_err();
    assert_eq!((problem.kind, problem.code), (ProblemKind::Refused, "changed_meanwhile"));
    world.gather().await;
    assert_eq!(live(&world).description, "somebody else");
}

/// Cut off between publishing and moving the alias: the next run gets the same number.
#[tokio::test(start_paused = true)]
async fn a_version_published_before_a_crash_is_used() {
    let mut world = deployed().await;
    build(&mut world, "two");
    world.apply::<Function>().await.unwrap();
    world.gather().await;
    let desired = Release::desired(&world.facts).unwrap();
    assert_eq!(publish(&world.aws, &desired).await.unwrap(), "2");
    world.apply::<Release>().await.unwrap();
    world.gather().await;
    assert_eq!((live(&world).version.as_str(), record(&world).previous.as_deref()), ("2", Some("1")));
}

/// The move took effect and its answer was lost: the SDK sends it again and meets another revision.
#[tokio::test(start_paused = true)]
async fn a_move_whose_answer_was_lost_is_done() {
    let mut world = deployed().await;
    build(&mut world, "two");
    world.apply::<Function>().await.unwrap();
    world.lose_answer("UpdateAlias");
    world.apply::<Release>().await.unwrap();
    world.assert_answer_was_lost();
    assert_eq!(world.change::<Release>().await, Change::keep());
}

/// The code changed under our hands: what is published is what was planned, or nothing.
#[tokio::test(start_paused = true)]
async fn other_code_than_planned_is_not_published() {
    let mut world = deployed().await;
    build(&mut world, "two");
    world.gather().await;
    let desired = Release::desired(&world.facts).unwrap();
    let live = live(&world);
    let problem = Release::apply(&world.aws, &desired, Some(&live)).await.unwrap_err();
    assert_eq!(problem.code, "invalid", "{problem:#?}");
    world.gather().await;
    assert_eq!(self::live(&world), live);
}
