//! Preimage keys, their text, and values against them.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::protocol::key(input));
