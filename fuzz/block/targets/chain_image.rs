//! The section of a program that carries chains.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_block::chains::image(input));
