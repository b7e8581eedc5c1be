//! Codes and statuses are the model's (botocore 1.43.11, `iam/2010-05-08`). A text without a source beside it
//! is believed to be AWS's.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Method};

use super::*;
use crate::{ACCOUNT, Options, PackageStore};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const INLINE: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"*"}}"#;
const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

struct Account {
    world: World,
    options: Options,
}

impl Account {
    fn new() -> Self {
        Self { world: World::default(), options: Options::default() }
    }

    /// An account with the role `Demo`.
    fn with_role() -> Self {
        let mut account = Self::new();
        account.create("Demo").unwrap();
        account
    }

    fn call(&mut self, action: &str, parameters: &[(&str, &str)]) -> Result<String, ServiceError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", VERSION).extend_pairs(parameters);
        let body = Bytes::from(form.finish());
        let call = Call {
            region: "us-east-1",
            account: ACCOUNT,
            // 2015-08-30T12:36:00Z.
            now: UNIX_EPOCH + Duration::from_mins(24_015_636),
            request_id: "id",
            method: &Method::POST,
            path: &[],
            query: &[],
            headers: &HeaderMap::new(),
            body: &body,
            options: &self.options,
            caller: &crate::control::caller::Caller::User,
            key: &crate::Credentials { access_key_id: String::new(), secret_access_key: String::new() },
            guard: &crate::control::guard::Guard::default(),
            issuers: &crate::control::sts::issuers::Issuers::default(),
            packages: &PackageStore::in_memory(),
        };
        match handle(&mut self.world, &call)? {
            Reply::Answer(answer) => Ok(String::from_utf8(answer.into_body().to_vec()).unwrap()),
            Reply::Run(_) => panic!("IAM runs no function"),
        }
    }

    fn create(&mut self, name: &str) -> Result<String, ServiceError> {
        self.call("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)])
    }

    #[track_caller]
    fn refuses(&mut self, action: &str, parameters: &[(&str, &str)], status: u16, code: &str, text: &str) {
        let refused = self.call(action, parameters).expect_err(action);
        assert_eq!(
            (refused.status, refused.code, refused.message.as_str()),
            (status, code, text),
            "{action}"
        );
    }
}

/// The texts of `element` in document order.
fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).collect()
}

#[test]
fn a_role_is_created_and_shown() {
    let mut account = Account::new();
    let created = account
        .call(
            "CreateRole",
            &[
                ("RoleName", "Demo"),
                ("Path", "/iot/"),
                ("AssumeRolePolicyDocument", TRUST),
                ("Description", "a & b"),
                ("MaxSessionDuration", "7200"),
                ("PermissionsBoundary", READ_ONLY),
                ("Tags.member.1.Key", "thinggate:stack"),
                ("Tags.member.1.Value", "demo@eu-west-1"),
            ],
        )
        .unwrap();
    assert!(created.starts_with("<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"));
    assert!(created.contains("<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>"));
    // Recorded: the answer of CreateRole has no MaxSessionDuration, the one of GetRole has.
    assert!(!created.contains("MaxSessionDuration"));
    let shown = account.call("GetRole", &[("RoleName", "Demo")]).unwrap();
    for (element, expected) in [
        ("Path", "/iot/"),
        ("RoleName", "Demo"),
        ("Arn", "arn:aws:iam::000000000000:role/iot/Demo"),
        ("CreateDate", "2015-08-30T12:36:00Z"),
        ("Description", "a &amp; b"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundaryArn", READ_ONLY),
        ("Key", "thinggate:stack"),
        ("Value", "demo@eu-west-1"),
        ("RoleLastUsed", ""),
    ] {
        assert_eq!(texts(&shown, element), [expected], "{element}");
    }
    // RFC 3986, all but unreserved characters.
    let trust = texts(&shown, "AssumeRolePolicyDocument")[0];
    assert!(trust.starts_with("%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B"), "{trust}");
    let role = account.world.iam.role("arn:aws:iam::000000000000:role/iot/Demo").unwrap();
    assert_eq!(texts(&shown, "RoleId"), [role.role_id.as_str()]);
    assert!(role.role_id.starts_with("AROA"));
}

#[test]
fn names_are_one_whatever_their_case_and_a_new_role_is_another() {
    let mut account = Account::with_role();
    let text = "Role with name DEMO already exists.";
    let parameters = [("RoleName", "DEMO"), ("AssumeRolePolicyDocument", TRUST)];
    account.refuses("CreateRole", &parameters, 409, "EntityAlreadyExists", text);
    let first = account.call("GetRole", &[("RoleName", "dEMO")]).unwrap();
    account.call("DeleteRole", &[("RoleName", "demo")]).unwrap();
    account.create("Demo").unwrap();
    let second = account.call("GetRole", &[("RoleName", "Demo")]).unwrap();
    assert_eq!(texts(&first, "Arn"), texts(&second, "Arn"));
    assert_ne!(texts(&first, "RoleId"), texts(&second, "RoleId"));
}

#[test]
fn what_is_not_there_is_no_such_entity() {
    let mut account = Account::with_role();
    let missing = "The role with name none cannot be found.";
    for (action, more) in [
        ("GetRole", &[][..]),
        ("UpdateRole", &[]),
        ("UpdateAssumeRolePolicy", &[("PolicyDocument", TRUST)]),
        ("DeleteRole", &[]),
        ("PutRolePolicy", &[("PolicyName", "p"), ("PolicyDocument", INLINE)]),
        ("GetRolePolicy", &[("PolicyName", "p")]),
        ("DeleteRolePolicy", &[("PolicyName", "p")]),
        ("ListRolePolicies", &[]),
        ("AttachRolePolicy", &[("PolicyArn", READ_ONLY)]),
        ("DetachRolePolicy", &[("PolicyArn", READ_ONLY)]),
        ("ListAttachedRolePolicies", &[]),
        ("ListInstanceProfilesForRole", &[]),
        ("TagRole", &[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]),
        ("UntagRole", &[("TagKeys.member.1", "k")]),
        ("ListRoleTags", &[]),
        ("PutRolePermissionsBoundary", &[("PermissionsBoundary", READ_ONLY)]),
        ("DeleteRolePermissionsBoundary", &[]),
    ] {
        let parameters: Vec<_> = [("RoleName", "none")].into_iter().chain(more.iter().copied()).collect();
        account.refuses(action, &parameters, 404, "NoSuchEntity", missing);
    }
    let policy = [("RoleName", "Demo"), ("PolicyName", "p")];
    let text = "The role policy with name p cannot be found.";
    account.refuses("GetRolePolicy", &policy, 404, "NoSuchEntity", text);
    account.refuses("DeleteRolePolicy", &policy, 404, "NoSuchEntity", text);
    let attached = [("RoleName", "Demo"), ("PolicyArn", READ_ONLY)];
    let text = "Policy arn:aws:iam::aws:policy/ReadOnlyAccess was not found.";
    account.refuses("DetachRolePolicy", &attached, 404, "NoSuchEntity", text);
}

#[test]
fn what_does_not_fit_the_model_is_a_validation_error() {
    let mut account = Account::with_role();
    let long = "x".repeat(65);
    for (action, parameters, expected) in [
        ("GetRole", vec![], "Value null at 'roleName' failed to satisfy constraint: Member must not be null"),
        (
            "GetRole",
            vec![("RoleName", "a b")],
            r"Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            "UpdateRole",
            vec![("RoleName", "Demo"), ("MaxSessionDuration", "60")],
            "Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
        ),
        (
            "ListRoles",
            vec![("MaxItems", "0")],
            "Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "AttachRolePolicy",
            vec![("RoleName", "Demo"), ("PolicyArn", "short")],
            "Value 'short' at 'policyArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
        ),
    ] {
        let text = format!("1 validation error detected: {expected}");
        account.refuses(action, &parameters, 400, "ValidationError", &text);
    }
    // The form of this text for functionName is recorded (LocalStack's snapshots of Lambda).
    let text = format!(
        "2 validation errors detected: Value '{long}' at 'roleName' failed to satisfy constraint: Member must \
         have length less than or equal to 64; Value null at 'assumeRolePolicyDocument' failed to satisfy \
         constraint: Member must not be null"
    );
    account.refuses("CreateRole", &[("RoleName", &long)], 400, "ValidationError", &text);
    account.refuses("ListRoles", &[("Marker", "?")], 400, "ValidationError", "Invalid Marker.");
    let text = "Could not find operation ListUsers for version 2010-05-08";
    account.refuses("ListUsers", &[], 400, "InvalidAction", text);
}

/// "Cannot delete entity, must … first.": moto 5.2.1, the same family as AWS.
#[test]
fn a_role_goes_last() {
    let mut account = Account::with_role();
    let role = ("RoleName", "Demo");
    account.call("PutRolePolicy", &[role, ("PolicyName", "p"), ("PolicyDocument", INLINE)]).unwrap();
    for _ in 0..2 {
        account.call("AttachRolePolicy", &[role, ("PolicyArn", READ_ONLY)]).unwrap();
    }
    let listed = account.call("ListAttachedRolePolicies", &[role]).unwrap();
    assert_eq!(texts(&listed, "PolicyName"), ["ReadOnlyAccess"]);
    assert_eq!(texts(&listed, "PolicyArn"), [READ_ONLY]);
    let text = "Cannot delete entity, must detach all policies first.";
    account.refuses("DeleteRole", &[role], 409, "DeleteConflict", text);
    account.call("DetachRolePolicy", &[role, ("PolicyArn", READ_ONLY)]).unwrap();
    let text = "Cannot delete entity, must delete policies first.";
    account.refuses("DeleteRole", &[role], 409, "DeleteConflict", text);
    account.call("DeleteRolePolicy", &[role, ("PolicyName", "p")]).unwrap();
    account.call("DeleteRole", &[role]).unwrap();
}

#[test]
fn policies_that_are_not_there_cannot_be_attached() {
    let mut account = Account::with_role();
    let own = "arn:aws:iam::000000000000:policy/own";
    // Recorded: "Policy <arn> does not exist or is not attachable."
    let text = "Policy arn:aws:iam::000000000000:policy/own does not exist or is not attachable.";
    let parameters = [("RoleName", "Demo"), ("PolicyArn", own)];
    account.refuses("AttachRolePolicy", &parameters, 404, "NoSuchEntity", text);
    let parameters = [("RoleName", "Demo"), ("PolicyArn", "not an arn, but long enough")];
    let text = "ARN not an arn, but long enough is not valid.";
    account.refuses("AttachRolePolicy", &parameters, 400, "InvalidInput", text);
    let parameters = [("RoleName", "Demo"), ("PermissionsBoundary", own)];
    let text = "Scope ARN: arn:aws:iam::000000000000:policy/own does not exist or is not attachable.";
    account.refuses("PutRolePermissionsBoundary", &parameters, 404, "NoSuchEntity", text);
}

/// The numbers: "IAM and AWS STS quotas".
#[test]
fn quotas_hold() {
    let mut account = Account::with_role();
    let role = ("RoleName", "Demo");
    for number in 0..10 {
        let arn = format!("arn:aws:iam::aws:policy/P{number}");
        account.call("AttachRolePolicy", &[role, ("PolicyArn", &arn)]).unwrap();
    }
    let text = "Cannot exceed quota for PoliciesPerRole: 10";
    account.refuses("AttachRolePolicy", &[role, ("PolicyArn", READ_ONLY)], 409, "LimitExceeded", text);
    account.call("AttachRolePolicy", &[role, ("PolicyArn", "arn:aws:iam::aws:policy/P3")]).unwrap();
    let padded = |length: usize| INLINE.replace("logs:PutLogEvents", &format!("logs:{}", "x".repeat(length)));
    let put = |document: &str, account: &mut Account, name: &str| {
        account.call("PutRolePolicy", &[role, ("PolicyName", name), ("PolicyDocument", document)])
    };
    put(&padded(6000), &mut account, "a").unwrap();
    let refused = put(&padded(6000), &mut account, "b").unwrap_err();
    assert_eq!(refused.message, "Maximum policy size of 10240 bytes exceeded for role Demo");
    put(&padded(9000), &mut account, "a").unwrap();
    let trust = TRUST.replace("sts:AssumeRole", &format!("sts:AssumeRole{}", "x".repeat(2000)));
    let text = "Cannot exceed quota for ACLSizePerRole: 2048";
    account.refuses(
        "UpdateAssumeRolePolicy",
        &[role, ("PolicyDocument", &trust)],
        409,
        "LimitExceeded",
        text,
    );
    // White space does not count.
    let spaced = TRUST.replace(',', &format!(",{}", " ".repeat(500)));
    account.call("UpdateAssumeRolePolicy", &[role, ("PolicyDocument", &spaced)]).unwrap();
}

#[test]
fn tags_are_merged_by_key_whatever_its_case() {
    let mut account = Account::with_role();
    let role = ("RoleName", "Demo");
    let tag = |key, value| [role, ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
    account.call("TagRole", &tag("team", "a")).unwrap();
    account.call("TagRole", &tag("Team", "")).unwrap();
    let listed = account.call("ListRoleTags", &[role]).unwrap();
    assert_eq!((texts(&listed, "Key"), texts(&listed, "Value")), (vec!["Team"], vec![""]));
    let twice = [
        role,
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "K"),
        ("Tags.member.2.Value", "2"),
    ];
    let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    account.refuses("TagRole", &twice, 400, "InvalidInput", text);
    account.call("UntagRole", &[role, ("TagKeys.member.1", "TEAM"), ("TagKeys.member.2", "none")]).unwrap();
    assert!(texts(&account.call("ListRoleTags", &[role]).unwrap(), "Key").is_empty());
}

#[test]
fn lists_come_in_pages() {
    let mut account = Account::new();
    account.options.page_size = 1;
    for name in ["b", "A", "c"] {
        account.create(name).unwrap();
    }
    let (mut names, mut marker) = (Vec::new(), None::<String>);
    for expected_truncated in ["true", "true", "false"] {
        let parameters: Vec<_> = marker.as_deref().map(|marker| ("Marker", marker)).into_iter().collect();
        let page = account.call("ListRoles", &parameters).unwrap();
        names.extend(texts(&page, "RoleName").into_iter().map(str::to_owned));
        assert_eq!(texts(&page, "IsTruncated"), [expected_truncated]);
        marker = texts(&page, "Marker").first().map(|text| (*text).to_owned());
    }
    assert_eq!((names, marker), (vec!["A".to_owned(), "b".to_owned(), "c".to_owned()], None));
}

#[test]
fn an_update_without_a_session_length_sets_the_default() {
    let mut account = Account::with_role();
    let role = ("RoleName", "Demo");
    account.call("UpdateRole", &[role, ("MaxSessionDuration", "7200"), ("Description", "x")]).unwrap();
    account.call("UpdateRole", &[role]).unwrap();
    let shown = account.call("GetRole", &[role]).unwrap();
    assert_eq!(texts(&shown, "MaxSessionDuration"), ["3600"]);
    assert_eq!(texts(&shown, "Description"), ["x"]);
}
