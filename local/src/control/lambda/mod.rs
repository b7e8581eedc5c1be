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
