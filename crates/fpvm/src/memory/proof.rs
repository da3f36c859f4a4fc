//! Merkle root and proofs of memory, from the pages that changed since they were last asked for.

use alloy_primitives::B256;
use rebut_merkle::{LeafProof, Page};

use super::{Memory, PAGE_SHIFT, flags::Flags};

/// Levels of the tree over a 64-bit address space.
pub const DEPTH: usize = 59;

/// Bytes of a memory proof: the leaf and 59 siblings.
pub const PROOF_BYTES: usize = LeafProof::<DEPTH>::BYTES;

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
    /// then its siblings bottom first.
    pub fn prove(&mut self, address: u64) -> [u8; PROOF_BYTES] {
        self.merkle_root();
        let proof = self.tree.prove(address, Some(self.storage.content(address >> PAGE_SHIFT)));
        let mut bytes = [0; PROOF_BYTES];
        let (leaf, siblings) = bytes.split_at_mut(proof.leaf.len());
        leaf.copy_from_slice(&proof.leaf);
        siblings.copy_from_slice(proof.siblings.as_flattened());
        bytes
    }
}
