//! The partial trie against full tries built from scratch.

use super::{Trie, TrieError};
use crate::StateOracle;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use alloy_primitives::{Address, B256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use proptest::prelude::*;

/// What a trie holds.
type Content = BTreeMap<B256, Vec<u8>>;

/// Trie nodes by hash.
#[derive(Clone, Default)]
struct Nodes(BTreeMap<B256, Vec<u8>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no node {0}")]
struct Missing(B256);

impl StateOracle for Nodes {
    type Error = Missing;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.0.get(&hash).cloned().ok_or(Missing(hash))
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        Err(Missing(hash))
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        Err(Missing(hash))
    }

    fn precompile(&mut self, _: Address, _: u64, _: &[u8]) -> Result<Option<Vec<u8>>, Missing> {
        Ok(None)
    }
}

/// Root and all nodes of the trie with this content.
fn full(content: &Content) -> (B256, Nodes) {
    let targets = content.keys().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
    for (key, value) in content {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let proofs = builder.take_proof_nodes().into_nodes_sorted();
    (root, Nodes(proofs.into_iter().map(|(_, node)| (keccak256(&node), node.to_vec())).collect()))
}

/// Keys that share long prefixes, so that extensions and embedded nodes come up.
fn key() -> impl Strategy<Value = B256> {
    (0_usize..4, prop::collection::vec(0_u8..3, 4), any::<bool>()).prop_map(
        |(at, picks, spread)| {
            let mut key = [0x11; 32];
            let start = if spread { 0 } else { 28 - 4 * at };
            for (byte, pick) in key[start..].iter_mut().zip(picks) {
                *byte = [0x11, 0x12, 0x21][usize::from(pick)];
            }
            B256::new(key)
        },
    )
}

/// Values below and above the size from which a node is referred to by hash.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(1_u8..=255, 1..4), prop::collection::vec(1_u8..=255, 33..40)]
}

fn content() -> impl Strategy<Value = Content> {
    prop::collection::btree_map(key(), value(), 0..24)
}

fn changes() -> impl Strategy<Value = Vec<(B256, Option<Vec<u8>>)>> {
    prop::collection::vec((key(), prop::option::of(value())), 0..24)
}

fn change(content: &mut Content, key: B256, value: Option<Vec<u8>>) {
    match value {
        Some(value) => content.insert(key, value),
        None => content.remove(&key),
    };
}

fn apply(
    trie: &mut Trie,
    key: B256,
    value: Option<Vec<u8>>,
    nodes: &mut Nodes,
) -> Result<(), TrieError<Missing>> {
    match value {
        Some(value) => trie.insert(key, value, nodes),
        None => trie.remove(key, nodes),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// After every change the root is that of a trie built from the new content.
    #[test]
    fn changes_give_the_root_of_the_changed_content(start in content(), changes in changes()) {
        let mut content = start;
        let (root, mut nodes) = full(&content);
        let mut trie = Trie::new(root);
        for (key, value) in changes {
            change(&mut content, key, value.clone());
            apply(&mut trie, key, value, &mut nodes).unwrap();
            prop_assert_eq!(trie.root(), full(&content).0);
        }
    }

    /// The same when roots are not asked for in between.
    #[test]
    fn many_changes_at_once(start in content(), changes in changes()) {
        let mut content = start;
        let (root, mut nodes) = full(&content);
        let mut trie = Trie::new(root);
        for (key, value) in changes {
            change(&mut content, key, value.clone());
            apply(&mut trie, key, value, &mut nodes).unwrap();
        }
        prop_assert_eq!(trie.root(), full(&content).0);
    }

    #[test]
    fn values_are_found_and_absent_ones_are_not(content in content(), keys in prop::collection::vec(key(), 8)) {
        let (root, mut nodes) = full(&content);
        let mut trie = Trie::new(root);
        for key in keys.iter().chain(content.keys()) {
            let found = trie.get(*key, &mut nodes).unwrap().map(<[u8]>::to_vec);
            prop_assert_eq!(found.as_ref(), content.get(key));
        }
        prop_assert_eq!(trie.root(), root);
    }

    /// Each node is either not needed or, when absent, named by the error.
    #[test]
    fn a_missing_node_is_named(start in content(), changes in changes()) {
        let (root, nodes) = full(&start);
        let mut content = start;
        for (key, value) in &changes {
            change(&mut content, *key, value.clone());
        }
        for absent in nodes.0.keys().collect::<BTreeSet<_>>() {
            let mut rest = nodes.clone();
            rest.0.remove(absent);
            let mut trie = Trie::new(root);
            let result = changes
                .iter()
                .try_for_each(|(key, value)| apply(&mut trie, *key, value.clone(), &mut rest));
            match result {
                Ok(()) => prop_assert_eq!(trie.root(), full(&content).0),
                Err(error) => prop_assert_eq!(error, TrieError::Oracle(Missing(*absent))),
            }
        }
    }

    /// Whoever has the nodes of the trie before and adds the new ones has those of the trie after.
    #[test]
    fn new_nodes_complete_the_changed_trie(start in content(), changes in changes()) {
        let mut content = start;
        let (root, mut nodes) = full(&content);
        let mut trie = Trie::new(root);
        for (key, value) in changes {
            change(&mut content, key, value.clone());
            apply(&mut trie, key, value, &mut nodes).unwrap();
        }
        let mut new = Vec::new();
        trie.new_nodes(&mut |hash| nodes.0.contains_key(&hash), &mut new);
        let (_, expected) = full(&content);
        for (hash, node) in new {
            prop_assert_eq!(expected.0.get(&hash), Some(&node));
            prop_assert_eq!(nodes.0.insert(hash, node), None);
        }
        // Smaller nodes stand in others; the builder lists them all the same.
        for (hash, node) in expected.0.into_iter().filter(|(_, node)| node.len() >= 32) {
            prop_assert_eq!(nodes.0.get(&hash), Some(&node));
        }
    }

    /// No bytes in place of a node make the trie panic.
    #[test]
    fn malformed_nodes_are_errors(start in content(), flip in any::<(u16, u8)>(), changes in changes()) {
        let (_, nodes) = full(&start);
        for node in nodes.0.values() {
            let mut damaged = node.clone();
            let at = usize::from(flip.0) % damaged.len();
            damaged[at] ^= flip.1;
            let root = keccak256(&damaged);
            let mut damaged = Nodes([(root, damaged)].into());
            let mut trie = Trie::new(root);
            for (key, value) in &changes {
                let _ = trie.get(*key, &mut damaged);
                if apply(&mut trie, *key, value.clone(), &mut damaged).is_err() {
                    break;
                }
            }
        }
    }
}

#[test]
fn the_last_sibling_of_a_removed_leaf_is_needed() {
    let key = |nibble: u8| B256::new([nibble; 32]);
    let content: Content = [(key(0x11), [1; 40].to_vec()), (key(0x22), [2; 40].to_vec())].into();
    let (root, nodes) = full(&content);
    let sibling = *nodes.0.iter().find(|(_, node)| node.ends_with(&[2; 40])).unwrap().0;
    let mut without = nodes.clone();
    without.0.remove(&sibling);
    assert_eq!(
        Trie::new(root).remove(key(0x11), &mut without),
        Err(TrieError::Oracle(Missing(sibling)))
    );
    // A change that leaves two children does not need it.
    let mut trie = Trie::new(root);
    trie.insert(key(0x33), [3; 40].to_vec(), &mut without).unwrap();
    trie.remove(key(0x11), &mut without).unwrap();
    let changed = [(key(0x22), [2; 40].to_vec()), (key(0x33), [3; 40].to_vec())].into();
    assert_eq!(trie.root(), full(&changed).0);
}

#[test]
fn a_path_of_the_wrong_length_is_malformed() {
    use alloy_trie::nodes::LeafNodeRef;
    let short = Nibbles::unpack([0x11; 31]);
    let mut bytes = Vec::new();
    LeafNodeRef::new(&short, &[1; 40]).rlp(&mut bytes);
    let root = keccak256(&bytes);
    let mut nodes = Nodes([(root, bytes)].into());
    let result = Trie::new(root).get(B256::new([0x11; 32]), &mut nodes).map(|_| ());
    assert!(matches!(result, Err(TrieError::Malformed { hash, .. }) if hash == root), "{result:?}");
}
