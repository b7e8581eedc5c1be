//! AWS: clients from one configuration, answers sorted once, waits and retries.

pub mod answer;
mod configured;
mod connection;
mod credentials;
pub mod retry;
mod simulate;
pub mod wait;

pub use answer::{Answer, Fault};
pub use configured::{ConfiguredEndpoint, configured_endpoints};
pub(crate) use connection::upload_limits;
pub use connection::{Aws, Caller, Connection, Endpoints};
pub use credentials::{SessionEnd, Sources, Watch, credentials};
pub use simulate::{Question, Unasked};
pub use wait::Progress;
