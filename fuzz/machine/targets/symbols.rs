//! The metadata file beside a state.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::programs::symbols(input));
