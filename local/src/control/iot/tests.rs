//! What the IoT control plane answers. Beside each expected value: its source. \[M\] is the model, \[D\] AWS's
//! documentation, \[S\] another deployer, [open N] question N of aws-facts 12, whose answer is a switch.

use bytes::Bytes;
use serde_json::{Value, json};

use super::signature;
use crate::control::bench::{Answered, Bench, create_function};
use crate::lambda_host::{Invocation, Invoked};
use crate::switches::{
    Check, DeactivateDefault, DeleteRefusal, FunctionAsSource, KeysOnUpdate, QualifiedFunction,
    SetDefaultAgain, TestInvoke,
};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:f";
const ARN: &str = "arn:aws:iot:eu-west-1:000000000000:authorizer/a";
const PATH: &str = "/authorizer/a";
const TEST: &str = "/authorizer/a/test";

mod vector;
use vector::{KEY, KEY_1024, KEY_EC, KEY_PKCS1, SIGNATURE, TOKEN};

fn create(bench: &mut Bench, name: &str, change: &Value) -> Answered {
    let mut body = json!({
        "authorizerFunctionArn": FUNCTION, "tokenKeyName": "token", "status": "ACTIVE",
        "tokenSigningPublicKeys": { "key-1": KEY },
    });
    for (member, value) in change.as_object().into_iter().flatten() {
        body[member] = value.clone();
    }
    bench.iot("POST", &format!("/authorizer/{name}"), &body)
}

/// A function for this machine and the active authorizer `a`.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let mut body = create_function("f");
    body["Architectures"] = json!([crate::control::lambda::Architecture::of_host().unwrap().as_str()]);
    assert_eq!(bench.lambda("POST", "/2015-03-31/functions", &body).status, 201);
    bench.advance(200);
    let created = create(&mut bench, "a", &Value::Null);
    assert_eq!((created.status, created.body), (200, json!({ "authorizerName": "a", "authorizerArn": ARN })));
    bench
}

fn describe(bench: &mut Bench) -> Value {
    bench.iot("GET", PATH, &Value::Null).body["authorizerDescription"].clone()
}

fn set_status(bench: &mut Bench, status: &str) -> Answered {
    bench.iot("PUT", PATH, &json!({ "status": status }))
}

#[test]
fn a_description_has_every_member_and_no_tags() {
    let mut bench = bench();
    bench.advance(500);
    bench.iot("PUT", PATH, &json!({ "enableCachingForHttp": true }));
    // [M] AuthorizerDescription; times are epoch seconds in rest-json bodies.
    let expected = json!({
        "authorizerName": "a", "authorizerArn": ARN, "authorizerFunctionArn": FUNCTION,
        "tokenKeyName": "token", "tokenSigningPublicKeys": { "key-1": KEY }, "status": "ACTIVE",
        "creationDate": 1_780_000_001.2, "lastModifiedDate": 1_780_000_001.7,
        "signingDisabled": false, "enableCachingForHttp": true,
    });
    assert_eq!(describe(&mut bench), expected);
}

#[test]
fn what_create_refuses() {
    let mut bench = bench();
    let alias = format!("{FUNCTION}:live");
    let none = "arn:aws:lambda:eu-west-1:000000000000:function:none";
    let invalid = (400, "InvalidRequestException");
    let rows = [
        // [M] the constraints of aws-facts 1.2.
        (
            "a.b",
            json!({}),
            invalid,
            r"at 'authorizerName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w=,@-]+",
        ),
        (&"a".repeat(129), json!({}), invalid, "at 'authorizerName'"),
        ("b", json!({ "tokenKeyName": "a b" }), invalid, "at 'tokenKeyName'"),
        ("b", json!({ "tokenKeyName": "" }), invalid, "at 'tokenKeyName'"),
        ("b", json!({ "status": "active" }), invalid, "at 'status'"),
        ("b", json!({ "tokenSigningPublicKeys": { "a.b": KEY } }), invalid, "at 'tokenSigningPublicKeys'"),
        (
            "b",
            json!({ "tokenSigningPublicKeys": { "k": "x".repeat(5121) } }),
            invalid,
            "at 'tokenSigningPublicKeys'",
        ),
        ("b", json!({ "tags": [{ "Key": "a,b", "Value": "" }] }), invalid, "at 'tags.key'"),
        ("b", json!({ "authorizerFunctionArn": null }), invalid, "authorizerFunctionArn is missing"),
        // [I] aws-cdk#11963; [D] both are required with signing.
        (
            "b",
            json!({ "tokenSigningPublicKeys": {} }),
            invalid,
            "Invalid request provided: Token signing keys map for authorizer b cannot be nu",
        ),
        ("b", json!({ "tokenSigningPublicKeys": null }), invalid, "Token signing keys map for authorizer b"),
        ("b", json!({ "tokenKeyName": null }), invalid, "Token key name for authorizer b"),
        // [open 4].
        (
            "b",
            json!({ "tokenSigningPublicKeys": { "k": KEY_PKCS1 } }),
            invalid,
            "token signing key k is not an RSA public key",
        ),
        ("b", json!({ "tokenSigningPublicKeys": { "k": KEY_1024 } }), invalid, "token signing key k"),
        ("b", json!({ "tokenSigningPublicKeys": { "k": KEY_EC } }), invalid, "token signing key k"),
        ("b", json!({ "authorizerFunctionArn": none }), invalid, "does not exist"),
        ("b", json!({ "authorizerFunctionArn": alias }), invalid, "does not exist"),
        ("b", json!({ "authorizerFunctionArn": "f" }), invalid, "not one of Lambda"),
        // [M] 409 with the resource.
        ("a", json!({}), (409, "ResourceAlreadyExistsException"), "already exists"),
    ];
    for (name, change, expected, text) in rows {
        let answered = create(&mut bench, name, &change);
        assert_eq!((answered.status, answered.code), expected, "{name} {change}: {}", answered.text);
        assert!(answered.text.contains(text), "{name} {change}: {}", answered.text);
    }
    let there = create(&mut bench, "a", &json!({})).body;
    assert_eq!(there, json!({ "resourceId": "a", "resourceArn": ARN }));
}

#[test]
fn names_and_keys_may_be_unusual() {
    let mut bench = bench();
    // [M] `=`, `,` and `@` are legal, percent-encoded in the path.
    assert_eq!(create(&mut bench, "x%3D%2C%40y", &json!({})).body["authorizerName"], "x=,@y");
    // [S] a PEM body on one line, without a last line feed, is taken.
    let body: String = KEY.lines().filter(|line| !line.starts_with("---")).collect();
    let one_line = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
    assert_eq!(
        create(&mut bench, "one", &json!({ "tokenSigningPublicKeys": { "k": one_line } })).status,
        200
    );
    // [D] without signing, neither is needed.
    let unsigned = json!({ "signingDisabled": true, "tokenSigningPublicKeys": null, "tokenKeyName": null });
    assert_eq!(create(&mut bench, "unsigned", &unsigned).status, 200);
}

#[test]
fn updates_change_what_they_name_and_never_signing() {
    let mut bench = bench();
    let update = json!({ "tokenKeyName": "t2", "signingDisabled": true });
    assert_eq!(bench.iot("PUT", PATH, &update).status, 200);
    let shown = describe(&mut bench);
    assert_eq!((&shown["tokenKeyName"], &shown["signingDisabled"]), (&json!("t2"), &json!(false)));
    assert_eq!(shown["tokenSigningPublicKeys"], json!({ "key-1": KEY }));
    let empty = bench.iot("PUT", PATH, &json!({ "tokenSigningPublicKeys": {} }));
    assert_eq!((empty.status, empty.code), (400, "InvalidRequestException"));
    let missing = bench.iot("PUT", "/authorizer/none", &json!({}));
    assert_eq!((missing.status, missing.code), (404, "ResourceNotFoundException"));
    // [open 5].
    for (switch, names) in
        [(KeysOnUpdate::Replace, vec!["key-2"]), (KeysOnUpdate::Merge, vec!["key-2", "key-3"])]
    {
        bench.options.switches.keys_on_update = switch;
        let name = *names.last().unwrap();
        bench.iot("PUT", PATH, &json!({ "tokenSigningPublicKeys": { name: KEY } }));
        let shown = describe(&mut bench);
        let found: Vec<&String> = shown["tokenSigningPublicKeys"].as_object().unwrap().keys().collect();
        assert_eq!(found, names, "{switch:?}");
    }
}

#[test]
fn only_an_inactive_one_that_is_not_the_default_is_deleted() {
    let mut bench = bench();
    // [D] INACTIVE first; [open 2] the code.
    let refused = bench.iot("DELETE", PATH, &Value::Null);
    assert_eq!((refused.status, refused.code), (409, "DeleteConflictException"));
    bench.options.switches.delete_refusal = DeleteRefusal::InvalidRequest;
    let refused = bench.iot("DELETE", PATH, &Value::Null);
    assert_eq!((refused.status, refused.code), (400, "InvalidRequestException"));
    bench.iot("POST", "/default-authorizer", &json!({ "authorizerName": "a" }));
    // [open 3].
    let refused = set_status(&mut bench, "INACTIVE");
    assert_eq!((refused.status, refused.code), (400, "InvalidRequestException"));
    bench.options.switches.deactivate_default = DeactivateDefault::Allow;
    assert_eq!(set_status(&mut bench, "INACTIVE").status, 200);
    assert_eq!(bench.iot("DELETE", PATH, &Value::Null).status, 400);
    bench.iot("DELETE", "/default-authorizer", &Value::Null);
    assert_eq!(bench.iot("DELETE", PATH, &Value::Null).status, 200);
    let gone = bench.iot("GET", PATH, &Value::Null);
    assert_eq!((gone.status, gone.code), (404, "ResourceNotFoundException"));
}

#[test]
fn the_default_is_one_slot() {
    let mut bench = bench();
    create(&mut bench, "b", &Value::Null);
    create(&mut bench, "idle", &json!({ "status": "INACTIVE" }));
    let set = |bench: &mut Bench, name: &str| {
        bench.iot("POST", "/default-authorizer", &json!({ "authorizerName": name }))
    };
    // aws-facts 1.4: 404 is "none".
    assert_eq!(bench.iot("GET", "/default-authorizer", &Value::Null).status, 404);
    assert_eq!(bench.iot("DELETE", "/default-authorizer", &Value::Null).status, 404);
    assert_eq!(set(&mut bench, "none").status, 404);
    assert_eq!(set(&mut bench, "idle").status, 400);
    assert_eq!(set(&mut bench, "a").body, json!({ "authorizerName": "a", "authorizerArn": ARN }));
    // [open 1]: the same name as well.
    for name in ["a", "b"] {
        let refused = set(&mut bench, name);
        assert_eq!((refused.status, refused.code), (409, "ResourceAlreadyExistsException"));
    }
    bench.options.switches.set_default_again = SetDefaultAgain::RefuseOther;
    assert_eq!((set(&mut bench, "a").status, set(&mut bench, "b").status), (200, 409));
    bench.options.switches.set_default_again = SetDefaultAgain::Overwrite;
    assert_eq!(set(&mut bench, "b").status, 200);
    let shown = bench.iot("GET", "/default-authorizer", &Value::Null).body;
    // [M] nested, unlike the CLI manual's example.
    assert_eq!(shown["authorizerDescription"]["authorizerName"], "b");
    assert_eq!(bench.iot("DELETE", "/default-authorizer", &Value::Null).status, 200);
}

#[test]
fn lists_are_paged_in_both_orders_and_by_status() {
    let mut bench = bench();
    create(&mut bench, "b", &json!({ "status": "INACTIVE" }));
    create(&mut bench, "c", &Value::Null);
    let names = |body: &Value| -> Vec<String> {
        let list = body["authorizers"].as_array().unwrap();
        list.iter().map(|one| one["authorizerName"].as_str().unwrap().to_owned()).collect()
    };
    let mut get = |query: &str| bench.iot("GET", &format!("/authorizers/{query}"), &Value::Null);
    let first = get("?pageSize=2").body;
    assert_eq!(names(&first), ["a", "b"]);
    let marker = first["nextMarker"].as_str().unwrap().replace('=', "%3D");
    let second = get(&format!("?pageSize=2&marker={marker}")).body;
    assert_eq!((names(&second), second.get("nextMarker")), (vec!["c".to_owned()], None));
    assert_eq!(names(&get("?isAscendingOrder=false").body), ["c", "b", "a"]);
    assert_eq!(names(&get("?status=ACTIVE").body), ["a", "c"]);
    // [M] 1 to 250.
    assert_eq!(get("?pageSize=251").status, 400);
    // [M] summaries have name and ARN alone.
    assert_eq!(first["authorizers"][0], json!({ "authorizerName": "a", "authorizerArn": ARN }));
}

#[test]
fn quotas_are_410() {
    let mut bench = bench();
    bench.options.switches.active_authorizers_max = 1;
    let refused = create(&mut bench, "b", &Value::Null);
    // [M] LimitExceededException.
    assert_eq!((refused.status, refused.code), (410, "LimitExceededException"));
    assert_eq!(create(&mut bench, "b", &json!({ "status": "INACTIVE" })).status, 200);
    assert_eq!(bench.iot("PUT", "/authorizer/b", &json!({ "status": "ACTIVE" })).status, 410);
    bench.options.switches.authorizers_max = 2;
    assert_eq!(create(&mut bench, "c", &json!({ "status": "INACTIVE" })).status, 410);
    // [open 5]
    let keys = bench.iot("GET", "/authorizer/a", &Value::Null).body;
    let key = &keys["authorizerDescription"]["tokenSigningPublicKeys"]["key-1"];
    let two = json!({ "tokenSigningPublicKeys": { "key-1": key, "key-2": key } });
    bench.options.switches.signing_keys_max = 1;
    assert_eq!(bench.iot("PUT", "/authorizer/a", &two).code, "LimitExceededException");
    bench.options.switches.signing_keys_max = 2;
    assert_eq!(bench.iot("PUT", "/authorizer/a", &two).status, 200);
}

#[test]
fn tags_are_paged() {
    let mut bench = bench();
    bench.options.page_size = 1;
    let tags = json!({ "tags": [{ "Key": "x", "Value": "1" }, { "Key": "y", "Value": "2" }] });
    create(&mut bench, "b", &tags);
    let path = "/tags?resourceArn=arn:aws:iot:eu-west-1:000000000000:authorizer/b";
    let first = bench.iot("GET", path, &Value::Null).body;
    assert_eq!(first["tags"], json!([{ "Key": "x", "Value": "1" }]));
    let next = first["nextToken"].as_str().unwrap();
    let second = bench.iot("GET", &format!("{path}&nextToken={next}"), &Value::Null).body;
    assert_eq!(second, json!({ "tags": [{ "Key": "y", "Value": "2" }] }));
    assert_eq!(bench.iot("GET", &format!("{path}&nextToken=!"), &Value::Null).status, 400);
}

#[test]
fn tags_come_with_create_and_change_by_arn() {
    let mut bench = bench();
    create(&mut bench, "b", &json!({ "tags": [{ "Key": "a", "Value": "1" }] }));
    let arn = "arn:aws:iot:eu-west-1:000000000000:authorizer/b";
    bench.iot(
        "POST",
        "/tags",
        &json!({ "resourceArn": arn, "tags": [{ "Key": "thinggate:stack", "Value": "n@r" }] }),
    );
    let list = |bench: &mut Bench| bench.iot("GET", &format!("/tags?resourceArn={arn}"), &Value::Null).body;
    let expected = json!([{ "Key": "a", "Value": "1" }, { "Key": "thinggate:stack", "Value": "n@r" }]);
    assert_eq!(list(&mut bench)["tags"], expected);
    bench.iot("POST", "/untag", &json!({ "resourceArn": arn, "tagKeys": ["a", "none"] }));
    assert_eq!(list(&mut bench)["tags"], json!([{ "Key": "thinggate:stack", "Value": "n@r" }]));
    let missing = bench.iot(
        "GET",
        "/tags?resourceArn=arn:aws:iot:eu-west-1:000000000000:authorizer/none",
        &Value::Null,
    );
    assert_eq!((missing.status, missing.code), (404, "ResourceNotFoundException"));
    assert_eq!(bench.iot("GET", "/tags?resourceArn=x", &Value::Null).code, "InvalidRequestException");
}

#[test]
fn endpoints_are_by_type() {
    let mut bench = bench();
    // The -ats name is the project's contract; the others have AWS's forms [D].
    for (kind, address) in [
        ("?endpointType=iot:Data-ATS", "thinggatelocal-ats.iot.eu-west-1.amazonaws.com"),
        ("?endpointType=iot:Data", "thinggatelocal.iot.eu-west-1.amazonaws.com"),
        ("", "thinggatelocal.iot.eu-west-1.amazonaws.com"),
        ("?endpointType=iot:CredentialProvider", "thinggatelocal.credentials.iot.eu-west-1.amazonaws.com"),
        ("?endpointType=iot:Jobs", "thinggatelocal.jobs.iot.eu-west-1.amazonaws.com"),
    ] {
        let shown = bench.iot("GET", &format!("/endpoint{kind}"), &Value::Null).body;
        assert_eq!(shown, json!({ "endpointAddress": address }));
    }
    assert_eq!(bench.iot("GET", "/endpoint?endpointType=x", &Value::Null).status, 400);
}

#[test]
fn switches_of_question_four_and_twelve_are_turned() {
    let mut bench = bench();
    bench.options.switches.signing_keys = Check::Unchecked;
    assert_eq!(create(&mut bench, "b", &json!({ "tokenSigningPublicKeys": { "k": KEY_PKCS1 } })).status, 200);
    bench.options.switches.function_existence = Check::Unchecked;
    let qualified = json!({ "authorizerFunctionArn": format!("{FUNCTION}:live") });
    assert_eq!(create(&mut bench, "c", &qualified).status, 200);
    bench.options.switches.qualified_function = QualifiedFunction::Refuse;
    assert_eq!(create(&mut bench, "d", &qualified).status, 400);
}

/// Lets AWS IoT invoke `f` for `source`.
fn permit(bench: &mut Bench, source: &str) {
    let permission = json!({
        "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "iot.amazonaws.com",
        "SourceArn": source, "SourceAccount": "000000000000",
    });
    assert_eq!(bench.lambda("POST", "/2015-03-31/functions/f/policy", &permission).status, 201);
}

fn signed() -> Value {
    json!({ "token": TOKEN, "tokenSignature": SIGNATURE })
}

#[test]
fn a_test_goes_the_way_of_a_device() {
    let mut bench = bench();
    let refused = |bench: &mut Bench, body: &Value, text: &str| {
        let answered = bench.iot("POST", TEST, body);
        assert_eq!((answered.status, answered.code), (400, "InvalidRequestException"), "{}", answered.text);
        assert!(answered.text.contains(text), "{}", answered.text);
    };
    // aws-facts 0.4, 11.6: without the permission it shows here.
    refused(&mut bench, &signed(), "may not invoke");
    permit(&mut bench, FUNCTION);
    // [open 11] the function as source.
    refused(&mut bench, &signed(), "may not invoke");
    bench.options.switches.function_as_source = FunctionAsSource::Accept;
    assert!(bench.iot("POST", TEST, &signed()).run.is_some());
    bench.options.switches.function_as_source = FunctionAsSource::Refuse;
    bench.lambda("DELETE", "/2015-03-31/functions/f/policy/s", &Value::Null);
    permit(&mut bench, ARN);
    refused(&mut bench, &json!({ "token": TOKEN }), "needs a token and its signature");
    let wrong = json!({ "token": format!("{TOKEN}x"), "tokenSignature": SIGNATURE });
    refused(&mut bench, &wrong, "does not verify");
    // [M] the pattern of tokenSignature: no base64url, no line feed.
    refused(&mut bench, &json!({ "token": TOKEN, "tokenSignature": "a-b_" }), "at 'tokenSignature'");
    refused(&mut bench, &json!({ "token": TOKEN, "tokenSignature": "ab\ncd" }), "at 'tokenSignature'");
    refused(&mut bench, &json!({ "token": "x".repeat(6145), "tokenSignature": "ab" }), "at 'token'");
    // [open 7].
    bench.options.switches.test_with_wrong_signature = TestInvoke::Run;
    let run = bench.iot("POST", TEST, &wrong).run.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&run.event).unwrap()["signatureVerified"], false);
    set_status(&mut bench, "INACTIVE");
    refused(&mut bench, &signed(), "is INACTIVE");
    bench.options.switches.test_of_inactive = TestInvoke::Run;
    assert!(bench.iot("POST", TEST, &signed()).run.is_some());
}

#[test]
fn the_event_is_the_token_and_the_given_contexts() {
    let mut bench = bench();
    permit(&mut bench, ARN);
    let event = |bench: &mut Bench, body: &Value| -> Value {
        let run = bench.iot("POST", TEST, body).run.unwrap();
        // aws-facts 1.5 [D]: 5 s, whatever the function's own timeout is.
        assert_eq!(run.limit, std::time::Duration::from_secs(5));
        serde_json::from_slice(&run.event).unwrap()
    };
    // aws-facts 0.10 [D][V].
    assert_eq!(event(&mut bench, &signed()), json!({ "token": TOKEN, "signatureVerified": true }));
    let mut body = signed();
    body["httpContext"] = json!({ "headers": { "x": "y" }, "queryString": "?a=b" });
    body["mqttContext"] = json!({ "username": "u", "password": "cA==", "clientId": "c" });
    body["tlsContext"] = json!({ "serverName": "s" });
    // aws-facts 2.6 [D].
    let expected = json!({
        "token": TOKEN, "signatureVerified": true, "protocols": ["tls", "http", "mqtt"],
        "protocolData": {
            "tls": { "serverName": "s" },
            "http": { "headers": { "x": "y" }, "queryString": "?a=b" },
            "mqtt": { "username": "u", "password": "cA==", "clientId": "c" },
        },
    });
    assert_eq!(event(&mut bench, &body), expected);
}

#[test]
fn a_malformed_answer_is_an_invalid_response() {
    let mut bench = bench();
    permit(&mut bench, ARN);
    let mut end = |invoked: Invoked| {
        let run = bench.iot("POST", TEST, &signed()).run.unwrap();
        let (request_id, stream) = (String::new(), String::new());
        let answer =
            (run.answer)(Invocation { invoked, request_id, stream, lines: Vec::new(), started: true });
        answer.map_or_else(Answered::from, |response| Answered::of(&response))
    };
    let document = json!({ "Version": "2012-10-17", "Statement": [] });
    let good = json!({
        "isAuthenticated": true, "principalId": "p", "disconnectAfterInSeconds": 300,
        "refreshAfterInSeconds": 300, "policyDocuments": [document],
    });
    let answered = |value: &Value| Invoked::Answered(Bytes::from(value.to_string()));
    // [M] TestInvokeAuthorizerResponse: documents are strings.
    let expected = json!({
        "isAuthenticated": true, "principalId": "p", "disconnectAfterInSeconds": 300,
        "refreshAfterInSeconds": 300, "policyDocuments": [document.to_string()],
    });
    assert_eq!(end(answered(&good)).body, expected);
    assert_eq!(end(answered(&json!({ "isAuthenticated": false }))).body, json!({ "isAuthenticated": false }));
    // [M] InvalidResponseException 400.
    for invoked in [
        answered(&json!({ "isAuthenticated": true })),
        Invoked::TimedOut,
        Invoked::Throttled,
        Invoked::Crashed("x".to_owned()),
        Invoked::Failed { kind: "E".to_owned(), message: "m".to_owned() },
    ] {
        let refused = end(invoked);
        assert_eq!((refused.status, refused.code), (400, "InvalidResponseException"));
    }
}

#[test]
fn a_signature_is_verified_over_the_tokens_bytes() {
    let keys = [("k".to_owned(), KEY.to_owned())].into();
    assert!(signature::verify(&keys, TOKEN, SIGNATURE));
    // aws-facts 11.1 to 11.3: a line feed in the token, another alphabet, a cut signature.
    assert!(!signature::verify(&keys, &format!("{TOKEN}\n"), SIGNATURE));
    assert!(!signature::verify(&keys, TOKEN, &SIGNATURE.replace('/', "_").replace('+', "-")));
    assert!(!signature::verify(&keys, TOKEN, &SIGNATURE[..64]));
    assert!(!signature::verify(&[("k".to_owned(), KEY_PKCS1.to_owned())].into(), "other", SIGNATURE));
    assert!(!signature::verify(&std::collections::BTreeMap::new(), TOKEN, SIGNATURE));
    // The second of two keys is as good as the first: rotation.
    let two = [("a".to_owned(), KEY_EC.to_owned()), ("b".to_owned(), KEY.to_owned())].into();
    assert!(signature::verify(&two, TOKEN, SIGNATURE));
}
