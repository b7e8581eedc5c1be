//! Query strings of the local target's device gateway.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| thinggate_fuzz::check::query(data));
