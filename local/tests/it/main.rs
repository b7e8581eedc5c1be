//! The local target with real processes and sockets.
#![expect(clippy::unwrap_used, reason = "tests")]

mod client;
mod gateway;
mod lambda_host;
mod serve;
mod support;
