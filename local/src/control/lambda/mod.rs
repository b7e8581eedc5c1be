//! The Lambda control plane: functions, versions, aliases, resource policies, concurrency, tags.

mod policy;
pub mod reference;
mod resolve;
mod state;

pub use policy::{Caller, Policy};
pub use resolve::{NotInvokable, may_invoke, resolve};
pub use state::{
    Alias, Architecture, Change, ChangeKind, Code, Environment, Function, Logging, Milliseconds, Settings,
    State, Version,
};

/// Answers one call.
pub fn handle(
    _world: &mut crate::state::World,
    call: &super::Call,
) -> Result<super::Reply, super::ServiceError> {
    Err(super::ServiceError::unknown_operation(call))
}
