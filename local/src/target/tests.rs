use std::convert::Infallible;
use std::fs;

use super::*;

fn open(directory: &StateDirectory) -> Result<Target, OpenError> {
    Target::open(directory, Clock::wall(), Options::default())
}

fn make_region(target: &Target, name: &str) -> io::Result<()> {
    target
        .change_world(|world| {
            world.region(name);
            Ok::<(), Infallible>(())
        })?
        .unwrap_or_else(|never| match never {});
    Ok(())
}

fn regions(target: &Target) -> Vec<String> {
    target.with_world(|world| world.regions.keys().cloned().collect())
}

#[test]
fn what_was_changed_is_there_after_a_crash() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    let target = open(&directory).unwrap();
    make_region(&target, "eu-west-1").unwrap();
    // No drop runs: as if the process had been killed.
    let credentials = target.credentials();
    std::mem::forget(target);
    let again = open(&directory).unwrap();
    assert_eq!(regions(&again), ["eu-west-1"]);
    assert!(again.credentials() == credentials);
}

#[test]
fn log_lines_are_no_part_of_the_state_and_outlive_an_orderly_end() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    let target = open(&directory).unwrap();
    let region = "eu-west-1";
    let called = target.change_world(|world| {
        let group = serde_json::json!({ "created_ms": 0, "retention_days": null, "class": "STANDARD",
            "deletion_protected": false, "tags": {}, "streams": {} });
        world.region(region).logs =
            serde_json::from_value(serde_json::json!({ "groups": { "/g": group } })).unwrap();
        Ok::<(), Infallible>(())
    });
    called.unwrap().unwrap();
    let state = || fs::read(place.path().join("state.json")).unwrap();
    let (before, lines) = (state(), vec!["a line".to_owned(); 1000]);
    for _ in 0..3 {
        target.log_lines(region, "/g", "process", &lines);
        make_region(&target, region).unwrap();
    }
    assert_eq!(state(), before, "neither a line nor a change after it writes an event");
    let count = |target: &Target| {
        target.with_world(|world| world.region(region).logs.events_of("/g").unwrap_or_default())
    };
    drop(target);
    let again = open(&directory).unwrap();
    assert_eq!(count(&again), 3000);
    assert!(!place.path().join("events.json").exists());
    // As if the process had been killed.
    std::mem::forget(again);
    assert_eq!(count(&open(&directory).unwrap()), 0);
    assert_eq!(state(), before);
}

#[test]
fn a_change_that_fails_or_cannot_be_written_is_undone() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    let target = open(&directory).unwrap();
    let refused = target.change_world(|world| {
        world.region("eu-west-1");
        Err::<(), &str>("refused")
    });
    assert_eq!(refused.unwrap(), Err("refused"));
    // A directory in the place of the file: it cannot be renamed over.
    fs::create_dir(place.path().join("state.json")).unwrap();
    make_region(&target, "eu-west-1").unwrap_err();
    assert!(regions(&target).is_empty());
}

#[test]
fn a_damaged_state_is_named_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
    for (content, part) in [
        ("{", "line 1"),
        (r#"{"version":2,"world":{}}"#, "version 2, this program reads 1"),
        (r#"{"version":1,"world":{"iam":{"roles":{}}}}"#, "missing field `regions`"),
        (r#"{"version":1,"world":{"iam":"hunter2","regions":{}}}"#, "unexpected type"),
    ] {
        fs::write(place.path().join("state.json"), content).unwrap();
        let refused = open(&directory).unwrap_err().to_string();
        assert!(refused.contains("state.json") && refused.contains(part), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
        assert_eq!(fs::read_to_string(place.path().join("state.json")).unwrap(), content);
    }
}

#[test]
fn a_secret_is_in_no_debug_text() {
    let target = Target::in_memory(Clock::wall(), Options::default());
    let Credentials { access_key_id, secret_access_key } = target.credentials();
    assert_eq!((access_key_id.len(), secret_access_key.len()), (20, 40));
    let text = format!("{target:?} {:?}", target.credentials());
    assert!(text.contains(&access_key_id) && !text.contains(&secret_access_key));
}

#[test]
fn a_reset_forgets_the_account_but_not_the_key() {
    let target = Target::in_memory(Clock::wall(), Options::default());
    make_region(&target, "eu-west-1").unwrap();
    let credentials = target.credentials();
    target.reset().unwrap();
    assert!(regions(&target).is_empty());
    assert!(target.credentials() == credentials);
}

/// A function with a package of its own; nothing else of it matters.
fn make_function(target: &Target, name: &str) {
    let mut bench = crate::control::bench::Bench::new();
    bench.function(name);
    let mut function = bench.world.region("eu-west-1").lambda.functions.remove(name).unwrap();
    let made = target.change_world(|world| {
        function.latest.settings.code.sha256_hex = target.packages().put(&Bytes::from(name.to_owned()))?;
        world.region("eu-west-1").lambda.functions.insert(name.to_owned(), function);
        Ok::<_, io::Error>(())
    });
    made.unwrap().unwrap();
}

#[test]
fn a_reset_keeps_the_package_of_a_function_that_is_created_meanwhile() {
    let target = Target::in_memory(Clock::wall(), Options::default());
    std::thread::scope(|scope| {
        let making = scope.spawn(|| {
            for number in 0..300 {
                make_function(&target, &format!("f{number}"));
            }
        });
        while !making.is_finished() {
            target.reset().unwrap();
            target.with_world(|world| {
                for package in world.packages() {
                    assert!(target.packages().get(&package).is_some(), "{package} is gone");
                }
            });
        }
    });
}

#[test]
fn what_never_ran_is_not_counted() {
    let target = Target::in_memory(Clock::wall(), Options::default());
    let function = Invokable {
        arn: "arn".to_owned(),
        region: "eu-west-1".to_owned(),
        function: "f".to_owned(),
        function_id: "id".to_owned(),
        role_id: "AROA".to_owned(),
        version: "1".to_owned(),
        package: "absent".to_owned(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(1),
        memory_mb: 128,
        handler: "bootstrap".to_owned(),
        log_group: None,
        concurrency_max: None,
    };
    let invocation = target.run(&function, Bytes::new(), Duration::from_mins(1));
    assert!(matches!(invocation.invoked, Invoked::Crashed(_)), "{invocation:?}");
    assert_eq!(target.invocations("f"), 0);
}
