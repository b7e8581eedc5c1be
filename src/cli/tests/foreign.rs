//! What is not ours is never touched: every collision is told, and nothing is written.

use std::os::unix::fs::PermissionsExt as _;

use local::state::World;
use serde_json::{Value, json};

use super::bench::{Bench, Command, one_key};
use super::toll::Place;
use crate::names::AccountId;

/// The four kinds that others can have under our names, with the words that a collision begins with.
const COLLISIONS: [&str; 4] = [
    "role thinggate-demo-eu-west-1",
    "log group /thinggate/demo",
    "function thinggate-demo",
    "authorizer door",
];

/// Of a deployed world only the kinds of `subset`, a bit for each of [`COLLISIONS`], and with `owner`'s tag.
fn foreign(deployed: &World, subset: usize, owner: Option<&str>) -> World {
    let mut world = serde_json::to_value(deployed).unwrap();
    retag(&mut world, owner);
    let has = |place: usize| subset & (1 << place) != 0;
    let remove = |from: &mut Value| *from = json!({});
    if !has(0) {
        remove(&mut world["iam"]["roles"]);
    }
    let regional = &mut world["regions"]["eu-west-1"];
    if !has(1) {
        remove(&mut regional["logs"]["groups"]);
    }
    if has(2) {
        let function = &mut regional["lambda"]["functions"]["thinggate-demo"];
        for inside in ["versions", "aliases", "policies"] {
            remove(&mut function[inside]);
        }
    } else {
        remove(&mut regional["lambda"]["functions"]);
    }
    if !has(3) {
        remove(&mut regional["iot"]["authorizers"]);
    }
    regional["iot"]["default"] = Value::Null;
    serde_json::from_value(world).unwrap()
}

fn retag(value: &mut Value, owner: Option<&str>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(tags)) = members.get_mut("tags") {
                tags.remove("thinggate:stack");
                if let Some(owner) = owner {
                    tags.insert("thinggate:stack".to_owned(), json!(owner));
                }
            }
            members.values_mut().for_each(|member| retag(member, owner));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| retag(item, owner)),
        _ => {}
    }
}

async fn deployed() -> Bench {
    let bench = Bench::new();
    bench.put_keys(one_key().await);
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
    bench
}

#[tokio::test(start_paused = true)]
async fn every_subset_of_foreign_resources_is_listed_and_left_alone() {
    let bench = deployed().await;
    let world = bench.state().world;
    for subset in 1..1 << COLLISIONS.len() {
        for owner in [None, Some("other@eu-west-1"), Some("demo@us-east-1")] {
            let there = foreign(&world, subset, owner);
            bench.target.with_world(|world| *world = there);
            let before = bench.everything();
            for command in [Command::Deploy, Command::Destroy] {
                let ended = bench.run(command, "stack.toml", None).await;
                let told = &ended.expect_refused("foreign_resource").because;
                let expected = COLLISIONS.iter().enumerate().filter(|(place, _)| subset & (1 << place) != 0);
                let expected: Vec<&str> = expected.map(|(_, words)| *words).collect();
                let all = told.len() == expected.len()
                    && expected.iter().all(|words| told.iter().any(|line| line.starts_with(words)));
                assert!(all, "{expected:?}: {told:?}");
                assert!(told.iter().all(|line| owner.is_none_or(|owner| line.contains(owner))), "{told:?}");
                assert_eq!(bench.everything(), before);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_key_is_made_for_a_deploy_that_is_refused() {
    let bench = deployed().await;
    let there = foreign(&bench.state().world, 1, None);
    std::fs::remove_dir_all(bench.key_folder()).unwrap();
    bench.target.with_world(|world| *world = there);
    bench.run(Command::Deploy, "stack.toml", None).await.expect_refused("foreign_resource");
    assert!(!bench.key_folder().exists());
}

#[tokio::test(start_paused = true)]
async fn somebody_else_s_default_stays() {
    let bench = deployed().await;
    let mut there = serde_json::to_value(foreign(&bench.state().world, 8, None)).unwrap();
    let iot = &mut there["regions"]["eu-west-1"]["iot"];
    let mut authorizer = iot["authorizers"]["door"].take();
    authorizer["name"] = json!("theirs");
    iot["authorizers"] = json!({ "theirs": authorizer });
    iot["default"] = json!("theirs");
    let there: World = serde_json::from_value(there).unwrap();
    bench.target.with_world(|world| *world = there);
    let before = bench.everything();
    let refused = bench.run(Command::Deploy, "stack.toml", None).await;
    let problem = refused.expect_refused("default_is_foreign");
    assert!(problem.next.as_ref().unwrap().contains("aws iot clear-default-authorizer"), "{problem:#?}");
    assert_eq!(bench.everything(), before);

    let own = |loaded: &mut crate::cli::load::Loaded| loaded.stack.authorizer.default = false;
    bench.run_edited(Command::Deploy, "stack.toml", None, own).await.expect_done();
    let authorizers = &bench.everything()["regions"]["eu-west-1"]["iot"];
    assert_eq!(
        (&authorizers["default"], authorizers["authorizers"].as_object().unwrap().len()),
        (&json!("theirs"), 2)
    );
    bench.run(Command::Destroy, "stack.toml", None).await.expect_done();
    assert_eq!(bench.everything(), before);
}

#[tokio::test(start_paused = true)]
async fn another_account_is_asked_who_calls_and_nothing_else() {
    let bench = deployed().await;
    let before = bench.everything();
    for command in [Command::Deploy, Command::Destroy] {
        let other = |loaded: &mut crate::cli::load::Loaded| {
            loaded.stack.account = Some(AccountId::new("111111111111").unwrap());
        };
        let ended = bench.run_edited(command, "stack.toml", None, other).await;
        ended.expect_refused("wrong_account");
        let requests: Vec<String> =
            bench.faults.places().into_iter().filter(Place::is_request).map(|one| one.name).collect();
        assert_eq!(requests, ["http STS.GetCallerIdentity /"]);
        assert_eq!(bench.everything(), before);
    }
}

/// Whoever may read the key can sign with it: nothing goes on before a person has looked.
#[tokio::test(start_paused = true)]
async fn a_key_that_others_may_read_stops_a_deploy() {
    let bench = deployed().await;
    let key = bench.key_folder().join("1.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = bench.run(Command::Deploy, "stack.toml", None).await;
    let next = refused.expect_refused("secret_readable_by_others").next.clone().unwrap();
    assert!(next.starts_with(&format!("chmod 600 '{}'", key.display())), "{next}");
    let repaired = std::process::Command::new("sh").arg("-c").arg(&next).status().unwrap();
    assert!(repaired.success(), "{next}");
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
}
