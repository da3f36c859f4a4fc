//! Both engines of each machine on generated programs.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rebut_fuzz_machine::states::lockstep(input));
