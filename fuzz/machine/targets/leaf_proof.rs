//! Memory proofs.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::proofs::leaf_proof(input));
