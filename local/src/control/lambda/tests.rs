//! What Lambda answers. Beside each expected value: its source. \[R\] is recorded from AWS (`test_lambda_api`
//! of aws-facts' recordings), \[M\] the model, \[D\] AWS's documentation, \[B\] believed.

mod alias;
mod beside;
mod function;
mod permission;
mod references;
mod run;
mod update;

use serde_json::Value;

use crate::control::bench::{Answered, Bench};

const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:f";

/// `GetFunctionConfiguration` of a name, perhaps with a qualifier.
fn configuration(bench: &mut Bench, name: &str) -> Value {
    let (name, qualifier) = name.split_once(':').unwrap_or((name, ""));
    let query = if qualifier.is_empty() { String::new() } else { format!("?Qualifier={qualifier}") };
    let path = format!("/2015-03-31/functions/{name}/configuration{query}");
    let answered = bench.lambda("GET", &path, &Value::Null);
    assert_eq!(answered.status, 200, "{}", answered.text);
    answered.body
}

/// The revision of `$LATEST`.
fn revision(bench: &mut Bench) -> Value {
    configuration(bench, "f")["RevisionId"].clone()
}

fn get(bench: &mut Bench, path: &str) -> Answered {
    bench.lambda("GET", path, &Value::Null)
}

fn delete(bench: &mut Bench, path: &str) -> Answered {
    bench.lambda("DELETE", path, &Value::Null)
}

/// A function `f` with version 1 and alias `live`.
fn released() -> Bench {
    let mut bench = Bench::new();
    bench.function("f");
    publish(&mut bench);
    let alias = serde_json::json!({ "Name": "live", "FunctionVersion": "1" });
    assert_eq!(bench.lambda("POST", "/2015-03-31/functions/f/aliases", &alias).status, 201);
    bench
}

fn publish(bench: &mut Bench) -> Answered {
    bench.lambda("POST", "/2015-03-31/functions/f/versions", &serde_json::json!({}))
}
