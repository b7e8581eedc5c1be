use super::super::configuration::Fingerprint;
use super::super::testing::{World, facts, inputs, package};
use super::super::{Action, Environment};
use super::*;
use crate::aws::Answer;

fn facts_with_role() -> Facts {
    let mut facts = facts();
    let role = role::Role::desired(&facts).unwrap();
    facts.live.role = Some(role::Live {
        name: role.name.to_string(),
        id: "AROAEXAMPLE".to_owned(),
        path: "/".to_owned(),
        description: role.description,
        trust: role.trust,
        inline: BTreeMap::new(),
        attached: Vec::new(),
        boundary: None,
        session_seconds_max: 3600,
        tags: role.tags,
        owner: Owner::Ours,
    });
    facts
}

fn desired() -> Desired {
    Function::desired(&facts_with_role()).unwrap()
}

fn settled() -> Live {
    let desired = desired();
    let secret = Fingerprint::of("canary-secret-of-the-tests-0123456789");
    let mut tags = desired.tags.clone();
    tags.insert(ROLE_ID_TAG.to_owned(), "AROAEXAMPLE".to_owned());
    Live {
        name: "thinggate-demo".to_owned(),
        arn: desired.identity.function_arn(),
        configuration: Found {
            code_sha256: package("one").code_sha256.clone(),
            role_arn: desired.identity.role_arn(),
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
            architecture: "x86_64".to_owned(),
            memory_mb: 256,
            timeout_seconds: 5,
            environment: Ok(BTreeMap::from([("THINGGATE_HS256_SECRET".to_owned(), secret)])),
            log_group: "/thinggate/demo".to_owned(),
            log_format: "Text".to_owned(),
            description: "thinggate demo@eu-west-1, role AROAEXAMPLE".to_owned(),
            extras: Vec::new(),
            fixed_extras: Vec::new(),
            package_type: "Zip".to_owned(),
        },
        state: "Active".to_owned(),
        last_update: "Successful".to_owned(),
        reserved_concurrency: None,
        beside: Box::new(Beside { urls: Ok(BTreeMap::new()), provisioned: Ok(BTreeMap::new()) }),
        tags: Some(tags),
        owner: Owner::Ours,
    }
}

fn change_of(edit: impl FnOnce(&mut Live)) -> Change {
    let mut live = settled();
    edit(&mut live);
    Function::diff(Some(&desired()), Some(&live))
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Live), fields: &[&str]) {
    let change = change_of(edit);
    let found: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(found, fields, "{change:#?}");
    let action = if fields.is_empty() { Action::Keep } else { Action::Update };
    // `$LATEST` serves nobody.
    assert_eq!((change.action, change.impact), (action, Impact::None));
}

fn variables(live: &mut Live) -> &mut BTreeMap<String, Fingerprint> {
    live.configuration.environment.as_mut().unwrap()
}

#[test]
fn every_edit_is_named() {
    check(|_| {}, &[]);
    check(|live| live.configuration.code_sha256.push('x'), &["code"]);
    check(|live| live.configuration.role_arn.push('x'), &["role"]);
    check(|live| live.configuration.runtime.push('x'), &["runtime"]);
    check(|live| live.configuration.handler.push('x'), &["handler"]);
    check(|live| live.configuration.architecture = "arm64".into(), &["architecture"]);
    check(|live| live.configuration.memory_mb = 128, &["memory_mb"]);
    check(|live| live.configuration.timeout_seconds = 900, &["timeout_seconds"]);
    check(|live| variables(live).clear(), &["environment.THINGGATE_HS256_SECRET"]);
    let other = Fingerprint::of("another");
    check(
        |live| *variables(live).get_mut("THINGGATE_HS256_SECRET").unwrap() = other,
        &["environment.THINGGATE_HS256_SECRET"],
    );
    check(|live| variables(live).extend([("MORE".into(), other)]), &["environment.MORE"]);
    check(|live| live.configuration.log_group.push('x'), &["log group"]);
    check(|live| live.configuration.log_format = "JSON".into(), &["log format"]);
    check(|live| live.configuration.description.push('x'), &["description"]);
    check(|live| live.configuration.extras.push("layer: arn:x".into()), &["extra"]);
    check(|live| live.state = "Failed".into(), &["state"]);
    check(|live| live.last_update = "Failed".into(), &["last update"]);
    check(|live| live.reserved_concurrency = Some(0), &["reserved concurrency"]);
    check(|live| drop(live.tags.as_mut().unwrap().remove("team")), &["tag team"]);
    check(|live| drop(live.tags.as_mut().unwrap().remove(ROLE_ID_TAG)), &["role id"]);
    check(|live| drop(live.tags.as_mut().unwrap().insert("cost".into(), "x".into())), &[]);
}

/// The members as the SDK reads them from an answer.
#[test]
fn what_a_function_has_for_life_makes_it_another() {
    let managed = sdk::LambdaManagedInstancesCapacityProviderConfig::builder()
        .capacity_provider_arn("arn:aws:lambda:eu-west-1:000000000000:capacity-provider:mine");
    let provider = sdk::CapacityProviderConfig::builder()
        .lambda_managed_instances_capacity_provider_config(managed.build().unwrap());
    let tenancy = sdk::TenancyConfig::builder().tenant_isolation_mode(sdk::TenantIsolationMode::PerTenant);
    let answer = || sdk::FunctionConfiguration::builder();
    let cases = [
        (answer().tenancy_config(tenancy.build().unwrap()), "tenant isolation: PER_TENANT"),
        (
            answer().capacity_provider_config(provider.build()),
            "capacity provider: arn:aws:lambda:eu-west-1:000000000000:capacity-provider:mine",
        ),
        (
            answer().durable_config(sdk::DurableConfig::builder().execution_timeout(900).build()),
            "durable executions: up to 900 s",
        ),
    ];
    for (answer, expected) in cases {
        let found = Found::from_sdk(&answer.build()).fixed_extras;
        assert_eq!(found, [expected]);
        let change = change_of(|live| live.configuration.fixed_extras = found);
        assert_eq!((change.action, change.differences[0].live.as_str()), (Action::Replace, expected));
    }
}

#[test]
fn a_container_image_cannot_become_a_package() {
    let change = change_of(|live| live.configuration.package_type = "Image".to_owned());
    assert_eq!(change.action, Action::Replace);
    assert_eq!(change.differences[0].field, "package type");
}

#[test]
fn what_this_reader_cannot_see_is_said_and_is_no_drift() {
    let change = change_of(|live| live.tags = None);
    assert_eq!((change.action, change.not_compared[0].field.as_str()), (Action::Keep, "tags"));
    let change = change_of(|live| {
        *live.beside = Beside { urls: Err("no".to_owned()), provisioned: Err("no".to_owned()) };
    });
    let unseen: Vec<&str> = change.not_compared.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((change.action, unseen), (Action::Keep, vec!["function URLs", "provisioned concurrency"]));
    let change = change_of(|live| live.configuration.environment = Err("no key".to_owned()));
    assert_eq!((change.action, change.not_compared[0].field.as_str()), (Action::Keep, "environment"));

    let mut facts = facts_with_role();
    facts.environment = Environment::Unseen {
        names: vec!["THINGGATE_HS256_SECRET".to_owned()],
        because: "OPENAM_HMAC_SECRET is not set".to_owned(),
    };
    let desired = Function::desired(&facts).unwrap();
    let change = Function::diff(Some(&desired), Some(&settled()));
    assert_eq!(change.action, Action::Keep);
    assert_eq!(change.not_compared[0].field, "environment.THINGGATE_HS256_SECRET");
    // Names are compared all the same.
    let mut live = settled();
    variables(&mut live).insert("MORE".to_owned(), Fingerprint::of(""));
    let change = Function::diff(Some(&desired), Some(&live));
    assert_eq!(change.differences[0].field, "environment.MORE");
}

/// A secret is in no difference and in no debug text.
#[test]
fn no_value_of_a_variable_is_shown() {
    let mut live = settled();
    variables(&mut live).insert("THINGGATE_HS256_SECRET".to_owned(), Fingerprint::of("another"));
    let change = Function::diff(Some(&desired()), Some(&live));
    let shown = format!("{change:?} {live:?} {:?}", desired());
    assert!(!shown.contains("canary-secret") && !shown.contains("another\""), "{shown}");
}

#[test]
fn code_is_compared_as_far_as_this_reader_knows_it() {
    let mut facts = facts_with_role();
    facts.code.package = None;
    assert!(matches!(Code::wanted(&facts), Code::NotBuilt { record: None, .. }));
    facts.code.inputs = Err("no sources".to_owned());
    let code = Code::wanted(&facts);
    assert!(matches!(&code, Code::Unseen { because, record: None } if because == "no sources"));
    assert_eq!(code.sha256(), None);
}

#[tokio::test(start_paused = true)]
async fn drift_made_by_hand_is_seen_and_repaired() {
    let mut world = World::new();
    world.deploy().await;
    let lambda = world.aws.lambda.clone();
    let name = "thinggate-demo";
    let update = || lambda.update_function_configuration().function_name(name);

    update().memory_size(512).timeout(60).description("mine").send().await.unwrap();
    world.expect_drift::<Function>(&["memory_mb", "timeout_seconds", "description"]).await;

    let logging = sdk::LoggingConfig::builder().log_group("/other").build();
    update().logging_config(logging).send().await.unwrap();
    world.expect_drift::<Function>(&["log group"]).await;

    let more = sdk::Environment::builder().variables("MORE", "x").build();
    update().environment(more).send().await.unwrap();
    world.expect_drift::<Function>(&["environment.THINGGATE_HS256_SECRET", "environment.MORE"]).await;

    let arn = world.facts.identity.function_arn();
    lambda.untag_resource().resource(&arn).tag_keys("team").tag_keys(ROLE_ID_TAG).send().await.unwrap();
    world.expect_drift::<Function>(&["tag team", "role id"]).await;

    let concurrency = lambda.put_function_concurrency().function_name(name);
    concurrency.reserved_concurrent_executions(0).send().await.unwrap();
    world.expect_drift::<Function>(&["reserved concurrency"]).await;

    let url = || lambda.create_function_url_config().function_name(name);
    url().auth_type(sdk::FunctionUrlAuthType::None).qualifier("live").send().await.unwrap();
    url().auth_type(sdk::FunctionUrlAuthType::AwsIam).send().await.unwrap();
    let told = world.change::<Function>().await.differences;
    let told: Vec<&str> = told.iter().map(|one| one.live.as_str()).collect();
    assert_eq!(told, ["of $LATEST, for signed callers", "of live, for everybody"]);
    world.expect_drift::<Function>(&["function URL", "function URL"]).await;

    let warm = lambda.put_provisioned_concurrency_config().function_name(name);
    warm.qualifier("live").provisioned_concurrent_executions(2).send().await.unwrap();
    world.expect_drift::<Function>(&["provisioned concurrency"]).await;

    let code = lambda.update_function_code().function_name(name);
    code.zip_file(Blob::new(package("evil").zip.clone())).send().await.unwrap();
    world.expect_drift::<Function>(&["code"]).await;
}

/// Its own parameters, none of another kind of secret: what is sent never holds more than the stack's.
#[tokio::test(start_paused = true)]
async fn a_role_made_again_is_seen_though_its_arn_is_the_same() {
    let mut world = World::new();
    world.deploy().await;
    world.gather().await;
    let old = world.facts.live.role.clone().unwrap();
    role::Role::delete(&world.aws, &old).await.unwrap();
    world.apply::<role::Role>().await.unwrap();
    let change = world.change::<Function>().await;
    let fields: Vec<&str> = change.differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["description", "role id"]);
    world.deploy().await;
    world.gather().await;
    let release = world.facts.live.release.clone().unwrap();
    assert_eq!(release.version, "2", "devices are served by a version that has the new role");
    assert_eq!(world.change::<Function>().await, Change::keep());
}

/// A plan that replaces the role does not know the next one's id, and the function follows all the same.
#[test]
fn a_role_that_will_be_replaced_makes_the_function_follow() {
    let mut facts = facts_with_role();
    facts.live.role.as_mut().unwrap().path = "/people/".to_owned();
    let desired = Function::desired(&facts).unwrap();
    let change = Function::diff(Some(&desired), Some(&settled()));
    assert_eq!(change.differences[0].field, "role id");
}

#[tokio::test(start_paused = true)]
async fn a_function_of_somebody_else_is_refused_and_untouched() {
    let mut world = World::new();
    world.deploy_before::<Function>().await;
    world.gather().await;
    let desired = Function::desired(&world.facts).unwrap();
    create(&world.aws, &Desired { tags: BTreeMap::new(), ..desired.clone() }, "AROAX").await.unwrap();
    settle(&world.aws, "thinggate-demo").await.unwrap();
    world.writes();
    let live = Function::read(&world.aws, &world.facts.identity).await.unwrap().unwrap();
    assert_eq!(Function::owner(&live), Owner::Foreign(None));
    for live in [Some(&live), None] {
        let problem = Function::apply(&world.aws, &desired, live).await.unwrap_err();
        assert_eq!(problem.code, "not_ours");
    }
    assert_eq!(world.writes(), ["CreateFunction"]);
    assert_eq!(Function::read(&world.aws, &world.facts.identity).await.unwrap(), Some(live));
}

/// Four minutes of propagation are waited out; AWS's text for it is recorded in the retry table.
#[tokio::test(start_paused = true)]
async fn a_role_that_lambda_cannot_assume_yet_is_waited_for() {
    let options =
        local::Options { role_propagation: std::time::Duration::from_mins(4), ..Default::default() };
    let mut world = World::with(options);
    world.apply::<role::Role>().await.unwrap();
    world.apply::<Function>().await.unwrap();
    assert_eq!(world.change::<Function>().await, Change::keep());
}

#[tokio::test(start_paused = true)]
async fn a_role_that_never_propagates_is_given_up_with_a_reason() {
    let options =
        local::Options { role_propagation: std::time::Duration::from_hours(1), ..Default::default() };
    let mut world = World::with(options);
    world.apply::<role::Role>().await.unwrap();
    let problem = world.apply::<Function>().await.unwrap_err();
    assert_eq!(problem.code, "timed_out");
    let text = problem.to_string();
    assert!(text.contains("waited 300 s until the role can be assumed by Lambda"), "{text}");
    assert!(text.contains("cannot be assumed by Lambda."), "AWS's own words: {text}");
    assert!(problem.next.is_some() && problem.request_id.is_some(), "{problem:?}");
}

#[tokio::test(start_paused = true)]
async fn without_package_or_secret_nothing_is_sent() {
    let mut world = World::new();
    world.deploy_before::<Function>().await;
    world.facts.code.package = None;
    world.writes();
    assert_eq!(world.apply::<Function>().await.unwrap_err().code, "no_package");
    world.facts.code.package = Some(package("one"));
    let names = vec!["THINGGATE_HS256_SECRET".to_owned()];
    world.facts.environment = Environment::Unseen { names, because: "it is not set".to_owned() };
    assert_eq!(world.apply::<Function>().await.unwrap_err().code, "secret_missing");
    assert_eq!(world.writes(), Vec::<String>::new());
}

/// A new configuration and new code: the second waits for the first.
#[tokio::test(start_paused = true)]
async fn configuration_and_code_do_not_overlap() {
    let options =
        local::Options { function_settling: std::time::Duration::from_secs(20), ..Default::default() };
    let mut world = World::with(options);
    world.deploy().await;
    world.facts.code = super::super::Code {
        inputs: Ok(inputs("two")),
        parts: BTreeMap::new(),
        package: Some(package("two")),
    };
    world.facts.stack.function.memory_mb = 1024;
    world.expect_drift::<Function>(&["memory_mb", "code"]).await;
}

/// AWS's text about an environment that is too large repeats the environment: it must not get through.
#[tokio::test(start_paused = true)]
async fn an_environment_that_is_too_large_does_not_leak() {
    let mut world = World::new();
    world.deploy_before::<Function>().await;
    let secret = crate::keys::Secret::new("canary-".repeat(1000));
    world.facts.environment = Environment::Known(BTreeMap::from([("SECRET".to_owned(), secret)]));
    let problem = world.apply::<Function>().await.unwrap_err();
    assert_eq!(problem.code, "invalid");
    assert!(!format!("{problem:?}").contains("canary"), "{problem:?}");
    let fault = Fault::odd("CreateFunction");
    assert_eq!(fault.answer, Answer::Other);
}
