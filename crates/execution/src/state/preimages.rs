//! What a block added to the state, handed out to whoever keeps the state of a chain.

use super::State;
use alloc::vec::Vec;
use alloy_primitives::B256;

impl State {
    /// Every trie node and code that was opened or made and that `is_known` does not know, by its
    /// keccak256. What lies below a known node is taken to be known as well.
    pub fn new_preimages(
        &mut self,
        mut is_known: impl FnMut(B256) -> bool,
    ) -> Vec<(B256, Vec<u8>)> {
        let mut preimages = Vec::new();
        for trie in core::iter::once(&mut self.accounts).chain(self.storages.values_mut()) {
            trie.new_nodes(&mut is_known, &mut preimages);
        }
        for (hash, code) in &self.codes {
            if !is_known(*hash) {
                preimages.push((*hash, code.original_byte_slice().to_vec()));
            }
        }
        preimages
    }
}
