//! Resource policies: what the calls answer, and whom the result lets through.

use serde_json::{Value, json};

use super::{FUNCTION_ARN, configuration, delete, get, publish, released, revision};
use crate::control::bench::{Answered, Bench, REGION};
use crate::control::lambda::may_invoke;

const POLICY: &str = "/2015-03-31/functions/f/policy";
const AUTHORIZER: &str = "arn:aws:iot:eu-west-1:000000000000:authorizer/a";
const ACCOUNT: &str = "000000000000";

fn statement() -> Value {
    json!({
        "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "iot.amazonaws.com",
        "SourceArn": AUTHORIZER, "SourceAccount": ACCOUNT,
    })
}

fn add(bench: &mut Bench, query: &str, change: &Value) -> Answered {
    let mut body = statement();
    for (member, value) in change.as_object().into_iter().flatten() {
        body[member] = value.clone();
    }
    bench.lambda("POST", &format!("{POLICY}{query}"), &body)
}

fn parsed(answered: &Answered, member: &str) -> Value {
    serde_json::from_str(answered.body[member].as_str().unwrap()).unwrap()
}

#[test]
fn a_statement_is_as_aws_writes_it() {
    let mut bench = released();
    let added = add(&mut bench, "?Qualifier=live", &Value::Null);
    assert_eq!(added.status, 201);
    // aws-facts 3.5 [D][R]: key spelling, the qualifier in the resource.
    let expected = json!({
        "Sid": "s", "Effect": "Allow", "Principal": { "Service": "iot.amazonaws.com" },
        "Action": "lambda:InvokeFunction", "Resource": format!("{FUNCTION_ARN}:live"),
        "Condition": {
            "StringEquals": { "AWS:SourceAccount": ACCOUNT }, "ArnLike": { "AWS:SourceArn": AUTHORIZER },
        },
    });
    assert_eq!(parsed(&added, "Statement"), expected);
    // [R] test_add_lambda_permission_aws: the order of the members.
    let text = added.body["Statement"].as_str().unwrap();
    let order: Vec<usize> =
        ["\"Sid\"", "\"Effect\"", "\"Principal\"", "\"Action\"", "\"Resource\"", "\"Condition\""]
            .iter()
            .map(|member| text.find(member).unwrap())
            .collect();
    assert!(order.is_sorted(), "{text}");
    let policy = get(&mut bench, &format!("{POLICY}?Qualifier=live"));
    let expected = json!({ "Version": "2012-10-17", "Id": "default", "Statement": [expected] });
    assert_eq!(parsed(&policy, "Policy"), expected);
}

#[test]
fn principals_are_services_accounts_identities_or_everybody() {
    // [R] test_add_lambda_permission_fields.
    let user = "arn:aws:iam::111111111111:user/u";
    let rows = [
        ("*", json!("*")),
        ("lambda.amazonaws.com", json!({ "Service": "lambda.amazonaws.com" })),
        ("111111111111", json!({ "AWS": "arn:aws:iam::111111111111:root" })),
        (user, json!({ "AWS": user })),
    ];
    let mut bench = released();
    for (place, (principal, expected)) in rows.into_iter().enumerate() {
        let change = json!({ "StatementId": format!("s{place}"), "Principal": principal });
        assert_eq!(parsed(&add(&mut bench, "", &change), "Statement")["Principal"], expected);
    }
}

#[test]
fn what_is_refused() {
    let mut bench = released();
    add(&mut bench, "", &Value::Null);
    let invalid = "InvalidParameterValueException";
    let missing = "ResourceNotFoundException";
    // [R] test_permission_exceptions.
    let rows = [
        ("", json!({ "StatementId": "example.com" }), (400, "ValidationException", "1 validation error detected: Value 'example.com' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)".to_owned())),
        ("?Qualifier=$LATEST", json!({}), (400, invalid, "We currently do not support adding policies for $LATEST.".to_owned())),
        ("", json!({ "StatementId": "t", "Principal": "invalid.nonaws.com" }), (400, invalid, "The provided principal was invalid. Please check the principal and try again.".to_owned())),
        ("?Qualifier=none", json!({}), (404, missing, format!("Cannot find alias arn: {FUNCTION_ARN}:none"))),
        ("?Qualifier=42", json!({}), (404, missing, format!("Function not found: {FUNCTION_ARN}:42"))),
        ("?Qualifier=valid-with-$-but-doesnotexist", json!({}), (404, missing, format!("Function not found: {FUNCTION_ARN}:valid-with-$-but-doesnotexist"))),
        ("", json!({}), (409, "ResourceConflictException", "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.".to_owned())),
        // [R] test_function_revisions_permissions.
        ("", json!({ "StatementId": "t", "RevisionId": "wrong" }), (412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id".to_owned())),
        // [M] SourceOwner.
        ("", json!({ "StatementId": "t", "SourceAccount": "1" }), (400, "ValidationException", r"1 validation error detected: Value '1' at 'sourceAccount' failed to satisfy constraint: Member must satisfy regular expression pattern: \d{12}".to_owned())),
    ];
    for (query, change, (status, code, text)) in rows {
        assert_eq!(add(&mut bench, query, &change).refusal(), (status, code, text.as_str()), "{change}");
    }
    let wrong = format!(
        "1 validation error detected: Value 'invalid-qualifier-with-?-char' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: {}",
        r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
    );
    let answered = add(&mut bench, "?Qualifier=invalid-qualifier-with-%3F-char", &json!({}));
    assert_eq!(answered.refusal(), (400, "ValidationException", wrong.as_str()));
}

#[test]
fn a_source_is_an_arn_without_wildcards_before_its_resource() {
    // [M] shape Arn; a bucket has neither Region nor account.
    let mut bench = released();
    let rows = [
        ("arn:aws:s3:::bucket", 201),
        ("arn:aws:iot:eu-west-1:000000000000:authorizer/*", 201),
        ("arn:aws:iot:*:000000000000:authorizer/a", 400),
        ("arn:aws:iot:eu-west-1:*:authorizer/a", 400),
        ("arn:aws:iot:eu-west-1", 400),
        ("authorizer/a", 400),
    ];
    for (place, (source, status)) in rows.into_iter().enumerate() {
        let change = json!({ "StatementId": format!("s{place}"), "SourceArn": source });
        assert_eq!(add(&mut bench, "", &change).status, status, "{source}");
    }
}

#[test]
fn what_cannot_be_read_or_removed() {
    let mut bench = released();
    // [R] test_permission_exceptions, test_remove_multi_permissions, get_policy of a version without one.
    let no_policy = "The resource you requested does not exist.";
    assert_eq!(get(&mut bench, POLICY).refusal(), (404, "ResourceNotFoundException", no_policy));
    assert_eq!(get(&mut bench, "/2015-03-31/functions/none/policy").text, no_policy);
    let none = delete(&mut bench, "/2015-03-31/functions/none/policy/s");
    assert_eq!(
        (none.status, none.text.as_str()),
        (404, "No policy found for: arn:aws:lambda:eu-west-1:000000000000:function:none")
    );
    assert_eq!(
        delete(&mut bench, &format!("{POLICY}/s")).text,
        "No policy is associated with the given resource."
    );
    add(&mut bench, "", &Value::Null);
    assert_eq!(
        delete(&mut bench, &format!("{POLICY}/t")).text,
        "Statement t is not found in resource policy."
    );
    let wrong = delete(&mut bench, &format!("{POLICY}/s?RevisionId=wrong"));
    assert_eq!((wrong.status, wrong.code), (412, "PreconditionFailedException"));
    assert_eq!(delete(&mut bench, &format!("{POLICY}/s")).status, 204);
    assert_eq!(get(&mut bench, POLICY).text, no_policy);
}

#[test]
fn the_policy_and_what_it_is_on_share_a_revision_until_one_moves() {
    let mut bench = released();
    let change = json!({ "RevisionId": revision(&mut bench) });
    assert_eq!(add(&mut bench, "", &change).status, 201);
    // [R] test_function_revisions_permissions.
    let policy = get(&mut bench, POLICY).body["RevisionId"].clone();
    assert_eq!(policy, revision(&mut bench));
    // [R] test_lambda_permission_fn_versioning: publishing moves the function's alone.
    bench.lambda("PUT", "/2015-03-31/functions/f/configuration", &json!({ "Timeout": 7 }));
    bench.advance(200);
    publish(&mut bench);
    assert_ne!(revision(&mut bench), policy);
    assert_eq!(get(&mut bench, POLICY).body["RevisionId"], policy);
    assert_eq!(add(&mut bench, "", &json!({ "StatementId": "t", "RevisionId": policy })).status, 201);
    // On an alias it is the alias's.
    let alias = get(&mut bench, "/2015-03-31/functions/f/aliases/live").body["RevisionId"].clone();
    assert_eq!(add(&mut bench, "?Qualifier=live", &json!({ "RevisionId": alias })).status, 201);
    let version = configuration(&mut bench, "f:1")["RevisionId"].clone();
    assert_eq!(add(&mut bench, "?Qualifier=1", &json!({ "RevisionId": version })).status, 201);
    // [R] test_lambda_permission_revisions: get_function_fn9_v1 and the policy report the same.
    let policy = get(&mut bench, &format!("{POLICY}?Qualifier=1")).body["RevisionId"].clone();
    assert_eq!(configuration(&mut bench, "f:1")["RevisionId"], policy);
}

#[test]
fn a_policy_has_a_size() {
    // aws-facts 3.5 [D][M]: 20 KB.
    let mut bench = released();
    let mut last = None;
    for number in 0..100 {
        let answered = add(&mut bench, "", &json!({ "StatementId": format!("{number:0100}") }));
        if answered.status != 201 {
            last = Some((number, answered));
            break;
        }
    }
    let (number, answered) = last.unwrap();
    assert!((30..60).contains(&number), "{number}");
    assert_eq!((answered.status, answered.code), (400, "PolicyLengthExceededException"));
}

/// Whether AWS IoT may invoke `arn` for an authorizer, after one statement was added to a qualifier.
fn allowed(query: &str, change: &Value, arn: &str, source: &str, account: &str) -> bool {
    let mut bench = released();
    assert_eq!(add(&mut bench, query, change).status, 201);
    may_invoke(&bench.world, REGION, arn, "iot.amazonaws.com", source, account)
}

#[test]
fn only_the_right_caller_for_the_right_qualifier_gets_through() {
    let live = format!("{FUNCTION_ARN}:live");
    let other = "arn:aws:iot:eu-west-1:000000000000:authorizer/b";
    let everybody = json!({ "Principal": "*", "SourceArn": null, "SourceAccount": null });
    let rows: Vec<(&str, Value, &str, &str, &str, bool)> = vec![
        // aws-facts 0.4, 3.5, 11.6, 11.7.
        ("?Qualifier=live", json!({}), &live, AUTHORIZER, ACCOUNT, true),
        ("", json!({}), FUNCTION_ARN, AUTHORIZER, ACCOUNT, true),
        ("", json!({}), &live, AUTHORIZER, ACCOUNT, false),
        ("?Qualifier=live", json!({}), FUNCTION_ARN, AUTHORIZER, ACCOUNT, false),
        ("?Qualifier=1", json!({}), &live, AUTHORIZER, ACCOUNT, false),
        ("?Qualifier=live", json!({}), &live, other, ACCOUNT, false),
        ("?Qualifier=live", json!({}), &live, AUTHORIZER, "111111111111", false),
        ("?Qualifier=live", json!({ "Principal": "s3.amazonaws.com" }), &live, AUTHORIZER, ACCOUNT, false),
        ("?Qualifier=live", json!({ "Action": "lambda:GetFunction" }), &live, AUTHORIZER, ACCOUNT, false),
        ("?Qualifier=live", json!({ "Action": "lambda:*" }), &live, AUTHORIZER, ACCOUNT, true),
        // The article's mistake: the function as source.
        ("", json!({ "SourceArn": FUNCTION_ARN }), FUNCTION_ARN, AUTHORIZER, ACCOUNT, false),
        (
            "",
            json!({ "SourceArn": "arn:aws:iot:eu-west-1:000000000000:*" }),
            FUNCTION_ARN,
            other,
            ACCOUNT,
            true,
        ),
        ("", json!({ "SourceArn": "arn:aws:iot:eu-west-1::*" }), FUNCTION_ARN, AUTHORIZER, ACCOUNT, false),
        ("", everybody, FUNCTION_ARN, other, ACCOUNT, true),
        ("", json!({ "EventSourceToken": "t" }), FUNCTION_ARN, AUTHORIZER, ACCOUNT, false),
    ];
    for (query, change, arn, source, account, expected) in rows {
        let found = allowed(query, &change, arn, source, account);
        assert_eq!(found, expected, "{query} {change} {arn} {source}");
    }
}
