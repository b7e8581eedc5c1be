//! The target's own switches under `/_local/` (skeleton).

use crate::{Request, Response, Target};

/// Answers one request.
pub fn handle(_target: &Target, _request: &Request) -> Response {
    crate::plain_answer(404, "not found")
}
