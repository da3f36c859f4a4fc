//! A block whose preimages are not what their keys say.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_block::tamper::Case| {
    rebut_fuzz_block::tamper::block(input)
});
