//! The stack file: one TOML file is one environment.
//!
//! [`load`] reads one and gives either a whole, checked [`Stack`] or *all* that is wrong with it, each
//! at its line and column. A stack file never holds a secret, only a [`Reference`] to one.

mod model;

pub use model::*;
