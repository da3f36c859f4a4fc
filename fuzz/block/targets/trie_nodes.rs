//! Trie nodes of any content.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: rebut_fuzz_block::trie::NodesCase| {
    rebut_fuzz_block::trie::nodes(input)
});
