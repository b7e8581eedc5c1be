//! Runs an uploaded package as a real process over the Lambda Runtime API.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

/// One version of a function, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invokable {
    /// The ARN it was asked for by, qualifier included.
    pub arn: String,
    /// Region.
    pub region: String,
    /// The function's name.
    pub function: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// SHA-256 (hex) of its zip, by which the package is found in the store.
    pub package: String,
    /// The function's own environment variables.
    pub environment: BTreeMap<String, String>,
    /// The function's timeout.
    pub timeout: Duration,
    /// Its memory, which it is told in `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`.
    pub memory_mb: u32,
    /// Its handler, which it is told in `_HANDLER`.
    pub handler: String,
    /// The log group its output goes to; `None` when it cannot log.
    pub log_group: Option<String>,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invoked {
    /// The function answered.
    Answered(Bytes),
    /// The function reported an error: its type and message.
    Failed {
        /// `errorType`.
        kind: String,
        /// `errorMessage`.
        message: String,
    },
    /// It did not answer within the limit; its process was ended.
    TimedOut,
    /// The process could not start or ended before it answered.
    Crashed(String),
}

/// The processes that run functions (skeleton).
#[derive(Debug, Default)]
pub struct Hosts {}

impl Hosts {
    /// Runs one event; blocks until the function answered, failed, or `limit` is over. The package is
    /// `target.package(&function.package)`; output goes to `target.log_lines(…)`.
    pub fn invoke(
        &self,
        _target: &crate::Target,
        _function: &Invokable,
        _event: Bytes,
        _limit: Duration,
    ) -> Invoked {
        Invoked::Crashed("the function host is not there yet".to_owned())
    }
}
