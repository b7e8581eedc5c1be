//! The device gateway: what a device may publish, and who gets it.

pub mod broker;
mod credentials;
mod custom_auth;
pub mod endpoint;
mod http;
mod http_cache;
pub mod policy;
mod publish;
pub mod topic;

use crate::{Request, Response, Target};

/// What the gateway keeps in memory while the target lives.
#[derive(Debug, Default)]
pub struct Gateway {
    /// Delivered messages.
    pub broker: broker::Broker,
    /// Answers of authorizers that ask for caching.
    cache: http_cache::HttpCache,
}

/// Answers one device. May block while an authorizer runs.
pub(crate) fn handle(target: &Target, request: &Request) -> Response {
    http::handle(target, request)
}
