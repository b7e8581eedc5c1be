use super::{Asked, Decision, Document, Guard, check};
use crate::control::ServiceError;
use crate::control::caller::Caller;
use crate::control::route::Service;

const ROLE: &str = "arn:aws:iam::000000000000:role/thinggate-a";

fn policy(statements: &str) -> Document {
    Document::read(&format!("{{\"Version\":\"2012-10-17\",\"Statement\":{statements}}}")).unwrap()
}

#[track_caller]
fn decides(statements: &str, action: &str, resource: &str, context: &[(&str, &str)], wanted: Decision) {
    let context = context.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let asked = Asked::with(action, resource, context);
    assert_eq!(policy(statements).decide(&asked), wanted, "{statements}: {action} on {resource}");
}

/// IAM User Guide, "Policy evaluation logic": deny, then allow, then nothing.
#[test]
fn a_deny_wins_and_what_is_not_named_is_not_allowed() {
    let allow = r#"[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]"#;
    decides(allow, "iam:GetRole", ROLE, &[], Decision::Allowed);
    decides(allow, "iot:GetRole", ROLE, &[], Decision::NotAllowed);
    let both = r#"[{"Effect":"Allow","Action":"*","Resource":"*"},
                   {"Effect":"Deny","Action":["iam:DeleteRole"],"Resource":"*"}]"#;
    decides(both, "iam:DeleteRole", ROLE, &[], Decision::Denied);
    decides(both, "iam:GetRole", ROLE, &[], Decision::Allowed);
    decides("[]", "iam:GetRole", ROLE, &[], Decision::NotAllowed);
}

/// IAM JSON policy elements: Action has no case, Resource has; `NotAction`, `NotResource` invert.
#[test]
fn patterns_are_those_of_iam() {
    let one = r#"{"Effect":"Allow","Action":"IAM:getrole","Resource":"arn:aws:iam::*:role/thinggate-?"}"#;
    decides(one, "iam:GetRole", ROLE, &[], Decision::Allowed);
    decides(one, "iam:GetRole", "arn:aws:iam::000000000000:role/thinggate-ab", &[], Decision::NotAllowed);
    decides(one, "iam:GetRole", "arn:aws:iam::000000000000:role/Thinggate-a", &[], Decision::NotAllowed);
    let inverted = r#"{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:iot:*"}"#;
    decides(inverted, "lambda:GetAlias", "arn:aws:lambda:x", &[], Decision::Allowed);
    decides(inverted, "iam:GetRole", "arn:aws:iam::1:role/a", &[], Decision::NotAllowed);
    decides(inverted, "iot:TagResource", "arn:aws:iot:eu", &[], Decision::NotAllowed);
}

/// IAM User Guide, "Pass a role to a service": the condition limits to whom.
#[test]
fn a_condition_that_is_not_met_allows_nothing() {
    let pass = r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"*",
                   "Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}"#;
    let to = |service| [("iam:PassedToService", service)];
    decides(pass, "iam:PassRole", ROLE, &to("lambda.amazonaws.com"), Decision::Allowed);
    decides(pass, "iam:PassRole", ROLE, &to("ec2.amazonaws.com"), Decision::NotAllowed);
    decides(pass, "iam:PassRole", ROLE, &[], Decision::NotAllowed);
}

#[test]
fn what_is_not_understood_is_refused_whole() {
    for (text, because) in [
        ("[]", "object"),
        (r#"{"Version":"2008-10-17","Statement":[]}"#, "2012-10-17"),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}"#,
            "Effect",
        ),
        (r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}"#, "Action"),
        (
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
               "Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01"}}}]}"#,
            "DateLessThan",
        ),
        (r#"{"Version":"2012-10-17","Statement":[{"Principal":"*"}]}"#, "Principal"),
    ] {
        let error = Document::read(text).expect_err(text);
        assert!(error.contains(because), "{text}: {error}");
    }
}

fn checked(guard: &Guard, service: Service, asked: &[Asked]) -> Result<(), ServiceError> {
    check(service, asked, &Caller::User.arn("aws", "000000000000"), |one| guard.decide(one))
}

#[test]
fn a_call_that_is_not_allowed_is_refused_in_its_services_words() {
    let guard = Guard::default();
    let asked = [Asked::with("iam:GetRole", ROLE, Vec::new())];
    assert!(checked(&guard, Service::Iam, &asked).is_ok());
    guard.enforce(r#"{"Version":"2012-10-17","Statement":[]}"#).unwrap();
    let refused = checked(&guard, Service::Iam, &asked).unwrap_err();
    assert_eq!((refused.status, refused.code), (403, "AccessDenied"));
    assert_eq!(
        refused.message,
        "User: arn:aws:iam::000000000000:user/local is not authorized to perform: iam:GetRole on resource: \
         arn:aws:iam::000000000000:role/thinggate-a because no identity-based policy allows the iam:GetRole action"
    );
    assert_eq!(checked(&guard, Service::Iot, &asked).unwrap_err().code, "AccessDeniedException");
    guard.lift();
    assert!(checked(&guard, Service::Iam, &asked).is_ok());
}
