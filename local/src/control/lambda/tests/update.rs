//! Updates, versions, and the revisions that move by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{FUNCTION_ARN, configuration, get, publish, revision};
use crate::control::bench::{Answered, Bench, zip_of};

const CODE: &str = "/2015-03-31/functions/f/code";
const CONFIGURATION: &str = "/2015-03-31/functions/f/configuration";

fn update_code(bench: &mut Bench, content: &str) -> Answered {
    bench.lambda("PUT", CODE, &json!({ "ZipFile": STANDARD.encode(zip_of(content)) }))
}

fn update_configuration(bench: &mut Bench, change: &Value) -> Answered {
    bench.lambda("PUT", CONFIGURATION, change)
}

#[test]
fn revisions_are_as_recorded() {
    // [R] test_function_revisions_basic: rev1 to rev6 all differ.
    let mut bench = Bench::new();
    let mut seen = vec![bench.function("f").body["RevisionId"].clone(), revision(&mut bench)];
    seen.push(update_code(&mut bench, "two").body["RevisionId"].clone());
    bench.advance(200);
    seen.push(revision(&mut bench));
    seen.push(update_configuration(&mut bench, &json!({ "Timeout": 5 })).body["RevisionId"].clone());
    bench.advance(200);
    seen.push(revision(&mut bench));
    for (place, one) in seen.iter().enumerate() {
        assert!(one.is_string() && !seen[place + 1..].contains(one), "revision {}", place + 1);
    }
    // The same change again is one more: test_redundant_updates [R].
    let again = update_configuration(&mut bench, &json!({ "Timeout": 5 })).body;
    assert!(!seen.contains(&again["RevisionId"]));
}

#[test]
fn what_the_target_does_not_log_is_refused_and_text_is_taken() {
    let mut bench = Bench::new();
    bench.function("f");
    let format = |format: &str| json!({ "LoggingConfig": { "LogFormat": format } });
    let refused = update_configuration(&mut bench, &format("JSON"));
    assert_eq!((refused.status, refused.code), (400, "InvalidParameterValueException"));
    assert!(refused.text.contains("it logs Text"), "{}", refused.text);
    let expected = json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" });
    assert_eq!(update_configuration(&mut bench, &format("Text")).body["LoggingConfig"], expected);
}

#[test]
fn while_an_update_is_in_progress_the_next_is_refused() {
    let mut bench = Bench::new();
    bench.function("f");
    let updated = update_code(&mut bench, "two").body;
    // [R] test_function_lifecycle: update_code_response.
    assert_eq!(updated["State"], "Active");
    assert_eq!(updated["LastUpdateStatus"], "InProgress");
    assert_eq!(updated["LastUpdateStatusReason"], "The function is being created.");
    assert_eq!(updated["LastUpdateStatusReasonCode"], "Creating");
    // [R] test_lambda_concurrent_code_updates.
    let text = format!(
        "The operation cannot be performed at this time. An update is in progress for resource: {FUNCTION_ARN}"
    );
    let refusal = (409, "ResourceConflictException", text.as_str());
    assert_eq!(update_code(&mut bench, "three").refusal(), refusal);
    assert_eq!(update_configuration(&mut bench, &json!({})).refusal(), refusal);
    assert_eq!(publish(&mut bench).refusal(), refusal);
    bench.advance(200);
    assert_eq!(update_code(&mut bench, "three").status, 200);
}

#[test]
fn a_pending_function_refuses_changes() {
    // aws-facts 3.2 [D].
    let mut bench = Bench::new();
    let body = crate::control::bench::create_function("f");
    bench.lambda("POST", "/2015-03-31/functions", &body);
    for answered in [update_code(&mut bench, "two"), publish(&mut bench)] {
        assert_eq!((answered.status, answered.code), (409, "ResourceConflictException"));
        assert!(answered.text.ends_with("is currently in the following state: Pending"), "{}", answered.text);
    }
}

#[test]
fn a_wrong_revision_changes_nothing() {
    // [R] test_function_revisions_basic, test_function_revisions_version_and_alias.
    let text = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id";
    let mut bench = Bench::new();
    bench.function("f");
    let before = configuration(&mut bench, "f");
    let zip = STANDARD.encode(zip_of("two"));
    let calls = [
        ("PUT", CODE, json!({ "ZipFile": zip, "RevisionId": "wrong" })),
        ("PUT", CONFIGURATION, json!({ "Timeout": 9, "RevisionId": "wrong" })),
        ("POST", "/2015-03-31/functions/f/versions", json!({ "RevisionId": "wrong" })),
    ];
    for (method, path, body) in calls {
        let answered = bench.lambda(method, path, &body);
        assert_eq!(answered.refusal(), (412, "PreconditionFailedException", text), "{path}");
    }
    assert_eq!(configuration(&mut bench, "f"), before);
    let right = json!({ "Timeout": 9, "RevisionId": before["RevisionId"] });
    assert_eq!(update_configuration(&mut bench, &right).status, 200);
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut bench = Bench::new();
    bench.function("f");
    let before = configuration(&mut bench, "f");
    let body = json!({ "ZipFile": STANDARD.encode(zip_of("two")), "DryRun": true });
    assert_eq!(bench.lambda("PUT", CODE, &body).status, 200);
    assert_eq!(configuration(&mut bench, "f"), before);
}

#[test]
fn an_update_replaces_the_environment_and_keeps_the_rest() {
    let mut bench = Bench::new();
    bench.function("f");
    update_configuration(
        &mut bench,
        &json!({ "Environment": { "Variables": { "AA": "1", "BB": "2" } }, "MemorySize": 256, "Description": "d" }),
    );
    bench.advance(200);
    // aws-facts 3.2: "replaces Environment wholesale".
    update_configuration(&mut bench, &json!({ "Environment": { "Variables": { "CC": "3" } } }));
    let shown = configuration(&mut bench, "f");
    assert_eq!(shown["Environment"], json!({ "Variables": { "CC": "3" } }));
    assert_eq!((&shown["MemorySize"], &shown["Description"]), (&json!(256), &json!("d")));
    bench.advance(200);
    let code = json!({ "ZipFile": STANDARD.encode(zip_of("two")), "Architectures": ["arm64"] });
    assert_eq!(bench.lambda("PUT", CODE, &code).body["Architectures"], json!(["arm64"]));
}

#[test]
fn publishing_twice_is_once_until_something_changes() {
    let mut bench = Bench::new();
    bench.function("f");
    let latest = revision(&mut bench);
    let body = json!({ "Description": "First version description :)" });
    let first = bench.lambda("POST", "/2015-03-31/functions/f/versions", &body);
    // [R] test_version_lifecycle.
    assert_eq!(first.status, 201);
    assert_eq!(first.body["Version"], "1");
    assert_eq!(first.body["Description"], "First version description :)");
    assert_eq!(first.body["FunctionArn"], format!("{FUNCTION_ARN}:1"));
    assert_eq!(
        (&first.body["State"], &first.body["LastUpdateStatus"]),
        (&json!("Active"), &json!("Successful"))
    );
    // [R] test_function_revisions_version_and_alias: the revision of $LATEST moves, the version's stays.
    assert_ne!(revision(&mut bench), latest);
    assert_eq!(configuration(&mut bench, "f:1"), first.body);
    assert_eq!(publish(&mut bench).body, first.body);
    update_configuration(&mut bench, &json!({ "Description": "Second version :))" }));
    bench.advance(200);
    let second = publish(&mut bench).body;
    assert_eq!((&second["Version"], &second["Description"]), (&json!("2"), &json!("Second version :))")));
    assert_eq!(publish(&mut bench).body, second);
    // [R] list_versions_result: ARNs with $LATEST and numbers, without state.
    let listed = get(&mut bench, "/2015-03-31/functions/f/versions").body;
    let arns: Vec<&str> = listed["Versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["FunctionArn"].as_str().unwrap())
        .collect();
    assert_eq!(
        arns,
        [format!("{FUNCTION_ARN}:$LATEST"), format!("{FUNCTION_ARN}:1"), format!("{FUNCTION_ARN}:2")]
    );
    assert_eq!(listed["Versions"][0].get("State"), None);
}

#[test]
fn a_wrong_hash_is_not_published() {
    let mut bench = Bench::new();
    bench.function("f");
    let current = configuration(&mut bench, "f")["CodeSha256"].as_str().unwrap().to_owned();
    let body = json!({ "CodeSha256": "somenonexistentsha256" });
    let answered = bench.lambda("POST", "/2015-03-31/functions/f/versions", &body);
    // [R] test_publish_with_wrong_sha256.
    let text = format!(
        "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the CodeSHA256 in $LATEST."
    );
    assert_eq!(answered.refusal(), (400, "InvalidParameterValueException", text.as_str()));
    let body = json!({ "CodeSha256": current });
    assert_eq!(bench.lambda("POST", "/2015-03-31/functions/f/versions", &body).status, 201);
}

#[test]
fn publishing_with_an_update_answers_a_pending_version() {
    let mut bench = Bench::new();
    bench.function("f");
    let body = json!({ "ZipFile": STANDARD.encode(zip_of("two")), "Publish": true });
    let answered = bench.lambda("PUT", CODE, &body).body;
    // [R] test_publish_with_update.
    assert_eq!(answered["Version"], "1");
    assert_eq!(answered["FunctionArn"], format!("{FUNCTION_ARN}:1"));
    assert_eq!((&answered["State"], answered.get("LastUpdateStatus")), (&json!("Pending"), None));
    assert_eq!(configuration(&mut bench, "f")["LastUpdateStatus"], "InProgress");
    bench.advance(200);
    assert_eq!(configuration(&mut bench, "f:1")["State"], "Active");
}

#[test]
fn a_missing_function_is_not_found() {
    // aws-facts 3.2 [R].
    let text = format!("Function not found: {FUNCTION_ARN}");
    let mut bench = Bench::new();
    for answered in
        [update_code(&mut bench, "x"), update_configuration(&mut bench, &json!({})), publish(&mut bench)]
    {
        assert_eq!(answered.refusal(), (404, "ResourceNotFoundException", text.as_str()));
    }
}
