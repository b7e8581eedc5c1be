//! AWS: clients from one configuration, answers sorted once, waits and retries.

pub mod answer;
mod connection;
mod credentials;
pub mod retry;
pub mod wait;

pub use answer::{Answer, Fault};
pub(crate) use connection::upload_limits;
pub use connection::{Aws, Caller, Connection};
pub use credentials::default_credentials;
pub use wait::Progress;
