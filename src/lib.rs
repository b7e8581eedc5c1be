//! thinggate: an OAuth 2.0 device flow in front of AWS IoT Core, deployed and kept.

pub mod apply;
pub mod aws;
pub mod build;
pub mod cli;
pub mod device;
pub mod door;
pub mod gather;
pub mod keys;
pub mod names;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod report;
pub mod resource;
pub mod stack;
