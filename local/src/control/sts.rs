//! STS: who is calling. Query/XML, version 2011-06-15.

use super::guard::caller;
use super::protocol::query::{self, Form, Xml};
use super::{Call, Reply, ServiceError};
use crate::state::World;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// Of the API.
pub(crate) const VERSION: &str = "2011-06-15";

/// Answers one call.
pub fn handle(_world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let form = Form::read(call.query, call.body);
    match form.action(VERSION)? {
        "GetCallerIdentity" => {
            let mut result = Xml::default();
            result.leaf("Arn", &caller(call.partition(), call.account));
            result.leaf("UserId", "AIDALOCALTHINGGATE000");
            result.leaf("Account", call.account);
            let answer = query::answer(NAMESPACE, "GetCallerIdentity", call.request_id, Some(result));
            Ok(Reply::Answer(answer))
        }
        other => Err(query::unknown_action(other, VERSION)),
    }
}
