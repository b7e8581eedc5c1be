//! Codes are the model's (botocore 1.43.11, `ssm/2014-11-06`); rules without a source beside them are from the
//! documentation in it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::json;

use super::*;
use crate::{ACCOUNT, Options, PackageStore};

struct Account {
    world: World,
    options: Options,
}

impl Account {
    /// An account with the secret `/demo/keys/1`.
    fn new() -> Self {
        let mut account = Self { world: World::default(), options: Options::default() };
        assert_eq!(account.call("PutParameter", &put("/demo/keys/1")).unwrap()["Version"], 1);
        account
    }

    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, ServiceError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", format!("AmazonSSM.{operation}").parse().unwrap());
        let body = Bytes::from(input.to_string());
        let call = Call {
            region: "eu-west-1",
            account: ACCOUNT,
            now: UNIX_EPOCH + Duration::from_millis(1_440_938_160_500),
            request_id: "id",
            method: &Method::POST,
            path: &[],
            query: &[],
            headers: &headers,
            body: &body,
            options: &self.options,
            caller: &crate::control::caller::Caller::User,
            key: &crate::Credentials { access_key_id: String::new(), secret_access_key: String::new() },
            issuers: &crate::control::sts::issuers::Issuers::default(),
            guard: &crate::control::guard::Guard::default(),
            packages: &PackageStore::in_memory(),
        };
        let Reply::Answer(answer) = handle(&mut self.world, &call)? else { panic!("it runs no function") };
        assert_eq!(answer.headers()["content-type"], "application/x-amz-json-1.1");
        Ok(serde_json::from_slice(answer.body()).unwrap())
    }

    #[track_caller]
    fn refuses(&mut self, operation: &str, input: &Value, code: &str, says: &str) {
        let refused = self.call(operation, input).expect_err(operation);
        let status = if code == "AccessDeniedException" { 403 } else { 400 };
        assert_eq!((refused.status, refused.code), (status, code), "{operation}: {}", refused.message);
        assert!(refused.message.contains(says), "{operation}: {}", refused.message);
    }

    /// The names that a filter finds.
    fn found(&mut self, key: &str, option: &str, value: &str) -> Vec<String> {
        let filter = json!({ "Key": key, "Option": option, "Values": [value] });
        let answer = self.call("DescribeParameters", &json!({ "ParameterFilters": [filter] })).unwrap();
        let parameters = answer["Parameters"].as_array().unwrap();
        parameters.iter().map(|one| one["Name"].as_str().unwrap().to_owned()).collect()
    }
}

fn put(name: &str) -> Value {
    json!({ "Name": name, "Value": "the secret", "Type": "SecureString", "Description": "public",
            "Tags": [{ "Key": "team", "Value": "iot" }] })
}

#[test]
fn a_parameter_is_made_once_and_read_with_and_without_its_value() {
    let mut account = Account::new();
    let exists = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
    account.refuses("PutParameter", &put("/demo/keys/1"), "ParameterAlreadyExists", exists);
    let open =
        account.call("GetParameter", &json!({ "Name": "/demo/keys/1", "WithDecryption": true })).unwrap();
    assert_eq!(
        open["Parameter"],
        json!({ "Name": "/demo/keys/1", "Type": "SecureString", "Value": "the secret", "Version": 1,
                "LastModifiedDate": 1_440_938_160.5, "DataType": "text",
                "ARN": "arn:aws:ssm:eu-west-1:000000000000:parameter/demo/keys/1" })
    );
    let sealed = account.call("GetParameter", &json!({ "Name": "/demo/keys/1" })).unwrap();
    assert!(!sealed.to_string().contains("the secret"), "{sealed}");
    let by_arn = json!({ "Name": "arn:aws:ssm:eu-west-1:000000000000:parameter/demo/keys/1" });
    assert_eq!(account.call("GetParameter", &by_arn).unwrap(), sealed);
    let listed = account.call("DescribeParameters", &json!({})).unwrap();
    assert_eq!(listed["Parameters"][0]["Description"], "public");
    assert!(!listed.to_string().contains("the secret"), "{listed}");
    assert_eq!(account.call("DeleteParameter", &json!({ "Name": "/demo/keys/1" })).unwrap(), json!({}));
    for operation in ["GetParameter", "DeleteParameter"] {
        account.refuses(operation, &json!({ "Name": "/demo/keys/1" }), "ParameterNotFound", "/demo/keys/1");
    }
}

#[test]
fn an_overwrite_counts_versions_and_keeps_what_it_does_not_say() {
    let mut account = Account::new();
    let again = json!({ "Name": "/demo/keys/1", "Value": "another", "Overwrite": true });
    assert_eq!(account.call("PutParameter", &again).unwrap(), json!({ "Version": 2, "Tier": "Standard" }));
    let listed = account.call("DescribeParameters", &json!({})).unwrap();
    assert_eq!(listed["Parameters"][0]["Description"], "public");
    assert_eq!(listed["Parameters"][0]["Type"], "SecureString");
    let mut tagged = put("/demo/keys/1");
    tagged["Overwrite"] = true.into();
    account.refuses(
        "PutParameter",
        &tagged,
        "ValidationException",
        "tags and overwrite can't be used together",
    );
    account.refuses(
        "PutParameter",
        &json!({ "Name": "/new", "Value": "v" }),
        "ValidationException",
        "type is required",
    );
}

#[test]
fn names_have_rules() {
    let mut account = Account::new();
    let deep = "/a".repeat(15);
    for good in ["a", "/a", "/Dev/DBServer/MySQL/db-string13", "/x/aws", deep.as_str(), "A_.-9"] {
        account.call("PutParameter", &put(good)).unwrap();
    }
    // With `arn:aws:ssm:eu-west-1:000000000000:parameter` before it, which has 45 characters.
    let longest = format!("/{}", "a".repeat(966));
    account.call("PutParameter", &put(&longest)).unwrap();
    let too_long = format!("{longest}a");
    for (bad, code) in [
        ("aws", "ValidationException"),
        ("SSM-x", "ValidationException"),
        ("/ssm/x", "ValidationException"),
        ("/aws/x", "AccessDeniedException"),
        ("a/b", "ValidationException"),
        ("a b", "ValidationException"),
        ("/", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("/a/", "ValidationException"),
        ("ä", "ValidationException"),
        (too_long.as_str(), "ValidationException"),
        (&"/a".repeat(16), "HierarchyLevelLimitExceededException"),
    ] {
        account.refuses("PutParameter", &put(bad), code, "");
    }
}

#[test]
fn values_have_rules_and_no_refusal_tells_one() {
    let mut account = Account::new();
    for (value, says) in [("x{{y}}", "can't nest another parameter"), (&"canary".repeat(1000), "4096")] {
        let mut long = put("/v");
        long["Value"] = value.into();
        let refused = account.call("PutParameter", &long).expect_err(says);
        assert!(refused.message.contains(says) && !refused.message.contains("canary"), "{}", refused.message);
    }
    let mut empty = put("/v");
    empty["Value"] = "".into();
    account.refuses("PutParameter", &empty, "ValidationException", "Value '' at 'value' failed");
    let mut other_key = put("/v");
    other_key["KeyId"] = "alias/mine".into();
    account.refuses("PutParameter", &other_key, "InvalidKeyId", "");
}

#[test]
fn lists_are_filtered_by_path_name_type_and_tag() {
    let mut account = Account::new();
    for name in ["/demo/keys/2", "/demo/keys/2/deep", "/demo/other", "/demo/keysmith"] {
        account.call("PutParameter", &json!({ "Name": name, "Value": "v", "Type": "String" })).unwrap();
    }
    assert_eq!(account.found("Path", "OneLevel", "/demo/keys"), ["/demo/keys/1", "/demo/keys/2"]);
    assert_eq!(
        account.found("Path", "Recursive", "/demo/keys/"),
        ["/demo/keys/1", "/demo/keys/2", "/demo/keys/2/deep"]
    );
    assert_eq!(account.found("Name", "Equals", "/demo/other"), ["/demo/other"]);
    assert_eq!(account.found("Name", "Contains", "smith"), ["/demo/keysmith"]);
    assert_eq!(account.found("Type", "Equals", "SecureString"), ["/demo/keys/1"]);
    assert_eq!(account.found("tag:team", "Equals", "iot"), ["/demo/keys/1"]);
    let filter = |key: &str, option: &str| json!({ "ParameterFilters": [{ "Key": key, "Option": option, "Values": ["x"] }] });
    account.refuses("DescribeParameters", &filter("Path", "Equals"), "InvalidFilterOption", "Equals");
    account.refuses("DescribeParameters", &filter("Label", "Equals"), "InvalidFilterKey", "Label");
    account.refuses(
        "DescribeParameters",
        &filter("Odd", "Equals"),
        "ValidationException",
        "parameterFilters",
    );
    account.refuses("DescribeParameters", &json!({ "NextToken": "!" }), "InvalidNextToken", "");
    account.options.page_size = 2;
    let first = account.call("DescribeParameters", &json!({})).unwrap();
    let rest = account.call("DescribeParameters", &json!({ "NextToken": first["NextToken"] })).unwrap();
    assert_eq!([&first, &rest].map(|page| page["Parameters"].as_array().unwrap().len()), [2, 2]);
}

#[test]
fn tags_come_with_the_parameter_or_later() {
    let mut account = Account::new();
    let named = json!({ "ResourceType": "Parameter", "ResourceId": "/demo/keys/1" });
    let with = |more: Value| {
        let mut call = named.clone();
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    };
    account.call("AddTagsToResource", &with(json!({ "Tags": [{ "Key": "a", "Value": "b" }] }))).unwrap();
    assert_eq!(
        account.call("ListTagsForResource", &named).unwrap(),
        json!({ "TagList": [{ "Key": "a", "Value": "b" }, { "Key": "team", "Value": "iot" }] })
    );
    account.call("RemoveTagsFromResource", &with(json!({ "TagKeys": ["a", "none"] }))).unwrap();
    let many: Vec<Value> = (0..50).map(|number| json!({ "Key": number.to_string(), "Value": "" })).collect();
    account.refuses("AddTagsToResource", &with(json!({ "Tags": many })), "TooManyTagsError", "50");
    let reserved = with(json!({ "Tags": [{ "Key": "aws:x", "Value": "" }] }));
    account.refuses("AddTagsToResource", &reserved, "ValidationException", "aws:");
    let other = json!({ "ResourceType": "Document", "ResourceId": "/demo/keys/1" });
    account.refuses("ListTagsForResource", &other, "InvalidResourceId", "");
    let none = json!({ "ResourceType": "Parameter", "ResourceId": "/none" });
    account.refuses("ListTagsForResource", &none, "InvalidResourceId", "");
    account.refuses("PutResourcePolicy", &json!({}), "UnknownOperationException", "PutResourcePolicy");
}
