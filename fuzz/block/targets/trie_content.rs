//! The partial trie beside an ordered map.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_block::trie::ContentCase| {
    rebut_fuzz_block::trie::content(input)
});
