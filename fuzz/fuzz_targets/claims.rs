//! Claims that are signed, and the policy that they get.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| thinggate_fuzz::check::claims(data));
