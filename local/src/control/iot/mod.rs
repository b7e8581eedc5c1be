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

/// The operation that a request line names: what its rate and its permission go by.
pub(crate) fn operation(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        ("POST", ["authorizer", _, "test"]) => "TestInvokeAuthorizer",
        ("POST", ["authorizer", _]) => "CreateAuthorizer",
        ("PUT", ["authorizer", _]) => "UpdateAuthorizer",
        ("GET", ["authorizer", _]) => "DescribeAuthorizer",
        ("DELETE", ["authorizer", _]) => "DeleteAuthorizer",
        ("GET", ["authorizers"]) => "ListAuthorizers",
        ("POST", ["default-authorizer"]) => "SetDefaultAuthorizer",
        ("GET", ["default-authorizer"]) => "DescribeDefaultAuthorizer",
        ("DELETE", ["default-authorizer"]) => "ClearDefaultAuthorizer",
        ("POST", ["tags"]) => "TagResource",
        ("POST", ["untag"]) => "UntagResource",
        ("GET", ["tags"]) => "ListTagsForResource",
        ("GET", ["endpoint"]) => "DescribeEndpoint",
        _ => return None,
    })
}

/// The ARN of the authorizer of this name.
pub(crate) fn authorizer_arn(call: &Call, name: &str) -> String {
    format!("arn:{}:iot:{}:{}:authorizer/{name}", call.partition(), call.region, call.account)
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
