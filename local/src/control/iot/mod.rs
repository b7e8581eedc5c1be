//! The IoT control plane: custom authorizers, the default authorizer, tags, the endpoint.

pub mod answer;
pub mod signature;
mod state;

pub use state::{Authorizer, State, Status};
