//! An IAM policy that the caller is held to, as AWS holds it: every call is checked before its service sees
//! it. Without one the access key may do everything.

mod asked;
mod document;
mod role;

use std::sync::{Mutex, PoisonError};

pub(crate) use asked::{Asked, asked};
pub(crate) use document::{Decision, Document, conditions_hold};
pub(crate) use role::of_role;

use super::caller::Caller;
use super::route::Service;
use super::{ServiceError, iam};

/// What the caller's policies say: of the user the one in force, of a session those of its role.
pub(crate) fn decide(guard: &Guard, caller: &Caller, roles: &iam::State, asked: &Asked) -> Decision {
    match caller {
        Caller::User => guard.decide(asked),
        Caller::Session(session) => {
            roles.role(&session.role_arn).map_or(Decision::NotAllowed, |role| of_role(role, asked))
        }
        Caller::Nobody => Decision::NotAllowed,
    }
}

/// The policy in force. It lives as long as the process: nobody wants to find it after a restart.
#[derive(Debug, Default)]
pub struct Guard(Mutex<Option<Document>>);

impl Guard {
    /// Holds the caller to `policy`, an identity-based policy in JSON. The error says what is not understood:
    /// a policy that is read half would allow or refuse the wrong calls.
    pub fn enforce(&self, policy: &str) -> Result<(), String> {
        let document = Document::read(policy)?;
        *self.lock() = Some(document);
        Ok(())
    }

    /// Lets the caller do everything again.
    pub fn lift(&self) {
        *self.lock() = None;
    }

    /// Whether a policy is in force.
    pub fn is_enforced(&self) -> bool {
        self.lock().is_some()
    }

    pub(crate) fn decide(&self, asked: &Asked) -> Decision {
        self.lock().as_ref().map_or(Decision::Allowed, |document| document.decide(asked))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a call of `caller` (its ARN) unless everything that it asks for is allowed.
pub(crate) fn check(
    service: Service,
    asked: &[Asked],
    caller: &str,
    decide: impl Fn(&Asked) -> Decision,
) -> Result<(), ServiceError> {
    let refused = asked.iter().find_map(|one| match decide(one) {
        Decision::Allowed => None,
        Decision::Denied => Some((one, "with an explicit deny in an identity-based policy".to_owned())),
        Decision::NotAllowed => {
            Some((one, format!("because no identity-based policy allows the {} action", one.action)))
        }
    });
    let Some((one, why)) = refused else { return Ok(()) };
    // Codes: "Common Errors" of each API Reference. Text: "Troubleshoot access denied error messages" in
    // the IAM User Guide.
    let code = if service.speaks_query() { "AccessDenied" } else { "AccessDeniedException" };
    let (action, resource) = (&one.action, &one.resource);
    let text = format!("User: {caller} is not authorized to perform: {action} on resource: {resource} {why}");
    Err(ServiceError::new(403, code, text))
}

#[cfg(test)]
mod tests;
