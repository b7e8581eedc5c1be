//! The refusals of the IoT control plane: codes and statuses of the model `iot 2015-05-28` (aws-facts
//! 1.3). The texts are ours, except where a source is named: AWS's are not documented.

use crate::control::ServiceError;

pub(super) fn invalid_request(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidRequestException", text)
}

pub(super) fn not_found(text: impl Into<String>) -> ServiceError {
    ServiceError::new(404, "ResourceNotFoundException", text)
}

/// 409, with the resource that is there.
pub(super) fn already_exists(text: impl Into<String>, id: &str, arn: &str) -> ServiceError {
    let mut error = ServiceError::new(409, "ResourceAlreadyExistsException", text);
    error.members = vec![("resourceId", id.to_owned()), ("resourceArn", arn.to_owned())];
    error
}

/// 410: a quota.
pub(super) fn limit_exceeded(text: impl Into<String>) -> ServiceError {
    ServiceError::new(410, "LimitExceededException", text)
}

/// 409: something hangs on it.
pub(super) fn delete_conflict(text: impl Into<String>) -> ServiceError {
    ServiceError::new(409, "DeleteConflictException", text)
}

/// 400: what the function answered is not an answer.
pub(super) fn invalid_response(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "InvalidResponseException", text)
}

/// 400: a value that the model forbids.
pub(super) fn constraint(member: &str, text: &str) -> ServiceError {
    invalid_request(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must {text}"
    ))
}

/// Refuses unless `good`.
pub(super) fn require(good: bool, member: &str, text: &str) -> Result<(), ServiceError> {
    if good { Ok(()) } else { Err(constraint(member, text)) }
}

/// Marks a refusal that AWS's documentation leaves open: which question of aws-facts 12 it answers. How is
/// decided by [`crate::Switches`].
pub(super) fn open_question(number: u8, text: &str) -> String {
    format!("{text} (the local target's answer to open question {number} about AWS)")
}
