//! One integration binary.

mod door;
mod stack_errors;
mod tidy;
