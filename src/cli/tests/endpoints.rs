//! Where a stack on AWS sends its calls, who they are signed for, and which partition its ARNs name, in
//! each partition that has AWS IoT.
//!
//! The expected calls are `tests/peers/endpoints.txt`, which `tests/peers/endpoints.py` derives from the
//! data of botocore: a second reading of AWS's rules, by AWS.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::bench::Bench;
use super::stack;
use crate::cli::commands::{deploy, destroy, drift, outputs};
use crate::cli::load;
use crate::cli::session::Reach;
use crate::problem::Verdict;

/// What botocore says, one call a line: Region of the stack, host, method, path, action, signing name,
/// signing Region.
const EXPECTED: &str = include_str!("../../../tests/peers/endpoints.txt");
const REGIONS: [(&str, &str); 3] =
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")];

/// Stands where the network would: keeps every call, and lets the local target answer it.
#[derive(Clone, Debug)]
struct Capturing {
    target: local::Target,
    calls: Arc<Mutex<Vec<http::Request<Bytes>>>>,
}

impl HttpConnector for Capturing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let (mut head, body) = request.into_parts();
            let body = Bytes::copy_from_slice(body.bytes().unwrap_or_default());
            let host = head.uri.authority().map_or("", http::uri::Authority::as_str);
            head.headers.insert(http::header::HOST, host.parse().expect("a host is a header's value"));
            let request = http::Request::from_parts(head, body);
            this.calls.lock().expect("no test panics holding it").push(request.clone());
            let answer = this.target.control(request);
            HttpResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// One call as a line of the table.
fn line(region: &str, request: &http::Request<Bytes>) -> String {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let scope = header("authorization").and_then(|text| text.split("Credential=").nth(1)).unwrap_or_default();
    let scope: Vec<&str> = scope.split(',').next().unwrap_or_default().split('/').collect();
    let [_, _, signing_region, signing_name, _] = scope[..] else {
        panic!("signed without a scope: {scope:?}")
    };
    let form = form_urlencoded::parse(request.body()).find(|(name, _)| name == "Action");
    let action = match (form, header("x-amz-target")) {
        (Some((_, action)), _) => action.into_owned(),
        (None, Some(target)) => target.to_owned(),
        (None, None) => "-".to_owned(),
    };
    let (host, path) = (header("host").unwrap_or_default(), request.uri().path());
    format!("{region} {host} {} {path} {action} {signing_name} {signing_region}", request.method())
}

/// Lines that only one side has: `-` for expected and not sent, `+` for sent and not expected.
fn differences(expected: &BTreeSet<String>, sent: &BTreeSet<String>) -> Vec<String> {
    let missing = expected.difference(sent).map(|line| format!("- {line}"));
    missing.chain(sent.difference(expected).map(|line| format!("+ {line}"))).collect()
}

fn expected(region: &str) -> BTreeSet<String> {
    let lines = EXPECTED.lines().filter(|line| line.split(' ').next() == Some(region));
    lines.map(str::to_owned).collect()
}

/// The partitions that a text's ARNs name.
fn partitions(text: &str) -> BTreeSet<&str> {
    let ends = |rest: &str| rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
    text.match_indices("arn:").map(|(at, _)| &text[at + 4..]).map(|rest| &rest[..ends(rest)]).collect()
}

/// The stack of these tests on AWS, with its key and its secret in Parameter Store.
fn on_aws(text: &str) -> String {
    text.replace("target = \"local\"", "target = \"aws\"\naccount = \"000000000000\"")
        .replace("https://identity.thinggate.local", "https://id.example.com")
        .replace("local:hs256", "ssm:/demo/hs256")
        .replace("bits = 2048", "bits = 2048\nstore = \"ssm:/demo/keys\"")
        .replace("[function]", "[function]\narchitecture = \"ARCHITECTURE\"")
        .replace("ARCHITECTURE", if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" })
}

/// A whole life in `region`: deploy, a changed deploy, drift, outputs, destroy. Gives every call.
async fn live(bench: &Bench, region: &str) -> Vec<http::Request<Bytes>> {
    bench.target.with_world(|world| {
        world.region(region);
        let mut account = serde_json::to_value(&*world).unwrap();
        account["regions"][region]["ssm"]["parameters"]["/demo/hs256"] = serde_json::json!({
            "value": STANDARD.encode([7; 32]), "kind": "SecureString", "description": null, "version": 1,
            "modified_ms": 0, "tags": {},
        });
        *world = serde_json::from_value(account).unwrap();
    });
    bench.write("aws.toml", on_aws(&stack::file(region)).as_bytes());
    bench.write("aws-changed.toml", on_aws(&stack::changed(region)).as_bytes());
    let made = bench.target.credentials();
    let credentials = Credentials::new(made.access_key_id, made.secret_access_key, None, None, "test");
    let capturing = Capturing { target: bench.target.clone(), calls: Arc::default() };
    let mut session = bench.session().await;
    session.reach = Reach::Given(
        SharedHttpConnector::new(capturing.clone()),
        SharedCredentialsProvider::new(credentials),
    );
    bench.faults.begin(None, session.stop.clone());
    let stack = |file: &str| load::one(&session, &bench.root.join(file)).unwrap();
    let wishes = deploy::Wishes { allow_impact: true, keep_code: false };
    for file in ["aws.toml", "aws-changed.toml"] {
        let report = Box::pin(deploy::run(&session, stack(file), wishes)).await;
        assert_eq!(report.verdict, Verdict::Done, "{region}: {:#?}", report.problem);
    }
    let world = bench.everything().to_string();
    let report = Box::pin(drift::run(&session, stack("aws-changed.toml"), false)).await;
    assert_eq!(report.verdict, Verdict::Done, "{region}: {:#?}", report.problem);
    assert!(report.target.contains("account 000000000000 (aws)"), "{}", report.target);
    let report = Box::pin(outputs::run(&session, stack("aws.toml"), None)).await;
    assert_eq!(report.verdict, Verdict::Done, "{region}: {:#?}", report.problem);
    let wishes = destroy::Wishes { yes: true, delete_key: true };
    let report = Box::pin(destroy::run(&session, stack("aws-changed.toml"), wishes)).await;
    assert_eq!(report.verdict, Verdict::Done, "{region}: {:#?}", report.problem);
    let partition =
        REGIONS.iter().find(|(known, _)| *known == region).map_or("aws", |(_, partition)| partition);
    assert_eq!(partitions(&world), BTreeSet::from([partition]), "{region}: {world}");
    capturing.calls.lock().expect("no test panics holding it").clone()
}

/// The `authorizer.json` of the package that a call uploads.
fn configuration(request: &http::Request<Bytes>) -> Option<Value> {
    let body: Value = serde_json::from_slice(request.body()).ok()?;
    let package = body.pointer("/Code/ZipFile").or_else(|| body.get("ZipFile"))?.as_str()?;
    let package = std::io::Cursor::new(STANDARD.decode(package).unwrap());
    let mut zip = zip::ZipArchive::new(package).unwrap();
    let mut text = String::new();
    zip.by_name("authorizer.json").unwrap().read_to_string(&mut text).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// What a call says: path and body, decoded, without the package.
fn said(request: &http::Request<Bytes>) -> String {
    let whole = format!("{} {}", request.uri(), String::from_utf8_lossy(request.body()));
    percent_encoding::percent_decode_str(&whole).decode_utf8_lossy().into_owned()
}

#[tokio::test(start_paused = true)]
async fn every_call_goes_where_botocore_would_send_it() {
    for (region, partition) in REGIONS {
        let bench = Bench::new();
        let calls = live(&bench, region).await;
        let sent: BTreeSet<String> = calls.iter().map(|call| line(region, call)).collect();
        let differences = differences(&expected(region), &sent);
        assert!(differences.is_empty(), "{region}:\n{}", differences.join("\n"));

        let named = calls.iter().map(said).collect::<Vec<_>>().join("\n");
        assert_eq!(partitions(&named), BTreeSet::from([partition]), "{region}");
        let packages: Vec<Value> = calls.iter().filter_map(configuration).collect();
        assert!(packages.len() >= 2, "{region}: the package and the changed one");
        for package in packages {
            assert_eq!(package["arn_prefix"], format!("arn:{partition}:iot:{region}:000000000000"));
        }
        // AWS's own services are named alike in every partition.
        let principals: BTreeSet<&str> =
            named.split('"').filter(|text| text.contains(".amazonaws.com") && !text.contains('/')).collect();
        assert_eq!(principals, BTreeSet::from(["iot.amazonaws.com", "lambda.amazonaws.com"]), "{region}");
    }
}

#[test]
fn a_wrong_host_region_or_partition_is_caught() {
    let right = expected("cn-north-1");
    assert!(right.len() > 30, "{right:?}");
    assert_eq!(differences(&right, &right), Vec::<String>::new());
    for (from, to) in [
        ("lambda.cn-north-1.amazonaws.com.cn", "lambda.cn-north-1.amazonaws.com"),
        ("iam.cn-north-1.amazonaws.com.cn", "iam.amazonaws.com"),
        (" iam cn-north-1", " iam us-east-1"),
        (" iot cn-north-1", " execute-api cn-north-1"),
        ("/authorizer/door", "/authorizers/door"),
    ] {
        let one = right.iter().find(|line| line.contains(from)).expect("the table has such a line");
        let mut wrong = right.clone();
        wrong.remove(one);
        wrong.insert(one.replacen(from, to, 1));
        assert_eq!(differences(&right, &wrong).len(), 2, "{from}");
    }
    let told = "arn:aws-cn:iam::aws:policy/x and arn:aws:iot:cn-north-1:1:authorizer/door";
    assert_eq!(partitions(told), BTreeSet::from(["aws", "aws-cn"]));
}
