//! An AWS small enough to read: strict where AWS is undocumented, and honest.
//!
//! Values and plain functions: [`Target::control`] answers the AWS APIs, [`Target::data`] the device
//! gateway, [`Target::identity`] the small identity provider, [`Target::admin`] the target's own
//! switches. Sockets and TLS are a shell around them. This crate shares no code with the deployer: two
//! independent readings of AWS's protocols check each other.

pub mod admin;
pub mod clock;
pub mod control;
mod copies;
pub mod data;
pub mod fault;
pub mod identity;
pub mod lambda_host;
mod package_store;
pub(crate) mod partition;
pub mod random;
mod rates;
pub mod refusal_log;
pub mod serve;
pub mod state;
pub mod state_directory;
mod status;
mod strict_json;
pub mod switches;
mod target;

pub use package_store::PackageStore;
pub use switches::Switches;
pub use target::{ACCOUNT, Credentials, Options, Target};

/// A whole HTTP request, read.
pub type Request = http::Request<bytes::Bytes>;
/// A whole HTTP answer.
pub type Response = http::Response<bytes::Bytes>;

/// A short plain-text answer.
pub(crate) fn plain_answer(status: u16, text: &str) -> Response {
    answer(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
}

/// A JSON answer.
pub(crate) fn json_answer(status: u16, value: &serde_json::Value) -> Response {
    answer(status, "application/json", value.to_string().into_bytes())
}

/// An answer of this status, content type and body.
pub(crate) fn answer(status: u16, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = http::Response::new(bytes::Bytes::from(body));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}
