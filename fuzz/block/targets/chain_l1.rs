//! L1 chain configurations as JSON.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_block::chains::l1(input));
