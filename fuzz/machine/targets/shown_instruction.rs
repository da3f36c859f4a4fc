//! Proofs of a step, read for what they show.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::states::shown_instruction(input));
