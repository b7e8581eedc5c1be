//! What must hold for any input, one function for each target. Each panics when it does not.

mod authorizer;
mod credentials;
mod policy;
mod stack;
mod topic;

pub use authorizer::{claims, event, key, token};
pub use credentials::query;
pub use policy::policy;
pub use stack::stack;
pub use topic::topic;
