//! The decision as a whole: good tokens, one token for each reason, and known attacks.

pub(crate) mod host;
pub(crate) mod support;

mod allow;
mod attacks;
mod claims;
mod reasons;
mod time;
mod vectors;
