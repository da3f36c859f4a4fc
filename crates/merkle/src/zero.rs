//! Roots of all-zero subtrees, made at compile time.

use alloy_primitives::B256;

use crate::keccak::hash_pair;

/// Highest level with a known zero root: that of the 64-bit tree.
pub const MAX_LEVEL: usize = 59;

pub(crate) const ZERO_NODES: [[u8; 32]; MAX_LEVEL + 1] = zero_nodes();

const fn zero_nodes() -> [[u8; 32]; MAX_LEVEL + 1] {
    let mut nodes = [[0u8; 32]; MAX_LEVEL + 1];
    let mut level = 1;
    while level <= MAX_LEVEL {
        let child = nodes[level - 1];
        let mut message = [0u8; 64];
        let mut byte = 0;
        while byte < 32 {
            message[byte] = child[byte];
            message[32 + byte] = child[byte];
            byte += 1;
        }
        nodes[level] = hash_pair(&message);
        level += 1;
    }
    nodes
}

/// Root of an all-zero subtree that is `level` levels high; level 0 is a leaf of 32 zero bytes.
///
/// Levels above [`MAX_LEVEL`] do not occur in any tree here and are `None`.
#[must_use]
pub const fn zero_hash(level: usize) -> Option<B256> {
    if level > MAX_LEVEL { None } else { Some(B256::new(ZERO_NODES[level])) }
}
