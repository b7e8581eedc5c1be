//! An AWS client of a few lines: enough to set up what the gateway needs, signed as AWS asks
//! (SigV4, "Create a signed AWS API request").

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use local::Target;
use local::random::hex;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACCOUNT: &str = "000000000000";

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn sha256(content: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, content).as_ref())
}

/// Calls an API of the target; `path` has no query and nothing to encode.
pub(crate) fn call(
    target: &Target,
    scope: (&str, &str),
    place: (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response<Bytes> {
    target.control(signed(target, scope, place, headers, body))
}

/// A signed request.
pub(crate) fn signed(
    target: &Target,
    (service, region): (&str, &str),
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Request<Bytes> {
    let seconds = target.clock().now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = OffsetDateTime::from_unix_timestamp(seconds.try_into().unwrap()).unwrap();
    let time = now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap();
    let credentials = target.credentials();
    let mut signed_headers = vec![("host", "localhost"), ("x-amz-date", time.as_str())];
    signed_headers.extend_from_slice(headers);
    signed_headers.sort_unstable();
    let names = signed_headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: Vec<String> = signed_headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let lines = lines.concat();
    let canonical = format!("{method}\n{path}\n\n{lines}\n{names}\n{}", sha256(body));
    let scope = format!("{}/{region}/{service}/aws4_request", &time[..8]);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key = format!("AWS4{}", credentials.secret_access_key).into_bytes();
    let key = [&time[..8], region, service, "aws4_request"].iter().fold(key, |key, part| sign(&key, part));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
        credentials.access_key_id,
        hex(&sign(&key, &to_sign))
    );
    let mut request = Request::builder().method(method).uri(path).header("authorization", authorization);
    for (name, value) in signed_headers {
        request = request.header(name, value);
    }
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

#[track_caller]
fn good(response: &Response<Bytes>) -> Value {
    let text = String::from_utf8_lossy(response.body());
    assert!(response.status().is_success(), "{} {text}", response.status());
    serde_json::from_slice(response.body()).unwrap_or_default()
}

/// A call with a JSON body that succeeds.
#[track_caller]
pub(crate) fn json_call(target: &Target, service: &str, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    good(&call(
        target,
        (service, REGION),
        (method, path),
        &[("content-type", "application/json")],
        body.as_bytes(),
    ))
}

/// A role that Lambda assumes, and that may write to the function's log group.
pub(crate) fn make_role(target: &Target, name: &str, group: &str) {
    let iam = |parameters: &[(&str, &str)]| {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .append_pair("Version", "2010-05-08")
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        good(&call(target, ("iam", "us-east-1"), ("POST", "/"), &headers, body.as_bytes()))
    };
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"}}]});
    iam(&[("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())]);
    let logs = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*")}]});
    iam(&[
        ("Action", "PutRolePolicy"),
        ("RoleName", name),
        ("PolicyName", "logs"),
        ("PolicyDocument", &logs.to_string()),
    ]);
    target.clock().advance(60_000);
}

/// Calls CloudWatch Logs.
#[track_caller]
pub(crate) fn logs(target: &Target, operation: &str, body: &Value) -> Value {
    let operation = format!("Logs_20140328.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", operation.as_str())];
    good(&call(target, ("logs", REGION), ("POST", "/"), &headers, body.to_string().as_bytes()))
}

/// A function of the test bootstrap with these environment variables, settled.
pub(crate) fn make_function(target: &Target, name: &str, role: &str, group: &str, environment: &Value) {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let body = json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 10,
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "Architectures": [architecture],
        "Code": {"ZipFile": STANDARD.encode(crate::support::package())},
        "Environment": {"Variables": environment}, "LoggingConfig": {"LogGroup": group},
    });
    json_call(target, "lambda", "POST", "/2015-03-31/functions", &body);
    target.clock().advance(60_000);
}

/// Replaces the function's environment.
pub(crate) fn set_environment(target: &Target, name: &str, environment: &Value) {
    let path = format!("/2015-03-31/functions/{name}/configuration");
    json_call(target, "lambda", "PUT", &path, &json!({"Environment": {"Variables": environment}}));
    target.clock().advance(60_000);
}

/// A limit that no test reaches.
pub(crate) const LONG: Duration = Duration::from_mins(1);
