//! Decoder, encoder and disassembler.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: [u32; 3]| rebut_fuzz_machine::programs::instruction(input));
