//! The identity provider (skeleton).

use crate::state_directory::{OpenError, StateDirectory};
use crate::{Request, Response, Target};

/// The provider's keys, client secret and pending grants.
#[derive(Debug, Default)]
pub struct Provider {}

impl Provider {
    /// A provider with keys of its own that last as long as it.
    pub fn in_memory() -> Self {
        Self {}
    }

    /// The provider whose keys are in `identity.json`, made when it is not there.
    pub fn open(_directory: &StateDirectory) -> Result<Self, OpenError> {
        Ok(Self {})
    }
}

/// Answers one request to the provider.
pub fn handle(_target: &Target, _request: Request) -> Response {
    crate::plain_answer(404, "not found")
}
