use super::super::testing::{World, facts};
use super::super::{Action, Refusal};
use super::*;

fn desired() -> Desired {
    Role::desired(&facts()).unwrap()
}

/// What AWS has right after a deploy, as the stack asks for it.
fn settled() -> Live {
    let desired = desired();
    Live {
        name: desired.name.to_string(),
        id: "AROAEXAMPLE".to_owned(),
        path: "/".to_owned(),
        description: desired.description.clone(),
        trust: desired.trust.clone(),
        inline: BTreeMap::from([(INLINE_POLICY.to_owned(), desired.policy.clone())]),
        attached: Vec::new(),
        boundary: None,
        session_seconds_max: SESSION_SECONDS_MAX,
        tags: desired.tags.clone(),
        owner: Owner::Ours,
    }
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Live), action: Action, fields: &[&str]) {
    let mut live = settled();
    edit(&mut live);
    let change = Role::diff(Some(&desired()), Some(&live));
    let found: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((change.action, found.as_slice()), (action, fields), "{change:#?}");
    assert_eq!(change.refusal, None::<Refusal>);
}

#[test]
fn every_edit_is_named() {
    use Action::{Keep, Replace, Update};
    check(|_| {}, Keep, &[]);
    check(|live| live.description.push('!'), Update, &["description"]);
    check(|live| live.trust = json!({}), Update, &["trust policy"]);
    check(|live| live.inline.clear(), Update, &[INLINE_FIELD]);
    check(|live| live.inline = BTreeMap::from([(INLINE_POLICY.into(), json!({}))]), Update, &[INLINE_FIELD]);
    check(|live| drop(live.inline.insert("more".into(), json!({}))), Update, &["inline policy more"]);
    check(|live| live.attached.push("arn:x".into()), Update, &["attached policy"]);
    check(|live| live.session_seconds_max = 7200, Update, &["session_seconds_max"]);
    check(|live| drop(live.tags.remove("team")), Update, &["tag team"]);
    check(|live| drop(live.tags.insert("team".into(), "web".into())), Update, &["tag team"]);
    check(|live| live.path = "/people/".into(), Replace, &["path"]);
}

/// Removing a guard is no repair.
#[test]
fn a_permissions_boundary_is_refused_with_the_exact_command() {
    let live = Live { boundary: Some("arn:x".to_owned()), ..settled() };
    let change = Role::diff(Some(&desired()), Some(&live));
    assert_eq!(change.differences[0].field, "permissions boundary");
    let refusal = change.refusal.unwrap();
    assert_eq!(refusal.code, "foreign_boundary");
    let command = "aws iam delete-role-permissions-boundary --role-name thinggate-demo-eu-west-1 ";
    assert!(refusal.next.starts_with(command), "{refusal:?}");
}

#[test]
fn what_means_the_same_is_no_drift() {
    check(|live| drop(live.tags.insert("aws:cloudformation".into(), "x".into())), Action::Keep, &[]);
    check(
        |live| {
            let statement = live.trust["Statement"][0].clone();
            live.trust = json!({ "Version": "2012-10-17", "Statement": statement });
            live.trust["Statement"]["Action"] = json!(["sts:AssumeRole"]);
        },
        Action::Keep,
        &[],
    );
}

/// To IAM `team` and `TEAM` are one key, spelled as who wrote last spelled it.
#[tokio::test(start_paused = true)]
async fn a_tag_that_differs_in_case_only_is_the_same_tag() {
    let mut world = World::new();
    world.deploy().await;
    let iam = world.aws.iam.clone();
    let name = world.facts.identity.role().to_string();
    let tag = async |key: &str, value: &str| {
        let tag = Tag::builder().key(key).value(value).build().unwrap();
        iam.tag_role().role_name(&name).tags(tag).send().await.unwrap();
    };
    let wanted = desired().tags["team"].clone();
    tag("TEAM", &wanted).await;
    tag("Thinggate:Stack", &world.facts.identity.owner()).await;
    world.gather().await;
    assert_eq!(world.change::<Role>().await, Change::keep());
    let live = world.facts.live.role.as_ref().unwrap();
    assert!(live.owner == Owner::Ours && live.tags.contains_key("TEAM"), "{live:?}");
    tag("Team", "other").await;
    world.expect_drift::<Role>(&["tag team"]).await;
}

#[test]
fn only_its_own_log_group_can_be_written_to() {
    let text = desired().policy.to_string();
    assert!(text.contains("arn:aws:logs:eu-west-1:000000000000:log-group:/thinggate/demo:*"), "{text}");
    assert!(!text.contains("CreateLogGroup"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn drift_made_by_hand_is_seen_and_repaired() {
    let mut world = World::new();
    world.deploy().await;
    let iam = world.aws.iam.clone();
    let name = world.facts.identity.role().to_string();

    iam.attach_role_policy()
        .role_name(&name)
        .policy_arn("arn:aws:iam::aws:policy/AdministratorAccess")
        .send()
        .await
        .unwrap();
    world.expect_drift::<Role>(&["attached policy"]).await;

    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    iam.put_role_policy().role_name(&name).policy_name("more").policy_document(all).send().await.unwrap();
    world.expect_drift::<Role>(&["inline policy more"]).await;

    let put = iam.put_role_policy().role_name(&name).policy_name(INLINE_POLICY);
    put.policy_document(all).send().await.unwrap();
    world.expect_drift::<Role>(&[INLINE_FIELD]).await;

    iam.delete_role_policy().role_name(&name).policy_name(INLINE_POLICY).send().await.unwrap();
    world.expect_drift::<Role>(&[INLINE_FIELD]).await;

    let trust = trust().to_string().replace("lambda.amazonaws.com", "ec2.amazonaws.com");
    iam.update_assume_role_policy().role_name(&name).policy_document(trust).send().await.unwrap();
    world.expect_drift::<Role>(&["trust policy"]).await;

    iam.update_role().role_name(&name).description("mine").max_session_duration(7200).send().await.unwrap();
    world.expect_drift::<Role>(&["description", "session_seconds_max"]).await;

    iam.untag_role().role_name(&name).tag_keys("team").send().await.unwrap();
    world.expect_drift::<Role>(&["tag team"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_role_of_somebody_else_is_refused_and_untouched() {
    let world = World::new();
    let (name, trust) = (world.facts.identity.role().to_string(), trust().to_string());
    let create = world.aws.iam.create_role().role_name(name).assume_role_policy_document(trust);
    create.send().await.unwrap();
    world.writes();
    let desired = Role::desired(&world.facts).unwrap();
    let live = Role::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    assert_eq!(Role::owner(&live), Owner::Foreign(None));
    for live in [Some(&live), None] {
        let problem = Role::apply(&world.aws, &desired, live).await.unwrap_err();
        assert_eq!(problem.code, "not_ours");
    }
    // The attempt to create it had no effect.
    assert_eq!(world.writes(), ["CreateRole"]);
    assert_eq!(Role::read(&world.aws, &world.facts.identity).await.unwrap(), Some(live));
}

/// More policies than one page, added while ours was deployed: all go, or the role would stay.
#[tokio::test(start_paused = true)]
async fn what_was_added_meanwhile_does_not_keep_it_alive() {
    let mut world = World::with(local::Options { page_size: 2, ..local::Options::default() });
    world.apply::<Role>().await.unwrap();
    let live = Role::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    for number in 0..5 {
        let put = world.aws.iam.put_role_policy().role_name(&live.name);
        let document = policy(&world.facts.identity).to_string();
        put.policy_name(format!("more-{number}")).policy_document(document).send().await.unwrap();
    }
    let change = world.change::<Role>().await;
    assert_eq!(change.differences.len(), 5, "{change:#?}");
    Role::delete(&world.aws, &live).await.unwrap();
    assert_eq!(Role::read(&world.aws, &world.facts.identity).await.unwrap(), None);
}
