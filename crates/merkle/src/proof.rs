//! Proof that a 32-byte leaf stands at an address of a tree with a given root.
//!
//! ```text
//!   +--------+-----------+-----------+- ... -+-------------------+
//!   | leaf   | sibling 0 | sibling 1 |       | sibling DEPTH - 1 |   (DEPTH + 1) x 32 bytes
//!   +--------+-----------+-----------+- ... -+-------------------+
//! ```
//!
//! Siblings run from the bottom to the top. Bit `i` of the leaf index (`address >> 5`) says whether
//! the running node is the right (1) or the left (0) child at level `i`.
//!
//! Specification: fault proof VM, "Memory proofs".

use alloc::vec::Vec;

use alloy_primitives::B256;

use crate::{keccak::Engine, page::LEAF_BYTES};

/// A leaf and the siblings of its path in a tree of `DEPTH` levels: 59 for 64-bit addresses, 27 for
/// 32-bit ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafProof<const DEPTH: usize> {
    /// The 32 bytes at the address rounded down to a multiple of 32.
    pub leaf: [u8; LEAF_BYTES],
    /// Siblings of the path, bottom first.
    pub siblings: [[u8; LEAF_BYTES]; DEPTH],
}

/// The bytes are not one leaf and `DEPTH` siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("memory proof has {actual} bytes, a tree of depth {depth} needs {expected}")]
pub struct ProofLengthError {
    /// Levels of the tree.
    pub depth: usize,
    /// Bytes given.
    pub actual: usize,
    /// Bytes needed.
    pub expected: usize,
}

impl<const DEPTH: usize> LeafProof<DEPTH> {
    /// Bytes of the encoded proof.
    pub const BYTES: usize = (DEPTH + 1) * LEAF_BYTES;

    /// Reads the encoding: the leaf, then the siblings bottom first.
    ///
    /// # Errors
    ///
    /// [`ProofLengthError`] unless there are exactly [`Self::BYTES`] bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofLengthError> {
        let length = ProofLengthError { depth: DEPTH, actual: bytes.len(), expected: Self::BYTES };
        let (nodes, rest) = bytes.as_chunks::<LEAF_BYTES>();
        let (Some((leaf, siblings)), true) = (nodes.split_first(), rest.is_empty()) else {
            return Err(length);
        };
        Ok(Self { leaf: *leaf, siblings: siblings.try_into().map_err(|_| length)? })
    }

    /// The encoding: the leaf, then the siblings bottom first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend_from_slice(&self.leaf);
        bytes.extend_from_slice(self.siblings.as_flattened());
        bytes
    }

    /// Root of the tree in which this leaf stands at `address`.
    ///
    /// Address bits above the tree (beyond bit `DEPTH + 5`) do not count.
    #[must_use]
    pub fn root(&self, address: u64) -> B256 {
        self.root_after(address, &self.leaf)
    }

    /// Root of the tree once `leaf` has replaced the leaf of this proof at `address`.
    ///
    /// The siblings are those of the tree before: one leaf changes, its siblings do not.
    #[must_use]
    pub fn root_after(&self, address: u64, leaf: &[u8; LEAF_BYTES]) -> B256 {
        let mut index = address / LEAF_BYTES as u64;
        let mut node = *leaf;
        let engine = Engine::best();
        for sibling in &self.siblings {
            let (left, right) = if index & 1 == 0 { (&node, sibling) } else { (sibling, &node) };
            let mut message = [0u8; 64];
            message[..32].copy_from_slice(left);
            message[32..].copy_from_slice(right);
            engine.hash_pairs(&[message], core::slice::from_mut(&mut node));
            index >>= 1;
        }
        B256::new(node)
    }

    /// Whether the tree with `root` holds this leaf at `address`; `false` for any address outside
    /// the tree.
    #[must_use]
    pub fn verify(&self, root: B256, address: u64) -> bool {
        let inside = (address / LEAF_BYTES as u64).checked_shr(DEPTH as u32).unwrap_or(0) == 0;
        inside && self.root(address) == root
    }
}
