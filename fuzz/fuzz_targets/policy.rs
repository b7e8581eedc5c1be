//! The policy evaluator of the local target.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| thinggate_fuzz::check::policy(data));
