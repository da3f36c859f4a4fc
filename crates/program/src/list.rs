//! Lists behind a trie root: the transactions and receipts of a block.
//!
//! The trie maps `rlp(index)` to the item. All of it is read, so every node is fetched once.
//!
//! Invariant: a list is returned only if its indices are 0, 1, 2, … without a gap.
//!
//! Source: Ethereum yellow paper, section 4.3; facts of the trie in its appendix D.

use alloc::vec::Vec;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{RlpNode, TrieNode},
};

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError<E> {
    /// A node could not be had.
    #[error(transparent)]
    Source(E),
    /// A node's bytes are no trie node.
    #[error("node {hash} of the list {root} is malformed: {source}")]
    Malformed {
        /// The list's root.
        root: B256,
        /// The node, or the one it is embedded in.
        hash: B256,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
    /// The keys are not those of a list.
    #[error("the trie {root} is no list: its {count} keys are not 0 and the numbers after it")]
    Keys {
        /// The list's root.
        root: B256,
        /// How many items there are.
        count: usize,
    },
}

/// No key of a list is longer: a 64-bit index in RLP.
const MAX_KEY_NIBBLES: usize = 18;

/// Reads the list behind `root`. `node` gives the node with a hash.
///
/// # Errors
/// [`ListError`].
pub(crate) fn read<E>(
    root: B256,
    node: impl FnMut(B256) -> Result<Vec<u8>, E>,
) -> Result<Vec<Bytes>, ListError<E>> {
    if root == EMPTY_ROOT_HASH {
        return Ok(Vec::new());
    }
    let mut walk = Walk { root, node, items: Vec::new() };
    walk.fetch(root, Nibbles::new())?;
    let mut items = walk.items;
    let count = items.len();
    items.sort_unstable_by_key(|(index, _)| *index);
    if items.iter().zip(0..).any(|((index, _), expected)| *index != expected) {
        return Err(ListError::Keys { root, count });
    }
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

struct Walk<F> {
    root: B256,
    node: F,
    items: Vec<(u64, Bytes)>,
}

impl<F: FnMut(B256) -> Result<Vec<u8>, E>, E> Walk<F> {
    fn fetch(&mut self, hash: B256, path: Nibbles) -> Result<(), ListError<E>> {
        let bytes = (self.node)(hash).map_err(ListError::Source)?;
        self.visit(&bytes, hash, path)
    }

    /// Reads a node that is, or is embedded in, the one with `hash`.
    fn visit(&mut self, bytes: &[u8], hash: B256, path: Nibbles) -> Result<(), ListError<E>> {
        let root = self.root;
        let malformed = |source| ListError::Malformed { root, hash, source };
        let mut rest = bytes;
        let node = TrieNode::decode(&mut rest).map_err(malformed)?;
        if !rest.is_empty() {
            return Err(malformed(alloy_rlp::Error::UnexpectedLength));
        }
        match node {
            TrieNode::EmptyRoot => Err(malformed(alloy_rlp::Error::Custom("an empty node"))),
            TrieNode::Leaf(leaf) => {
                let index = self.index(&self.joined(path, &leaf.key)?)?;
                self.items.push((index, leaf.value.into()));
                Ok(())
            }
            TrieNode::Extension(extension) => {
                let path = self.joined(path, &extension.key)?;
                self.child(&extension.child, hash, path)
            }
            TrieNode::Branch(branch) => {
                let occupied = (0..16).filter(|&nibble| branch.state_mask.is_bit_set(nibble));
                for (nibble, reference) in occupied.zip(&branch.stack) {
                    let path = self.joined(path, &Nibbles::from_nibbles([nibble]))?;
                    self.child(reference, hash, path)?;
                }
                Ok(())
            }
        }
    }

    fn child(&mut self, child: &RlpNode, hash: B256, path: Nibbles) -> Result<(), ListError<E>> {
        match child.as_hash() {
            Some(hash) => self.fetch(hash, path),
            // Shorter than the node around it: this ends.
            None => self.visit(child, hash, path),
        }
    }

    fn joined(&self, path: Nibbles, more: &Nibbles) -> Result<Nibbles, ListError<E>> {
        if path.len() + more.len() > MAX_KEY_NIBBLES {
            return Err(self.no_list());
        }
        Ok(path.join(more))
    }

    fn index(&self, key: &Nibbles) -> Result<u64, ListError<E>> {
        if !key.len().is_multiple_of(2) {
            return Err(self.no_list());
        }
        let bytes = key.pack();
        let mut rest = bytes.as_slice();
        match u64::decode(&mut rest) {
            Ok(index) if rest.is_empty() => Ok(index),
            _ => Err(self.no_list()),
        }
    }

    fn no_list(&self) -> ListError<E> {
        ListError::Keys { root: self.root, count: self.items.len() }
    }
}

#[cfg(test)]
mod tests;
