//! Blocks of any transactions.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_block::execution::Case| {
    rebut_fuzz_block::execution::block(input)
});
