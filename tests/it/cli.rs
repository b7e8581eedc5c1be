//! The real binary: all that it says, with its exit code.

mod bad_input;
mod build;
mod ci;
mod credentials;
mod disk;
mod drift;
mod environments;
mod help;
mod init;
mod local;
mod newcomer;
mod outputs;
mod plan_file;
mod reports;
mod stopped;
mod story;

pub(crate) use drift::configuration;
