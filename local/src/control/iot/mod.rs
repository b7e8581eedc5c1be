//! The IoT control plane: custom authorizers, the default authorizer, tags, the endpoint.
//! Protocol rest-json, model `iot 2015-05-28`. What AWS does not document is decided by
//! [`crate::switches`].

pub mod answer;
mod authorizer;
mod default_authorizer;
mod endpoint;
mod errors;
mod input;
pub mod signature;
mod state;
mod tags;
mod test_invoke;

#[cfg(test)]
mod tests;

pub use state::{Authorizer, State, Status};

use super::{Call, Reply, ServiceError, lambda};
use crate::state::World;
use crate::switches::{FunctionAsSource, Switches};

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let answer = match (call.method.as_str(), path.as_slice()) {
        ("POST", ["authorizer", name, "test"]) => return test_invoke::test_invoke(world, call, name),
        ("POST", ["authorizer", name]) => authorizer::create(world, call, name),
        ("PUT", ["authorizer", name]) => authorizer::update(world, call, name),
        ("GET", ["authorizer", name]) => authorizer::describe(world, call, name),
        ("DELETE", ["authorizer", name]) => authorizer::delete(world, call, name),
        ("GET", ["authorizers"]) => authorizer::list(world, call),
        ("POST", ["default-authorizer"]) => default_authorizer::set(world, call),
        ("GET", ["default-authorizer"]) => default_authorizer::describe(world, call),
        ("DELETE", ["default-authorizer"]) => default_authorizer::clear(world, call),
        ("POST", ["tags"]) => tags::tag(world, call),
        ("POST", ["untag"]) => tags::untag(world, call),
        ("GET", ["tags"]) => tags::list(world, call),
        ("GET", ["endpoint"]) => endpoint::describe(call),
        _ => Err(ServiceError::unknown_operation(call)),
    };
    answer.map(Reply::Answer)
}

/// The operation that a request line names, for its rate.
pub(crate) fn operation(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        ("POST", ["authorizer", _, "test"]) => "iot.TestInvokeAuthorizer",
        ("POST", ["authorizer", _]) => "iot.CreateAuthorizer",
        ("PUT", ["authorizer", _]) => "iot.UpdateAuthorizer",
        ("GET", ["authorizer", _]) => "iot.DescribeAuthorizer",
        ("DELETE", ["authorizer", _]) => "iot.DeleteAuthorizer",
        ("GET", ["authorizers"]) => "iot.ListAuthorizers",
        ("POST", ["default-authorizer"]) => "iot.SetDefaultAuthorizer",
        ("GET", ["default-authorizer"]) => "iot.DescribeDefaultAuthorizer",
        ("DELETE", ["default-authorizer"]) => "iot.ClearDefaultAuthorizer",
        ("POST", ["tags"]) => "iot.TagResource",
        ("POST", ["untag"]) => "iot.UntagResource",
        ("GET", ["tags"]) => "iot.ListTagsForResource",
        ("GET", ["endpoint"]) => "iot.DescribeEndpoint",
        _ => return None,
    })
}

/// Whether the resource policy of the authorizer's function, of exactly the qualifier in its ARN, lets AWS
/// IoT invoke it for this authorizer.
pub fn may_invoke(world: &World, region: &str, authorizer: &Authorizer, switches: &Switches) -> bool {
    let function = &authorizer.function_arn;
    let allowed_for = |source: &str| {
        let account = crate::ACCOUNT;
        lambda::may_invoke(world, region, function, "iot.amazonaws.com", source, account)
    };
    // Open question 11: the function's own ARN as source.
    allowed_for(&authorizer.arn)
        || (switches.function_as_source == FunctionAsSource::Accept && allowed_for(function))
}
