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

#[cfg(test)]
mod tests {
    use alloy_primitives::{b256, keccak256};

    use super::*;

    #[test]
    fn zero_hashes_are_the_published_ones() {
        for (level, expected) in [
            (0, B256::ZERO),
            (1, b256!("ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5")),
            (7, b256!("ffd70157e48063fc33c97a050f7f640233bf646cc98d9524c6b92bcf3ab56f83")),
            (16, b256!("2733e50f526ec2fa19a22b31e8ed50f23cd1fdf94c9154ed3a7609a2f1ff981f")),
            (27, b256!("838c5655cb21c6cb83313b5a631175dff4963772cce9108188b34ac87c81c41e")),
            (52, b256!("307317849eccd90c0c7b98870b9317c15a5959dcfb84c76dcc908c4fe6ba9212")),
            (59, b256!("14af5385bcbb1e4738bbae8106046e6e2fca42875aa5c000c582587742bcc748")),
        ] {
            assert_eq!(zero_hash(level), Some(expected), "level {level}");
        }
    }

    #[test]
    fn each_level_is_the_hash_of_two_of_the_level_below() {
        for level in 1..=MAX_LEVEL {
            let child = ZERO_NODES[level - 1];
            let expected = keccak256([child, child].as_flattened());
            assert_eq!(zero_hash(level), Some(expected), "level {level}");
        }
    }

    #[test]
    fn there_is_none_above_the_highest_level() {
        assert_eq!(zero_hash(MAX_LEVEL + 1), None);
        assert_eq!(zero_hash(usize::MAX), None);
    }
}
