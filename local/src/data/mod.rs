//! The device gateway (skeleton).

use crate::{Request, Response, Target};

/// What the gateway keeps in memory while the target lives.
#[derive(Debug, Default)]
pub struct Gateway {}

/// Answers one device.
pub fn handle(_target: &Target, _request: Request) -> Response {
    crate::plain_answer(404, "not found")
}
