//! Every SDK error, sorted once. After this nobody looks at codes or texts again.
//!
//! AWS's own words pass only for an allow-list of codes: some of its texts echo what was sent, such as
//! the environment with its secrets when that exceeds 4 KB.

use std::error::Error;
use std::fmt;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::RequestId;
use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::credentials::{self, Cause};
use super::retry::{self, NotYet};
use super::wait;
use crate::door::Refusal;
use crate::problem::{Problem, ProblemKind};

/// AWS texts longer than this are cut.
const TEXT_CHARACTERS_MAX: usize = 400;

/// How the SDK's connector tells that it did not connect in time (`aws-smithy-http-client`,
/// `client/timeout.rs`: its type is private).
const CONNECT_TIMEOUT_TEXT: &str = "HTTP connect timeout";

/// What an unsuccessful answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is no such thing.
    NotFound,
    /// A thing of this name is there already.
    AlreadyExists,
    /// Something else is attached or going on.
    Conflict,
    /// It would work later, and was waited for as long as the row says.
    NotYet(&'static NotYet),
    /// Too many requests, for as long as is worth waiting ([`retry::TAKES_REQUESTS`]).
    Throttled,
    /// A quota.
    LimitExceeded,
    /// The caller lacks a permission.
    AccessDenied,
    /// AWS does not accept the credentials: expired, wrong, or the clock is off.
    BadCredentials,
    /// No credentials were found.
    NoCredentials,
    /// AWS does not accept the request.
    Invalid,
    /// It changed since it was read.
    Precondition,
    /// No connection; nothing was sent.
    Unreachable,
    /// The connection broke or the time was up; whether it took effect is unknown.
    Lost,
    /// The run was stopped; nothing was sent.
    Stopped,
    /// Anything else.
    Other,
}

/// One unsuccessful call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it means.
    pub answer: Answer,
    /// The operation, such as `CreateRole`.
    pub operation: &'static str,
    /// The code as on the wire.
    pub code: Option<String>,
    /// AWS's text, if its code is on the allow-list.
    pub text: Option<String>,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Why there are no credentials, and what helps, where their provider said so.
    pub credentials: Option<Box<Cause>>,
}

/// Codes whose texts repeat nothing but names and ARNs.
const TEXT_ALLOWED: &[&str] = &[
    "AccessDenied",
    "ConcurrentModification",
    "DeleteConflict",
    "EntityAlreadyExists",
    "LimitExceeded",
    "NoSuchEntity",
    "OperationAborted",
    "PreconditionFailed",
    "RequestExpired",
    "ExpiredToken",
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "ResourceAlreadyExists",
    "ResourceConflict",
    "ResourceInUse",
    "ResourceNotFound",
    "ServiceUnavailable",
    "Throttling",
    "TooManyRequests",
    "Unauthorized",
];

/// Texts of `InvalidParameterValueException` that repeat nothing secret, by their beginning.
const INVALID_PARAMETER_ALLOWED: &[&str] = &[
    "The role defined for the function",
    "The provided execution role",
    "Could not unzip uploaded file",
    "Unzipped size must be smaller",
    "The provided principal was invalid",
    "CodeSHA256 (",
    "We currently do not support adding policies",
];

impl Fault {
    /// Sorts what the SDK gave back for `operation`.
    pub(crate) fn sort<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = metadata.and_then(|metadata| metadata.code());
        let text = metadata.and_then(|metadata| metadata.message()).unwrap_or_default();
        let answer = match error {
            // Done, by the status, and what it says cannot be read.
            SdkError::ServiceError(_) if status.is_some_and(|status| status < 300) => Answer::Lost,
            SdkError::ServiceError(_) => sort_code(operation, code.unwrap_or_default(), text, status),
            SdkError::ResponseError(_) => Answer::Lost,
            other => sort_unanswered(other),
        };
        Self {
            answer,
            operation,
            code: code.map(str::to_owned),
            text: code.and_then(|code| allowed(code, text)),
            status,
            request_id: error.request_id().map(str::to_owned),
            credentials: credentials::cause(error).filter(|_| answer == Answer::NoCredentials).map(Box::new),
        }
    }

    /// An answer that lacks what its shape promises.
    pub(crate) fn odd(operation: &'static str) -> Self {
        let (code, text, status, request_id) = (None, None, None, None);
        Self { answer: Answer::Other, operation, code, text, status, request_id, credentials: None }
    }

    /// Whether the thing is not there.
    pub(crate) fn not_found(&self) -> bool {
        self.answer == Answer::NotFound
    }

    /// Whether the thing is there already.
    pub(crate) fn already_exists(&self) -> bool {
        self.answer == Answer::AlreadyExists
    }

    /// The cause, for people, where the run goes on without.
    pub(crate) fn cause(&self) -> String {
        format!("`{}`: {}", self.operation, self.told().2)
    }

    /// As a problem at `place`, such as "role thinggate-demo-eu-west-1".
    pub(crate) fn problem(self, place: impl Into<String>) -> Problem {
        let (kind, code, because, next) = self.told();
        let operation = self.operation;
        let mut problem = Problem::new(kind, code, format!("`{operation}` did not work"))
            .at(place)
            .because(because)
            .next(next)
            .request_id(self.request_id.as_deref());
        if let Some(code) = &self.code {
            let status = self.status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
            let text = self.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            problem = problem.because(format!("AWS answered {code}{status}{text}"));
        }
        problem
    }

    /// Kind, stable code, cause and next command of each answer.
    fn told(&self) -> (ProblemKind, &'static str, String, String) {
        use ProblemKind::{Credentials, Failed, Interrupted, Refused};
        let again = "run the same command again: it goes on where this one stopped";
        let (kind, code, because, next) = match self.answer {
            Answer::NotFound => (Failed, "not_found", "AWS does not have it", again),
            Answer::AlreadyExists => (Failed, "already_exists", "something of this name is there", again),
            Answer::Conflict => (Failed, "conflict", "something else is going on or attached there", again),
            Answer::NotYet(row) => {
                let problem = wait::out_of_time(row.condition);
                return (Failed, "timed_out", problem.what, again.to_owned());
            }
            Answer::Throttled => (
                Failed,
                "throttled",
                "AWS asks for fewer requests, and still does after a minute of attempts",
                "run the same command again in a minute: it goes on where this one stopped",
            ),
            Answer::LimitExceeded => (
                Failed,
                "limit_exceeded",
                "a quota of the account is used up",
                "delete what is no longer needed, or ask for more: `aws service-quotas list-service-quotas \
                 --service-code lambda` (or iotcore, iam, logs)",
            ),
            Answer::AccessDenied => {
                let next = format!(
                    "allow the action of `{}` to the caller that `aws sts get-caller-identity` shows",
                    self.operation
                );
                return (Credentials, "access_denied", "a permission is missing".to_owned(), next);
            }
            Answer::BadCredentials => (
                Credentials,
                "bad_credentials",
                "AWS does not accept the credentials: expired, wrong, or this machine's clock is off",
                "log in again and check with `aws sts get-caller-identity`, then run the same command again",
            ),
            Answer::NoCredentials => match &self.credentials {
                None => (
                    Credentials,
                    "no_credentials",
                    "no AWS credentials were found",
                    "set AWS_PROFILE, or `aws.profile` in the stack file, or log in: `aws sso login`",
                ),
                Some(cause) => (Credentials, "no_credentials", cause.because.as_str(), cause.next.as_str()),
            },
            Answer::Invalid => (
                Failed,
                "invalid",
                "AWS does not accept the request",
                "run `thinggate validate` on the stack file; if it passes, report this with the request id",
            ),
            Answer::Precondition => (
                Refused,
                "changed_meanwhile",
                "it was changed by someone else meanwhile",
                "run `thinggate plan` to see what it is now, then `thinggate deploy` again",
            ),
            Answer::Unreachable => (
                Failed,
                "unreachable",
                "the endpoint cannot be reached",
                "check the network, the proxy and the Region, then run the same command again",
            ),
            Answer::Lost => (Failed, "answer_lost", "the connection broke before the answer came", again),
            Answer::Stopped => (Interrupted, "interrupted", "the run was stopped", again),
            Answer::Other => (Failed, "aws", "AWS answered with an error", again),
        };
        (kind, code, because.to_owned(), next.to_owned())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` did not work: {:?}", self.operation, self.answer)
    }
}

/// Sorts an error answer by its code, then by its status.
fn sort_code(operation: &str, code: &str, text: &str, status: Option<u16>) -> Answer {
    if let Some(row) = retry::row(operation, code, text) {
        return Answer::NotYet(row);
    }
    match code.trim_end_matches("Exception") {
        // What has no tags because it is not there, to Systems Manager, is `InvalidResourceId`.
        "ResourceNotFound" | "NoSuchEntity" | "ParameterNotFound" | "InvalidResourceId" => Answer::NotFound,
        "ResourceAlreadyExists" | "EntityAlreadyExists" | "ParameterAlreadyExists" => Answer::AlreadyExists,
        // Recorded: "Function already exist: …", "Alias already exists: …", "The statement id (…)
        // provided already exists. …".
        "ResourceConflict" if text.contains("already exist") => Answer::AlreadyExists,
        "ResourceConflict"
        | "ResourceInUse"
        | "DeleteConflict"
        | "ConcurrentModification"
        | "OperationAborted"
        | "ConflictingResourceUpdate"
        // Two changes of one parameter at the same time (`PutParameter`).
        | "TooManyUpdates" => Answer::Conflict,
        "Throttling"
        | "Throttled"
        | "RequestThrottled"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "BandwidthLimitExceeded" => Answer::Throttled,
        "LimitExceeded" | "CodeStorageExceeded" | "PolicyLengthExceeded" | "ParameterLimitExceeded" => {
            Answer::LimitExceeded
        }
        "AccessDenied" | "Unauthorized" | "UnauthorizedOperation" | "AuthorizationError" => {
            Answer::AccessDenied
        }
        "ExpiredToken"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "InvalidAccessKeyId"
        | "RequestTimeTooSkewed"
        | "OptInRequired" => Answer::BadCredentials,
        "PreconditionFailed" => Answer::Precondition,
        other if other.starts_with("Invalid") || other.starts_with("Validation") => Answer::Invalid,
        "MalformedPolicyDocument" | "RequestEntityTooLarge" => Answer::Invalid,
        // AWS names a code with every 404: one without is from a proxy or a portal in between, and says
        // nothing about what is there.
        _ => match status {
            Some(404) => Answer::Other,
            Some(412) => Answer::Precondition,
            Some(401 | 403) => Answer::AccessDenied,
            Some(429) => Answer::Throttled,
            Some(400..=499) => Answer::Invalid,
            _ => Answer::Other,
        },
    }
}

/// Sorts an error without an answer by what lies under it.
fn sort_unanswered<E>(error: &SdkError<E, HttpResponse>) -> Answer
where
    E: Error + 'static,
{
    match Refusal::of(error) {
        Some(Refusal::Stopped) => return Answer::Stopped,
        Some(Refusal::Injected) => return Answer::Lost,
        None => {}
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut depth_left: u8 = 32;
    while let Some(current) = cause.filter(|_| depth_left > 0) {
        if current.downcast_ref::<CredentialsError>().is_some() {
            return Answer::NoCredentials;
        }
        // No address for the name, or nobody there who answers: nothing was sent.
        if current.downcast_ref::<ResolveDnsError>().is_some()
            || current.to_string().starts_with(CONNECT_TIMEOUT_TEXT)
        {
            return Answer::Unreachable;
        }
        if let Some(error) = current.downcast_ref::<io::Error>()
            && matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            )
        {
            return Answer::Unreachable;
        }
        cause = current.source();
        depth_left -= 1;
    }
    match error {
        SdkError::ConstructionFailure(_) => Answer::Other,
        _ => Answer::Lost,
    }
}

/// AWS's text for `code`, one line, if it may be shown.
fn allowed(code: &str, text: &str) -> Option<String> {
    let code = code.trim_end_matches("Exception");
    let shown = TEXT_ALLOWED.contains(&code)
        || (code == "InvalidParameterValue"
            && INVALID_PARAMETER_ALLOWED.iter().any(|beginning| text.starts_with(beginning)));
    if !shown || text.is_empty() {
        return None;
    }
    let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    Some(line.take(TEXT_CHARACTERS_MAX).collect())
}

#[cfg(test)]
mod tests;
