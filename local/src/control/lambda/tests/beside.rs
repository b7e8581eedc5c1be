//! Function URLs and provisioned concurrency: kept, listed, and gone with what they hang on.

use serde_json::json;

use super::{FUNCTION_ARN, delete, get, released};

const URL: &str = "/2021-10-31/functions/f/url";
const URLS: &str = "/2021-10-31/functions/f/urls";
const PROVISIONED: &str = "/2019-09-30/functions/f/provisioned-concurrency";

/// Members and statuses: [M] `CreateFunctionUrlConfig`, `ListFunctionUrlConfigs`.
#[test]
fn urls_hang_on_the_function_and_on_its_aliases() {
    let mut bench = released();
    assert_eq!(get(&mut bench, URLS).body, json!({ "FunctionUrlConfigs": [] }));
    let live = format!("{URL}?Qualifier=live");
    let made = bench.lambda("POST", &live, &json!({ "AuthType": "NONE" }));
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["FunctionArn"], format!("{FUNCTION_ARN}:live"));
    assert!(made.body["FunctionUrl"].as_str().unwrap().ends_with(".lambda-url.eu-west-1.on.aws/"));
    assert_eq!(bench.lambda("POST", URL, &json!({ "AuthType": "AWS_IAM" })).status, 201);
    let listed = get(&mut bench, URLS).body;
    let kinds: Vec<_> =
        listed["FunctionUrlConfigs"].as_array().unwrap().iter().map(|one| &one["AuthType"]).collect();
    assert_eq!(kinds, [&json!("AWS_IAM"), &json!("NONE")]);
    assert_eq!(get(&mut bench, &live).body["AuthType"], "NONE");
    let again = bench.lambda("POST", &live, &json!({ "AuthType": "NONE" }));
    assert_eq!((again.status, again.code), (409, "ResourceConflictException"));
    let odd = bench.lambda("POST", URL, &json!({ "AuthType": "SOME" }));
    assert_eq!((odd.status, odd.code), (400, "ValidationException"));
    assert_eq!(delete(&mut bench, &format!("{URL}?Qualifier=1")).code, "ValidationException");
    assert_eq!(delete(&mut bench, &live).status, 204);
    assert_eq!(delete(&mut bench, &live).code, "ResourceNotFoundException");
    assert_eq!(get(&mut bench, "/2021-10-31/functions/g/urls").code, "ResourceNotFoundException");
}

/// Members and statuses: [M] `PutProvisionedConcurrencyConfig`, `ListProvisionedConcurrencyConfigs`.
#[test]
fn provisioned_concurrency_hangs_on_what_is_published() {
    let mut bench = released();
    let all = format!("{PROVISIONED}?List=ALL");
    assert_eq!(get(&mut bench, &all).body, json!({ "ProvisionedConcurrencyConfigs": [] }));
    let (two, live) =
        (json!({ "ProvisionedConcurrentExecutions": 2 }), format!("{PROVISIONED}?Qualifier=live"));
    assert_eq!(get(&mut bench, &live).code, "ProvisionedConcurrencyConfigNotFoundException");
    assert_eq!(bench.lambda("PUT", &live, &two).status, 202);
    let listed = get(&mut bench, &all).body;
    let [only] = &listed["ProvisionedConcurrencyConfigs"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!(only["FunctionArn"], format!("{FUNCTION_ARN}:live"));
    assert_eq!(only["RequestedProvisionedConcurrentExecutions"], 2);
    let latest = bench.lambda("PUT", &format!("{PROVISIONED}?Qualifier=$LATEST"), &two);
    assert_eq!((latest.status, latest.code), (400, "InvalidParameterValueException"));
    assert_eq!(bench.lambda("PUT", PROVISIONED, &two).code, "ValidationException");
    assert_eq!(bench.lambda("PUT", &format!("{PROVISIONED}?Qualifier=other"), &two).status, 404);
    assert_eq!(delete(&mut bench, "/2015-03-31/functions/f/aliases/live").status, 204);
    assert_eq!(
        get(&mut bench, &all).body,
        json!({ "ProvisionedConcurrencyConfigs": [] }),
        "it goes with its alias"
    );
}
