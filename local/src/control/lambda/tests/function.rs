//! Creating, reading, listing, deleting; tags and concurrency.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{FUNCTION_ARN, configuration, delete, get, publish, revision};
use crate::control::bench::{Bench, ROLE, create_function, zip_of};

#[test]
fn a_new_function_is_pending_then_active_and_its_revision_moves_by_itself() {
    let mut bench = Bench::new();
    let created = bench.lambda("POST", "/2015-03-31/functions", &create_function("f"));
    assert_eq!(created.status, 201);
    // [R] test_function_lifecycle: create_response.
    let zip = zip_of("one");
    let expected = json!({
        "Architectures": ["x86_64"],
        "CodeSha256": STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &zip)),
        "CodeSize": zip.len(), "Description": "", "EphemeralStorage": { "Size": 512 },
        "FunctionArn": FUNCTION_ARN, "FunctionName": "f", "Handler": "bootstrap",
        "LastModified": "2026-05-28T20:26:41.000+0000",
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/f" },
        "MemorySize": 128, "PackageType": "Zip", "RevisionId": created.body["RevisionId"],
        "Role": ROLE, "Runtime": "provided.al2023",
        "RuntimeVersionConfig": created.body["RuntimeVersionConfig"],
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating",
        "Timeout": 3, "TracingConfig": { "Mode": "PassThrough" }, "Version": "$LATEST",
    });
    assert_eq!(created.body, expected);
    bench.advance(199);
    assert_eq!(configuration(&mut bench, "f")["State"], "Pending");
    bench.advance(1);
    // [R] test_function_lifecycle: get_function_response.
    let active = configuration(&mut bench, "f");
    assert_eq!((&active["State"], &active["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    assert_eq!(active.get("StateReason"), None);
    assert_ne!(active["RevisionId"], created.body["RevisionId"]);
}

/// A change of a good request, and the refusal: status, code, and what its text contains.
type Refused<'a> = (Value, u16, &'a str, &'a str);

const INVALID: &str = "InvalidParameterValueException";
const VALIDATION: &str = "ValidationException";

fn create_refuses(rows: &[Refused]) {
    let mut bench = Bench::new();
    for (change, status, code, text) in rows {
        let mut body = create_function("f");
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        let answered = bench.lambda("POST", "/2015-03-31/functions", &body);
        assert_eq!((answered.status, answered.code), (*status, *code), "{change}: {}", answered.text);
        assert!(answered.text.contains(text), "{change}: {}", answered.text);
    }
    assert!(bench.world.region("eu-west-1").lambda.functions.is_empty());
}

#[test]
fn create_refuses_bad_names() {
    // [R] test_function_arns.
    let name = |name: &str| json!({ "FunctionName": name });
    let pattern = "at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:";
    create_refuses(&[
        (name(&"a".repeat(65)), 400, INVALID, "Member must have length less than or equal to 64"),
        (name("invalid:function:name"), 400, VALIDATION, pattern),
        (
            name("arn:aws:lambda:ap-southeast-1:000000000000:function:f"),
            404,
            "ResourceNotFoundException",
            "Functions from 'ap-southeast-1' are not reachable in this region ('eu-west-1')",
        ),
        (name("arn:aws:lambda:eu-west-1:123456789012:function:f"), 403, "AccessDeniedException", ""),
        (json!({ "FunctionName": null }), 400, VALIDATION, "Value null at 'functionName'"),
    ]);
}

/// In the order of AWS's own text: \[R\] `invalid_runtime_exc`.
const UNKNOWN_RUNTIME: &str = "Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2] or be a valid ARN";

#[test]
fn create_refuses_bad_runtimes_roles_and_architectures() {
    let runtime = |runtime: &str| json!({ "Runtime": runtime });
    let role = r"1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
    let many = "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1";
    let unknown = "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]";
    let assumed = "The role defined for the function cannot be assumed by Lambda.";
    create_refuses(&[
        // [R] test_create_lambda_exceptions.
        (json!({ "Role": "r1" }), 400, VALIDATION, role),
        (runtime("non-existent-runtime"), 400, INVALID, UNKNOWN_RUNTIME),
        (json!({ "Architectures": ["x86_64", "arm64"] }), 400, VALIDATION, many),
        (json!({ "Architectures": ["X86_64"] }), 400, VALIDATION, unknown),
        // [R] TestRuntimeValidation; nodejs8.10 is the article's.
        (
            runtime("nodejs12.x"),
            400,
            INVALID,
            "The runtime parameter of nodejs12.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.",
        ),
        (runtime("nodejs8.10"), 400, INVALID, "The runtime parameter of nodejs8.10 is no longer supported"),
        (runtime("nodejs14.x"), 400, INVALID, "The runtime parameter of nodejs14.x is no longer supported"),
        (runtime("provided"), 400, INVALID, "The runtime parameter of provided is no longer supported"),
        // aws-facts 3.1 [S][R].
        (json!({ "Role": "arn:aws:iam::000000000000:role/none" }), 400, INVALID, assumed),
    ]);
}

#[test]
fn create_refuses_what_has_a_limit() {
    let variables = |name: &str, value: &str| json!({ "Environment": { "Variables": { name: value } } });
    let big = "x".repeat(4096);
    let timeout = "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1";
    create_refuses(&[
        // [R] test_large_environment_variables_fails: the text shows the values.
        (
            variables("LARGE_VAR", &big),
            400,
            INVALID,
            "exceeded the 4KB limit. String measured: {\"LARGE_VAR\":\"xxxx",
        ),
        // [D] reserved names; [M] the limits of the shapes.
        (variables("AWS_REGION", "x"), 400, INVALID, "Reserved keys used in this request: AWS_REGION"),
        (
            variables("A", "1"),
            400,
            VALIDATION,
            "at 'environment.variables' failed to satisfy constraint: Map keys",
        ),
        (json!({ "Timeout": 0 }), 400, VALIDATION, timeout),
        (json!({ "Timeout": 901 }), 400, VALIDATION, "at 'timeout'"),
        (json!({ "MemorySize": 127 }), 400, VALIDATION, "at 'memorySize'"),
        (json!({ "Description": "x".repeat(257) }), 400, VALIDATION, "at 'description'"),
        (json!({ "Handler": "a b" }), 400, VALIDATION, "at 'handler'"),
        (json!({ "Handler": null }), 400, INVALID, "Runtime and Handler are mandatory parameters"),
        (json!({ "Code": null }), 400, VALIDATION, "Value null at 'code' failed to satisfy constraint"),
        // [R] invalid_zip_exc.
        (
            json!({ "Code": { "ZipFile": STANDARD.encode("no zip") } }),
            400,
            INVALID,
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ),
        // Ours: never accepted and then not there.
        (
            json!({ "VpcConfig": { "SubnetIds": ["subnet-1"] } }),
            400,
            INVALID,
            "The local target has no VpcConfig.",
        ),
        (json!({ "LoggingConfig": { "LogFormat": "JSON" } }), 400, INVALID, "it logs Text"),
        (
            json!({ "LoggingConfig": { "LogFormat": "Text", "SystemLogLevel": "WARN" } }),
            400,
            INVALID,
            "log levels",
        ),
    ]);
}

#[test]
fn a_request_has_a_size() {
    // [R] test_oversized_request_create_lambda.
    let mut bench = Bench::new();
    let mut body = create_function("f");
    body["Description"] = json!("x".repeat(70_167_211));
    let answered = bench.lambda("POST", "/2015-03-31/functions", &body);
    let text = "Request must be smaller than 70167211 bytes for the CreateFunction operation";
    assert_eq!(answered.refusal(), (413, "RequestEntityTooLargeException", text));
}

#[test]
fn a_role_is_assumed_only_when_it_has_spread() {
    let mut bench = Bench::new();
    bench.iam(&[("Action", "DeleteRole"), ("RoleName", "r")]);
    bench.create_role();
    bench.advance(299);
    let answered = bench.lambda("POST", "/2015-03-31/functions", &create_function("f"));
    // aws-facts 0.7 [S][I].
    let text = "The role defined for the function cannot be assumed by Lambda.";
    assert_eq!(answered.refusal(), (400, "InvalidParameterValueException", text));
    bench.advance(1);
    assert_eq!(bench.lambda("POST", "/2015-03-31/functions", &create_function("f")).status, 201);
    // aws-facts 3.1 [B].
    let again = bench.lambda("POST", "/2015-03-31/functions", &create_function("f"));
    assert_eq!(again.refusal(), (409, "ResourceConflictException", "Function already exist: f"));
}

#[test]
fn publishing_with_create_answers_the_version_with_the_functions_arn() {
    let mut bench = Bench::new();
    let mut body = create_function("f");
    body["Publish"] = json!(true);
    let created = bench.lambda("POST", "/2015-03-31/functions", &body).body;
    // [R] test_publish_version_on_create.
    assert_eq!(created["Version"], "1");
    assert_eq!(created["FunctionArn"], FUNCTION_ARN);
    assert_eq!(created["State"], "Pending");
    bench.advance(200);
    let version = configuration(&mut bench, "f:1");
    assert_eq!(version["FunctionArn"], format!("{FUNCTION_ARN}:1"));
    assert_eq!(version["State"], "Active");
    assert_ne!(version["RevisionId"], configuration(&mut bench, "f")["RevisionId"]);
    assert_eq!(publish(&mut bench).body["Version"], "1");
}

#[test]
fn get_function_shows_tags_code_and_concurrency() {
    let mut bench = Bench::new();
    bench.function("f");
    let path = "/2015-03-31/functions/f";
    assert_eq!(get(&mut bench, path).body.get("Tags"), None);
    let tags = format!("/2017-03-31/tags/{FUNCTION_ARN}");
    assert_eq!(bench.lambda("POST", &tags, &json!({ "Tags": { "a": "b" } })).status, 204);
    bench.lambda("PUT", "/2017-10-31/functions/f/concurrency", &json!({ "ReservedConcurrentExecutions": 5 }));
    let shown = get(&mut bench, path).body;
    assert_eq!(shown["Tags"], json!({ "a": "b" }));
    assert_eq!(shown["Code"]["RepositoryType"], "S3");
    assert_eq!(shown["Concurrency"], json!({ "ReservedConcurrentExecutions": 5 }));
    // aws-facts 3.6 [S].
    assert_eq!(get(&mut bench, "/2015-03-31/functions/f?Qualifier=$LATEST").body.get("Concurrency"), None);
}

#[test]
fn what_is_deleted_is_gone() {
    let mut bench = Bench::new();
    bench.function("f");
    publish(&mut bench);
    bench.lambda(
        "POST",
        "/2015-03-31/functions/f/aliases",
        &json!({ "Name": "live", "FunctionVersion": "1" }),
    );
    let path = "/2015-03-31/functions/f";
    let rows = [
        // [R] test_ops_with_arn_qualifier_mismatch, qualifier_too_long1-delete_function.
        ("?Qualifier=$LATEST", 400, "$LATEST version cannot be deleted without deleting the function."),
        ("?Qualifier=live", 400, "Deletion of aliases is not currently supported."),
        // [D] API reference of DeleteFunction: a version that an alias references stays.
        ("?Qualifier=1", 409, "Unable to delete version because the following aliases reference it: [live]"),
        // [R] test_delete_on_nonexisting_version: no error.
        ("?Qualifier=1233", 204, ""),
    ];
    for (query, status, text) in rows {
        let answered = delete(&mut bench, &format!("{path}{query}"));
        assert_eq!((answered.status, answered.text.as_str()), (status, text), "{query}");
    }
    assert_eq!(delete(&mut bench, path).status, 204);
    let text = format!("Function not found: {FUNCTION_ARN}");
    // [R] delete_postdelete: the text's member is `Message`.
    let gone = delete(&mut bench, path);
    assert_eq!(gone.refusal(), (404, "ResourceNotFoundException", text.as_str()));
    assert_eq!(gone.body, json!({ "Type": "User", "Message": text }));
    assert_eq!(get(&mut bench, "/2015-03-31/functions/f?Qualifier=live").text, format!("{text}:live"));
}

#[test]
fn lists_are_paged_and_show_no_state() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.function(name);
    }
    let first = get(&mut bench, "/2015-03-31/functions/?MaxItems=2").body;
    assert_eq!(first["Functions"].as_array().unwrap().len(), 2);
    // [R] test_list_functions: list_default.
    assert_eq!(first["Functions"][0]["FunctionArn"], "arn:aws:lambda:eu-west-1:000000000000:function:a");
    for member in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
        assert_eq!(first["Functions"][0].get(member), None, "{member}");
    }
    let marker = first["NextMarker"].as_str().unwrap().replace('=', "%3D");
    let second = get(&mut bench, &format!("/2015-03-31/functions/?MaxItems=2&Marker={marker}")).body;
    assert_eq!(second["Functions"][0]["FunctionName"], "c");
    assert_eq!(second.get("NextMarker"), None);
    // [R] list_all, list_functions_invalid_functionversion.
    let all = get(&mut bench, "/2015-03-31/functions/?FunctionVersion=ALL").body;
    assert_eq!(
        all["Functions"][0]["FunctionArn"],
        "arn:aws:lambda:eu-west-1:000000000000:function:a:$LATEST"
    );
    let invalid = get(&mut bench, "/2015-03-31/functions/?FunctionVersion=invalid");
    let text = "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]";
    assert_eq!(invalid.refusal(), (400, "ValidationException", text));
}

#[test]
fn tags_are_on_the_function_only_and_move_its_revision() {
    let mut bench = Bench::new();
    bench.function("f");
    let path = format!("/2017-03-31/tags/{FUNCTION_ARN}");
    let before = revision(&mut bench);
    assert_eq!(bench.lambda("POST", &path, &json!({ "Tags": { "a": "1", "b": "2" } })).status, 204);
    // [R] test_tag_lifecycle: the revision of get_function moves.
    assert_ne!(revision(&mut bench), before);
    assert_eq!(delete(&mut bench, &format!("{path}?tagKeys=a&tagKeys=c")).status, 204);
    assert_eq!(get(&mut bench, &path).body, json!({ "Tags": { "b": "2" } }));
    let many: Value =
        (0..50).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    let rows = [
        // [R] TestLambdaTags.
        (
            format!("{path}:live"),
            json!({ "a": "b" }),
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        ),
        (path.clone(), json!({}), "An error occurred and the request cannot be processed."),
        (path.clone(), many, "Number of tags exceeds resource tag limit."),
    ];
    for (path, tags, text) in rows {
        let answered = bench.lambda("POST", &path, &json!({ "Tags": tags }));
        assert_eq!(answered.refusal(), (400, "InvalidParameterValueException", text));
    }
    let text = "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null";
    assert_eq!(delete(&mut bench, &path).refusal(), (400, "ValidationException", text));
    let invalid = get(&mut bench, "/2017-03-31/tags/arn:aws:something");
    assert!(invalid.text.contains("Value 'arn:aws:something' at 'resource'"), "{}", invalid.text);
}

#[test]
fn reserved_concurrency_leaves_a_hundred() {
    let mut bench = Bench::new();
    bench.function("f");
    let put = |bench: &mut Bench, name: &str, number: i64| {
        let path = format!("/2017-10-31/functions/{name}/concurrency");
        bench.lambda("PUT", &path, &json!({ "ReservedConcurrentExecutions": number }))
    };
    assert_eq!(put(&mut bench, "f", 900).status, 200);
    // [R] TestLambdaReservedConcurrency.
    let rows = [
        (
            "f",
            901,
            400,
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
        ),
        ("none", 1, 404, "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:none:$LATEST"),
        (
            "f:live",
            1,
            400,
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
        ),
    ];
    for (name, number, status, text) in rows {
        let answered = put(&mut bench, name, number);
        assert_eq!((answered.status, answered.text.as_str()), (status, text));
    }
    assert_eq!(
        get(&mut bench, "/2019-09-30/functions/f/concurrency").body,
        json!({ "ReservedConcurrentExecutions": 900 })
    );
    assert_eq!(delete(&mut bench, "/2017-10-31/functions/f/concurrency").status, 204);
    assert_eq!(get(&mut bench, "/2019-09-30/functions/f/concurrency").body, json!({}));
}
