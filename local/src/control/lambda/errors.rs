//! Lambda's refusals. Codes, statuses and texts are AWS's, most of them recorded from it: rows \[R\] of
//! aws-facts 3. A 404 spells its text `Message`, the others `message`.

use std::ops::RangeInclusive;

use crate::control::ServiceError;

/// 404 with this text.
pub(super) fn not_found(text: impl Into<String>) -> ServiceError {
    let text = text.into();
    let mut error = ServiceError::new(404, "ResourceNotFoundException", text.clone());
    error.members = vec![("Type", "User".to_owned()), ("Message", text)];
    error
}

/// 404: no such function, version or alias.
pub(super) fn function_not_found(arn: &str) -> ServiceError {
    not_found(format!("Function not found: {arn}"))
}

/// 400: a value that the model allows and the service does not.
pub(super) fn invalid_parameter(text: impl Into<String>) -> ServiceError {
    user(400, "InvalidParameterValueException", text)
}

/// 400: a value that the model forbids.
pub(super) fn validation(text: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "ValidationException", text)
}

/// 409.
pub(super) fn conflict(text: impl Into<String>) -> ServiceError {
    user(409, "ResourceConflictException", text)
}

/// 413.
pub(super) fn too_large(text: impl Into<String>) -> ServiceError {
    ServiceError::new(413, "RequestEntityTooLargeException", text)
}

/// Which call gives the revision that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum RevisionOf {
    /// `GetFunction` or `GetAlias`.
    Function,
    /// `GetPolicy`.
    Policy,
}

/// 412: somebody else changed it.
pub(super) fn revision_mismatch(of: RevisionOf) -> ServiceError {
    let call = match of {
        RevisionOf::Function => "GetFunction/GetAlias",
        RevisionOf::Policy => "GetPolicy",
    };
    let text = format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {call} API to retrieve the \
         latest Revision Id"
    );
    user(412, "PreconditionFailedException", text)
}

/// An error of the `User` type.
pub(super) fn user(status: u16, code: &'static str, text: impl Into<String>) -> ServiceError {
    let mut error = ServiceError::new(status, code, text);
    error.members = vec![("Type", "User".to_owned())];
    error
}

/// The violations of the model that one request has; AWS reports them together.
#[derive(Debug, Default)]
pub(super) struct Violations {
    found: Vec<String>,
}

impl Violations {
    /// Records that `member` has a `value` that breaks `constraint`, unless it is `good`.
    pub(super) fn check(&mut self, good: bool, member: &str, value: &str, constraint: &str) {
        if !good {
            self.found.push(format!(
                "Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}"
            ));
        }
    }

    /// Records a text whose number of characters is not within `characters`.
    pub(super) fn length(&mut self, characters: RangeInclusive<usize>, member: &str, value: &str) {
        let (count, least, most) = (value.chars().count(), *characters.start(), *characters.end());
        let constraint = format!("have length greater than or equal to {least}");
        self.check(count >= least, member, value, &constraint);
        self.check(count <= most, member, value, &format!("have length less than or equal to {most}"));
    }

    /// Records a member that is missing.
    pub(super) fn missing(&mut self, member: &str) {
        self.found
            .push(format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"));
    }

    /// Records a sentence of another form.
    pub(super) fn add(&mut self, sentence: String) {
        self.found.push(sentence);
    }

    /// The refusal, when there is something to refuse.
    pub(super) fn refuse(self) -> Result<(), ServiceError> {
        let errors = match self.found.len() {
            0 => return Ok(()),
            1 => "error",
            _ => "errors",
        };
        Err(validation(format!(
            "{} validation {errors} detected: {}",
            self.found.len(),
            self.found.join("; ")
        )))
    }
}
