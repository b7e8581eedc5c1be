//! One integration binary.

mod door;
