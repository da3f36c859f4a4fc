//! Step patterns of the command line.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::patterns::step_pattern(input));
