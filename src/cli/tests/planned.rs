//! A saved plan is carried out in the world that it was made for, and in no other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use local::state::World;
use serde_json::{Value, json};

use super::bench::{Bench, Command, Ended, one_key};
use super::stack;
use crate::cli::commands::plan;
use crate::cli::load::{self, Loaded};
use crate::cli::plan_file::Planned;
use crate::door::Files;
use crate::keys::FileStore;
use crate::names::{AccountId, AuthorizerName, Region, StackName};
use crate::plan::{PlanFile, SavedPlan};

/// A stack that is deployed, and a file that asks for something else.
async fn deployed() -> Bench {
    let bench = Bench::new();
    bench.put_keys(one_key().await);
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
    bench
}

/// The plan of a stack file, read back from the text of its plan file.
async fn planned(bench: &Bench, file: &str) -> Planned {
    let session = bench.session().await;
    let loaded = load::one(&session, &bench.root.join(file)).unwrap();
    let (report, saved) = Box::pin(plan::run(&session, loaded, plan::Wishes::default())).await;
    let text = PlanFile::new(false, vec![saved.unwrap_or_else(|| panic!("{:#?}", report.problem))]).to_text();
    let mut file = PlanFile::read(text.as_bytes()).unwrap();
    Planned { saved: Arc::new(file.stacks.remove(0)), keep_code: false, file: "plan.json".into() }
}

async fn carry_out(bench: &Bench, file: &str, planned: &Planned, edit: impl FnOnce(&mut Loaded)) -> Ended {
    bench
        .run_edited(Command::Deploy, file, None, |loaded| {
            loaded.planned = Some(planned.clone());
            edit(loaded);
        })
        .await
}

/// Edits the account as somebody else would, who has the same permissions.
fn by_hand(bench: &Bench, edit: impl FnOnce(&mut Value)) {
    let mut world = bench.everything();
    edit(&mut world);
    let world: World = serde_json::from_value(world).unwrap();
    bench.target.with_world(|there| *there = world);
}

#[tokio::test(start_paused = true)]
async fn a_plan_does_what_a_deploy_does_and_only_once() {
    for file in ["stack.toml", "changed.toml", "unsigned.toml"] {
        let bench = deployed().await;
        let before = bench.state();
        let unplanned = bench.run(Command::Deploy, file, None).await;
        unplanned.expect_done();
        let after = bench.dump();
        bench.restore(&before);
        let plan = planned(&bench, file).await;
        let as_planned = carry_out(&bench, file, &plan, |_| ()).await;
        as_planned.expect_done();
        assert_eq!(as_planned.writes, unplanned.writes);
        assert_eq!(bench.dump(), after);
        let again = carry_out(&bench, file, &plan, |_| ()).await;
        if unplanned.writes.is_empty() {
            again.expect_done();
        } else {
            again.expect_refused("moved_since_plan");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_a_first_deploy() {
    let bench = Bench::new();
    let plan = planned(&bench, "stack.toml").await;
    // Somebody makes the log group meanwhile.
    let state = bench.state();
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
    let refused = carry_out(&bench, "stack.toml", &plan, |_| ()).await;
    let because = refused.expect_refused("moved_since_plan").because.clone();
    assert!(because.contains(&"role: it was not there, and is now".to_owned()), "{because:?}");
    bench.restore(&state);
    carry_out(&bench, "stack.toml", &plan, |_| ()).await.expect_done();
    bench.run(Command::Drift, "stack.toml", None).await.expect_done();
}

/// One change between plan and deploy, and how what is said about it begins.
type Move = (&'static str, fn(&Bench, &mut Value), fn(&mut Loaded));

const fn by_somebody(said: &'static str, edit: fn(&Bench, &mut Value)) -> Move {
    (said, edit, |_| ())
}

const fn in_the_file(said: &'static str, edit: fn(&mut Loaded)) -> Move {
    (said, |_, _| (), edit)
}

fn role(world: &mut Value) -> &mut Value {
    &mut world["iam"]["roles"]["thinggate-demo-eu-west-1"]
}

fn region<'a>(world: &'a mut Value, service: &str) -> &'a mut Value {
    &mut world["regions"]["eu-west-1"][service]
}

fn function(world: &mut Value) -> &mut Value {
    &mut region(world, "lambda")["functions"]["thinggate-demo"]
}

fn authorizer(world: &mut Value) -> &mut Value {
    &mut region(world, "iot")["authorizers"]["door"]
}

const MOVES: [Move; 27] = [
    in_the_file("stack file, function.memory_mb: 512 -> 1024", |loaded| {
        loaded.stack.function.memory_mb = 1024;
    }),
    in_the_file("stack file, tags.team: devices -> other", |loaded| {
        loaded.stack.tags.insert("team".to_owned(), "other".to_owned());
    }),
    in_the_file("stack file, identity.scope: none -> mail", |loaded| {
        loaded.stack.identity = Some(crate::stack::IdentityProvider {
            device_url: "https://a.example/device".to_owned(),
            token_url: "https://a.example/token".to_owned(),
            client_id: "a".to_owned(),
            client_secret: None,
            scope: "mail".to_owned(),
            dialect: crate::stack::Dialect::Auto,
            client_auth: crate::stack::ClientAuth::None,
            extra: BTreeMap::new(),
        });
    }),
    in_the_file("stack file, name: demo -> other", |loaded| {
        loaded.stack.name = StackName::new("other").unwrap();
    }),
    in_the_file("stack file, region: eu-west-1 -> us-east-1", |loaded| {
        loaded.stack.region = Region::new("us-east-1").unwrap();
    }),
    in_the_file("stack file, authorizer.name: door -> gate", |loaded| {
        loaded.stack.authorizer.name = AuthorizerName::new("gate").unwrap();
    }),
    in_the_file("stack file, account: none -> 000000000000", |loaded| {
        loaded.stack.account = Some(AccountId::new("000000000000").unwrap());
    }),
    by_somebody("package, bootstrap: ", |bench, _| bench.write("bootstrap-2", &stack::bootstrap(3))),
    by_somebody("role, inline.thinggate-logs: {", |_, world| {
        role(world)["inline_policies"]["thinggate-logs"] = json!("{\"Statement\":[]}");
    }),
    by_somebody("role, attached: none -> arn:aws:iam::aws:policy/AdministratorAccess", |_, world| {
        role(world)["attached_policies"] = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    }),
    by_somebody("role, id: AROA", |_, world| role(world)["role_id"] = json!("AROAOTHEROTHEROTHER00")),
    by_somebody("role: it was there, and is gone", |_, world| world["iam"]["roles"] = json!({})),
    by_somebody("function, configuration.code_sha256: ", |_, world| {
        function(world)["latest"]["settings"]["code"]["sha256_hex"] = json!("ab".repeat(32));
    }),
    by_somebody("function, configuration.memory_mb: 256 -> 3008", |_, world| {
        function(world)["latest"]["settings"]["memory_mb"] = json!(3008);
    }),
    by_somebody(
        "function, configuration.environment.THINGGATE_HS256_SECRET: a secret -> another",
        |_, world| {
            function(world)["latest"]["settings"]["environment"]["THINGGATE_HS256_SECRET"] = json!("guess");
        },
    ),
    by_somebody("function, reserved_concurrency: none -> 0", |_, world| {
        function(world)["reserved_concurrency"] = json!(0);
    }),
    by_somebody("release, description: thinggate=1 ", |_, world| {
        function(world)["aliases"]["live"]["description"] = json!("by hand");
    }),
    by_somebody("release, routing: none -> 2: 0.5", |_, world| {
        function(world)["aliases"]["live"]["routing"] = json!({"2": 0.5});
    }),
    by_somebody("permission, statements.thinggate-iot on live: {", |_, world| {
        let condition = &mut function(world)["policies"]["live"]["statements"][0]["Condition"];
        condition["StringEquals"]["AWS:SourceAccount"] = json!("111111111111");
    }),
    by_somebody("default authorizer: it was there, and is gone", |_, world| {
        region(world, "iot")["default"] = Value::Null;
    }),
    by_somebody("authorizer, status: ACTIVE -> INACTIVE", |_, world| {
        region(world, "iot")["default"] = Value::Null;
        authorizer(world)["status"] = json!("INACTIVE");
    }),
    by_somebody("authorizer, token_key_name: token -> jwt", |_, world| {
        authorizer(world)["token_key_name"] = json!("jwt");
    }),
    by_somebody("authorizer, owner: this stack -> nobody", |_, world| {
        authorizer(world)["tags"] = json!({"team": "iot"});
    }),
    by_somebody("log group, retention_days: 30 -> none", |_, world| {
        region(world, "logs")["groups"]["/thinggate/demo"]["retention_days"] = Value::Null;
    }),
    by_somebody("log group, tags.team: iot -> theirs", |_, world| {
        region(world, "logs")["groups"]["/thinggate/demo"]["tags"]["team"] = json!("theirs");
    }),
    by_somebody("signing key, generations.2.number: none -> 2", |bench, _| {
        let store = FileStore::new(Files::default(), bench.key_folder());
        elsewhere(async move { store.create(2, 2048).await.unwrap() });
    }),
    by_somebody("signing key: it was there, and is gone", |bench, _| {
        std::fs::remove_dir_all(bench.key_folder()).unwrap();
    }),
];

/// Waits for what another process does meanwhile.
fn elsewhere<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

#[tokio::test(start_paused = true)]
async fn each_change_between_plan_and_deploy_is_refused_by_name() {
    let bench = deployed().await;
    let deployed = bench.state();
    let plan = planned(&bench, "changed.toml").await;
    for (said, in_the_world, in_the_stack) in MOVES {
        bench.restore(&deployed);
        bench.write("bootstrap-2", &stack::bootstrap(2));
        by_hand(&bench, |world| in_the_world(&bench, world));
        let there = || bench.everything()["regions"]["eu-west-1"].take();
        let before = (bench.everything()["iam"].take(), there());
        let ended = carry_out(&bench, "changed.toml", &plan, in_the_stack).await;
        let problem = ended.expect_refused("moved_since_plan");
        assert!(problem.because.iter().any(|line| line.starts_with(said)), "{said}: {:#?}", problem.because);
        assert_eq!(
            problem.next.as_deref().unwrap(),
            "thinggate plan STACK -o plan.json, and look at it again"
        );
        assert_eq!((bench.everything()["iam"].take(), there()), before, "{said}");
    }
    bench.restore(&deployed);
    bench.write("bootstrap-2", &stack::bootstrap(2));
    carry_out(&bench, "changed.toml", &plan, |_| ()).await.expect_done();
}

/// What no plan depends on: tags of others, and a function that fell asleep.
#[tokio::test(start_paused = true)]
async fn what_does_not_matter_is_let_through() {
    let bench = deployed().await;
    let plan = planned(&bench, "changed.toml").await;
    by_hand(&bench, |world| {
        role(world)["tags"]["cost-centre"] = json!("4711");
        function(world)["tags"]["cost-centre"] = json!("4711");
    });
    carry_out(&bench, "changed.toml", &plan, |_| ()).await.expect_done();
}

/// What of the account a plan cannot see, or need not: everything else is in it.
const UNSEEN: [&str; 22] = [
    "/created",
    "/created_at/nanos_since_epoch",
    "/created_at/secs_since_epoch",
    "/created_ms",
    "/modified",
    "/last_modified",
    "/settled_at",
    "/revision_before",
    "/revision_after",
    "/aliases/live/revision",
    "/policies/live/revision",
    "/highest_version",
    "/code/size_bytes",
    "/settings/role_id",
    "/thinggate-demo/id",
    "/thinggate-demo/name",
    // What was published last decides whether the next one is another; the version itself is told.
    "/published/0",
    "/published/1",
    "/change/kind",
    "/roles/thinggate-demo-eu-west-1/arn",
    "/authorizers/door/arn",
    "/aliases/live/name",
];

/// Each value in the account, changed alone, changes what a plan is bound to.
#[tokio::test(start_paused = true)]
async fn everything_in_the_account_is_looked_at() {
    let bench = deployed().await;
    let world = bench.everything();
    let before = picture(&bench).await.unwrap();
    let (mut leaves, mut overlooked) = (Vec::new(), Vec::new());
    find_leaves(&world, String::new(), &mut leaves);
    let mut seen = 0;
    for leaf in leaves {
        let mut other = world.clone();
        let value = other.pointer_mut(&leaf).unwrap();
        *value = changed(value);
        // What the account cannot hold, such as a third status, nobody can put there.
        let Ok(other) = serde_json::from_value::<World>(other) else { continue };
        bench.target.with_world(|there| *there = other);
        // An account in which nothing can be planned any more is seen as well.
        if picture(&bench).await.is_some_and(|after| after == before) {
            overlooked.push(leaf);
        } else {
            seen += 1;
        }
    }
    overlooked.retain(|leaf| {
        let plain = leaf.replace("~1", "/");
        !UNSEEN.iter().any(|end| plain.ends_with(end) || plain.contains(&format!("{end}/")))
    });
    assert_eq!(overlooked, Vec::<String>::new());
    assert!(seen > 60, "{seen}");
}

async fn picture(bench: &Bench) -> Option<SavedPlan> {
    let session = bench.session().await;
    let loaded = load::one(&session, Path::new(&bench.root.join("stack.toml"))).unwrap();
    let (_, saved) = Box::pin(plan::run(&session, loaded, plan::Wishes::default())).await;
    // Only what it looked at: a step may differ without a name.
    saved.map(|saved| SavedPlan { steps: Vec::new(), ..saved })
}

fn find_leaves(value: &Value, at: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                find_leaves(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), leaves);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                find_leaves(item, format!("{at}/{number}"), leaves);
            }
        }
        Value::Null => {}
        _ => leaves.push(at),
    }
}

fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(truth) => json!(!truth),
        Value::Number(number) => json!(number.as_u64().unwrap_or_default() + 1),
        Value::String(text) => {
            let another = [("ACTIVE", "INACTIVE"), ("STANDARD", "INFREQUENT_ACCESS"), ("x86_64", "arm64")];
            if let Some((_, other)) = another.iter().find(|(one, _)| one == text) {
                return json!(other);
            }
            let at = text.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or_default();
            let other = if text[at..].starts_with('a') { "b" } else { "a" };
            let end = (at + 1).min(text.len());
            json!(format!("{}{other}{}", &text[..at], &text[end..]))
        }
        other => other.clone(),
    }
}
