//! The answer to AWS IoT (AWS IoT, "Defining your Lambda function"). A deny is an answer, not an
//! error, carries legal values in every field, and is the same for every reason.

use serde::Serialize;

use crate::policy::Document;
use crate::{REFRESH_SECONDS_MIN, Verdict};

/// The principal of a deny. AWS ignores it, but wants letters and digits.
const DENIED_PRINCIPAL: &str = "denied";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    is_authenticated: bool,
    principal_id: &'a str,
    disconnect_after_in_seconds: u64,
    refresh_after_in_seconds: u64,
    policy_documents: Policies<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Policies<'a> {
    Granted(&'a [Document]),
    Denied([DenyDocument; 1]),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DenyDocument {
    version: &'static str,
    statement: [DenyStatement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DenyStatement {
    effect: &'static str,
    action: &'static str,
    resource: &'static str,
}

/// Everything, denied.
const DENY_ALL: DenyDocument = DenyDocument {
    version: "2012-10-17",
    statement: [DenyStatement { effect: "Deny", action: "iot:*", resource: "*" }],
};

/// Writes the answer as JSON.
pub fn write(verdict: &Verdict) -> Result<Vec<u8>, serde_json::Error> {
    let answer = match verdict {
        Verdict::Allow(allowed) => Answer {
            is_authenticated: true,
            principal_id: &allowed.principal,
            disconnect_after_in_seconds: allowed.lifetime_seconds,
            refresh_after_in_seconds: allowed.lifetime_seconds,
            policy_documents: Policies::Granted(&allowed.documents),
        },
        Verdict::Deny(_) => Answer {
            is_authenticated: false,
            principal_id: DENIED_PRINCIPAL,
            disconnect_after_in_seconds: REFRESH_SECONDS_MIN,
            refresh_after_in_seconds: REFRESH_SECONDS_MIN,
            policy_documents: Policies::Denied([DENY_ALL]),
        },
    };
    serde_json::to_vec(&answer)
}
