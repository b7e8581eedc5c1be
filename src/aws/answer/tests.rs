use aws_smithy_runtime_api::client::result::ConnectorError;

use super::*;
use crate::aws::retry::{
    AUTHORIZER_INACTIVE, CODE_SEEN, FUNCTION_SETTLED, IOT_CAUGHT_UP, RELEASE_SEEN, ROLE_PROPAGATION,
};

/// Codes, statuses and texts recorded from AWS by localstack/localstack (`tests/aws/services/**`,
/// commit 8b9a79f05), or from the service models of botocore 1.43.11.
const RECORDED: &[(&str, &str, &str, u16, Answer)] = &[
    ("GetFunction", "ResourceNotFoundException", "Function not found: arn:x", 404, Answer::NotFound),
    ("GetRole", "NoSuchEntity", "The role with name r cannot be found.", 404, Answer::NotFound),
    (
        "DeleteLogGroup",
        "ResourceNotFoundException",
        "The specified log group does not exist.",
        400,
        Answer::NotFound,
    ),
    ("CreateRole", "EntityAlreadyExists", "Role with name r already exists.", 409, Answer::AlreadyExists),
    (
        "CreateLogGroup",
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
        400,
        Answer::AlreadyExists,
    ),
    ("CreateAuthorizer", "ResourceAlreadyExistsException", "", 409, Answer::AlreadyExists),
    ("CreateFunction", "ResourceConflictException", "Function already exist: f", 409, Answer::AlreadyExists),
    ("CreateAlias", "ResourceConflictException", "Alias already exists: arn:x", 409, Answer::AlreadyExists),
    (
        "AddPermission",
        "ResourceConflictException",
        "The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.",
        409,
        Answer::AlreadyExists,
    ),
    (
        "UpdateAlias",
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        412,
        Answer::Precondition,
    ),
    ("CreateAuthorizer", "LimitExceededException", "", 410, Answer::LimitExceeded),
    (
        "CreateRole",
        "LimitExceeded",
        "Cannot exceed quota for RolesPerAccount: 1000",
        409,
        Answer::LimitExceeded,
    ),
    ("CreateAuthorizer", "ThrottlingException", "Rate exceeded", 400, Answer::Throttled),
    ("CreateFunction", "TooManyRequestsException", "Rate exceeded", 429, Answer::Throttled),
    (
        "GetRole",
        "AccessDenied",
        "User: x is not authorized to perform: iam:GetRole",
        403,
        Answer::AccessDenied,
    ),
    ("DescribeAuthorizer", "UnauthorizedException", "", 401, Answer::AccessDenied),
    (
        "GetCallerIdentity",
        "ExpiredToken",
        "The security token included in the request is expired",
        403,
        Answer::BadCredentials,
    ),
    (
        "GetFunction",
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        403,
        Answer::BadCredentials,
    ),
    ("GetFunction", "InvalidSignatureException", "", 403, Answer::BadCredentials),
    ("PutRolePolicy", "MalformedPolicyDocument", "This policy contains invalid Json", 400, Answer::Invalid),
    ("PublishVersion", "InvalidParameterValueException", "CodeSHA256 (x) is different", 400, Answer::Invalid),
    ("DeleteFunction", "ServiceException", "", 500, Answer::Other),
    // What is between us and AWS may answer 404 too, without a code.
    ("DeleteFunction", "", "", 404, Answer::Other),
    ("DeleteFunction", "SomethingNew", "", 404, Answer::Other),
    ("DeleteFunction", "SomethingNew", "", 403, Answer::AccessDenied),
];

#[test]
fn recorded_answers_are_sorted() {
    for (operation, code, text, status, expected) in RECORDED {
        assert_eq!(sort_code(operation, code, text, Some(*status)), *expected, "{operation} {code} {text}");
    }
}

/// Texts recorded from AWS, or read in Terraform's own retries.
#[test]
fn what_means_not_yet_is_waited_for_and_the_rest_is_not() {
    let condition = |operation, code, text| match sort_code(operation, code, text, Some(400)) {
        Answer::NotYet(row) => Some(row.condition),
        _ => None,
    };
    let cannot = "The role defined for the function cannot be assumed by Lambda.";
    let busy = "The operation cannot be performed at this time. An update is in progress for resource: arn:x";
    let invalid = "InvalidParameterValueException";
    let conflict = "ResourceConflictException";
    assert_eq!(condition("CreateFunction", invalid, cannot), Some(ROLE_PROPAGATION));
    assert_eq!(condition("UpdateFunctionConfiguration", invalid, cannot), Some(ROLE_PROPAGATION));
    assert_eq!(condition("CreateFunction", invalid, "Unzipped size must be smaller"), None);
    assert_eq!(condition("UpdateFunctionCode", conflict, busy), Some(FUNCTION_SETTLED));
    assert_eq!(condition("PublishVersion", conflict, busy), Some(FUNCTION_SETTLED));
    // Issues remotion-dev/remotion 1186 and aws/serverless-application-model 2356.
    for pending in [
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        "The operation cannot be performed at this time. The resource arn:x is currently in the following state: 'Pending'. StateReasonCode: 'Creating'",
    ] {
        assert_eq!(condition("PublishVersion", conflict, pending), Some(FUNCTION_SETTLED));
    }
    assert_eq!(condition("CreateFunction", conflict, "Function already exist: f"), None);
    assert_eq!(condition("DeleteAuthorizer", "DeleteConflictException", ""), Some(AUTHORIZER_INACTIVE));
    assert_eq!(condition("DeleteAuthorizer", "InvalidRequestException", ""), Some(AUTHORIZER_INACTIVE));
    for operation in ["CreateAuthorizer", "UpdateAuthorizer", "SetDefaultAuthorizer"] {
        assert_eq!(condition(operation, "InvalidRequestException", ""), Some(IOT_CAUGHT_UP));
    }
    assert_eq!(condition("TestInvokeAuthorizer", "InvalidRequestException", ""), None);
    for operation in ["PublishVersion", "CreateAlias", "UpdateAlias", "AddPermission"] {
        assert_eq!(condition(operation, "ResourceNotFoundException", ""), Some(RELEASE_SEEN));
    }
    // What is read or deleted may well not be there.
    for operation in ["GetFunction", "GetAlias", "RemovePermission", "DeleteFunction", "DescribeAuthorizer"] {
        assert_eq!(condition(operation, "ResourceNotFoundException", ""), None);
    }
    let other = "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (y).";
    assert_eq!(condition("PublishVersion", invalid, other), Some(CODE_SEEN));
    assert!(condition("DeleteRole", "DeleteConflict", "").is_some());
    assert!(condition("PutRolePolicy", "ConcurrentModification", "").is_some());
}

/// The recorded text of a too large environment repeats it (aws-facts 3.1).
#[test]
fn a_text_passes_only_for_codes_that_repeat_no_secret() {
    let leak = "Lambda was unable to configure your environment variables because the environment variables \
                you have provided exceeded the 4KB limit. String measured: {\"SECRET\":\"hunter2\"}";
    assert_eq!(allowed("InvalidParameterValueException", leak), None);
    assert_eq!(allowed("ValidationException", "Value 'hunter2' at 'environment'"), None);
    assert_eq!(allowed("InvalidRequestException", "hunter2"), None);
    assert_eq!(allowed("NoSuchEntity", "no\nrole\u{1b}[31m").as_deref(), Some("no role [31m"));
    assert_eq!(allowed("ResourceConflictException", "").as_deref(), None);
    let long = "x".repeat(TEXT_CHARACTERS_MAX + 1);
    assert_eq!(allowed("AccessDenied", &long).unwrap().len(), TEXT_CHARACTERS_MAX);
}

#[test]
fn every_answer_says_what_to_do_and_has_the_right_exit_code() {
    use crate::problem::Verdict;
    let row = retry::row("DeleteRole", "DeleteConflict", "").unwrap();
    for (answer, exit) in [
        (Answer::NotFound, 1),
        (Answer::AlreadyExists, 1),
        (Answer::Conflict, 1),
        (Answer::NotYet(row), 1),
        (Answer::Throttled, 1),
        (Answer::LimitExceeded, 1),
        (Answer::AccessDenied, 6),
        (Answer::BadCredentials, 6),
        (Answer::NoCredentials, 6),
        (Answer::Invalid, 1),
        (Answer::Precondition, 4),
        (Answer::Unreachable, 1),
        (Answer::Lost, 1),
        (Answer::Stopped, 130),
        (Answer::Other, 1),
    ] {
        let fault = Fault {
            answer,
            operation: "DeleteRole",
            code: Some("Code".to_owned()),
            text: None,
            status: Some(409),
            request_id: Some("id".to_owned()),
            credentials: None,
        };
        let problem = fault.problem("role r");
        assert_eq!(Verdict::Problem(problem.kind).exit(), exit, "{answer:?}");
        assert!(problem.next.is_some() && !problem.because.is_empty(), "{problem:?}");
        assert_eq!(problem.request_id.as_deref(), Some("id"));
        assert!(problem.to_string().contains("AWS answered Code (HTTP 409)"), "{problem}");
    }
}

/// A name without an address and a host that does not answer: nothing was sent.
#[test]
fn a_host_that_cannot_be_found_or_does_not_answer_is_unreachable() {
    type Failure =
        SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, HttpResponse>;
    let found = |error| sort_unanswered(&Failure::dispatch_failure(error));
    let unknown = ResolveDnsError::new("failed to lookup address information");
    assert_eq!(found(ConnectorError::io(Box::new(unknown))), Answer::Unreachable);
    // As `aws-smithy-http-client` tells it (`client.rs`, test of the connect timeout).
    let late = io::Error::new(io::ErrorKind::TimedOut, "HTTP connect timeout occurred after 5s");
    assert_eq!(found(ConnectorError::timeout(Box::new(late))), Answer::Unreachable);
    let read = io::Error::new(io::ErrorKind::TimedOut, "HTTP read timeout occurred after 30s");
    assert_eq!(found(ConnectorError::timeout(Box::new(read))), Answer::Lost);
}
