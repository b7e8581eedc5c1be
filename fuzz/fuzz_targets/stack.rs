//! Stack files of the deployer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| thinggate_fuzz::check::stack(data));
