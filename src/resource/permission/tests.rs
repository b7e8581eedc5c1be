use super::super::Action;
use super::super::testing::{World, facts};
use super::*;

fn desired() -> Desired {
    Permission::desired(&facts()).unwrap()
}

fn ours() -> Statement {
    Statement {
        qualifier: Some(ALIAS.to_owned()),
        id: STATEMENT_ID.to_owned(),
        body: desired().statement(STATEMENT_ID),
    }
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Vec<Statement>), action: Action, impact: Impact, fields: &[&str]) {
    let mut live =
        Live { function: "thinggate-demo".to_owned(), statements: vec![ours()], renamed: Vec::new() };
    edit(&mut live.statements);
    let change = Permission::diff(Some(&desired()), Some(&live));
    let found: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((change.action, change.impact, found.as_slice()), (action, impact, fields), "{change:#?}");
}

/// Sets one member of the only statement.
fn with(pointer: &str, value: &str) -> impl FnOnce(&mut Vec<Statement>) {
    let (pointer, value) = (pointer.to_owned(), Json::from(value));
    move |statements| *statements[0].body.pointer_mut(&pointer).unwrap() = value
}

/// A statement of another qualifier and id.
fn another(qualifier: Option<&str>, authorizer: &str) -> Statement {
    let mut body = desired().statement("more");
    body["Condition"]["ArnLike"]["AWS:SourceArn"] = Json::from(authorizer);
    Statement { qualifier: qualifier.map(str::to_owned), id: "more".to_owned(), body }
}

#[test]
fn every_edit_is_named() {
    use Action::{Keep, Update};
    const OURS: &str = "statement thinggate-iot on live";
    let nobody = Impact::None;
    check(|_| {}, Keep, nobody, &[]);
    check(Vec::clear, Update, nobody, &[OURS]);
    check(with("/Principal/Service", "s3.amazonaws.com"), Update, nobody, &[OURS]);
    check(with("/Principal", "*"), Update, nobody, &[OURS]);
    check(with("/Action", "lambda:*"), Update, nobody, &[OURS]);
    check(with("/Effect", "Deny"), Update, nobody, &[OURS]);
    check(with("/Resource", "*"), Update, nobody, &[OURS]);
    check(with("/Condition/ArnLike/AWS:SourceArn", "*"), Update, nobody, &[OURS]);
    check(with("/Condition/StringEquals/AWS:SourceAccount", "1"), Update, nobody, &[OURS]);
    check(with("/Condition", ""), Update, nobody, &[OURS]);
    let arn = desired().authorizer_arn;
    for (qualifier, field) in [
        (None, "statement more on the function"),
        (Some(ALIAS), "statement more on live"),
        (Some("3"), "statement more on 3"),
    ] {
        check(|all| all.push(another(qualifier, &arn)), Update, nobody, &[field]);
    }
    let moved = |all: &mut Vec<Statement>| all[0].qualifier = None;
    check(moved, Update, nobody, &[OURS, "statement thinggate-iot on the function"]);
}

/// Devices of that authorizer come through our function: taking the statement away cuts them.
#[test]
fn another_authorizers_statement_is_not_removed_without_asking() {
    let theirs = "arn:aws:iot:eu-west-1:000000000000:authorizer/theirs";
    let fields = &["statement more on live"];
    check(|all| all.push(another(Some(ALIAS), theirs)), Action::Update, Impact::NewConnections, fields);
}

/// AWS documents the keys as `AWS:SourceArn`; it has answered with other cases, and with lists.
#[test]
fn how_aws_writes_it_is_no_drift() {
    let respelled = |all: &mut Vec<Statement>| {
        all[0].body["Condition"] = json!({
            "ArnLike": { "aws:sourceArn": [desired().authorizer_arn] },
            "StringEquals": { "aws:SourceAccount": "000000000000" },
        });
        all[0].body["Action"] = json!(["lambda:InvokeFunction"]);
    };
    check(respelled, Action::Keep, Impact::None, &[]);
}

/// The slot of ours that names another authorizer: its exchange cuts every device of that one.
#[test]
fn ours_naming_another_authorizer_is_not_exchanged_without_asking() {
    let theirs = "arn:aws:iot:eu-west-1:000000000000:authorizer/theirs";
    let edit = with("/Condition/ArnLike/AWS:SourceArn", theirs);
    check(edit, Action::Update, Impact::All, &["statement thinggate-iot on live"]);
}

/// `authorizer.name` edited in the stack file: the old one serves the devices, and stays.
#[tokio::test(start_paused = true)]
async fn a_renamed_authorizer_is_followed_and_not_cut_off() {
    let mut world = World::new();
    world.facts.stack.authorizer.default = false;
    world.deploy().await;
    let renamed = crate::names::AuthorizerName::new("gate").unwrap();
    let old = std::mem::replace(&mut world.facts.identity.authorizer, renamed.clone());
    world.facts.stack.authorizer.name = renamed;
    let change = world.change::<Permission>().await;
    assert_eq!((change.action, change.impact), (Action::Update, Impact::All));
    let refusal = change.refusal.unwrap();
    assert_eq!(refusal.code, "authorizer_renamed");
    assert!(refusal.next.contains("authorizer.name = \"door\""), "{refusal:?}");
    // A destroy would leave it behind.
    let live = Permission::read(&world.aws, &world.facts.identity).await.unwrap();
    let refusal = Permission::diff(None, live.as_ref()).refusal.unwrap();
    assert_eq!(refusal.code, "authorizer_renamed");
    // Taken back, nothing differs.
    world.facts.stack.authorizer.name = old.clone();
    world.facts.identity.authorizer = old;
    assert_eq!(world.change::<Permission>().await, Change::keep());
}

async fn add(world: &World, id: &str, qualifier: Option<&str>, principal: &str) {
    let add = world.aws.lambda.add_permission().function_name("thinggate-demo").statement_id(id);
    add.action(ACTION).principal(principal).set_qualifier(qualifier.map(str::to_owned)).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn drift_made_by_hand_is_seen_and_repaired() {
    let mut world = World::new();
    world.deploy().await;
    let lambda = world.aws.lambda.clone();
    for (qualifier, field) in [
        (Some(ALIAS), "statement open on live"),
        (None, "statement open on the function"),
        (Some("1"), "statement open on 1"),
    ] {
        add(&world, "open", qualifier, "*").await;
        world.expect_drift::<Permission>(&[field]).await;
    }
    let remove = || lambda.remove_permission().function_name("thinggate-demo").qualifier(ALIAS);
    remove().statement_id(STATEMENT_ID).send().await.unwrap();
    assert_eq!(world.change::<Permission>().await.action, Action::Create);
    world.apply::<Permission>().await.unwrap();

    remove().statement_id(STATEMENT_ID).send().await.unwrap();
    add(&world, STATEMENT_ID, Some(ALIAS), PRINCIPAL).await;
    world.expect_drift::<Permission>(&["statement thinggate-iot on live"]).await;
}

/// While ours is exchanged, a stand-in holds the door open: never a moment without permission.
#[tokio::test(start_paused = true)]
async fn devices_are_served_while_the_statement_is_exchanged() {
    let mut world = World::new();
    world.deploy().await;
    let remove = world.aws.lambda.remove_permission().function_name("thinggate-demo").qualifier(ALIAS);
    remove.statement_id(STATEMENT_ID).send().await.unwrap();
    add(&world, STATEMENT_ID, Some(ALIAS), PRINCIPAL).await;
    world.writes();
    world.apply::<Permission>().await.unwrap();
    assert_eq!(world.writes(), ["AddPermission", "RemovePermission", "AddPermission", "RemovePermission"]);
    assert_eq!(world.change::<Permission>().await, Change::keep());
}

/// A run that was cut off in the middle of the exchange leaves its stand-in; the next one removes it.
#[tokio::test(start_paused = true)]
async fn a_stand_in_left_behind_is_removed() {
    let mut world = World::new();
    world.deploy().await;
    super::add(&world.aws, &desired(), STAND_IN_ID).await.unwrap();
    world.expect_drift::<Permission>(&["statement thinggate-iot-stand-in on live"]).await;
}

/// The statement that a lost answer left behind is ours: it is not taken away and added again.
#[tokio::test(start_paused = true)]
async fn a_statement_whose_answer_was_lost_stays() {
    let mut world = World::new();
    world.deploy_before::<Permission>().await;
    world.writes();
    world.lose_answer("AddPermission");
    world.apply::<Permission>().await.unwrap();
    world.assert_answer_was_lost();
    assert_eq!(world.writes(), ["AddPermission", "AddPermission"]);
}
