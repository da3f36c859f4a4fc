//! What nodes send may be anything: it is read or refused, and never more than that.

use super::*;
use alloy_primitives::Address;
use proptest::prelude::*;

/// An RLP list around items that are encoded already.
fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut encoded = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut encoded);
    encoded.extend(payload);
    encoded
}

fn encoded(items: &[Vec<u8>]) -> Vec<Vec<u8>> {
    items.iter().map(|item| alloy_rlp::encode(item.as_slice())).collect()
}

proptest! {
    #[test]
    fn headers_of_any_bytes(bytes: Vec<u8>, items: Vec<Vec<u8>>) {
        let _ = Header::decode(&bytes);
        let fields = list(&encoded(&items));
        if Header::decode(&fields).is_some() {
            prop_assert!(items.len() > 8 && items[0].len() == 32);
        }
    }

    #[test]
    fn raw_blocks_of_any_bytes(bytes: Vec<u8>, items in prop::collection::vec(any::<Vec<u8>>(), 0..9)) {
        let _ = transaction::of_raw_block(&bytes);
        let block = list(&[list(&[]), list(&encoded(&items)), list(&[])]);
        let expected: Vec<Bytes> = items.into_iter().map(Bytes::from).collect();
        prop_assert_eq!(transaction::of_raw_block(&block), Some(expected));
        let _ = transaction::of_raw_block(&block[..block.len() - 1]);
    }

    /// A trie has a root whatever its items are, empty ones too, and all its nodes hash to keys.
    #[test]
    fn lists_of_any_items(items in prop::collection::vec(any::<Vec<u8>>(), 0..200)) {
        let items: Vec<Bytes> = items.into_iter().map(Bytes::from).collect();
        let trie = ListTrie::new(&items);
        let expected = alloy_trie::root::ordered_trie_root_encoded(&items);
        prop_assert_eq!(trie.root, expected);
        prop_assert!(trie.nodes.iter().any(|node| keccak256(node) == expected));
    }

    #[test]
    fn proofs_of_any_nodes(nodes in prop::collection::vec(any::<Vec<u8>>(), 0..5), own_root: bool) {
        let nodes: Vec<Bytes> = nodes.into_iter().map(Bytes::from).collect();
        let proof: JsonProof = serde_json::from_value(json!({
            "balance": "0x0", "nonce": "0x0", "codeHash": B256::ZERO, "storageHash": B256::ZERO,
            "accountProof": nodes, "storageProof": [],
        })).unwrap();
        // Also nodes that begin as the root wants.
        let root = match nodes.first() {
            Some(first) if own_root => keccak256(first),
            _ => B256::repeat_byte(7),
        };
        let verified = account_proof(proof, root, Address::ZERO);
        prop_assert!(own_root || verified.is_err());
    }

    #[test]
    fn transactions_of_any_members(kind in 0_u64..0x80, text in ".{0,20}", number: u64) {
        let json = json!({ "type": format!("0x{kind:x}"), "nonce": text, "gas": number, "to": null });
        for chain in [ChainKind::L1, ChainKind::L2] {
            prop_assert!(!matches!(transaction::encode(&json, chain), Ok(Some(_))));
        }
    }
}

/// The mark of a system transaction comes as a truth value or as a quantity.
#[test]
fn deposits_are_read_in_either_spelling() {
    let encode = |mark: serde_json::Value| {
        let json = json!({
            "type": "0x7e", "sourceHash": B256::repeat_byte(1), "from": Address::ZERO, "to": Address::ZERO,
            "value": "0x0", "gas": "0x10", "isSystemTx": mark, "input": "0x",
        });
        transaction::encode(&json, ChainKind::L2).unwrap().unwrap()
    };
    let (marked, plain) = (encode(json!(true)), encode(json!(null)));
    assert_ne!(marked, plain);
    assert_eq!(encode(json!("0x1")), marked);
    assert_eq!((encode(json!(false)), encode(json!("0x0"))), (plain.clone(), plain));
}
