//! The AWS APIs: which service a request is for, who signed it, and the service's answer.

#[cfg(test)]
pub(crate) mod bench;
pub mod caller;
pub mod guard;
pub mod iam;
pub mod iot;
pub mod lambda;
pub mod logs;
pub(crate) mod page;
pub(crate) mod protocol;
mod route;
pub(crate) mod sigv4;
pub mod ssm;
pub mod sts;
pub(crate) mod validate;
pub(crate) mod wildcard;

use std::time::SystemTime;

use bytes::Bytes;

pub(crate) use route::handle;

/// One authenticated API call, for a service to answer.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The Region of the credential scope.
    pub region: &'a str,
    /// The account.
    pub account: &'a str,
    /// The target's time.
    pub now: SystemTime,
    /// The id that the answer will carry.
    pub request_id: &'a str,
    /// The method.
    pub method: &'a http::Method,
    /// The path's segments, each percent-decoded.
    pub path: &'a [String],
    /// Query parameters, decoded, in order.
    pub query: &'a [(String, String)],
    /// The headers.
    pub headers: &'a http::HeaderMap,
    /// The body.
    pub body: &'a Bytes,
    /// How open questions of AWS's behaviour are answered, and limits.
    pub options: &'a crate::Options,
    /// Who calls.
    pub caller: &'a caller::Caller,
    /// The target's own access key, which temporary credentials derive from.
    pub key: &'a crate::Credentials,
    /// The IAM policy in force.
    pub guard: &'a guard::Guard,
    /// The `OpenID` Connect providers that the account knows.
    pub issuers: &'a sts::issuers::Issuers,
    /// Where an uploaded package is kept.
    pub packages: &'a crate::PackageStore,
}

impl Call<'_> {
    /// The partition of the call's Region: `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) fn partition(&self) -> &'static str {
        crate::partition::partition(self.region)
    }
}

/// A refusal in the service's own code; the protocol's shape is put around it by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The error code as on the wire, such as `ResourceNotFoundException`.
    pub code: &'static str,
    /// The text.
    pub message: String,
    /// Further members of the error's shape, such as `resourceArn`.
    pub members: Vec<(&'static str, String)>,
}

impl ServiceError {
    /// An error of this status, code and text.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), members: Vec::new() }
    }

    /// There is no such operation.
    pub fn unknown_operation(call: &Call) -> Self {
        Self::new(404, "UnknownOperationException", format!("no operation is at {} here", call.method))
    }
}

/// What a service gives back while the state is locked.
#[derive(Debug)]
pub enum Reply {
    /// The answer.
    Answer(crate::Response),
    /// A function must run first; the state is unlocked meanwhile.
    Run(Run),
}

/// A function that must run before the answer is known.
pub struct Run {
    /// What to run.
    pub function: crate::lambda_host::Invokable,
    /// The event.
    pub event: Bytes,
    /// The most time it may take.
    pub limit: std::time::Duration,
    /// Makes the answer from how it ended.
    pub answer: Answerer,
}

/// Makes the answer of a call from how the function ended.
pub type Answerer =
    Box<dyn FnOnce(crate::lambda_host::Invocation) -> Result<crate::Response, ServiceError> + Send>;

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Run").field("function", &self.function.arn).finish_non_exhaustive()
    }
}
