//! The answer to AWS IoT (AWS IoT, "Defining your Lambda function"). A deny is an answer, not an
//! error, carries legal values in every field, and is the same for every reason.

use crate::policy::Document;
use crate::{Allowed, Verdict};

/// The answer to everything that is not allowed. AWS ignores the principal of a deny, but wants
/// letters and digits, and 300 seconds at least.
const DENIED: &str = concat!(
    r#"{"isAuthenticated":false,"principalId":"denied","disconnectAfterInSeconds":300,"#,
    r#""refreshAfterInSeconds":300,"policyDocuments":[{"Version":"2012-10-17","Statement":"#,
    r#"[{"Effect":"Deny","Action":"iot:*","Resource":"*"}]}]}"#
);

/// Writes the answer as JSON. The documents are those texts that were checked; around them stand
/// only numbers and hex digits.
pub fn write(verdict: &Verdict) -> String {
    let Verdict::Allow(Allowed { principal, lifetime_seconds, documents }) = verdict else {
        return DENIED.to_owned();
    };
    let documents = documents.iter().map(Document::as_str).collect::<Vec<_>>().join(",");
    format!(
        concat!(
            r#"{{"isAuthenticated":true,"principalId":"{}","disconnectAfterInSeconds":{},"#,
            r#""refreshAfterInSeconds":{},"policyDocuments":[{}]}}"#
        ),
        principal, lifetime_seconds, lifetime_seconds, documents
    )
}
