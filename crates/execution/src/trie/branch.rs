//! Branches, read and written without a detour: most of the nodes on any path are branches, and most of
//! their children are hashes that are never followed.
//!
//! Invariant: what [`decode_hashes`] accepts, the general decoder accepts as well, with the same result.

use super::{Branch, Node};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::B256;
use alloy_rlp::EMPTY_STRING_CODE;
use alloy_trie::nodes::RlpNode;

/// In front of a hash.
const HASH_CODE: u8 = EMPTY_STRING_CODE + 32;
/// In front of a list of up to 55 bytes: this plus their number.
const SHORT_LIST_CODE: u8 = 0xc0;
const SHORT_LIST_LIMIT_BYTES: usize = 55;
/// In front of the one or the two bytes that say how long a list is.
const LIST_CODES: [u8; 2] = [0xf8, 0xf9];

/// Reads a branch of which each child is absent or a hash. `None` stands for anything else, be it
/// another node or no node at all: that is for the general decoder.
pub(super) fn decode_hashes(bytes: &[u8], reference: &RlpNode) -> Option<Box<Branch>> {
    let (length_bytes, mut rest) = match bytes {
        [code, length, rest @ ..] if *code == LIST_CODES[0] => (usize::from(*length), rest),
        [code, high, low, rest @ ..] if *code == LIST_CODES[1] && *high > 0 => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    if length_bytes != rest.len() || length_bytes <= SHORT_LIST_LIMIT_BYTES {
        return None;
    }
    let mut branch = Box::new(Branch {
        children: [const { Node::Empty }; 16],
        reference: Some(reference.clone()),
    });
    let mut present = 0;
    for child in &mut branch.children {
        rest = match rest {
            [EMPTY_STRING_CODE, after @ ..] => after,
            [HASH_CODE, after @ ..] => {
                let (hash, after) = after.split_first_chunk()?;
                *child = Node::Blinded(B256::new(*hash));
                present += 1;
                after
            }
            _ => return None,
        };
    }
    (present >= 2 && rest == [EMPTY_STRING_CODE]).then_some(branch)
}

/// The reference to a branch with these children.
pub(super) fn reference(children: &mut [Node; 16], buffer: &mut Vec<u8>) -> RlpNode {
    // These need the buffer, too.
    for child in children.iter_mut() {
        if !matches!(child, Node::Empty | Node::Blinded(_)) {
            child.reference(buffer);
        }
    }
    buffer.clear();
    // Room for the longest head.
    buffer.extend_from_slice(&[0; 3]);
    for child in children.iter() {
        match child {
            Node::Blinded(hash) => {
                buffer.push(HASH_CODE);
                buffer.extend_from_slice(hash.as_slice());
            }
            child => match child.known_reference() {
                Some(reference) => buffer.extend_from_slice(reference),
                None => buffer.push(EMPTY_STRING_CODE),
            },
        }
    }
    buffer.push(EMPTY_STRING_CODE);
    let length_bytes = buffer.len() - 3;
    // Sixteen references of at most 33 bytes: two bytes always hold the length.
    let [high, low] = (length_bytes as u16).to_be_bytes();
    let start = match (length_bytes, high) {
        (..=SHORT_LIST_LIMIT_BYTES, _) => {
            buffer[2] = SHORT_LIST_CODE + low;
            2
        }
        (_, 0) => {
            buffer[1..3].copy_from_slice(&[LIST_CODES[0], low]);
            1
        }
        _ => {
            buffer[..3].copy_from_slice(&[LIST_CODES[1], high, low]);
            0
        }
    };
    RlpNode::from_rlp(&buffer[start..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::{
        TrieMask,
        nodes::{BranchNodeRef, TrieNode},
    };
    use proptest::prelude::*;

    /// What a branch holds in one place.
    #[derive(Clone, Debug)]
    enum Child {
        Absent,
        Hash(B256),
        /// A leaf with a path of one nibble, embedded.
        Leaf(u8),
    }

    fn child() -> impl Strategy<Value = Child> {
        prop_oneof![
            4 => Just(Child::Absent),
            4 => any::<[u8; 32]>().prop_map(|hash| Child::Hash(hash.into())),
            1 => (0_u8..16).prop_map(Child::Leaf),
        ]
    }

    /// The branch as the other implementation writes it.
    fn encoded(children: &[Child]) -> (Vec<u8>, RlpNode) {
        let mut stack = Vec::new();
        let mut mask = TrieMask::default();
        for (nibble, child) in (0..16).zip(children) {
            match child {
                Child::Absent => continue,
                Child::Hash(hash) => stack.push(RlpNode::word_rlp(hash)),
                Child::Leaf(nibble) => stack.push(leaf(*nibble)),
            }
            mask.set_bit(nibble);
        }
        let branch = BranchNodeRef::new(&stack, mask);
        let mut bytes = Vec::new();
        alloy_rlp::Encodable::encode(&branch, &mut bytes);
        (bytes, branch.rlp(&mut Vec::new()))
    }

    fn leaf(nibble: u8) -> RlpNode {
        RlpNode::from_raw(&[0xc2, 0x30 + nibble, 0x07]).expect("below 33 bytes")
    }

    fn hashes(children: &[Node; 16]) -> Vec<Option<B256>> {
        let hash = |child: &Node| match child {
            Node::Blinded(hash) => Some(*hash),
            _ => None,
        };
        children.iter().map(hash).collect()
    }

    /// The hashes of a branch's children by the other implementation, if they are nothing but hashes.
    fn expected(bytes: &[u8]) -> Option<Vec<Option<B256>>> {
        let mut rest = bytes;
        let Ok(TrieNode::Branch(branch)) = alloy_rlp::Decodable::decode(&mut rest) else {
            return None;
        };
        let mut stack = branch.stack.iter();
        let mut children = Vec::new();
        for nibble in 0..16 {
            children.push(match branch.state_mask.is_bit_set(nibble) {
                true => Some(stack.next()?.as_hash()?),
                false => None,
            });
        }
        (rest.is_empty() && branch.stack.len() >= 2).then_some(children)
    }

    fn decoded(bytes: &[u8]) -> Option<Vec<Option<B256>>> {
        let reference = RlpNode::word_rlp(&B256::ZERO);
        decode_hashes(bytes, &reference).map(|branch| hashes(&branch.children))
    }

    proptest! {
        #[test]
        fn branches_are_read_as_elsewhere(children in prop::collection::vec(child(), 16)) {
            let (bytes, _) = encoded(&children);
            prop_assert_eq!(decoded(&bytes), expected(&bytes));
        }

        #[test]
        fn what_is_accepted_is_accepted_elsewhere(
            children in prop::collection::vec(child(), 16),
            at: prop::sample::Index,
            byte: u8,
            cut in 0_usize..3,
        ) {
            let (mut bytes, _) = encoded(&children);
            *at.get_mut(&mut bytes) = byte;
            bytes.truncate(bytes.len() - cut);
            if let Some(found) = decoded(&bytes) {
                prop_assert_eq!(Some(found), expected(&bytes));
            }
        }

        #[test]
        fn branches_are_written_as_elsewhere(children in prop::collection::vec(child(), 16)) {
            let mut nodes = [const { Node::Empty }; 16];
            for (node, child) in nodes.iter_mut().zip(&children) {
                *node = match child {
                    Child::Absent => Node::Empty,
                    Child::Hash(hash) => Node::Blinded(*hash),
                    Child::Leaf(nibble) => {
                        Node::leaf(alloy_trie::Nibbles::from_nibbles([*nibble]), alloc::vec![0x07])
                    }
                };
            }
            prop_assert_eq!(reference(&mut nodes, &mut Vec::new()), encoded(&children).1);
        }
    }
}
