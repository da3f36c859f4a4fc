use super::*;
use alloc::{collections::BTreeMap, vec};
use alloy_primitives::keccak256;
use alloy_trie::{HashBuilder, proof::ProofRetainer, root::ordered_trie_root_encoded};
use proptest::{collection, prelude::*};

type Nodes = BTreeMap<B256, Vec<u8>>;

/// The trie over pairs of key and value: its root and every node with a hash of its own.
fn trie(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> (B256, Nodes) {
    let pairs: BTreeMap<Nibbles, Vec<u8>> =
        pairs.into_iter().map(|(key, value)| (Nibbles::unpack(key), value)).collect();
    let retainer = ProofRetainer::new(pairs.keys().copied().collect());
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in &pairs {
        builder.add_leaf(*key, value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_inner().into_values();
    (root, nodes.map(|node| (keccak256(&node), node.to_vec())).collect())
}

fn list(items: &[Vec<u8>]) -> (B256, Nodes) {
    trie(items.iter().zip(0u64..).map(|(item, index)| (alloy_rlp::encode(index), item.clone())))
}

#[derive(Debug, PartialEq, Eq)]
struct Missing(B256);

fn read_from(root: B256, nodes: &Nodes) -> Result<Vec<Bytes>, ListError<Missing>> {
    read(root, |hash| nodes.get(&hash).cloned().ok_or(Missing(hash)))
}

#[test]
fn an_empty_list_needs_no_node() {
    assert!(read_from(EMPTY_ROOT_HASH, &Nodes::new()).unwrap().is_empty());
}

#[test]
fn a_missing_node_is_named() {
    let items: Vec<Vec<u8>> = (0..200u8).map(|index| vec![index; 40]).collect();
    let (root, nodes) = list(&items);
    for hash in nodes.keys() {
        let mut fewer = nodes.clone();
        fewer.remove(hash);
        match read_from(root, &fewer) {
            Err(ListError::Source(missing)) => assert_eq!(missing, Missing(*hash)),
            result => panic!("{result:?}"),
        }
    }
}

#[test]
fn a_trie_with_other_keys_is_no_list() {
    let check = |keys: &[&[u8]]| {
        let (root, nodes) = trie(keys.iter().map(|key| (key.to_vec(), vec![7; 40])));
        match read_from(root, &nodes) {
            Err(ListError::Keys { root: named, .. }) => assert_eq!(named, root),
            result => panic!("{keys:?}: {result:?}"),
        }
    };
    // A gap; no item 0; a list as key; a key of another form of a number; a key too long.
    check(&[&[0x80], &[0x02]]);
    check(&[&[0x01], &[0x02]]);
    check(&[&[0x80], &[0xc0]]);
    check(&[&[0x80], &[0x81, 0x01]]);
    check(&[&[0x80], &[0x01], &[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]]);
}

#[test]
fn bytes_that_are_no_node_are_refused() {
    let garbage = vec![0xc1, 0x80, 0x80];
    let root = keccak256(&garbage);
    let result = read_from(root, &Nodes::from([(root, garbage)]));
    assert!(matches!(result, Err(ListError::Malformed { hash, .. }) if hash == root));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Items from one byte on, so that nodes are embedded too.
    #[test]
    fn every_list_is_read_in_order(
        items in collection::vec(collection::vec(any::<u8>(), 1..80), 0..300)
    ) {
        let (root, nodes) = list(&items);
        prop_assert_eq!(root, ordered_trie_root_encoded(&items));
        let read = read_from(root, &nodes).unwrap();
        prop_assert_eq!(read, items.into_iter().map(Bytes::from).collect::<Vec<_>>());
    }
}
