//! The device gateway: what a device may publish, and who gets it.

pub mod broker;
pub mod endpoint;
pub mod policy;
pub mod topic;

use crate::{Request, Response, Target};

/// What the gateway keeps in memory while the target lives.
#[derive(Debug, Default)]
pub struct Gateway {
    /// Delivered messages.
    pub broker: broker::Broker,
}

/// Answers one device.
pub fn handle(_target: &Target, _request: Request) -> Response {
    crate::plain_answer(404, "not found")
}
