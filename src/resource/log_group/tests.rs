use super::super::Action;
use super::super::testing::{World, facts};
use super::*;

fn desired() -> Desired {
    LogGroup::desired(&facts()).unwrap()
}

fn settled() -> Live {
    let desired = desired();
    Live {
        name: desired.name.to_string(),
        arn: desired.identity.log_group_arn(),
        retention_days: Some(30),
        class: CLASS.to_owned(),
        key: None,
        deletion_protected: false,
        tags: desired.tags.clone(),
        owner: Owner::Ours,
    }
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Live), action: Action, fields: &[&str]) {
    let mut live = settled();
    edit(&mut live);
    let change = LogGroup::diff(Some(&desired()), Some(&live));
    let found: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((change.action, found.as_slice()), (action, fields), "{change:#?}");
    assert_eq!(change.impact, Impact::None);
}

#[test]
fn every_edit_is_named() {
    use Action::{Keep, Update};
    check(|_| {}, Keep, &[]);
    check(|live| live.retention_days = Some(7), Update, &["retention_days"]);
    check(|live| live.retention_days = None, Update, &["retention_days"]);
    check(|live| live.deletion_protected = true, Update, &["deletion protection"]);
    check(|live| live.tags.clear(), Update, &["tag team", "tag thinggate:stack"]);
    check(|live| drop(live.tags.insert("cost".into(), "x".into())), Keep, &[]);
}

/// Neither deleting every event nor removing a guard is a repair.
#[test]
fn another_class_and_a_key_are_refused_with_the_exact_commands() {
    let class = Live { class: "INFREQUENT_ACCESS".to_owned(), ..settled() };
    let key = Live { key: Some("arn:aws:kms:x".to_owned()), ..settled() };
    for (live, action, field, code, command) in [
        (class, Action::Replace, "class", "log_group_class", "aws logs delete-log-group "),
        (key, Action::Update, "key", "foreign_log_key", "aws logs disassociate-kms-key "),
    ] {
        let change = LogGroup::diff(Some(&desired()), Some(&live));
        assert_eq!((change.action, change.differences[0].field.as_str()), (action, field));
        let refusal = change.refusal.unwrap();
        assert_eq!(refusal.code, code);
        assert!(refusal.next.starts_with(command), "{refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn drift_made_by_hand_is_seen_and_repaired() {
    let mut world = World::new();
    world.deploy().await;
    let logs = world.aws.logs.clone();
    let name = world.facts.identity.log_group().to_string();
    let arn = world.facts.identity.log_group_arn();

    logs.put_retention_policy().log_group_name(&name).retention_in_days(7).send().await.unwrap();
    world.expect_drift::<LogGroup>(&["retention_days"]).await;
    logs.delete_retention_policy().log_group_name(&name).send().await.unwrap();
    world.expect_drift::<LogGroup>(&["retention_days"]).await;
    logs.untag_resource().resource_arn(&arn).tag_keys("team").send().await.unwrap();
    world.expect_drift::<LogGroup>(&["tag team"]).await;
}

/// The name is a prefix of another group's: AWS searches by prefix.
#[tokio::test(start_paused = true)]
async fn a_group_whose_name_only_begins_like_ours_is_another() {
    let mut world = World::with(local::Options { page_size: 1, ..local::Options::default() });
    for more in ["-1", "-2", "/x"] {
        let name = format!("{}{more}", world.facts.identity.log_group());
        world.aws.logs.create_log_group().log_group_name(name).send().await.unwrap();
    }
    assert_eq!(world.change::<LogGroup>().await.action, Action::Create);
    world.apply::<LogGroup>().await.unwrap();
    assert_eq!(world.change::<LogGroup>().await, Change::keep());
}

#[tokio::test(start_paused = true)]
async fn a_group_of_another_stack_is_refused_and_untouched() {
    let world = World::new();
    let name = world.facts.identity.log_group().to_string();
    let create = world.aws.logs.create_log_group().log_group_name(name);
    create.tags("thinggate:stack", "demo@us-east-1").send().await.unwrap();
    world.writes();
    let desired = desired();
    let live = LogGroup::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    assert_eq!(LogGroup::owner(&live), Owner::Foreign(Some("demo@us-east-1".to_owned())));
    for live in [Some(&live), None] {
        let problem = LogGroup::apply(&world.aws, &desired, live).await.unwrap_err();
        assert_eq!(problem.code, "not_ours");
    }
    assert_eq!(world.writes(), ["CreateLogGroup"]);
    assert_eq!(LogGroup::read(&world.aws, &world.facts.identity).await.unwrap(), Some(live));
}
