//! The nodes of a trie, handed out to whoever keeps the state of a chain.

use super::{Node, Trie};
use alloc::vec::Vec;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Encodable};
use alloy_trie::{
    TrieMask,
    nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode},
};

impl Trie {
    /// Appends every open node that `is_known` does not know, by its hash and in RLP, a node before
    /// those below it. What lies below a known node is taken to be known as well.
    pub fn new_nodes(
        &mut self,
        is_known: &mut impl FnMut(B256) -> bool,
        nodes: &mut Vec<(B256, Vec<u8>)>,
    ) {
        let root = self.root();
        collect(&self.root, Some(root), is_known, nodes);
    }
}

/// `hash` is that of the node; without one the node is embedded, and nothing below it has a hash.
fn collect(
    node: &Node,
    hash: Option<B256>,
    is_known: &mut impl FnMut(B256) -> bool,
    nodes: &mut Vec<(B256, Vec<u8>)>,
) {
    let (Some(hash), Some(bytes)) = (hash, encoded(node)) else { return };
    if is_known(hash) {
        return;
    }
    debug_assert_eq!(keccak256(&bytes), hash);
    nodes.push((hash, bytes));
    match node {
        Node::Empty | Node::Blinded(_) | Node::Leaf(_) => {}
        Node::Extension(extension) => {
            collect(&extension.child, child_hash(&extension.child), is_known, nodes);
        }
        Node::Branch(branch) => {
            for child in &branch.children {
                collect(child, child_hash(child), is_known, nodes);
            }
        }
    }
}

fn child_hash(child: &Node) -> Option<B256> {
    child.known_reference()?.as_hash()
}

/// The node in RLP, if it is open. Its children have their references.
fn encoded(node: &Node) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match node {
        Node::Empty | Node::Blinded(_) => return None,
        Node::Leaf(leaf) => LeafNodeRef::new(&leaf.path, &leaf.value).encode(&mut bytes),
        Node::Extension(extension) => {
            let child = reference(&extension.child);
            ExtensionNodeRef::new(&extension.path, &child).encode(&mut bytes);
        }
        Node::Branch(branch) => {
            let mut stack = Vec::with_capacity(branch.children.len());
            let mut mask = TrieMask::default();
            for (nibble, child) in (0..).zip(&branch.children) {
                if !matches!(child, Node::Empty) {
                    mask.set_bit(nibble);
                    stack.push(reference(child));
                }
            }
            BranchNodeRef::new(&stack, mask).encode(&mut bytes);
        }
    }
    Some(bytes)
}

fn reference(node: &Node) -> RlpNode {
    match node {
        Node::Blinded(hash) => RlpNode::word_rlp(hash),
        node => match node.known_reference() {
            Some(reference) => reference.clone(),
            None => RlpNode::from_rlp(&[EMPTY_STRING_CODE]),
        },
    }
}
