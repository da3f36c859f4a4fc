//! Oracles for the partial trie.

use crate::many::Many;
use alloy_primitives::{Address, B256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, proof::ProofRetainer};
use arbitrary::Arbitrary;
use rebut_execution::{StateOracle, Trie};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// What a source of nodes says when it has none.
#[derive(Debug)]
pub struct Absent;

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("absent")
    }
}

impl std::error::Error for Absent {}

/// Nodes by hash, or, for a source that cannot be trusted, one after the other whatever is asked for.
enum Nodes {
    ByHash(HashMap<B256, Vec<u8>>),
    InOrder(std::vec::IntoIter<Vec<u8>>),
}

impl StateOracle for Nodes {
    type Error = Absent;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Absent> {
        match self {
            Self::ByHash(nodes) => nodes.get(&hash).cloned(),
            Self::InOrder(nodes) => nodes.next(),
        }
        .ok_or(Absent)
    }

    fn code(&mut self, _: B256) -> Result<Vec<u8>, Absent> {
        Err(Absent)
    }

    fn header(&mut self, _: B256) -> Result<Vec<u8>, Absent> {
        Err(Absent)
    }

    fn precompile(&mut self, _: Address, _: u64, _: &[u8]) -> Result<Option<Vec<u8>>, Absent> {
        Err(Absent)
    }
}

/// Keys that share much, so that paths meet.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    first: u8,
    middle: u8,
    last: u8,
}

impl From<Key> for B256 {
    fn from(key: Key) -> Self {
        let mut bytes = [0; 32];
        // Few bits at the ends make neighbours likely.
        bytes[0] = key.first & 0x33;
        bytes[15] = key.middle;
        bytes[31] = key.last & 0x13;
        bytes.into()
    }
}

#[derive(Arbitrary, Debug)]
enum Change {
    Get(Key),
    Insert(Key, Many<u8, 40>),
    Remove(Key),
    Root,
}

/// Nodes as text in RLP, or any other bytes.
#[derive(Arbitrary, Debug)]
enum Node {
    Raw(Vec<u8>),
    /// Path nibbles with their prefix as they stand, and a value.
    Leaf {
        path: Vec<u8>,
        value: Vec<u8>,
    },
    /// A leaf with as many nibbles as fit below this depth.
    FittingLeaf {
        depth: u8,
        value: Many<u8, 40>,
    },
    Extension {
        path: Vec<u8>,
        child: Box<Child>,
    },
    Branch {
        children: Many<(u8, Child), 16>,
        value: Vec<u8>,
    },
}

#[derive(Arbitrary, Debug)]
enum Child {
    Hash(u8),
    Inline(Node),
}

impl Node {
    fn rlp(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.clone(),
            Self::Leaf { path, value } => list(&[string(path), string(value)]),
            Self::FittingLeaf { depth, value } => {
                let nibbles = 64 - usize::from(depth % 65);
                let mut path = vec![0; nibbles / 2 + 1];
                path[0] = if nibbles % 2 == 1 { 0x30 } else { 0x20 };
                list(&[string(&path), string(&value.0)])
            }
            Self::Extension { path, child } => list(&[string(path), child.rlp()]),
            Self::Branch { children, value } => {
                let mut items = vec![string(&[]); 16];
                for (nibble, child) in &children.0 {
                    items[usize::from(nibble % 16)] = child.rlp();
                }
                items.push(string(value));
                list(&items)
            }
        }
    }
}

impl Child {
    fn rlp(&self) -> Vec<u8> {
        match self {
            Self::Hash(byte) => string(&[*byte; 32]),
            Self::Inline(node) => node.rlp(),
        }
    }
}

fn header(short: u8, length: usize) -> Vec<u8> {
    if length < 56 {
        return vec![short + length as u8];
    }
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(7)..];
    [&[short + 55 + significant.len() as u8], significant].concat()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        [byte] if *byte < 0x80 => vec![*byte],
        _ => [header(0x80, bytes.len()), bytes.to_vec()].concat(),
    }
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let content = items.concat();
    [header(0xc0, content.len()), content].concat()
}

/// Nodes that come in any order, and what is done with the trie.
#[derive(Arbitrary, Debug)]
pub struct NodesCase {
    changes: Many<Change, 31>,
    nodes: Many<Node, 63>,
}

/// Reads and changes a trie of nodes that nobody checked.
pub fn nodes(case: NodesCase) {
    let nodes: Vec<Vec<u8>> = case.nodes.0.iter().map(Node::rlp).collect();
    let mut oracle = Nodes::InOrder(nodes.into_iter());
    let mut trie = Trie::new(B256::repeat_byte(1));
    for change in case.changes.0 {
        match change {
            Change::Get(key) => {
                // A node that cannot be read stays where it is and can be asked for again.
                let _ = trie.get(key.into(), &mut oracle);
            }
            Change::Insert(key, Many(value)) if !value.is_empty() => {
                let inserted = trie.insert(key.into(), value.clone(), &mut oracle);
                if inserted.is_ok() {
                    let found = trie.get(key.into(), &mut oracle).expect("the path is open");
                    assert_eq!(found, Some(value.as_slice()));
                }
            }
            Change::Insert(key, _) | Change::Remove(key) => {
                if trie.remove(key.into(), &mut oracle).is_err() {
                    return;
                }
                let found = trie.get(key.into(), &mut oracle);
                assert!(!matches!(found, Ok(Some(_))), "it was removed");
            }
            Change::Root => {
                let root = trie.root();
                assert_eq!(trie.root(), root);
            }
        }
    }
    trie.root();
}

/// A trie, and what is done with it.
#[derive(Arbitrary, Debug)]
pub struct ContentCase {
    initial: Many<(Key, Many<u8, 40>), 31>,
    changes: Many<Change, 63>,
}

/// Changes a trie and a map alike. Reads and roots agree.
pub fn content(case: ContentCase) {
    let mut model: BTreeMap<B256, Vec<u8>> = case
        .initial
        .0
        .into_iter()
        .filter(|(_, value)| !value.0.is_empty())
        .map(|(key, value)| (key.into(), value.0))
        .collect();
    let (root, nodes) = built(&model);
    let mut oracle = Nodes::ByHash(nodes);
    let mut trie = Trie::new(root);
    for change in case.changes.0 {
        match change {
            Change::Get(key) => {
                let key = key.into();
                let found = trie.get(key, &mut oracle).expect("every node is there");
                assert_eq!(found, model.get(&key).map(Vec::as_slice));
            }
            Change::Insert(key, Many(value)) if !value.is_empty() => {
                let key = key.into();
                trie.insert(key, value.clone(), &mut oracle).expect("every node is there");
                model.insert(key, value);
            }
            Change::Insert(key, _) | Change::Remove(key) => {
                let key = key.into();
                trie.remove(key, &mut oracle).expect("every node is there");
                model.remove(&key);
            }
            Change::Root => assert_eq!(trie.root(), built(&model).0),
        }
    }
    assert_eq!(trie.root(), built(&model).0);
}

/// Root and nodes of a trie with this content, by another implementation.
fn built(content: &BTreeMap<B256, Vec<u8>>) -> (B256, HashMap<B256, Vec<u8>>) {
    if content.is_empty() {
        return (EMPTY_ROOT_HASH, HashMap::new());
    }
    let retainer = ProofRetainer::from_iter(content.keys().map(Nibbles::unpack));
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in content {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let proofs = builder.take_proof_nodes();
    (root, proofs.values().map(|node| (keccak256(node), node.to_vec())).collect())
}
