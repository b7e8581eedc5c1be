//! The decision as a whole: good tokens, one token for each reason, and known attacks.

pub(crate) mod support;

mod allow;
