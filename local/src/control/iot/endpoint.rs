//! `DescribeEndpoint`: always the same address for a type and a Region. (aws-facts 1.4)

use serde_json::json;

use super::errors::invalid_request;
use super::input::parameter;
use crate::Response;
use crate::control::{Call, ServiceError};

pub(super) fn describe(call: &Call) -> Result<Response, ServiceError> {
    let region = call.region;
    // Without a type it is the legacy one.
    let address = match parameter(call, "endpointType").unwrap_or("iot:Data") {
        "iot:Data-ATS" => format!("thinggatelocal-ats.iot.{region}.amazonaws.com"),
        "iot:Data" => format!("thinggatelocal.iot.{region}.amazonaws.com"),
        "iot:CredentialProvider" => format!("thinggatelocal.credentials.iot.{region}.amazonaws.com"),
        "iot:Jobs" => format!("thinggatelocal.jobs.iot.{region}.amazonaws.com"),
        _ => {
            return Err(invalid_request(
                "Invalid request provided: endpointType is none of iot:Data-ATS, iot:Data, \
                 iot:CredentialProvider, iot:Jobs",
            ));
        }
    };
    Ok(crate::json_answer(200, &json!({ "endpointAddress": address })))
}
