//! Configurations, public keys and secrets of the authorizer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| thinggate_fuzz::check::key(data));
