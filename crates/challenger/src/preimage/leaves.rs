//! The leaves of a large preimage, and the tree that the contract builds of them.
//!
//! ```text
//!   leaf   keccak256( block 136 | index 32 | state commitment 32 )
//!   tree   16 levels, node = keccak256(left | right), absent leaves are zero
//! ```

use super::sponge::BLOCK_BYTES;
use alloy_primitives::{B256, U256, keccak256};
use rebut_contracts::bindings::PreimageOracle as Oracle;
use rebut_merkle::zero_hash;

/// Levels of the tree.
pub const TREE_DEPTH: usize = 16;
/// Most leaves of a preimage: the last place stays empty.
pub const MAX_LEAVES: usize = (1 << TREE_DEPTH) - 1;

/// One block, and what is claimed of the state after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The block, padded where it is the last.
    pub input: [u8; BLOCK_BYTES],
    /// Its place, from 0.
    pub index: u32,
    /// Commitment to the state.
    pub commitment: B256,
}

impl Leaf {
    /// What stands in the tree.
    pub fn hash(&self) -> B256 {
        let mut bytes = [0; BLOCK_BYTES + 64];
        let (input, rest) = bytes.split_at_mut(BLOCK_BYTES);
        input.copy_from_slice(&self.input);
        rest[28..32].copy_from_slice(&self.index.to_be_bytes());
        rest[32..].copy_from_slice(self.commitment.as_slice());
        keccak256(bytes)
    }
}

impl From<&Leaf> for Oracle::Leaf {
    fn from(leaf: &Leaf) -> Self {
        Self {
            input: leaf.input.to_vec().into(),
            index: U256::from(leaf.index),
            stateCommitment: leaf.commitment,
        }
    }
}

/// All nodes of the tree that are not those of an empty one, from the leaves up.
#[derive(Clone, Debug)]
pub struct LeafTree([Vec<B256>; TREE_DEPTH + 1]);

impl LeafTree {
    /// The tree over leaves with these hashes. Those above [`MAX_LEAVES`] are left out.
    pub fn new(mut leaves: Vec<B256>) -> Self {
        leaves.truncate(MAX_LEAVES);
        let mut levels = [const { Vec::new() }; TREE_DEPTH + 1];
        for (level, place) in levels.iter_mut().enumerate() {
            let pairs = leaves.chunks(2);
            let above = pairs.map(|pair| match pair {
                [left, right] => node(*left, *right),
                _ => node(pair[0], empty(level)),
            });
            let above = above.collect();
            *place = std::mem::replace(&mut leaves, above);
        }
        Self(levels)
    }

    /// The root.
    pub fn root(&self) -> B256 {
        self.node(TREE_DEPTH, 0)
    }

    /// The siblings on the way from a leaf to the root.
    pub fn proof(&self, index: u32) -> Vec<B256> {
        (0..TREE_DEPTH).map(|level| self.node(level, (index as usize >> level) ^ 1)).collect()
    }

    fn node(&self, level: usize, place: usize) -> B256 {
        self.0[level].get(place).copied().unwrap_or(empty(level))
    }
}

/// Root of an empty tree of a height that the tree has.
fn empty(level: usize) -> B256 {
    zero_hash(level).unwrap_or_default()
}

fn node(left: B256, right: B256) -> B256 {
    keccak256([left.0, right.0].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    /// The contract's way up, written on its own.
    fn fold(leaf: B256, index: u32, proof: &[B256]) -> B256 {
        proof.iter().enumerate().fold(leaf, |below, (level, sibling)| {
            let (left, right) =
                if index >> level & 1 == 1 { (*sibling, below) } else { (below, *sibling) };
            keccak256([left.0, right.0].concat())
        })
    }

    #[test]
    fn proofs_lead_to_the_root() {
        for count in [1, 2, 3, 5, 64, 777] {
            let leaves: Vec<B256> = (0..count).map(|i: u32| keccak256(i.to_be_bytes())).collect();
            let tree = LeafTree::new(leaves.clone());
            for (index, leaf) in (0..).zip(&leaves) {
                assert_eq!(
                    fold(*leaf, index, &tree.proof(index)),
                    tree.root(),
                    "{index} of {count}"
                );
            }
            // An empty place is there as well, a taken one is not empty.
            assert_eq!(fold(B256::ZERO, count, &tree.proof(count)), tree.root());
            assert_ne!(fold(B256::ZERO, 0, &tree.proof(0)), tree.root());
        }
    }

    /// The zero hash of level 16, as the facts of the memory tree list it.
    #[test]
    fn the_empty_tree() {
        let known = b256!("2733e50f526ec2fa19a22b31e8ed50f23cd1fdf94c9154ed3a7609a2f1ff981f");
        assert_eq!(LeafTree::new(Vec::new()).root(), known);
    }

    #[test]
    fn the_last_place_stays_empty() {
        let full = LeafTree::new(vec![B256::repeat_byte(1); MAX_LEAVES + 1]);
        assert_eq!(full.root(), LeafTree::new(vec![B256::repeat_byte(1); MAX_LEAVES]).root());
        assert_eq!(
            fold(B256::ZERO, MAX_LEAVES as u32, &full.proof(MAX_LEAVES as u32)),
            full.root()
        );
    }
}
