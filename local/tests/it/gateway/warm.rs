//! Processes are ended with the function that they belong to.

use local::Target;
use serde_json::{Value, json};

use super::{FUNCTION, World};
use crate::client::{self, json_call};

/// The process that answers now.
#[track_caller]
fn process(target: &Target) -> String {
    let path = format!("/2015-03-31/functions/{FUNCTION}/invocations");
    let seen = json_call(target, "lambda", "POST", &path, &json!({}));
    seen["pid"].as_str().unwrap_or_else(|| panic!("{seen}")).to_owned()
}

fn delete(target: &Target) {
    let path = format!("/2015-03-31/functions/{FUNCTION}");
    json_call(target, "lambda", "DELETE", &path, &Value::Null);
}

/// An ended and reaped process has no entry any more.
#[track_caller]
fn assert_ended(process: &str) {
    let entry = format!("/proc/{process}");
    assert!(!std::path::Path::new(&entry).exists(), "process {process} outlived its function");
}

#[test]
fn a_function_made_again_from_the_same_package_starts_anew() {
    let target = World::new("echo").target;
    let first = process(&target);
    assert_eq!(first, process(&target));
    delete(&target);
    assert_ended(&first);
    client::make_function(&target, FUNCTION, "demo", super::GROUP, &json!({ "BEHAVIOUR": "echo" }));
    assert_ne!(first, process(&target));
}

#[test]
fn a_reset_ends_all_processes() {
    let target = World::new("echo").target;
    let first = process(&target);
    target.reset().unwrap();
    assert_ended(&first);
}
