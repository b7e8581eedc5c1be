//! Access tokens, and headers that are signed.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| thinggate_fuzz::check::token(data));
