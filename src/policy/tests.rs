use std::collections::BTreeSet;

use super::{Purpose, Scope, document, needs, to_change, to_read};
use crate::names::{AccountId, AuthorizerName, Identity, Region, StackName};
use crate::resource::{Action, Kind};

fn identity(region: &str, partition: &str) -> Identity {
    Identity {
        stack: StackName::new("printers").unwrap(),
        region: Region::new(region).unwrap(),
        account: AccountId::new("123456789012").unwrap(),
        partition: partition.to_owned(),
        authorizer: AuthorizerName::new("printers").unwrap(),
        parameters: Box::default(),
    }
}

fn actions(purpose: Purpose) -> BTreeSet<&'static str> {
    needs(purpose).into_iter().map(|need| need.action).collect()
}

#[test]
fn a_read_only_policy_writes_nothing() {
    for action in actions(Purpose::Drift).union(&actions(Purpose::Device)) {
        let verb = action.split(':').nth(1).unwrap();
        assert!(["Get", "List", "Describe"].iter().any(|start| verb.starts_with(start)), "{action}");
    }
}

#[test]
fn every_step_is_covered_by_the_policy_of_its_command() {
    for kind in Kind::ALL {
        for need in to_read(kind) {
            for purpose in [Purpose::Drift, Purpose::Deploy, Purpose::Destroy] {
                assert!(needs(purpose).contains(&need), "{kind:?} {purpose:?} {need:?}");
            }
        }
        for (purpose, action) in [
            (Purpose::Deploy, Action::Create),
            (Purpose::Deploy, Action::Update),
            (Purpose::Destroy, Action::Delete),
        ] {
            for need in to_change(kind, action) {
                assert!(needs(purpose).contains(&need), "{kind:?} {action:?} {need:?}");
            }
        }
        assert_eq!(to_change(kind, Action::Keep), []);
    }
}

#[test]
fn a_role_is_passed_to_lambda_alone_and_the_function_opened_to_iot_alone() {
    let text = document(&identity("eu-west-1", "aws"), Purpose::Deploy).text();
    assert!(text.contains("\"iam:PassedToService\": \"lambda.amazonaws.com\""), "{text}");
    assert!(text.contains("\"lambda:Principal\": \"iot.amazonaws.com\""), "{text}");
    for need in needs(Purpose::Deploy) {
        let limited = match need.action {
            "iam:PassRole" => need.scope == Scope::PassedRole,
            "lambda:AddPermission" => need.scope == Scope::Invoker,
            _ => true,
        };
        assert!(limited, "{need:?}");
    }
}

/// Only what AWS cannot limit stands beside `*` (Service Authorization Reference: no resource types).
#[test]
fn a_star_is_only_where_aws_knows_no_resource() {
    let unlimited = |purpose| -> Vec<&str> {
        needs(purpose).iter().filter(|need| need.scope == Scope::Any).map(|need| need.action).collect()
    };
    let reads = ["iot:DescribeDefaultAuthorizer", "iot:DescribeEndpoint", "logs:DescribeLogGroups"];
    assert_eq!(unlimited(Purpose::Drift), reads);
    assert_eq!(
        unlimited(Purpose::Destroy),
        ["iot:ClearDefaultAuthorizer", "iot:DescribeDefaultAuthorizer", "logs:DescribeLogGroups"]
    );
}

#[test]
fn arns_are_of_the_regions_partition() {
    let text = document(&identity("cn-north-1", "aws-cn"), Purpose::Destroy).text();
    assert!(text.contains("arn:aws-cn:iam::123456789012:role/thinggate-printers-cn-north-1"), "{text}");
    assert!(!text.contains("arn:aws:"), "{text}");
}
