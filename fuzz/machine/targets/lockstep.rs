//! Both engines on generated programs.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_machine::generate::Case| {
    rebut_fuzz_machine::states::lockstep(input)
});
