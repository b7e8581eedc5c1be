//! What runs when a function is invoked, and what the caller gets.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{FUNCTION_ARN, publish};
use crate::Response;
use crate::control::bench::{Bench, REGION, ROLE, create_function, zip_of};
use crate::control::lambda::{NotInvokable, resolve};
use crate::lambda_host::{Invocation, Invoked};

const INVOKE: &str = "/2015-03-31/functions/f/invocations";

/// `f` for this machine, Active.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let mut body = create_function("f");
    body["Architectures"] = json!([host()]);
    body["Environment"] = json!({ "Variables": { "SOME_SECRET": "the value" } });
    assert_eq!(bench.lambda("POST", "/2015-03-31/functions", &body).status, 201);
    bench.advance(200);
    bench
}

fn host() -> &'static str {
    crate::control::lambda::Architecture::of_host().unwrap().as_str()
}

fn ended(invoked: Invoked, lines: &[&str]) -> Invocation {
    Invocation {
        invoked,
        request_id: "id".to_owned(),
        stream: String::new(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        started: true,
    }
}

#[test]
fn the_old_code_serves_until_the_update_is_done() {
    // aws-facts 3.2 [D].
    let mut bench = bench();
    let of = |bench: &Bench, arn: &str| resolve(&bench.world, REGION, arn, bench.now).unwrap();
    let old = of(&bench, FUNCTION_ARN);
    assert_eq!((old.version.as_str(), old.timeout), ("$LATEST", Duration::from_secs(3)));
    assert_eq!(old.environment["SOME_SECRET"], "the value");
    let shown = format!("{old:?} {:?}", bench.world);
    assert!(shown.contains("SOME_SECRET") && !shown.contains("the value"), "{shown}");
    let body = json!({ "ZipFile": STANDARD.encode(zip_of("two")) });
    bench.lambda("PUT", "/2015-03-31/functions/f/code", &body);
    assert_eq!(of(&bench, FUNCTION_ARN).package, old.package);
    bench.advance(200);
    let new = of(&bench, FUNCTION_ARN);
    assert_ne!(new.package, old.package);
    assert!(bench.packages.get(&new.package).is_some());
    publish(&mut bench);
    bench.lambda(
        "POST",
        "/2015-03-31/functions/f/aliases",
        &json!({ "Name": "live", "FunctionVersion": "1" }),
    );
    let live = of(&bench, &format!("{FUNCTION_ARN}:live"));
    assert_eq!((live.version.as_str(), live.arn), ("1", format!("{FUNCTION_ARN}:live")));
}

#[test]
fn an_alias_shares_its_invocations_between_two_versions() {
    let mut bench = bench();
    publish(&mut bench);
    bench.lambda("PUT", "/2015-03-31/functions/f/configuration", &json!({ "Timeout": 9 }));
    bench.advance(200);
    publish(&mut bench);
    let mut run = |weight: f64| {
        let routing = json!({ "AdditionalVersionWeights": { "2": weight } });
        let alias = json!({ "Name": "live", "FunctionVersion": "1", "RoutingConfig": routing });
        bench.lambda("DELETE", "/2015-03-31/functions/f/aliases/live", &Value::Null);
        assert_eq!(bench.lambda("POST", "/2015-03-31/functions/f/aliases", &alias).status, 201);
        let arn = format!("{FUNCTION_ARN}:live");
        resolve(&bench.world, REGION, &arn, bench.now).unwrap().version
    };
    // [D] configuration-aliases: the weight is the share of the second version.
    assert_eq!((run(0.0), run(1.0)), ("1".to_owned(), "2".to_owned()));
}

#[test]
fn what_cannot_run_says_why() {
    let mut bench = bench();
    let why = |bench: &Bench, arn: &str| resolve(&bench.world, REGION, arn, bench.now).unwrap_err();
    let none = "arn:aws:lambda:eu-west-1:000000000000:function:none";
    let elsewhere = "arn:aws:lambda:us-east-1:000000000000:function:f";
    assert_eq!(why(&bench, "f"), NotInvokable::NotAFunctionArn("f".to_owned()));
    assert_eq!(why(&bench, elsewhere), NotInvokable::Elsewhere(elsewhere.to_owned()));
    assert_eq!(why(&bench, none), NotInvokable::FunctionMissing(none.to_owned()));
    assert!(matches!(why(&bench, &format!("{FUNCTION_ARN}:live")), NotInvokable::QualifierMissing { .. }));
    bench.lambda("PUT", "/2017-10-31/functions/f/concurrency", &json!({ "ReservedConcurrentExecutions": 0 }));
    assert_eq!(why(&bench, FUNCTION_ARN), NotInvokable::Throttled("f".to_owned()));
    bench.lambda("DELETE", "/2017-10-31/functions/f/concurrency", &Value::Null);
    for (name, change, expected) in [
        ("g", json!({ "Runtime": "nodejs20.x" }), NotInvokable::OtherRuntime("nodejs20.x".to_owned())),
        (
            "h",
            json!({ "Architectures": [if host() == "arm64" { "x86_64" } else { "arm64" }] }),
            NotInvokable::OtherArchitecture {
                package: if host() == "arm64" { "x86_64" } else { "arm64" },
                host: std::env::consts::ARCH,
            },
        ),
    ] {
        let mut body = create_function(name);
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        bench.lambda("POST", "/2015-03-31/functions", &body);
        let arn = format!("arn:aws:lambda:eu-west-1:000000000000:function:{name}");
        assert_eq!(why(&bench, &arn), NotInvokable::Pending(name.to_owned()));
        bench.advance(200);
        assert_eq!(why(&bench, &arn), expected);
    }
}

#[test]
fn a_role_made_again_is_another_role_until_it_is_set_again() {
    // aws-facts 13 [I]: terraform-provider-aws#9703.
    let mut bench = bench();
    bench.iam(&[("Action", "DeleteRole"), ("RoleName", "r")]);
    let why = |bench: &Bench| resolve(&bench.world, REGION, FUNCTION_ARN, bench.now).map(|_| ());
    assert_eq!(why(&bench), Err(NotInvokable::RoleMissing(ROLE.to_owned())));
    bench.create_role();
    bench.advance(1000);
    assert_eq!(why(&bench), Err(NotInvokable::RoleReplaced(ROLE.to_owned())));
    let refused = bench.lambda("POST", INVOKE, &json!({}));
    let text = "The role defined for the function cannot be assumed by Lambda.";
    assert_eq!(refused.refusal(), (403, "AccessDeniedException", text));
    bench.lambda("PUT", "/2015-03-31/functions/f/configuration", &json!({ "Timeout": 4 }));
    bench.advance(200);
    assert_eq!(why(&bench), Err(NotInvokable::RoleReplaced(ROLE.to_owned())));
    bench.lambda("PUT", "/2015-03-31/functions/f/configuration", &json!({ "Role": ROLE }));
    bench.advance(200);
    assert_eq!(why(&bench), Ok(()));
}

#[test]
fn a_function_logs_only_where_its_role_may() {
    let mut bench = bench();
    let group = |bench: &Bench| resolve(&bench.world, REGION, FUNCTION_ARN, bench.now).unwrap().log_group;
    assert_eq!(group(&bench), None);
    let put = |bench: &mut Bench, resource: &str| {
        let document = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": resource,
        }] });
        bench.iam(&[
            ("Action", "PutRolePolicy"),
            ("RoleName", "r"),
            ("PolicyName", "logs"),
            ("PolicyDocument", &document.to_string()),
        ]);
    };
    put(&mut bench, "arn:aws:logs:eu-west-1:000000000000:log-group:/other:*");
    assert_eq!(group(&bench), None);
    put(&mut bench, "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f:*");
    assert_eq!(group(&bench).as_deref(), Some("/aws/lambda/f"));
}

#[test]
fn the_answer_carries_version_error_and_log() {
    let header = |response: &Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let crashed = "RequestId: id Error: Runtime exited with error: exit status 1";
    // Forms of the errors: Lambda developer guide, troubleshooting-invocation [D].
    let rows = [
        (Invoked::Answered(Bytes::from_static(b"[1]")), None, "[1]".to_owned()),
        (Invoked::Failed { kind: "E".to_owned(), message: "m".to_owned() }, Some("Unhandled"), json!({ "errorType": "E", "errorMessage": "m" }).to_string()),
        (Invoked::TimedOut, Some("Unhandled"), json!({ "errorType": "Sandbox.Timedout", "errorMessage": "RequestId: id Error: Task timed out after 3.00 seconds" }).to_string()),
        (Invoked::Crashed(crashed.to_owned()), Some("Unhandled"), json!({ "errorType": "Runtime.ExitError", "errorMessage": crashed }).to_string()),
    ];
    for (invoked, error, body) in rows {
        let mut bench = bench();
        let run = bench.lambda("POST", INVOKE, &json!({ "token": "t" })).run.unwrap();
        assert_eq!(run.event, json!({ "token": "t" }).to_string());
        // The timeout of 3 s, after at most 10 s for the start of an environment.
        assert_eq!(run.limit, Duration::from_secs(13));
        let response = (run.answer)(ended(invoked, &["START", "END"])).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "x-amz-executed-version").as_deref(), Some("$LATEST"));
        assert_eq!(header(&response, "x-amz-function-error").as_deref(), error);
        assert_eq!(header(&response, "x-amz-log-result"), None);
        assert_eq!(String::from_utf8_lossy(response.body()), body);
    }
}

#[test]
fn when_all_processes_are_busy_the_caller_is_throttled() {
    // [M] TooManyRequestsException, ThrottleReason.
    let run = bench().lambda("POST", INVOKE, &json!({})).run.unwrap();
    let refused = (run.answer)(Invocation { started: false, ..ended(Invoked::TimedOut, &[]) }).unwrap_err();
    assert_eq!((refused.status, refused.code), (429, "TooManyRequestsException"));
    assert!(refused.members.contains(&("Reason", "ConcurrentInvocationLimitExceeded".to_owned())));
    let mut reserved = bench();
    let one = json!({ "ReservedConcurrentExecutions": 1 });
    assert_eq!(reserved.lambda("PUT", "/2017-10-31/functions/f/concurrency", &one).status, 200);
    let run = reserved.lambda("POST", INVOKE, &json!({})).run.unwrap();
    let refused = (run.answer)(Invocation { started: false, ..ended(Invoked::Throttled, &[]) }).unwrap_err();
    assert_eq!((refused.status, refused.code), (429, "TooManyRequestsException"));
    let reason = "ReservedFunctionConcurrentInvocationLimitExceeded".to_owned();
    assert!(refused.members.contains(&("Reason", reason)));
}

#[test]
fn what_invoke_refuses() {
    let mut bench = bench();
    // [R] incomplete_arn-invoke: with $LATEST where nothing was asked for.
    let missing = bench.lambda("POST", "/2015-03-31/functions/none/invocations", &json!({}));
    assert_eq!(
        missing.text,
        "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:none:$LATEST"
    );
    bench.lambda("PUT", "/2017-10-31/functions/f/concurrency", &json!({ "ReservedConcurrentExecutions": 0 }));
    // [M] TooManyRequestsException, ThrottleReason.
    let throttled = bench.lambda("POST", INVOKE, &json!({}));
    assert_eq!((throttled.status, throttled.code), (429, "TooManyRequestsException"));
    let mut body = create_function("g");
    body["Runtime"] = json!("nodejs20.x");
    bench.lambda("POST", "/2015-03-31/functions", &body);
    let path = "/2015-03-31/functions/g/invocations";
    let pending = bench.lambda("POST", path, &json!({}));
    assert_eq!((pending.status, pending.code), (409, "ResourceConflictException"));
    bench.advance(200);
    let answered = bench.lambda("POST", path, &json!({}));
    assert_eq!(answered.status, 200);
    let text = answered.body["errorMessage"].as_str().unwrap();
    assert!(text.contains("only runs provided.* bootstraps"), "{text}");
}
