//! The verifier's negative matrix: what must be refused, as tables that are counted, each with the good
//! tokens beside it that show what the refusals are about. Everything goes the whole way, from the event's
//! bytes to the verdict, and is signed with other code than the one that verifies (`reference`).
//!
//! Each test prints `tokens: NAME: N refused, 0 accepted, M good ones allowed, K wrong`; `.ci/run tokens` adds
//! them up.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop the test, and tell the counts"
)]

mod claims;
mod confusion;
mod damage;
mod headers;
mod history;
mod injection;
mod loosened;
mod reference;
mod secrets;
mod support;
mod texts;
mod times;
mod vectors;
