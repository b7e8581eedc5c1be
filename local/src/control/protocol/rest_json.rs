//! restJson1 (IoT, Lambda). Errors: <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>,
//! "Operation error serialization": the code is in `X-Amzn-Errortype`, the members are in the body.

use http::HeaderValue;
use serde_json::{Map, Value};

use crate::Response;
use crate::control::ServiceError;

/// The answer to a refused call. A service that spells its text member otherwise than `message` gives it
/// among the members, as Lambda does with `Message`.
pub(crate) fn error(error: &ServiceError) -> Response {
    let mut body = Map::new();
    for (name, value) in &error.members {
        body.insert((*name).to_owned(), Value::from(value.as_str()));
    }
    if !body.contains_key("Message") {
        body.insert("message".to_owned(), Value::from(error.message.as_str()));
    }
    let mut response = crate::json_answer(error.status, &Value::Object(body));
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error.code));
    response
}
