//! Aliases.

use serde_json::{Value, json};

use super::{FUNCTION_ARN, configuration, delete, get, publish};
use crate::control::bench::{Answered, Bench};

const ALIASES: &str = "/2015-03-31/functions/f/aliases";
const LIVE: &str = "/2015-03-31/functions/f/aliases/live";

fn create(bench: &mut Bench, body: &Value) -> Answered {
    bench.lambda("POST", ALIASES, body)
}

/// A function with versions 1 and 2.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.function("f");
    publish(&mut bench);
    bench.lambda("PUT", "/2015-03-31/functions/f/configuration", &json!({ "Timeout": 9 }));
    bench.advance(200);
    assert_eq!(publish(&mut bench).body["Version"], "2");
    bench
}

#[test]
fn an_alias_names_a_version_and_has_its_own_revision() {
    let mut bench = bench();
    let created = create(&mut bench, &json!({ "Name": "live", "FunctionVersion": "1", "Description": "d" }));
    // [R] test_alias_lifecycle: create_alias_1_2.
    let expected = json!({
        "AliasArn": format!("{FUNCTION_ARN}:live"), "Name": "live", "FunctionVersion": "1",
        "Description": "d", "RevisionId": created.body["RevisionId"],
    });
    assert_eq!((created.status, &created.body), (201, &expected));
    assert_eq!(get(&mut bench, LIVE).body, expected);
    // [R] get_function_alias_1_1: the ARN shows the alias, the version its number.
    let shown = configuration(&mut bench, "f:live");
    assert_eq!(shown["FunctionArn"], format!("{FUNCTION_ARN}:live"));
    assert_eq!((&shown["Version"], &shown["Timeout"]), (&json!("1"), &json!(3)));
    let update = json!({ "FunctionVersion": "2", "RevisionId": created.body["RevisionId"] });
    let updated = bench.lambda("PUT", LIVE, &update);
    assert_eq!((updated.status, &updated.body["FunctionVersion"]), (200, &json!("2")));
    assert_eq!(updated.body["Description"], "d");
    assert_eq!(configuration(&mut bench, "f:live")["Timeout"], 9);
    // [R] test_function_revisions_version_and_alias: update_alias_revision_exception.
    let text = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
    assert_eq!(bench.lambda("PUT", LIVE, &update).refusal(), (412, "PreconditionFailedException", text));
    assert_eq!(delete(&mut bench, LIVE).status, 204);
    // [R] test_non_existent_alias_deletion.
    assert_eq!(delete(&mut bench, LIVE).status, 204);
    // [R] alias_does_not_exist_esc, test_non_existent_alias_update.
    assert_eq!(get(&mut bench, LIVE).text, format!("Cannot find alias arn: {FUNCTION_ARN}:live"));
    let missing = bench.lambda("PUT", LIVE, &json!({}));
    assert_eq!((missing.status, missing.text), (404, format!("Alias not found: {FUNCTION_ARN}:live")));
}

#[test]
fn what_is_refused() {
    let mut bench = bench();
    create(&mut bench, &json!({ "Name": "custom", "FunctionVersion": "1" }));
    let weights = |weights: Value| json!({ "AdditionalVersionWeights": weights });
    let ranges = "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]";
    let at = "at 'routingConfig.additionalVersionWeights' failed to satisfy constraint:";
    // [R] test_notfound_and_invalid_routingconfigs, test_alias_naming; [M] for the lengths.
    let rows = [
        (json!({ "RoutingConfig": weights(json!({ "1": 0.8, "2": 0.2 })) }), 400, "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned()),
        (json!({ "RoutingConfig": weights(json!({ "2": 2.0 })) }), 400, format!("1 validation error detected: Value '{{2=2.0}}' {at} {ranges}")),
        (json!({ "RoutingConfig": weights(json!({ "2": -1.0 })) }), 400, format!("1 validation error detected: Value '{{2=-1.0}}' {at} {ranges}")),
        (json!({ "RoutingConfig": weights(json!({ "1": 0.5 })) }), 400, "Invalid function version 1. Function version 1 is already included in routing configuration.".to_owned()),
        (json!({ "FunctionVersion": "10" }), 404, format!("Function not found: {FUNCTION_ARN}:10")),
        (json!({ "FunctionVersion": "$LATEST", "RoutingConfig": weights(json!({ "1": 0.5 })) }), 400, "$LATEST is not supported for an alias pointing to more than 1 version".to_owned()),
        (json!({ "RoutingConfig": weights(json!({ "$LATEST": 0.5 })) }), 400, format!("1 validation error detected: Value '{{$LATEST=0.5}}' {at} Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]")),
        (json!({ "Name": "custom" }), 409, format!("Alias already exists: {FUNCTION_ARN}:custom")),
        (json!({ "Name": "2024" }), 400, "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)".to_owned()),
    ];
    for (change, status, text) in rows {
        let mut body = json!({ "Name": "other", "FunctionVersion": "1" });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        let answered = create(&mut bench, &body);
        assert_eq!((answered.status, answered.text), (status, text), "{change}");
    }
    let long = create(
        &mut bench,
        &json!({ "Name": "other", "FunctionVersion": "1", "Description": "x".repeat(257) }),
    );
    assert_eq!(long.code, "ValidationException");
    let unknown = bench.lambda(
        "POST",
        "/2015-03-31/functions/unknown/aliases",
        &json!({ "Name": "a", "FunctionVersion": "1" }),
    );
    assert_eq!(unknown.text, "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:unknown:1");
}

#[test]
fn weights_are_kept_shown_and_cleared() {
    let mut bench = bench();
    let routing = json!({ "AdditionalVersionWeights": { "2": 0.2 } });
    let created =
        create(&mut bench, &json!({ "Name": "live", "FunctionVersion": "1", "RoutingConfig": routing }));
    // [R] test_alias_lifecycle: create_alias_1_1, update_alias_1_1.
    assert_eq!(created.body["RoutingConfig"], routing);
    let cleared = bench.lambda("PUT", LIVE, &json!({ "RoutingConfig": {} }));
    assert_eq!(cleared.body.get("RoutingConfig"), None);
}

#[test]
fn lists_are_of_a_function_or_of_a_version() {
    let mut bench = bench();
    for (name, version) in [("a", "1"), ("b", "2"), ("c", "1")] {
        create(&mut bench, &json!({ "Name": name, "FunctionVersion": version }));
    }
    let names = |answered: Answered| -> Vec<String> {
        let aliases = answered.body["Aliases"].as_array().unwrap().clone();
        aliases.iter().map(|alias| alias["Name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(get(&mut bench, ALIASES)), ["a", "b", "c"]);
    // [R] test_alias_lifecycle: list_aliases_for_version.
    assert_eq!(names(get(&mut bench, &format!("{ALIASES}?FunctionVersion=1"))), ["a", "c"]);
}
