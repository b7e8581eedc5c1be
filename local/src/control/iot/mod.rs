//! The IoT control plane: custom authorizers, the default authorizer, tags, the endpoint.

pub mod answer;
pub mod signature;
mod state;

pub use state::{Authorizer, State, Status};

/// Answers one call.
pub fn handle(
    _world: &mut crate::state::World,
    call: &super::Call,
) -> Result<super::Reply, super::ServiceError> {
    Err(super::ServiceError::unknown_operation(call))
}
