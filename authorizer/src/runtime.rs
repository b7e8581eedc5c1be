//! The Lambda Runtime API (2018-06-01), blocking: ask for an event, answer it, ask again.
//!
//! There are no timeouts here. Lambda freezes the process between events, so that a clock would
//! measure the wrong thing, and ends it when an answer takes longer than the function's timeout.

use std::convert::Infallible;
use std::fmt;
use std::io::Write;
use std::time::Instant;

use serde::Serialize;

use crate::config::{ConfigError, Rules};
use crate::deny::Deny;
use crate::event::EVENT_BYTES_MAX;
use crate::http::{Client, HttpError};
use crate::key::Keys;
use crate::{Decision, answer, decide_bytes, log};

/// How much of the Runtime API's replies to our posts is read, in bytes. They say `{"status":"OK"}`.
const STATUS_BYTES_MAX: usize = 16 * 1024;
/// The longest request id, in bytes. AWS sends a UUID.
const REQUEST_ID_BYTES_MAX: usize = 128;
/// How the Runtime API and the function's log name a configuration that cannot be used.
const BAD_CONFIGURATION: &str = "Authorizer.BadConfiguration";
/// How they name a decision that could not be made.
const NOT_DECIDED: &str = "Authorizer.NotDecided";

/// Why the loop ended. Lambda starts a new process afterwards.
#[derive(Debug)]
pub enum RuntimeError {
    /// An exchange with the Runtime API failed.
    Http(HttpError),
    /// The Runtime API answered something else than its documentation says.
    Unexpected(String),
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => write!(formatter, "the Lambda Runtime API: {error}"),
            Self::Unexpected(what) => write!(formatter, "the Lambda Runtime API {what}"),
        }
    }
}

impl std::error::Error for RuntimeError {}

impl From<HttpError> for RuntimeError {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

/// The Runtime API of this process.
pub struct Host {
    client: Client,
}

/// One event to answer.
#[derive(Debug)]
struct Invocation {
    request_id: String,
    /// `None` if it is too large.
    event: Option<Vec<u8>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    error_type: &'a str,
    error_message: &'a str,
    stack_trace: [&'a str; 0],
}

impl Host {
    /// The Runtime API at `address`, the value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn new(address: &str) -> Self {
        Self { client: Client::new(address) }
    }

    /// Answers events until the Runtime API fails. `now_seconds` reads the clock, which is `None` if
    /// it stands before 1970; `log` gets one line for each decision.
    pub fn run(
        &mut self,
        keys: &Keys,
        rules: &Rules,
        now_seconds: &dyn Fn() -> Option<u64>,
        log: &mut dyn Write,
    ) -> Result<Infallible, RuntimeError> {
        loop {
            let invocation = self.next()?;
            let started = Instant::now();
            let Some(now_seconds) = now_seconds() else {
                self.fail(&invocation, "the clock stands before 1970")?;
                continue;
            };
            let decision = match &invocation.event {
                Some(event) => decide_bytes(event, keys, rules, now_seconds),
                None => Decision::refused(Deny::EventTooLarge),
            };
            let answer = answer::write(&decision.verdict);
            let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            // Before the answer, so that whoever has the answer finds the line. A log that cannot be
            // written does not change the answer.
            let line = log::line(&decision, rules, &invocation.request_id, duration_us);
            let _ = log.write_all(line.as_bytes()).and_then(|()| log.flush());
            self.answer(&invocation, answer.as_bytes())?;
            self.client.recycle(invocation.event);
        }
    }

    /// Tells Lambda that the configuration cannot be used. The process should end afterwards.
    pub fn refuse_start(&mut self, error: &ConfigError) -> Result<(), RuntimeError> {
        self.post("init/error", Some(BAD_CONFIGURATION), &failure(BAD_CONFIGURATION, &error.to_string()))?;
        Ok(())
    }

    fn next(&mut self) -> Result<Invocation, RuntimeError> {
        let request = format!(
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {}\r\n\r\n",
            self.client.address()
        );
        let reply = self.client.exchange(request.as_bytes(), EVENT_BYTES_MAX)?;
        if reply.status != 200 {
            return Err(RuntimeError::Unexpected(format!(
                "answered {} to a request for an event",
                reply.status
            )));
        }
        // It becomes a part of a path, so it must be nothing else.
        let is_id = |id: &&str| {
            (1..=REQUEST_ID_BYTES_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        match reply.header("lambda-runtime-aws-request-id").filter(is_id) {
            Some(id) => Ok(Invocation { request_id: id.to_owned(), event: reply.body }),
            None => Err(RuntimeError::Unexpected("sent an event without a usable request id".to_owned())),
        }
    }

    fn answer(&mut self, invocation: &Invocation, answer: &[u8]) -> Result<(), RuntimeError> {
        let status = self.post(&format!("invocation/{}/response", invocation.request_id), None, answer)?;
        must_go_on(status)
    }

    fn fail(&mut self, invocation: &Invocation, message: &str) -> Result<(), RuntimeError> {
        let path = format!("invocation/{}/error", invocation.request_id);
        let status = self.post(&path, Some(NOT_DECIDED), &failure(NOT_DECIDED, message))?;
        must_go_on(status)
    }

    fn post(&mut self, path: &str, error_type: Option<&str>, body: &[u8]) -> Result<u16, RuntimeError> {
        let error_header = match error_type {
            Some(error_type) => format!("lambda-runtime-function-error-type: {error_type}\r\n"),
            None => String::new(),
        };
        let mut request = format!(
            "POST /2018-06-01/runtime/{path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{error_header}content-length: {}\r\n\r\n",
            self.client.address(),
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        let reply = self.client.exchange(&request, STATUS_BYTES_MAX)?;
        self.client.recycle(reply.body);
        Ok(reply.status)
    }
}

/// A client error concerns one invocation only (its time was up, say). From 500 on the documentation
/// asks the runtime to end at once.
fn must_go_on(status: u16) -> Result<(), RuntimeError> {
    match status {
        500.. => Err(RuntimeError::Unexpected(format!("answered {status} to a response"))),
        _ => Ok(()),
    }
}

fn failure(error_type: &str, error_message: &str) -> Vec<u8> {
    // Texts always become JSON; an empty body would be the worst that can happen.
    serde_json::to_vec(&Failure { error_type, error_message, stack_trace: [] }).unwrap_or_default()
}

#[cfg(test)]
mod tests;
