//! STS: who is calling. Query/XML, version 2011-06-15.

use super::{Call, Reply, ServiceError};
use crate::state::World;

/// Answers one call.
pub fn handle(_world: &mut World, call: &Call) -> Result<Reply, ServiceError> {
    Err(ServiceError::unknown_operation(call))
}
