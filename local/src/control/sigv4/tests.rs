//! The vectors are AWS's own: "AWS Signature Version 4 Test Suite", copyright 2019 Amazon.com, Inc. or its
//! affiliates, Apache-2.0, from `tests/unit/auth/aws4_testsuite` of the source of botocore 1.43.11. Left out
//! are two requests that are not HTTP (folded headers, spaces in the request line), and the three whose session token
//! no key here has.

use std::time::UNIX_EPOCH;

use bytes::Bytes;

use super::*;

const VECTORS: &str = include_str!("vectors.txt");
/// 2015-08-30T12:36:00Z, the suite's time.
const SUITE_SECONDS: u64 = 1_440_938_160;

fn suite_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(SUITE_SECONDS)
}

/// The suite's credentials. Source: the suite's documentation, General Reference "Signature Version 4 test
/// suite".
fn suite_credentials() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
    }
}

fn vectors() -> Vec<(&'static str, Request)> {
    VECTORS
        .split("=== ")
        .filter(|vector| !vector.is_empty())
        .map(|vector| vector.split_once('\n').unwrap())
        .map(|(name, text)| (name, parse(text)))
        .collect()
}

/// Reads one signed request of the suite.
fn parse(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.trim_end().lines();
    let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let mut request = http::Request::builder().method(first[0]).uri(first[1]);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        request = request.header(name, value.trim());
    }
    request.body(Bytes::from(body.trim_end().to_owned())).unwrap()
}

fn vanilla() -> Request {
    vectors().remove(0).1
}

fn check(request: &Request) -> Result<(), Refused> {
    let claim = Claim::read(request.headers())?;
    let (_, credentials) = claim.caller(request.headers(), &suite_credentials(), suite_time(), |_| None)?;
    claim.verify(request, &credentials, suite_time())
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut Request), expected: &Refused) {
    let mut request = vanilla();
    change(&mut request);
    assert_eq!(check(&request).as_ref(), Err(expected));
}

fn replace_in_authorization(request: &mut Request, from: &str, to: &str) {
    let header = request.headers()["authorization"].to_str().unwrap();
    assert!(header.contains(from), "{header}");
    let changed = header.replace(from, to).parse().unwrap();
    request.headers_mut().insert("authorization", changed);
}

#[test]
fn every_vector_is_accepted() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 29);
    for (name, request) in vectors {
        assert_eq!(check(&request), Ok(()), "{name}");
    }
}

#[test]
fn every_vector_with_one_thing_changed_is_refused() {
    for (name, request) in vectors() {
        let mut other = request.clone();
        *other.body_mut() = Bytes::from_static(b"other");
        assert_eq!(check(&other), Err(Refused::Mismatch), "{name}: body");
        let mut other = request.clone();
        *other.method_mut() = http::Method::PUT;
        assert_eq!(check(&other), Err(Refused::Mismatch), "{name}: method");
        let mut other = request.clone();
        *other.uri_mut() = format!("{}x", request.uri()).parse().unwrap();
        assert_eq!(check(&other), Err(Refused::Mismatch), "{name}: uri");
        let mut other = request;
        other.headers_mut().insert("host", "elsewhere.example.com".parse().unwrap());
        assert_eq!(check(&other), Err(Refused::Mismatch), "{name}: host");
    }
}

#[test]
fn the_header_must_be_there_and_whole() {
    refuses(|request| drop(request.headers_mut().remove("authorization")), &Refused::Missing);
    for (from, to) in [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("Signature=", "Sig="),
        ("SignedHeaders=", "Headers="),
        ("/us-east-1", ""),
        ("SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date;host"),
        ("SignedHeaders=host", "SignedHeaders=Host"),
    ] {
        let mut request = vanilla();
        replace_in_authorization(&mut request, from, to);
        assert!(matches!(check(&request), Err(Refused::Incomplete(_))), "{from}");
    }
}

#[test]
fn another_key_or_a_session_token_is_unknown() {
    refuses(|request| replace_in_authorization(request, "AKIDEXAMPLE", "AKIDEXAMPLF"), &Refused::UnknownKey);
    refuses(
        |request| drop(request.headers_mut().insert("x-amz-security-token", "t".parse().unwrap())),
        &Refused::UnknownKey,
    );
}

#[test]
fn another_scope_is_another_signature() {
    refuses(|request| replace_in_authorization(request, "us-east-1", "us-east-2"), &Refused::Mismatch);
    refuses(|request| replace_in_authorization(request, "/service/", "/iam/"), &Refused::Mismatch);
    refuses(
        |request| replace_in_authorization(request, "us-east-1", "US_EAST"),
        &Refused::Wrong("Credential should be scoped to a valid region, not 'US_EAST'.".to_owned()),
    );
    refuses(
        |request| replace_in_authorization(request, "aws4_request", "aws5_request"),
        &Refused::Wrong(
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."
                .to_owned(),
        ),
    );
    refuses(
        |request| replace_in_authorization(request, "/20150830/", "/20150829/"),
        &Refused::Wrong(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
             '20150829' != '20150830', from '20150830T123600Z'."
                .to_owned(),
        ),
    );
}

#[test]
fn what_should_be_signed_must_be() {
    refuses(
        |request| drop(request.headers_mut().insert("x-amz-target", "Logs_20140328.Delete".parse().unwrap())),
        &Refused::Wrong("'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.".to_owned()),
    );
    refuses(
        |request| {
            replace_in_authorization(request, "SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date");
        },
        &Refused::Wrong("'host' must be a 'SignedHeader' in the AWS Authorization.".to_owned()),
    );
}

/// No operation of these services has `unsignedPayload` or `v4-unsigned-body` in its model.
#[test]
fn the_body_must_be_signed_too() {
    let signed = |named: &str| {
        let mut request =
            http::Request::post("http://localhost/").body(Bytes::from_static(b"Param1=value1")).unwrap();
        request.headers_mut().insert("x-amz-content-sha256", named.parse().unwrap());
        sign(&mut request, &suite_credentials(), "iam", "us-east-1", suite_time());
        check(&request)
    };
    // The hash in the suite's `post-x-www-form-urlencoded.creq`.
    assert_eq!(signed("9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"), Ok(()));
    assert_eq!(signed("UNSIGNED-PAYLOAD"), Err(Refused::Mismatch));
    assert_eq!(signed("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), Err(Refused::Mismatch));
    assert_eq!(
        signed("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        Err(Refused::Mismatch)
    );
}

/// The texts' form: aws/aws-cli#6676, convox/rack#235.
#[test]
fn a_signature_is_good_for_five_minutes_either_way() {
    let request = vanilla();
    let claim = Claim::read(request.headers()).unwrap();
    let at = |seconds: u64| {
        claim.verify(&request, &suite_credentials(), UNIX_EPOCH + Duration::from_secs(seconds))
    };
    assert_eq!(at(SUITE_SECONDS + 300), Ok(()));
    assert_eq!(at(SUITE_SECONDS - 300), Ok(()));
    assert_eq!(
        at(SUITE_SECONDS + 301),
        Err(Refused::Wrong(
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
                .to_owned()
        ))
    );
    assert_eq!(
        at(SUITE_SECONDS - 301),
        Err(Refused::Wrong(
            "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
             (20150830T123059Z + 5 min.)"
                .to_owned()
        ))
    );
}

#[test]
fn a_request_that_was_on_no_wire_is_signed_by_its_uri() {
    let mut request = vanilla();
    request.headers_mut().remove("host");
    *request.uri_mut() = "http://example.amazonaws.com/".parse().unwrap();
    assert_eq!(check(&request), Ok(()));
}
