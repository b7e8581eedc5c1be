use aws_sdk_iot::types::AuthorizerStatus;

use super::super::Action;
use super::super::testing::{World, facts, generation, public_key};
use super::*;

fn desired() -> Desired {
    Authorizer::desired(&facts()).unwrap()
}

fn pem(number: u32) -> String {
    public_key(number).as_str().to_owned()
}

fn settled() -> Live {
    let desired = desired();
    Live {
        name: desired.name.to_string(),
        arn: desired.identity.authorizer_arn(),
        function_arn: desired.function_arn.clone(),
        token_key_name: Some("token".to_owned()),
        keys: BTreeMap::from([("key-1".to_owned(), pem(1))]),
        status: ACTIVE.to_owned(),
        signing_disabled: false,
        http_caching: false,
        tags: desired.tags.clone(),
        owner: Owner::Ours,
    }
}

fn change_of(desired: &Desired, edit: impl FnOnce(&mut Live)) -> Change {
    let mut live = settled();
    edit(&mut live);
    Authorizer::diff(Some(desired), Some(&live))
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Live), action: Action, impact: Impact, fields: &[&str]) {
    let change = change_of(&desired(), edit);
    let found: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((change.action, change.impact, found.as_slice()), (action, impact, fields), "{change:#?}");
    assert_eq!(change.refusal, None);
}

#[test]
fn every_edit_is_named_with_what_its_repair_does_to_devices() {
    use Action::{Keep, Replace, Update};
    use Impact::{All, None as Nobody};
    check(|_| {}, Keep, Nobody, &[]);
    check(|live| live.function_arn.push('x'), Update, Impact::NewConnections, &["function"]);
    check(|live| live.token_key_name = Some("jwt".into()), Update, All, &["token_key_name"]);
    check(|live| live.token_key_name = None, Update, All, &["token_key_name"]);
    check(|live| live.keys.clear(), Update, Nobody, &["key key-1"]);
    check(|live| live.status = "INACTIVE".into(), Update, Nobody, &["status"]);
    check(|live| live.signing_disabled = true, Replace, All, &["signing"]);
    check(|live| live.http_caching = true, Update, Nobody, &["http_caching"]);
    check(|live| drop(live.tags.remove("team")), Update, Nobody, &["tag team"]);
    check(|live| drop(live.tags.insert("cost".into(), "x".into())), Keep, Nobody, &[]);
    // The same key under a second name refuses nobody, nor does its removal.
    check(|live| drop(live.keys.insert("old".into(), pem(1))), Update, Nobody, &["key old"]);
}

/// AWS keeps the text that it was given; another client may have wrapped it differently.
#[test]
fn the_wrapping_of_a_key_is_no_drift() {
    let unwrapped = |live: &mut Live| {
        let text = pem(1);
        let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        let text = format!("-----BEGIN PUBLIC KEY-----\r\n{body}\r\n-----END PUBLIC KEY-----");
        live.keys.insert("key-1".to_owned(), text);
    };
    check(unwrapped, Action::Keep, Impact::None, &[]);
}

#[test]
fn a_key_that_the_store_does_not_know_is_refused_with_the_exact_command() {
    let change = change_of(&desired(), |live| drop(live.keys.insert("mine".into(), pem(2))));
    assert_eq!(change.differences[0].field, "key mine");
    let refusal = change.refusal.unwrap();
    assert_eq!(refusal.code, "foreign_key");
    assert!(refusal.because.contains(&public_key(2).fingerprint()), "{refusal:?}");
    let begin = "aws iot update-authorizer --region eu-west-1 --authorizer-name door \
                 --token-signing-public-keys '";
    let keys = refusal.next.strip_prefix(begin).and_then(|rest| rest.strip_suffix('\'')).unwrap();
    let keys: BTreeMap<String, String> = serde_json::from_str(keys).unwrap();
    assert_eq!(keys, BTreeMap::from([("key-1".to_owned(), pem(1))]));
}

/// Under the name of ours, which is as foreign.
#[test]
fn a_foreign_key_under_our_name_is_refused_too() {
    let change = change_of(&desired(), |live| drop(live.keys.insert("key-1".into(), pem(2))));
    assert_eq!((change.refusal.unwrap().code, change.impact), ("foreign_key", Impact::All));
}

#[test]
fn a_lost_store_is_refused_and_the_registered_key_stays() {
    let mut facts = facts();
    facts.keys = SigningKeys::Generated(Vec::new());
    let change = change_of(&Authorizer::desired(&facts).unwrap(), |_| {});
    let told: Vec<_> =
        change.differences.iter().map(|one| (one.field.as_str(), one.desired.as_str())).collect();
    let expected = [
        ("keys", "the signing key is made by an earlier step"),
        ("key key-1", "none: the key store does not know it"),
    ];
    assert_eq!(told, expected, "no field is named twice");
    let refusal = change.refusal.unwrap();
    assert_eq!(refusal.code, "foreign_key");
    assert!(refusal.next.starts_with("put the lost key store back"), "{refusal:?}");
}

#[test]
fn a_retired_generation_is_unregistered_and_cuts_its_devices() {
    let mut facts = facts();
    facts.keys = SigningKeys::Generated(vec![generation(1, true), generation(2, false)]);
    let desired = Authorizer::desired(&facts).unwrap();
    let both = |live: &mut Live| drop(live.keys.insert("key-2".into(), pem(2)));
    let change = change_of(&desired, both);
    assert_eq!((change.action, change.impact, change.refusal), (Action::Update, Impact::All, None));
    assert_eq!(change.differences[0].field, "key key-1");
    assert_eq!(change.differences[0].desired, "retired");
}

#[test]
fn a_next_generation_is_added_without_harm() {
    let mut facts = facts();
    facts.keys = SigningKeys::Generated(vec![generation(1, false), generation(2, false)]);
    let change = change_of(&Authorizer::desired(&facts).unwrap(), |_| {});
    assert_eq!((change.action, change.impact, change.refusal), (Action::Update, Impact::None, None));
    assert_eq!(change.differences[0].field, "key key-2");
}

/// With `[signing.public]` the stack file says which keys are good; one more is taken away, which cuts
/// devices.
#[test]
fn a_key_that_the_stack_file_does_not_name_is_removed() {
    let mut facts = facts();
    let name = KeyName::new("key-1").unwrap();
    facts.keys = SigningKeys::Provided(BTreeMap::from([(name, public_key(1))]));
    let desired = Authorizer::desired(&facts).unwrap();
    let change = change_of(&desired, |live| drop(live.keys.insert("more".into(), pem(2))));
    assert_eq!((change.action, change.impact, change.refusal), (Action::Update, Impact::All, None));
    let change = change_of(&desired, |live| drop(live.keys.insert("key-1".into(), pem(2))));
    assert_eq!((change.action, change.impact), (Action::Update, Impact::All));
}

#[test]
fn keys_made_by_an_earlier_step_are_filled_in_from_the_store() {
    let later = generated(&[]);
    let made = with_generations(&later, &[generation(1, false)]);
    assert_eq!(made, desired().keys);
    assert_eq!(with_generations(&made, &[]), made, "what is known stays");
    assert_eq!(keys::registered(&later).unwrap_err().code, "no_signing_key");
}

#[tokio::test(start_paused = true)]
async fn drift_made_by_hand_is_seen_and_repaired() {
    let mut world = World::new();
    world.deploy().await;
    let iot = world.aws.iot.clone();
    let update = || iot.update_authorizer().authorizer_name("door");
    let arn = world.facts.identity.authorizer_arn();

    update().token_key_name("jwt").send().await.unwrap();
    world.expect_drift::<Authorizer>(&["token_key_name"]).await;
    update().authorizer_function_arn(world.facts.identity.function_arn()).send().await.unwrap();
    world.expect_drift::<Authorizer>(&["function"]).await;
    update().enable_caching_for_http(true).send().await.unwrap();
    world.expect_drift::<Authorizer>(&["http_caching"]).await;
    iot.untag_resource().resource_arn(&arn).tag_keys("team").send().await.unwrap();
    world.expect_drift::<Authorizer>(&["tag team"]).await;
    update().token_signing_public_keys("second", pem(1)).send().await.unwrap();
    world.expect_drift::<Authorizer>(&["key key-1", "key second"]).await;

    update().token_signing_public_keys("mine", pem(2)).send().await.unwrap();
    let change = world.change::<Authorizer>().await;
    assert_eq!(change.refusal.map(|refusal| refusal.code), Some("foreign_key"));
}

#[tokio::test(start_paused = true)]
async fn one_switched_off_by_hand_is_switched_on() {
    let mut world = World::new();
    world.deploy_before::<super::super::default_authorizer::DefaultAuthorizer>().await;
    let off = world.aws.iot.update_authorizer().authorizer_name("door");
    off.status(AuthorizerStatus::Inactive).send().await.unwrap();
    world.expect_drift::<Authorizer>(&["status"]).await;
}

#[tokio::test(start_paused = true)]
async fn signing_switched_on_replaces_it() {
    let mut world = World::new();
    let keys = std::mem::replace(&mut world.facts.keys, SigningKeys::Off);
    world.deploy_before::<super::super::default_authorizer::DefaultAuthorizer>().await;
    let iot = world.aws.iot.clone();
    // With signing off an update sends nothing of signing.
    iot.update_authorizer().authorizer_name("door").enable_caching_for_http(true).send().await.unwrap();
    world.expect_drift::<Authorizer>(&["http_caching"]).await;
    world.facts.keys = keys;
    let change = world.change::<Authorizer>().await;
    assert_eq!((change.action, change.impact), (Action::Replace, Impact::All));
    assert_eq!(change.differences[0].field, "signing");
    world.apply::<Authorizer>().await.unwrap();
    assert_eq!(world.change::<Authorizer>().await, Change::keep());
}

#[tokio::test(start_paused = true)]
async fn one_of_somebody_else_is_refused_and_untouched() {
    let mut world = World::new();
    world.deploy_before::<Authorizer>().await;
    world.gather().await;
    let create = world.aws.iot.create_authorizer().authorizer_name("door").signing_disabled(true);
    create.authorizer_function_arn(world.facts.identity.alias_arn()).send().await.unwrap();
    world.writes();
    let desired = Authorizer::desired(&world.facts).unwrap();
    let live = Authorizer::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    assert_eq!(Authorizer::owner(&live), Owner::Foreign(None));
    for live in [Some(&live), None] {
        let problem = Authorizer::apply(&world.aws, &desired, live).await.unwrap_err();
        assert_eq!(problem.code, "not_ours");
    }
    assert_eq!(world.writes(), ["CreateAuthorizer"]);
    assert_eq!(Authorizer::read(&world.aws, &world.facts.identity).await.unwrap(), Some(live));
}

/// Whether an update replaces the map of keys is undocumented: a key that stays is told.
#[tokio::test(start_paused = true)]
async fn a_key_that_aws_keeps_is_not_reported_as_gone() {
    let switches = local::switches::Switches {
        keys_on_update: local::switches::KeysOnUpdate::Merge,
        ..Default::default()
    };
    let mut world = World::with(local::Options { switches, ..Default::default() });
    world.facts.keys = SigningKeys::Generated(vec![generation(1, false), generation(2, false)]);
    world.deploy().await;
    world.facts.keys = SigningKeys::Generated(vec![generation(1, true), generation(2, false)]);
    let problem = world.apply::<Authorizer>().await.unwrap_err();
    assert_eq!(problem.code, "key_not_removed");
    assert!(problem.what.contains("key-1"), "{problem:?}");
    let next = problem.next.unwrap();
    let clear = "aws iot clear-default-authorizer --region eu-west-1 && aws iot update-authorizer ";
    assert!(next.contains(clear) && next.contains("INACTIVE && sleep 10 && aws iot delete-"), "{next}");
}

#[tokio::test(start_paused = true)]
async fn a_retired_key_is_unregistered() {
    let mut world = World::new();
    world.facts.keys = SigningKeys::Generated(vec![generation(1, false), generation(2, false)]);
    world.deploy().await;
    world.facts.keys = SigningKeys::Generated(vec![generation(1, true), generation(2, false)]);
    world.expect_drift::<Authorizer>(&["key key-1"]).await;
}

/// Registered by somebody else between the plan and its step: an update would take it away unasked.
#[tokio::test(start_paused = true)]
async fn a_key_registered_since_the_plan_is_not_taken_away() {
    let mut world = World::new();
    world.deploy().await;
    world.facts.stack.authorizer.http_caching = true;
    world.gather().await;
    let (desired, live) = (Authorizer::desired(&world.facts).unwrap(), world.facts.live.authorizer.clone());
    let keys = [("key-1".to_owned(), pem(1)), ("theirs".to_owned(), pem(2))];
    let update = world.aws.iot.update_authorizer().authorizer_name("door");
    update.set_token_signing_public_keys(Some(keys.into())).send().await.unwrap();
    world.writes();
    // Also one that a second first deploy made: its own plan saw none.
    for live in [live.as_ref(), None] {
        let problem = Authorizer::apply(&world.aws, &desired, live).await.unwrap_err();
        assert_eq!((problem.code, problem.kind), ("foreign_key", crate::problem::ProblemKind::Refused));
    }
    assert_eq!(world.writes(), ["CreateAuthorizer", "CreateAuthorizer"], "the refused attempts alone");
}

#[tokio::test(start_paused = true)]
async fn what_would_cut_devices_since_the_plan_is_asked_about_first() {
    let mut world = World::new();
    world.deploy().await;
    world.facts.stack.authorizer.http_caching = true;
    world.gather().await;
    let (desired, live) = (Authorizer::desired(&world.facts).unwrap(), world.facts.live.authorizer.clone());
    let update = world.aws.iot.update_authorizer().authorizer_name("door");
    update.token_key_name("jwt").send().await.unwrap();
    world.writes();
    let problem = Authorizer::apply(&world.aws, &desired, live.as_ref()).await.unwrap_err();
    assert_eq!(problem.code, "changed_meanwhile");
    assert!(problem.because[0].contains("token_key_name"), "{problem:?}");
    assert_eq!(world.writes(), Vec::<String>::new());
}

/// One that something holds on to, here the default: AWS lets it be switched off and not be deleted.
#[tokio::test(start_paused = true)]
async fn one_that_aws_does_not_delete_is_switched_on_again() {
    for delete_refusal in
        [local::switches::DeleteRefusal::Conflict, local::switches::DeleteRefusal::InvalidRequest]
    {
        let switches = local::switches::Switches {
            deactivate_default: local::switches::DeactivateDefault::Allow,
            delete_refusal,
            ..Default::default()
        };
        let mut world = World::with(local::Options { switches, ..Default::default() });
        world.deploy().await;
        let live = Authorizer::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
        let problem = Authorizer::delete(&world.aws, &live).await.unwrap_err();
        assert_eq!(problem.code, "authorizer_in_use");
        assert!(problem.next.unwrap().contains("list-domain-configurations --region eu-west-1"));
        assert!(problem.because.iter().any(|because| because.contains("switched on again")));
        assert_eq!(world.change::<Authorizer>().await, Change::keep());
    }
}
