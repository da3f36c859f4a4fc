//! A partial Merkle-Patricia trie that opens its nodes as they are needed.
//!
//! The trie starts as a root hash. A node behind a hash is fetched when a path leads through it,
//! or when it is the last child of a branch that a removal dissolves. Nodes that were not changed
//! keep the reference they were found under and are never hashed again.
//!
//! Invariant: the trie is in canonical form after every change (no empty branch, no branch with
//! one child, no extension to anything but a branch), so its root depends on the content alone.
//! Keys are hashes: every path to a leaf has 64 nibbles, which is checked when a node is opened, and
//! a branch never carries a value.
//!
//! Specification: Ethereum yellow paper, appendix D.

mod branch;

use crate::StateOracle;
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{B256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{ExtensionNodeRef, LeafNodeRef, RlpNode, TrieNode},
};

/// Why a trie could not be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrieError<E> {
    /// The oracle did not give a node.
    #[error(transparent)]
    Oracle(E),
    /// The node's bytes are no trie node.
    #[error("trie node {hash} is malformed: {source}")]
    Malformed {
        /// The hash the node was asked for by.
        hash: B256,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
}

/// A trie with 32-byte keys and values of any length above 0.
#[derive(Clone, Debug)]
pub struct Trie {
    root: Node,
    /// Kept between changes to save allocations.
    buffer: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Node {
    Empty,
    /// Known by hash only.
    Blinded(B256),
    Leaf(Box<Leaf>),
    Extension(Box<Extension>),
    Branch(Box<Branch>),
}

/// How the parent refers to a node: its hash, or the node itself below 32 bytes. `None` after a
/// change.
type Reference = Option<RlpNode>;

#[derive(Clone, Debug)]
struct Leaf {
    path: Nibbles,
    value: Vec<u8>,
    reference: Reference,
}

#[derive(Clone, Debug)]
struct Extension {
    path: Nibbles,
    child: Node,
    reference: Reference,
}

#[derive(Clone, Debug)]
struct Branch {
    children: [Node; 16],
    reference: Reference,
}

/// Nibbles of a key.
const KEY_NIBBLES: usize = 64;

/// A key and how much of it lies above the node at hand.
#[derive(Clone, Copy)]
struct Cursor {
    key: Nibbles,
    depth: usize,
}

impl Cursor {
    fn new(key: B256) -> Self {
        Self { key: Nibbles::unpack(key), depth: 0 }
    }

    fn rest(&self) -> Nibbles {
        self.key.slice(self.depth..)
    }

    const fn down(self, nibbles: usize) -> Self {
        Self { depth: self.depth + nibbles, ..self }
    }

    /// The child of a branch that the key leads to. Branches lie above the key's end.
    fn nibble(&self) -> usize {
        usize::from(self.key.get_unchecked(self.depth))
    }

    /// How many nibbles of `path` the key follows from here.
    fn follow(&self, path: &Nibbles) -> usize {
        self.rest().common_prefix_length(path)
    }
}

impl Trie {
    /// The trie with this root.
    pub const fn new(root: B256) -> Self {
        let empty = root.const_eq(&EMPTY_ROOT_HASH);
        let root = if empty { Node::Empty } else { Node::Blinded(root) };
        Self { root, buffer: Vec::new() }
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// [`TrieError`] when a node on the path cannot be had.
    pub fn get<O: StateOracle>(
        &mut self,
        key: B256,
        oracle: &mut O,
    ) -> Result<Option<&[u8]>, TrieError<O::Error>> {
        self.root.get(Cursor::new(key), oracle)
    }

    /// Puts a value, which must not be empty, under `key`.
    ///
    /// # Errors
    /// [`TrieError`] when a node on the path cannot be had. The trie is then the same as before,
    /// except for nodes that were opened.
    pub fn insert<O: StateOracle>(
        &mut self,
        key: B256,
        value: Vec<u8>,
        oracle: &mut O,
    ) -> Result<(), TrieError<O::Error>> {
        self.root.insert(Cursor::new(key), value, oracle).map(|_| ())
    }

    /// Removes what is under `key`, if anything.
    ///
    /// # Errors
    /// [`TrieError`] when a node on the path, or the last sibling of a removed node, cannot be
    /// had. The trie must not be used any further then.
    pub fn remove<O: StateOracle>(
        &mut self,
        key: B256,
        oracle: &mut O,
    ) -> Result<(), TrieError<O::Error>> {
        self.root.remove(Cursor::new(key), oracle).map(|_| ())
    }

    /// The root hash. Hashes what changed since the last call.
    pub fn root(&mut self) -> B256 {
        if matches!(self.root, Node::Empty) {
            return EMPTY_ROOT_HASH;
        }
        let reference = self.root.reference(&mut self.buffer);
        // A root below 32 bytes is hashed all the same.
        reference.as_hash().unwrap_or_else(|| keccak256(&reference))
    }
}

impl Node {
    fn leaf(path: Nibbles, value: Vec<u8>) -> Self {
        Self::Leaf(Box::new(Leaf { path, value, reference: None }))
    }

    /// An extension to `child`, or `child` itself where there is no path to bridge.
    fn extension(path: Nibbles, child: Self) -> Self {
        if path.is_empty() {
            child
        } else {
            Self::Extension(Box::new(Extension { path, child, reference: None }))
        }
    }

    /// Fetches the node if only its hash is known.
    fn open<O: StateOracle>(
        &mut self,
        depth: usize,
        oracle: &mut O,
    ) -> Result<(), TrieError<O::Error>> {
        if let Self::Blinded(hash) = *self {
            let bytes = oracle.trie_node(hash).map_err(TrieError::Oracle)?;
            *self = decode(&bytes, RlpNode::word_rlp(&hash), depth)
                .map_err(|source| TrieError::Malformed { hash, source })?;
        }
        Ok(())
    }

    fn get<O: StateOracle>(
        &mut self,
        at: Cursor,
        oracle: &mut O,
    ) -> Result<Option<&[u8]>, TrieError<O::Error>> {
        self.open(at.depth, oracle)?;
        match self {
            Self::Empty | Self::Blinded(_) => Ok(None),
            Self::Leaf(leaf) => {
                let shared = at.follow(&leaf.path);
                Ok((shared == leaf.path.len()).then_some(leaf.value.as_slice()))
            }
            Self::Extension(extension) => {
                let shared = at.follow(&extension.path);
                if shared < extension.path.len() {
                    return Ok(None);
                }
                extension.child.get(at.down(shared), oracle)
            }
            Self::Branch(branch) => branch.children[at.nibble()].get(at.down(1), oracle),
        }
    }

    /// Returns whether anything changed.
    fn insert<O: StateOracle>(
        &mut self,
        at: Cursor,
        value: Vec<u8>,
        oracle: &mut O,
    ) -> Result<bool, TrieError<O::Error>> {
        self.open(at.depth, oracle)?;
        match self {
            Self::Empty | Self::Blinded(_) => {
                *self = Self::leaf(at.rest(), value);
                Ok(true)
            }
            Self::Leaf(leaf) => {
                let shared = at.follow(&leaf.path);
                if shared == leaf.path.len() {
                    if leaf.value == value {
                        return Ok(false);
                    }
                    leaf.value = value;
                    leaf.reference = None;
                } else {
                    let path = leaf.path;
                    let old =
                        Self::leaf(path.slice(shared + 1..), core::mem::take(&mut leaf.value));
                    *self = fork(path, shared, old, at, value);
                }
                Ok(true)
            }
            Self::Extension(extension) => {
                let shared = at.follow(&extension.path);
                if shared == extension.path.len() {
                    let changed = extension.child.insert(at.down(shared), value, oracle)?;
                    return Ok(unless_same(changed, &mut extension.reference));
                }
                let path = extension.path;
                let child = core::mem::replace(&mut extension.child, Self::Empty);
                let old = Self::extension(path.slice(shared + 1..), child);
                *self = fork(path, shared, old, at, value);
                Ok(true)
            }
            Self::Branch(branch) => {
                let child = &mut branch.children[at.nibble()];
                let changed = child.insert(at.down(1), value, oracle)?;
                Ok(unless_same(changed, &mut branch.reference))
            }
        }
    }

    /// Returns whether anything changed.
    fn remove<O: StateOracle>(
        &mut self,
        at: Cursor,
        oracle: &mut O,
    ) -> Result<bool, TrieError<O::Error>> {
        self.open(at.depth, oracle)?;
        match self {
            Self::Empty | Self::Blinded(_) => Ok(false),
            Self::Leaf(leaf) => {
                if at.follow(&leaf.path) < leaf.path.len() {
                    return Ok(false);
                }
                *self = Self::Empty;
                Ok(true)
            }
            Self::Extension(extension) => {
                let shared = at.follow(&extension.path);
                if shared < extension.path.len()
                    || !extension.child.remove(at.down(shared), oracle)?
                {
                    return Ok(false);
                }
                let child = core::mem::replace(&mut extension.child, Self::Empty);
                *self = child.lengthened(extension.path);
                Ok(true)
            }
            Self::Branch(branch) => {
                let nibble = at.nibble();
                if !branch.children[nibble].remove(at.down(1), oracle)? {
                    return Ok(false);
                }
                branch.reference = None;
                let mut left = (0..16).filter(|&i| !matches!(branch.children[i], Self::Empty));
                match (left.next(), left.next()) {
                    (Some(last), None) => {
                        let mut child = core::mem::replace(&mut branch.children[last], Self::Empty);
                        // Its kind decides how it merges with the path above, so it is opened.
                        child.open(at.depth + 1, oracle)?;
                        *self = child.lengthened(Nibbles::from_nibbles([last as u8]));
                    }
                    (None, _) => *self = Self::Empty,
                    (Some(_), Some(_)) => {}
                }
                Ok(true)
            }
        }
    }

    /// The node, reached over `path`: what an extension by `path` would be in canonical form.
    fn lengthened(self, path: Nibbles) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Leaf(leaf) => Self::leaf(path.join(&leaf.path), leaf.value),
            Self::Extension(extension) => {
                Self::extension(path.join(&extension.path), extension.child)
            }
            Self::Branch(_) | Self::Blinded(_) => Self::extension(path, self),
        }
    }

    /// The reference, if nothing changed since it was made. None for nodes that have no place for it.
    fn known_reference(&self) -> Option<&RlpNode> {
        match self {
            Self::Empty | Self::Blinded(_) => None,
            Self::Leaf(leaf) => leaf.reference.as_ref(),
            Self::Extension(extension) => extension.reference.as_ref(),
            Self::Branch(branch) => branch.reference.as_ref(),
        }
    }

    fn reference(&mut self, buffer: &mut Vec<u8>) -> RlpNode {
        match self {
            Self::Empty => RlpNode::from_rlp(&[alloy_rlp::EMPTY_STRING_CODE]),
            Self::Blinded(hash) => RlpNode::word_rlp(hash),
            Self::Leaf(leaf) => {
                let Leaf { path, value, reference } = &mut **leaf;
                reference
                    .get_or_insert_with(|| {
                        buffer.clear();
                        LeafNodeRef::new(path, value).rlp(buffer)
                    })
                    .clone()
            }
            Self::Extension(extension) => {
                let Extension { path, child, reference } = &mut **extension;
                reference
                    .get_or_insert_with(|| {
                        let child = child.reference(buffer);
                        buffer.clear();
                        ExtensionNodeRef::new(path, &child).rlp(buffer)
                    })
                    .clone()
            }
            Self::Branch(branch) => {
                let Branch { children, reference } = &mut **branch;
                reference.get_or_insert_with(|| branch::reference(children, buffer)).clone()
            }
        }
    }
}

/// Drops the reference of a node below which something changed.
fn unless_same(changed: bool, reference: &mut Reference) -> bool {
    if changed {
        *reference = None;
    }
    changed
}

/// Where `path` and the key part after `shared` nibbles: a branch with `old` and a new leaf.
fn fork(path: Nibbles, shared: usize, old: Node, at: Cursor, value: Vec<u8>) -> Node {
    let mut children = [const { Node::Empty }; 16];
    let rest = at.rest();
    children[usize::from(path.get_unchecked(shared))] = old;
    children[usize::from(rest.get_unchecked(shared))] = Node::leaf(rest.slice(shared + 1..), value);
    let branch = Node::Branch(Box::new(Branch { children, reference: None }));
    Node::extension(path.slice(..shared), branch)
}

/// Reads one node, `depth` nibbles below the root, that its parent refers to by `reference`.
fn decode(bytes: &[u8], reference: RlpNode, depth: usize) -> alloy_rlp::Result<Node> {
    use alloy_rlp::Error::Custom;
    let below = KEY_NIBBLES - depth;
    if below > 0
        && let Some(branch) = branch::decode_hashes(bytes, &reference)
    {
        return Ok(Node::Branch(branch));
    }
    let mut rest = bytes;
    let node = TrieNode::decode(&mut rest)?;
    if !rest.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    let reference = Some(reference);
    Ok(match node {
        TrieNode::EmptyRoot => return Err(Custom("an empty node below a hash")),
        TrieNode::Leaf(leaf) => {
            if leaf.key.len() != below || leaf.value.is_empty() {
                return Err(Custom("a leaf without a value or at the wrong depth"));
            }
            Node::Leaf(Box::new(Leaf { path: leaf.key, value: leaf.value, reference }))
        }
        TrieNode::Extension(extension) => {
            let path = extension.key;
            if path.is_empty() || path.len() >= below {
                return Err(Custom("an extension without a path or with one too long"));
            }
            let child = child(&extension.child, depth + path.len())?;
            Node::Extension(Box::new(Extension { path, child, reference }))
        }
        TrieNode::Branch(branch) => {
            if below == 0 || branch.stack.len() < 2 {
                return Err(Custom("a branch with fewer than two children or at the wrong depth"));
            }
            let mut children = [const { Node::Empty }; 16];
            let occupied = (0..16).filter(|&nibble| branch.state_mask.is_bit_set(nibble));
            for (nibble, reference) in occupied.zip(&branch.stack) {
                children[usize::from(nibble)] = child(reference, depth + 1)?;
            }
            Node::Branch(Box::new(Branch { children, reference }))
        }
    })
}

fn child(reference: &RlpNode, depth: usize) -> alloy_rlp::Result<Node> {
    match reference.as_hash() {
        Some(hash) => Ok(Node::Blinded(hash)),
        // Below 32 bytes, and shorter than the node around it: this ends.
        None => decode(reference, reference.clone(), depth),
    }
}

mod nodes;
#[cfg(test)]
mod tests;
