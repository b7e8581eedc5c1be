//! A plan that is saved, looked at, and carried out: by the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Bench, Run, shown};

/// The requests that changed something, as the door counted them.
fn writes(run: &Run) -> u64 {
    let result: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    result["calls"]["writes"].as_u64().unwrap()
}

/// The stack file with another memory size.
fn with_memory(bench: &Bench, megabytes: u32) {
    let text = bench.read("stack.toml");
    let bootstrap = text.lines().find(|line| line.starts_with("bootstrap = ")).unwrap();
    bench.write("stack.toml", &text.replace(bootstrap, &format!("memory_mb = {megabytes}\n{bootstrap}")));
}

#[test]
fn a_plan_is_saved_and_carried_out_once() {
    let bench = Bench::new();
    shown!(bench.run(&["plan", "stack.toml", "-o", "plan.json"]), "plan-file-saved");
    let mode = fs::metadata(bench.path().join("plan.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = bench.read("plan.json");
    assert!(!text.contains("PRIVATE KEY"));
    let identity = bench.read(".thinggate/identity.json");
    let identity: serde_json::Value = serde_json::from_str(&identity).unwrap();
    let secret = identity["hs256_secret"].as_str().unwrap();
    assert!(secret.len() > 40 && !text.contains(secret));
    shown!(bench.run(&["deploy", "stack.toml", "--plan", "plan.json", "--quiet"]), "plan-file-deployed");
    let again = bench.ends(4, &["deploy", "stack.toml", "--plan", "plan.json", "--output", "json"]);
    assert_eq!(writes(&again), 0, "{again}");
    bench.ends(0, &["drift", "stack.toml"]);
    // A plan in which nothing is to be done can be carried out as often as one likes.
    bench.ends(0, &["plan", "stack.toml", "-o", "plan.json", "--exit-code"]);
    for _ in 0..2 {
        let run = bench.ends(0, &["deploy", "stack.toml", "--plan", "plan.json", "--output", "json"]);
        assert_eq!(writes(&run), 0, "{run}");
    }
}

#[test]
fn what_moved_is_named_and_nothing_is_written() {
    let bench = Bench::new();
    bench.ends(0, &["deploy", "stack.toml"]);
    with_memory(&bench, 128);
    bench.ends(2, &["plan", "stack.toml", "-o", "plan.json", "--exit-code"]);
    with_memory(&bench, 512);
    // Two memory sizes: the file is not valid, which is told before the plan is.
    bench.ends(64, &["deploy", "stack.toml", "--plan", "plan.json"]);
    bench.write("stack.toml", &bench.read("stack.toml").replace("memory_mb = 128\n", ""));
    shown!(bench.run(&["deploy", "stack.toml", "--plan", "plan.json"]), "plan-file-moved");
    let refused = bench.ends(4, &["deploy", "stack.toml", "--plan", "plan.json", "--output", "json"]);
    assert_eq!(writes(&refused), 0, "{refused}");
    bench.write("stack.toml", &bench.read("stack.toml").replace("memory_mb = 512", "memory_mb = 128"));
    bench.ends(0, &["deploy", "stack.toml", "--plan", "plan.json"]);
}

#[test]
fn a_plan_file_that_is_none_says_so() {
    let bench = Bench::new();
    shown!(bench.run(&["plan", "stack.toml", "-o", "stack.toml"]), "plan-file-occupied");
    bench.ends(64, &["plan", "stack.toml", "-o", "nowhere/plan.json"]);
    bench.ends(64, &["plan", "stack.toml", "-o", "home"]);
    assert!(bench.read("stack.toml").contains("[function]"));
    let deploy = ["deploy", "stack.toml", "--plan", "plan.json"];
    shown!(bench.run(&deploy), "plan-file-missing");
    bench.ends(0, &["plan", "stack.toml", "-o", "plan.json"]);
    let whole = bench.read("plan.json");
    bench.write("plan.json", &whole[..whole.len() / 2]);
    shown!(bench.run(&deploy), "plan-file-cut-off");
    bench.write("plan.json", &whole.replace("\"action\": \"create\"", "\"action\": \"keep\""));
    shown!(bench.run(&deploy), "plan-file-edited");
    bench.write("plan.json", &whole);
    let kept = bench.ends(64, &[&deploy[..], &["--keep-code"]].concat());
    assert!(kept.errors.contains("made without --keep-code"), "{kept}");
    assert!(!bench.path().join("keys").exists(), "nothing was done");
}

#[test]
fn plans_of_several_stacks_are_one_file() {
    let bench = Bench::empty();
    for name in ["a", "b"] {
        let (stack, door) = (format!("\"{name}\""), format!("\"door-{name}\""));
        let edits = [
            ("\"local-demo\"", stack.as_str()),
            ("\"iot-openam-authorizer\"", door.as_str()),
            ("default        = true", "default        = false"),
        ];
        bench.stack(&format!("{name}.toml"), &edits);
    }
    bench.ends(0, &["plan", "a.toml", "b.toml", "-o", "plan.json"]);
    for stacks in [&["a.toml"][..], &["b.toml"]] {
        let run = bench.ends(4, &[&["deploy", "--plan", "plan.json"], stacks].concat());
        assert!(run.errors.contains("it has a plan of"), "{run}");
    }
    bench.ends(0, &["deploy", "b.toml", "a.toml", "--plan", "plan.json"]);
    bench.ends(0, &["drift", "a.toml", "b.toml"]);
}

/// A plan is carried out from another folder too: the stack file is the same one.
#[test]
fn a_plan_may_be_carried_out_from_elsewhere() {
    let bench = Bench::new();
    bench.ends(0, &["plan", "stack.toml", "-o", "plan.json"]);
    let file = bench.path().join("stack.toml");
    let run = bench.run(&["deploy", file.to_str().unwrap(), "--plan", "plan.json"]);
    assert_eq!(run.code, 0, "{run}");
}
