//! Codes and statuses are the model's (botocore 1.43.11, `logs/2014-03-28`); rules without a source beside them
//! are from the documentation in it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::json;

use super::*;
use crate::{ACCOUNT, Options, PackageStore};

const NOW_MS: i64 = 1_440_938_160_000;
const GROUP_ARN: &str = "arn:aws:logs:eu-west-1:000000000000:log-group:/demo";

struct Account {
    world: World,
    options: Options,
}

impl Account {
    /// An account with the group `/demo` and its stream `one`.
    fn new() -> Self {
        let mut account = Self { world: World::default(), options: Options::default() };
        account.call("CreateLogGroup", &json!({ "logGroupName": "/demo", "tags": { "k": "v" } })).unwrap();
        account.call("CreateLogStream", &stream()).unwrap();
        account
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, ServiceError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", format!("Logs_20140328.{operation}").parse().unwrap());
        let body = Bytes::from(input.to_string());
        let call = Call {
            region: "eu-west-1",
            account: ACCOUNT,
            now: UNIX_EPOCH + Duration::from_millis(NOW_MS.try_into().unwrap()),
            request_id: "id",
            method: &Method::POST,
            path: &[],
            query: &[],
            headers: &headers,
            body: &body,
            options: &self.options,
            caller: &crate::control::caller::Caller::User,
            key: &crate::Credentials { access_key_id: String::new(), secret_access_key: String::new() },
            guard: &crate::control::guard::Guard::default(),
            issuers: &crate::control::sts::issuers::Issuers::default(),
            packages: &PackageStore::in_memory(),
        };
        let Reply::Answer(answer) = handle(&mut self.world, &call)? else { panic!("Logs runs no function") };
        assert_eq!(answer.headers()["content-type"], "application/x-amz-json-1.1");
        if answer.body().is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(answer.body()).unwrap())
    }

    fn put(&mut self, events: &[(i64, &str)]) -> Result<Value, ServiceError> {
        let events: Vec<Value> =
            events.iter().map(|(time, text)| json!({ "timestamp": time, "message": text })).collect();
        let mut input = stream();
        input["logEvents"] = events.into();
        self.call("PutLogEvents", &input)
    }

    #[track_caller]
    fn refuses(&mut self, operation: &str, input: &Value, code: &str, text: &str) {
        let refused = self.call(operation, input).expect_err(operation);
        assert_eq!(
            (refused.status, refused.code, refused.message.as_str()),
            (400, code, text),
            "{operation}"
        );
    }
}

fn stream() -> Value {
    json!({ "logGroupName": "/demo", "logStreamName": "one" })
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[test]
fn a_group_is_described() {
    let mut account = Account::new();
    account.call("PutRetentionPolicy", &json!({ "logGroupName": "/demo", "retentionInDays": 30 })).unwrap();
    let described = account.call("DescribeLogGroups", &json!({ "logGroupNamePrefix": "/de" })).unwrap();
    let expected = json!({ "logGroups": [{
        "logGroupName": "/demo",
        "creationTime": NOW_MS,
        "retentionInDays": 30,
        "metricFilterCount": 0,
        "arn": format!("{GROUP_ARN}:*"),
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "logGroupArn": GROUP_ARN,
        "deletionProtectionEnabled": false,
    }] });
    assert_eq!(described, expected);
    let none = account.call("DescribeLogGroups", &json!({ "logGroupNamePrefix": "demo" })).unwrap();
    assert_eq!(none, json!({ "logGroups": [] }));
    account.call("DeleteRetentionPolicy", &json!({ "logGroupName": "/demo" })).unwrap();
    let described = account.call("DescribeLogGroups", &json!({ "logGroupNamePattern": "EM" })).unwrap();
    assert_eq!(described["logGroups"][0].get("retentionInDays"), None);
    account.call("DeleteLogGroup", &json!({ "logGroupName": "/demo" })).unwrap();
    assert_eq!(account.call("DescribeLogGroups", &json!({})).unwrap(), json!({ "logGroups": [] }));
}

/// "The specified log group already exists" with 400: recorded from AWS by `LocalStack`,
/// `tests/aws/services/logs/test_logs.snapshot.json`.
#[test]
fn what_is_there_or_is_not_there_is_told() {
    let mut account = Account::new();
    let demo = json!({ "logGroupName": "/demo" });
    let exists = "ResourceAlreadyExistsException";
    account.refuses("CreateLogGroup", &demo, exists, "The specified log group already exists");
    account.refuses("CreateLogStream", &stream(), exists, "The specified log stream already exists");
    let missing = "ResourceNotFoundException";
    let none = json!({
        "logGroupName": "/none", "logStreamName": "s", "retentionInDays": 1,
        "logEvents": [{ "timestamp": NOW_MS, "message": "m" }],
    });
    for operation in [
        "DeleteLogGroup",
        "PutRetentionPolicy",
        "DeleteRetentionPolicy",
        "CreateLogStream",
        "DeleteLogStream",
        "PutLogEvents",
        "DescribeLogStreams",
        "GetLogEvents",
        "FilterLogEvents",
    ] {
        account.refuses(operation, &none, missing, "The specified log group does not exist.");
    }
    let mut other = none;
    other["logGroupName"] = "/demo".into();
    for operation in ["DeleteLogStream", "PutLogEvents", "GetLogEvents"] {
        account.refuses(operation, &other, missing, "The specified log stream does not exist.");
    }
    let other = json!({ "resourceArn": format!("{GROUP_ARN}x"), "tags": { "a": "b" }, "tagKeys": ["a"] });
    for operation in ["TagResource", "UntagResource", "ListTagsForResource"] {
        account.refuses(operation, &other, missing, "The specified resource does not exist.");
    }
}

#[test]
fn what_does_not_fit_the_model_is_refused() {
    let mut account = Account::new();
    let invalid = "InvalidParameterException";
    for (operation, input, text) in [
        (
            "CreateLogGroup",
            json!({}),
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null",
        ),
        (
            "CreateLogGroup",
            json!({ "logGroupName": "a b" }),
            r"1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
        ),
        (
            "PutRetentionPolicy",
            json!({ "logGroupName": "/demo", "retentionInDays": 31 }),
            "1 validation error detected: Value '31' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]",
        ),
        (
            "DescribeLogGroups",
            json!({ "limit": 51 }),
            "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
        ),
        (
            "DescribeLogStreams",
            json!({ "logGroupName": "/demo", "logStreamNamePrefix": "o", "orderBy": "LastEventTime" }),
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ),
        ("DescribeLogGroups", json!({ "nextToken": "?" }), "The specified nextToken is invalid."),
        (
            "TagResource",
            json!({ "resourceArn": format!("{GROUP_ARN}"), "tags": { "aws:x": "y" } }),
            "aws: prefixed tag key names are not allowed for external use.",
        ),
    ] {
        account.refuses(operation, &input, invalid, text);
    }
    let refused = account.call("CreateLogGroup", &json!({ "logGroupName": 1 })).unwrap_err();
    assert_eq!(refused.code, "SerializationException");
    assert_eq!(account.call("StartQuery", &json!({})).unwrap_err().code, "UnknownOperationException");
}

#[test]
fn a_protected_group_stays() {
    let mut account = Account::new();
    let protected = json!({ "logGroupName": "/kept", "deletionProtectionEnabled": true });
    account.call("CreateLogGroup", &protected).unwrap();
    let refused = account.call("DeleteLogGroup", &json!({ "logGroupName": "/kept" })).unwrap_err();
    assert_eq!((refused.status, refused.code), (400, "ValidationException"));
}

#[test]
fn tags_are_added_and_taken_away() {
    let mut account = Account::new();
    let tags = |account: &mut Account| {
        account.call("ListTagsForResource", &json!({ "resourceArn": GROUP_ARN })).unwrap()["tags"].clone()
    };
    account
        .call("TagResource", &json!({ "resourceArn": GROUP_ARN, "tags": { "a": "1", "k": "w" } }))
        .unwrap();
    assert_eq!(tags(&mut account), json!({ "a": "1", "k": "w" }));
    account.call("UntagResource", &json!({ "resourceArn": GROUP_ARN, "tagKeys": ["k", "none"] })).unwrap();
    assert_eq!(tags(&mut account), json!({ "a": "1" }));
    let many: BTreeMap<String, &str> = (0..50).map(|number| (format!("t{number}"), "")).collect();
    let refused =
        account.call("TagResource", &json!({ "resourceArn": GROUP_ARN, "tags": many })).unwrap_err();
    assert_eq!(refused.code, "TooManyTagsException");
}

#[test]
fn groups_and_events_come_in_pages() {
    let mut account = Account::new();
    account.options.page_size = 1;
    account.call("CreateLogGroup", &json!({ "logGroupName": "/demo2" })).unwrap();
    let first = account.call("DescribeLogGroups", &json!({})).unwrap();
    let token = first["nextToken"].as_str().unwrap();
    let second = account.call("DescribeLogGroups", &json!({ "nextToken": token })).unwrap();
    assert_eq!(second["logGroups"][0]["logGroupName"], "/demo2");
    assert_eq!(second.get("nextToken"), None);
    account.put(&[(NOW_MS, "a"), (NOW_MS, "b")]).unwrap();
    let first = account.call("FilterLogEvents", &json!({ "logGroupName": "/demo" })).unwrap();
    let token = first["nextToken"].as_str().unwrap();
    let input = json!({ "logGroupName": "/demo", "nextToken": token });
    let second = account.call("FilterLogEvents", &input).unwrap();
    assert_eq!((messages(&first), messages(&second)), (vec!["a"], vec!["b"]));
    assert_eq!(second.get("nextToken"), None);
}

#[test]
fn a_stream_is_walked_both_ways() {
    let mut account = Account::new();
    account.put(&[(NOW_MS - 2, "a"), (NOW_MS - 1, "b"), (NOW_MS, "c")]).unwrap();
    let get = |account: &mut Account, more: Value| {
        let mut input = stream();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        account.call("GetLogEvents", &input).unwrap()
    };
    let last = get(&mut account, json!({ "limit": 2 }));
    assert_eq!(messages(&last), ["b", "c"]);
    let before = get(&mut account, json!({ "limit": 2, "nextToken": last["nextBackwardToken"] }));
    assert_eq!(messages(&before), ["a"]);
    let end = get(&mut account, json!({ "nextToken": last["nextForwardToken"] }));
    assert_eq!((messages(&end), &end["nextForwardToken"]), (vec![], &last["nextForwardToken"]));
    let head = get(&mut account, json!({ "limit": 1, "startFromHead": true }));
    assert_eq!(messages(&head), ["a"]);
    let range = get(&mut account, json!({ "startTime": NOW_MS - 2, "endTime": NOW_MS }));
    assert_eq!(messages(&range), ["a", "b"]);
    let search = json!({ "logGroupName": "/demo", "endTime": NOW_MS, "filterPattern": "?b ?c" });
    assert_eq!(messages(&account.call("FilterLogEvents", &search).unwrap()), ["b", "c"]);
}

#[test]
fn events_too_old_or_too_new_are_rejected_one_by_one() {
    const HOUR_MS: i64 = 3_600_000;
    let mut account = Account::new();
    let events = [
        (NOW_MS - 15 * 24 * HOUR_MS, "old"),
        (NOW_MS, "good"),
        (NOW_MS + 2 * HOUR_MS, "still good"),
        (NOW_MS + 2 * HOUR_MS + 1, "new"),
    ];
    let answer = account.put(&events).unwrap();
    let expected = json!({ "tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3 });
    assert_eq!(answer["rejectedLogEventsInfo"], expected);
    assert_eq!(messages(&account.call("GetLogEvents", &stream()).unwrap()), ["good", "still good"]);
    account.call("PutRetentionPolicy", &json!({ "logGroupName": "/demo", "retentionInDays": 1 })).unwrap();
    let answer = account.put(&[(NOW_MS - 25 * HOUR_MS, "expired"), (NOW_MS, "more")]).unwrap();
    assert_eq!(answer["rejectedLogEventsInfo"], json!({ "expiredLogEventEndIndex": 1 }));
    for (events, part) in [
        ([(NOW_MS, "b"), (NOW_MS - 1, "a")], "chronological order"),
        ([(NOW_MS - 23 * HOUR_MS, "a"), (NOW_MS + 2 * HOUR_MS, "b")], "24 hours"),
    ] {
        let refused = account.put(&events).unwrap_err();
        assert!(refused.message.contains(part), "{refused:?}");
    }
    let large = "x".repeat(1_048_576 - 25);
    let refused = account.put(&[(NOW_MS, &large)]).unwrap_err();
    assert_eq!(refused.message, "Upload too large: 1048577 bytes exceeds limit of 1048576");
}

#[test]
fn a_functions_output_goes_to_its_group_and_is_bounded() {
    let mut account = Account::new();
    let logs = &mut account.world.region("eu-west-1").logs;
    let lines = |count: usize, text: &str| vec![text.to_owned(); count];
    logs.append_lines("/none", "s", &lines(1, "lost"), UNIX_EPOCH);
    logs.append_lines("/demo", "first", &lines(6000, "a"), UNIX_EPOCH);
    logs.append_lines("/demo", "second", &lines(6000, "b"), UNIX_EPOCH + Duration::from_secs(1));
    assert!(!logs.has_group("/none"));
    let input = json!({ "logGroupName": "/demo", "orderBy": "LastEventTime", "descending": true });
    let described = account.call("DescribeLogStreams", &input).unwrap();
    let names: Vec<&Value> =
        described["logStreams"].as_array().unwrap().iter().map(|stream| &stream["logStreamName"]).collect();
    assert_eq!(names, ["second", "first", "one"]);
    let found = account.call("FilterLogEvents", &json!({ "logGroupName": "/demo" })).unwrap();
    let found = messages(&found);
    // A quarter goes when the bound of 10,000 is passed.
    assert_eq!((found.len(), found[1499], found[1500]), (7500, "a", "b"));
}

#[test]
fn a_group_is_bounded_in_bytes_and_forgets_the_streams_of_old_processes() {
    let mut account = Account::new();
    let logs = &mut account.world.region("eu-west-1").logs;
    let line = "x".repeat(200 << 10);
    for number in 0..100_u64 {
        let now = UNIX_EPOCH + Duration::from_secs(number);
        logs.append_lines("/demo", &format!("process {number}"), &[line.clone(), "last".to_owned()], now);
    }
    let group = &logs.groups["/demo"];
    let bytes = group.streams.bytes();
    assert!((BYTES_PER_GROUP_MAX / 2..=BYTES_PER_GROUP_MAX).contains(&bytes), "{bytes}");
    assert!(group.streams.by_name().len() <= 22, "{}", group.streams.by_name().len());
    let newest = group.streams.get("process 99").unwrap().events();
    assert_eq!(newest.iter().map(|event| event.message.as_str()).collect::<Vec<_>>(), [&line, "last"]);
    // One that never had an event stays, as on AWS.
    assert!(group.streams.get("one").is_some());
}
