//! An AWS small enough to read: strict where AWS is undocumented, and honest.
//!
//! Values and plain functions: [`Target::control`] answers the AWS APIs, [`Target::data`] the device
//! gateway, [`Target::identity`] the small identity provider. Sockets and TLS ([`serve`]) are a shell
//! around them. This crate shares no code with the deployer: two independent readings of AWS's
//! protocols check each other.

pub mod clock;
pub mod control;
pub mod lambda_host;
pub mod state;
mod target;

pub use target::{Options, Target};

/// A whole HTTP request, read.
pub type Request = http::Request<bytes::Bytes>;
/// A whole HTTP answer.
pub type Response = http::Response<bytes::Bytes>;
