//! State files of Cannon, and what a machine does from any state.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::states::state_file(input));
