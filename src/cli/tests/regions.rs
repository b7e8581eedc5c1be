//! Stacks beside each other: of one name in two Regions, and two in one Region.

use aws_sdk_lambda::types::InvocationType;

use super::bench::{Bench, Command, one_key};
use super::stack;
use crate::cli::commands::Work;
use crate::cli::load;
use crate::report;

/// Whether Lambda would run what AWS IoT invokes: the alias is there and its role can be assumed.
async fn invokable(bench: &Bench, file: &str) -> bool {
    let session = bench.session().await;
    bench.faults.begin(None, session.stop.clone());
    let loaded = load::one(&session, &bench.root.join(file)).unwrap();
    let work = Work::begin(&session, report::Command::Outputs, loaded.stack).await.unwrap();
    let function = work.identity.function().to_string();
    let invoke = work.aws().lambda.invoke().function_name(function).qualifier("live");
    invoke.invocation_type(InvocationType::DryRun).send().await.is_ok()
}

/// Deployed, and a second deploy writes nothing.
async fn expect_in_step(bench: &Bench, file: &str) {
    let ended = bench.run(Command::Deploy, file, None).await;
    ended.expect_done();
    assert_eq!(ended.writes, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn destroying_one_of_two_regions_leaves_the_other_working() {
    let bench = Bench::new();
    bench.write("far.toml", stack::file("us-east-1").as_bytes());
    bench.put_keys(one_key().await);
    bench.put_keys_of("demo@us-east-1", one_key().await);
    for file in ["stack.toml", "far.toml"] {
        bench.run(Command::Deploy, file, None).await.expect_done();
    }
    let far = bench.everything()["regions"]["us-east-1"].clone();
    assert!(invokable(&bench, "stack.toml").await && invokable(&bench, "far.toml").await);
    bench.run(Command::Destroy, "stack.toml", None).await.expect_done();
    assert!(!invokable(&bench, "stack.toml").await && invokable(&bench, "far.toml").await);
    expect_in_step(&bench, "far.toml").await;
    assert_eq!(bench.everything()["regions"]["us-east-1"], far);
    let roles = bench.everything()["iam"]["roles"].clone();
    assert_eq!(roles.as_object().unwrap().keys().collect::<Vec<_>>(), ["thinggate-demo-us-east-1"]);
    // The check itself sees a role that is gone.
    bench.target.with_world(|world| world.iam = local::control::iam::State::default());
    assert!(!invokable(&bench, "far.toml").await);
}

#[tokio::test(start_paused = true)]
async fn only_one_stack_of_a_region_has_the_default() {
    let bench = Bench::new();
    let second = stack::file("eu-west-1").replace("\"demo\"", "\"second\"").replace("\"door\"", "\"gate\"");
    bench.write("second.toml", second.as_bytes());
    bench.write("modest.toml", second.replace("default = true", "default = false").as_bytes());
    bench.put_keys(one_key().await);
    bench.put_keys_of("second@eu-west-1", one_key().await);
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
    let before = bench.everything();
    bench.run(Command::Deploy, "second.toml", None).await.expect_refused("default_is_foreign");
    assert_eq!(bench.everything(), before);

    bench.run(Command::Deploy, "modest.toml", None).await.expect_done();
    expect_in_step(&bench, "stack.toml").await;
    bench.run(Command::Destroy, "modest.toml", None).await.expect_done();
    assert_eq!(bench.everything(), before);

    bench.run(Command::Deploy, "modest.toml", None).await.expect_done();
    bench.run(Command::Destroy, "stack.toml", None).await.expect_done();
    expect_in_step(&bench, "modest.toml").await;
    bench.run(Command::Deploy, "second.toml", None).await.expect_done();
    assert_eq!(bench.everything()["regions"]["eu-west-1"]["iot"]["default"], "gate");
}
