//! Convergence: the commands themselves, in this process, against a target in memory on virtual time,
//! with a fault at every crossing of the door.

mod bench;
mod conditions;
mod endpoints;
mod foreign;
mod planned;
mod regions;
mod settled;
mod stack;
mod sweep;
mod switches;
mod toll;
