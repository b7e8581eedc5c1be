//! Carries out a plan: does what it says, or stops. Decides nothing.

mod event;
mod graph;

pub use event::{Event, Outcome};
pub use graph::{Node, Ran, run};
