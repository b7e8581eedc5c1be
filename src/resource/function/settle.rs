//! When a function has settled.

use aws_sdk_lambda::types as sdk;

use super::place;
use crate::aws::Aws;
use crate::aws::retry::FUNCTION_SETTLED;
use crate::aws::wait::Look;
use crate::problem::Problem;

/// Waits until it can be invoked and changed again.
pub(super) async fn settle(aws: &Aws, name: &str) -> Result<(), Problem> {
    aws.until(FUNCTION_SETTLED, || async {
        let request = || aws.lambda.get_function_configuration().function_name(name).send();
        match aws.call("GetFunctionConfiguration", request).await {
            Ok(answer) => Ok(settled(answer.state(), answer.last_update_status())),
            // Just created, and not seen everywhere yet.
            Err(fault) if fault.not_found() => Ok(Look::NotYet),
            Err(fault) => Err(fault.problem(place(name))),
        }
    })
    .await
}

/// Whether a state lets it be invoked and changed. A failed one can be changed: that repairs it.
fn settled(state: Option<&sdk::State>, update: Option<&sdk::LastUpdateStatus>) -> Look<()> {
    match (state.map(sdk::State::as_str), update.map(sdk::LastUpdateStatus::as_str)) {
        (Some("Pending" | "Deleting" | "Deactivating"), _) | (_, Some("InProgress")) => Look::NotYet,
        _ => Look::Yes(()),
    }
}
