//! Merkle root and proofs of memory, from the pages that changed since they were last asked for.

use alloy_primitives::B256;
use rebut_merkle::Page;

use super::{Memory, PAGE_SHIFT, flags::Flags};

impl Memory {
    /// Root of the whole memory; hashes the pages written since the last call.
    pub fn merkle_root(&mut self) -> B256 {
        if !self.unhashed.is_empty() {
            for &index in &self.unhashed {
                let flags = self.storage.flags(index).without(Flags::UNHASHED);
                self.storage.set_flags(index, flags);
            }
            let pages: Vec<(u64, &Page)> =
                self.unhashed.iter().map(|&index| (index, self.storage.content(index))).collect();
            self.tree.rehash(&pages);
            self.unhashed.clear();
        }
        self.tree.root()
    }

    /// Proof of the 32-byte leaf that holds `address`, against [`Self::merkle_root`]: the leaf,
    /// then its siblings bottom first. As many bytes as the address space's
    /// [`proof_bytes`](super::AddressSpace::proof_bytes).
    pub fn prove(&mut self, address: u64) -> Vec<u8> {
        self.merkle_root();
        self.tree.prove(address, self.storage.content(address >> PAGE_SHIFT))
    }
}
