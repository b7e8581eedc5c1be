//! The local target with real processes and sockets.

mod lambda_host;
mod support;
