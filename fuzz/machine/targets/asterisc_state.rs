//! State files of Asterisc, and what it does from any state.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::states::asterisc_state(input));
