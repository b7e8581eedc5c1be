//! The ways to name a function.

use serde_json::Value;

use crate::control::bench::Bench;
use crate::control::lambda::reference::Reference;

#[test]
fn every_form_of_a_name_is_read() {
    // [M] pattern of the shape FunctionName.
    let rows = [
        ("f", (None, None, "f", None)),
        ("f:live", (None, None, "f", Some("live"))),
        ("function:f", (None, None, "f", None)),
        ("000000000000:function:f", (None, Some("000000000000"), "f", None)),
        (
            "arn:aws:lambda:eu-west-1:000000000000:function:f",
            (Some("eu-west-1"), Some("000000000000"), "f", None),
        ),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:000000000000:function:f:$LATEST",
            (Some("us-gov-west-1"), Some("000000000000"), "f", Some("$LATEST")),
        ),
        // [R] incomplete_arn: the name is `function`.
        (
            "arn:aws:lambda:eu-west-1:000000000000:function",
            (Some("eu-west-1"), Some("000000000000"), "function", None),
        ),
    ];
    for (text, (region, account, name, qualifier)) in rows {
        let expected = Reference {
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        };
        assert_eq!(Reference::parse(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    // [R] test_function_name_and_qualifier_validation: ValidationException for each.
    for text in [
        "*",
        "my-function!",
        "invalid-account:function:my-function",
        "arn:aws:lambda:invalid-region:000000000000:function:my-function",
        "arn:aws:ec2:eu-west-1:000000000000:instance:i-1234567890abcdef0",
        "arn:aws:lambda:eu-west-1:000000000000:function:my-function:1:2",
        "function:my-function:$LATEST:extra",
        "arn:aws:lambda::000000000000:function:my-function",
        "arn:aws:lambda:eu-west-1::function:my-function",
        "arn:aws:lambda:eu-west-1:000000000000:function:my-function:$LATES",
    ] {
        assert_eq!(Reference::parse(text), None, "{text}");
        let mut bench = Bench::new();
        let answered = bench.lambda("GET", &format!("/2015-03-31/functions/{text}"), &Value::Null);
        assert_eq!((answered.status, answered.code), (400, "ValidationException"), "{text}");
        let start =
            format!("1 validation error detected: Value '{text}' at 'functionName' failed to satisfy");
        assert!(answered.text.starts_with(&start), "{}", answered.text);
    }
}

#[test]
fn a_qualifier_has_its_own_rules() {
    let long = "a".repeat(129);
    let rows = [
        // [R] invalid_characters_in_qualifier, qualifier_too_long, test_ops_with_arn_qualifier_mismatch.
        ("f", "invalid!", 400, r"Value 'invalid!' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: \$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+".to_owned()),
        ("f", long.as_str(), 400, "at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to 128".to_owned()),
        ("f:1", "2", 400, "The derived qualifier from the function name does not match the specified qualifier.".to_owned()),
        // [R] lowercase_latest_qualifier.
        ("f", "$latest", 404, "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:f:$latest".to_owned()),
    ];
    let mut bench = Bench::new();
    bench.function("f");
    for (name, qualifier, status, text) in rows {
        let path = format!("/2015-03-31/functions/{name}?Qualifier={qualifier}");
        let answered = bench.lambda("GET", &path, &Value::Null);
        assert_eq!(answered.status, status, "{}", answered.text);
        assert!(answered.text.contains(&text), "{}", answered.text);
    }
}
