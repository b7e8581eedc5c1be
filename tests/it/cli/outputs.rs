//! `--output` and `--quiet`; several stacks in one command.

use serde_json::Value;

use crate::support::{Bench, Run, shown};

/// The one JSON value on standard output.
fn json(run: &Run) -> Value {
    serde_json::from_str(&run.output).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

/// One JSON value on each line of standard output.
fn lines(run: &Run) -> Vec<Value> {
    let parsed = run.output.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}\n{run}"))
}

#[test]
fn json_is_one_value_for_results_and_for_errors() {
    let bench = Bench::new();
    bench.write("broken.toml", "name = 1\n");
    for (code, arguments) in [
        (0, &["validate", "stack.toml"][..]),
        (2, &["plan", "stack.toml", "--exit-code"]),
        (4, &["destroy", "none.toml", "--nonsense"]),
        (64, &["validate", "none.toml"]),
        (64, &["validate", "broken.toml", "stack.toml"]),
        (64, &["plan", "broken.toml", "none.toml"]),
        (64, &["deploy"]),
        (64, &["deply", "stack.toml"]),
        (64, &["plan", "stack.toml", "--lock-timeout", "soon"]),
        (64, &[]),
        (1, &["local", "status"]),
        (1, &["local", "env"]),
        (64, &["device", "sign", "stack.toml"]),
        (64, &["device", "sign", "stack.toml", "--token", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"]),
        (0, &["deploy", "stack.toml"]),
        (0, &["drift", "stack.toml"]),
        (0, &["outputs", "stack.toml"]),
        (4, &["destroy", "stack.toml"]),
        (0, &["destroy", "stack.toml", "--yes"]),
    ] {
        // Clap's own mistakes are 64, whatever else stands on the line.
        let code = if arguments.contains(&"--nonsense") { 64 } else { code };
        let first = bench.ends(code, &[arguments, &["--output", "json"]].concat());
        let value = json(&first);
        assert_eq!(value["exit"], code, "{arguments:?} {first}");
        assert_eq!(value["error"].is_object(), value["stacks"].is_null(), "{arguments:?} {first}");
        if let Some(error) = value["error"].as_object() {
            assert!(error["code"].is_string() && error["what"].is_string(), "{first}");
        }
    }
}

#[test]
fn the_variable_asks_for_json_as_the_flag_does_and_a_flag_wins() {
    let bench = Bench::new();
    let mut command = bench.command(&["deploy"]);
    command.env("THINGGATE_OUTPUT", "json");
    let run = crate::support::run(command);
    assert_eq!(json(&run)["error"]["code"], "usage");
    let mut command = bench.command(&["deploy", "--output", "human"]);
    command.env("THINGGATE_OUTPUT", "json");
    let run = crate::support::run(command);
    assert_eq!((run.code, run.output.as_str()), (64, ""));
}

#[test]
fn json_lines_are_events_and_results() {
    let bench = Bench::new();
    bench.stack("other.toml", &[("eu-west-1", "us-east-1")]);
    let run = bench.ends(0, &["deploy", "stack.toml", "other.toml", "--output", "jsonl", "--quiet"]);
    assert_eq!(run.errors, "");
    let events = lines(&run);
    for (stack, place) in [("stack.toml", "eu-west-1"), ("other.toml", "us-east-1")] {
        let result: Vec<&Value> =
            events.iter().filter(|event| event["event"] == "result" && event["file"] == stack).collect();
        assert_eq!(result.len(), 1, "{run}");
        assert!(result[0]["target"].as_str().unwrap().starts_with(place), "{run}");
    }
    let done = events.iter().filter(|event| event["event"] == "done").count();
    assert_eq!(done, 16, "{run}");
    let run = bench.ends(64, &["deploy", "none.toml", "--output", "jsonl"]);
    assert_eq!(lines(&run).len(), 1, "{run}");
    let run = bench.ends(64, &["deploy", "--output", "jsonl"]);
    assert_eq!(lines(&run).len(), 1, "{run}");
}

#[test]
fn json_in_full() {
    let bench = Bench::new();
    shown!(bench.run(&["deploy", "stack.toml", "--output", "json"]), "json-deploy");
    shown!(bench.run(&["outputs", "stack.toml", "--output", "json"]), "json-outputs");
    shown!(bench.run(&["destroy", "stack.toml", "--output", "json"]), "json-destroy");
    shown!(bench.run(&["deploy", "--alow-impact", "--output", "json"]), "json-deploy-alow-impact");
}

#[test]
fn quiet_leaves_the_result_and_the_problems() {
    let bench = Bench::new();
    let run = bench.ends(0, &["deploy", "stack.toml", "--quiet"]);
    assert_eq!(run.errors, "", "no progress, no notes");
    assert!(run.output.contains("deployed: 8 created"), "{run}");
    let run = bench.ends(4, &["destroy", "stack.toml", "-q"]);
    assert!(run.errors.starts_with("error: destroy was not confirmed"), "{run}");
}

#[test]
fn with_several_stacks_the_worst_decides_and_each_is_told() {
    let bench = Bench::new();
    bench.stack(
        "protected.toml",
        &[("target = \"local\"", "protect = true\ntarget = \"local\""), ("eu-west-1", "us-east-1")],
    );
    bench.stack("new.toml", &[("eu-west-1", "eu-central-1")]);
    bench.ends(0, &["deploy", "stack.toml", "protected.toml"]);
    bench.ends(2, &["drift", "stack.toml", "new.toml", "--quiet"]);
    // 4 (protected) goes before 0 (destroyed).
    let run = bench.ends(4, &["destroy", "--yes", "stack.toml", "protected.toml"]);
    assert!(run.output.contains("destroyed: nothing is left"), "{run}");
    assert!(run.errors.contains("is protected; nothing was changed"), "{run}");
    // 64 is decided before any stack starts.
    bench.write("broken.toml", "name = 1\n");
    let run = bench.ends(64, &["deploy", "stack.toml", "broken.toml"]);
    assert_eq!(run.output, "");
    bench.ends(2, &["drift", "stack.toml", "--quiet"]);
    // The same stack twice would be two racing runs.
    shown!(bench.run(&["deploy", "stack.toml", "./stack.toml"]), @r#"
    exit 64
    -- errors
    error: two of the stack files are the same stack
      at: ./stack.toml
      because: stack.toml is local-demo in eu-west-1 as well

    next: name each stack once, or give one of them another `name`
    "#);
}
