//! Tables of chain configurations.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_block::chains::table(input));
