//! One integration binary.
#![expect(clippy::unwrap_used, reason = "tests")]

mod canary;
mod cli;
mod demo;
mod door;
mod readme;
mod schema;
mod stack_errors;
mod support;
mod tidy;
