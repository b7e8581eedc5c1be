//! Carries out a plan: does what it says, or stops. Decides nothing.

mod event;
mod graph;
mod perform;

pub use event::{Event, Outcome};
pub use graph::{Node, Ran, run};
pub use perform::{Applied, World, apply};
