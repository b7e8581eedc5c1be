use super::*;

fn identity(stack: &str, region: &str) -> Identity {
    Identity {
        stack: StackName::new(stack).unwrap(),
        region: Region::new(region).unwrap(),
        account: AccountId::new("123456789012").unwrap(),
        partition: "aws".to_owned(),
        authorizer: AuthorizerName::new("door").unwrap(),
        parameters: Box::default(),
    }
}

#[test]
fn both_ends_of_a_name_are_checked() {
    for bad in ["", "a b", "a!", " a", "a\n", "a.b", "a/b"] {
        assert!(AuthorizerName::new(bad).is_err(), "{bad:?} was taken");
    }
    AuthorizerName::new("a=,@-_Z9").unwrap();
    AuthorizerName::new(&"a".repeat(128)).unwrap();
    assert!(AuthorizerName::new(&"a".repeat(129)).is_err());
}

#[test]
fn two_regions_never_share_a_role() {
    assert_ne!(identity("demo", "eu-west-1").role(), identity("demo", "us-east-1").role());
    let long = "d".repeat(100);
    let (west, east) = (identity(&long, "eu-west-1").role(), identity(&long, "us-east-1").role());
    assert_ne!(west, east);
    assert_eq!(west.as_str().len(), 64);
}

#[test]
fn long_stacks_keep_distinct_legal_names() {
    let (one, two) = (format!("{}1", "d".repeat(99)), format!("{}2", "d".repeat(99)));
    let (one, two) = (identity(&one, "eu-west-1"), identity(&two, "eu-west-1"));
    assert_ne!(one.function(), two.function());
    FunctionName::new(one.function().as_str()).unwrap();
    LogGroupName::new(one.log_group().as_str()).unwrap();
}

#[test]
fn arns_have_the_forms_of_the_service_authorization_reference() {
    let demo = identity("demo", "eu-west-1");
    assert_eq!(demo.alias_arn(), "arn:aws:lambda:eu-west-1:123456789012:function:thinggate-demo:live");
    assert_eq!(demo.role_arn(), "arn:aws:iam::123456789012:role/thinggate-demo-eu-west-1");
    assert_eq!(demo.authorizer_arn(), "arn:aws:iot:eu-west-1:123456789012:authorizer/door");
    assert_eq!(demo.log_group_arn(), "arn:aws:logs:eu-west-1:123456789012:log-group:/thinggate/demo");
}
