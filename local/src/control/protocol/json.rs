//! awsJson1.1 (CloudWatch Logs). Errors:
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>, "Operation error serialization":
//! the code is the body's `__type`.

use serde_json::{Map, Value};

use crate::Response;
use crate::control::ServiceError;

/// Content type of requests and answers.
pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A successful answer.
pub(crate) fn answer(value: &Value) -> Response {
    crate::answer(200, CONTENT_TYPE, value.to_string().into_bytes())
}

/// A successful answer of an operation without output.
pub(crate) fn empty() -> Response {
    crate::answer(200, CONTENT_TYPE, Vec::new())
}

/// The answer to a refused call.
pub(crate) fn error(error: &ServiceError) -> Response {
    let mut body = Map::new();
    body.insert("__type".to_owned(), Value::from(error.code));
    for (name, value) in &error.members {
        body.insert((*name).to_owned(), Value::from(value.as_str()));
    }
    body.insert("message".to_owned(), Value::from(error.message.as_str()));
    crate::answer(error.status, CONTENT_TYPE, Value::Object(body).to_string().into_bytes())
}
