//! STS: who is calling, and temporary credentials of roles. Query/XML, version 2011-06-15.

mod assume;
mod input;
pub mod issuers;
mod trust;

#[cfg(test)]
mod tests;

use super::caller::Caller;
use super::protocol::query::{self, Form, Xml};
use super::{Call, Reply, ServiceError};
use crate::state::World;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// Of the API.
pub(crate) const VERSION: &str = "2011-06-15";
/// The one operation that needs no signature: its token is the proof.
const UNSIGNED: &str = "AssumeRoleWithWebIdentity";

/// Whether a request without a signature is for STS and may go without.
pub(crate) fn is_unsigned(form: &Form) -> bool {
    form.get("Version") == Some(VERSION) && form.get("Action") == Some(UNSIGNED)
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let form = Form::read(call.query, call.body);
    let action = form.action(VERSION)?;
    let result = match action {
        "GetCallerIdentity" => identity(call),
        "AssumeRole" => assume::role(world, &form, call)?,
        UNSIGNED => assume::with_web_identity(world, &form, call)?,
        other => return Err(query::unknown_action(other, VERSION)),
    };
    Ok(Reply::Answer(query::answer(NAMESPACE, action, call.request_id, Some(result))))
}

fn identity(call: &Call) -> Xml {
    let mut result = Xml::default();
    result.leaf("Arn", &call.caller.arn(call.partition(), call.account));
    let user_id = match call.caller {
        Caller::Session(session) => session.user_id(),
        Caller::User | Caller::Nobody => "AIDALOCALTHINGGATE000".to_owned(),
    };
    result.leaf("UserId", &user_id);
    result.leaf("Account", call.account);
    result
}
