//! Hints as the host follows them, precompile calls among them.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_block::witness::hint(input));
