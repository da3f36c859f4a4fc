//! Recorded blocks of Ethereum, right ones and damaged ones; and a node in this process.

use super::*;
use crate::{
    keys::{DEV_KEYS, Key},
    l1::{Chain, Config, Mining, Node, Removed, funded},
    rpc::Server,
};
use alloy_consensus::TxEip1559;
use alloy_primitives::{TxKind, keccak256};
use std::sync::Arc;

/// What is said of a recorded block: nothing, or what is wrong with it.
fn check(name: &str, expected: Option<&str>) {
    let file = format!("l1/op-service-sources/blocks/{name}_data.json");
    let Some(text) = rebut_recordings::read(&file) else { return };
    let json: Result<Json, _> = serde_json::from_slice(&text);
    let block = json.map_err(|error| error.to_string()).and_then(|json| {
        let hash = json.header.hash;
        without_receipts(json).map(|block| (block, hash)).map_err(|error| error.to_string())
    });
    match (block, expected) {
        (Ok((block, hash)), None) => {
            assert_eq!(block.hash(), hash);
            assert_eq!(keccak256(alloy_rlp::encode(block.header.inner())), hash);
        }
        (Err(error), Some(expected)) => assert!(error.contains(expected), "{name}: {error}"),
        (found, _) => panic!("{name}: {found:?}"),
    }
}

#[test]
fn recorded_blocks() {
    for era in ["pre-shanghai", "post-shanghai"] {
        check(&format!("{era}-success"), None);
        check(&format!("{era}-bad-receipts-hash"), Some("the fields of block"));
        check(&format!("{era}-bad-transactions-hash"), Some("the fields of block"));
        check(&format!("{era}-bad-transactions"), Some("the transactions of block"));
    }
    check("post-shanghai-bad-withdrawals-hash", Some("the fields of block"));
    check("post-shanghai-bad-withdrawals", Some("the withdrawals of block"));
    check("post-shanghai-bad-transactions-nil", Some("did not match"));
    check("post-shanghai-bad-withdrawals-nil", Some("null"));
}

/// A node, its server, and a client of it.
fn served() -> (Arc<Node>, Server, Remote) {
    let accounts = [(key().address(), funded(10))].into();
    let chain = Chain::new(Config { accounts, ..Config::default() }, StateStore::new()).unwrap();
    let node = Arc::new(Node::new(chain, Mining::Manual));
    let server = Server::rpc(([127, 0, 0, 1], 0).into(), Arc::clone(&node) as _).unwrap();
    let remote = Remote::connect(server.url().parse().unwrap(), StateStore::new()).unwrap();
    (node, server, remote)
}

fn key() -> Key {
    Key::new(DEV_KEYS[0]).unwrap()
}

/// The copy is the node's chain, also after a reorg.
#[test]
fn a_node_is_followed() {
    let (node, _server, mut remote) = served();
    assert_eq!(remote.chain_id(), 900);
    let transaction = TxEip1559 {
        chain_id: 900,
        gas_limit: 21_000,
        max_fee_per_gas: 100_000_000_000,
        to: TxKind::Call(Address::repeat_byte(1)),
        ..TxEip1559::default()
    };
    let hash = remote.submit(&key().sign_encoded(transaction).unwrap()).unwrap();
    assert_eq!(remote.pending_nonce(key().address()).unwrap(), 1);
    for _ in 0..3 {
        node.mine().unwrap();
    }
    remote.update().unwrap();
    let same = |remote: &Remote| {
        let chain = node.chain();
        assert_eq!(remote.record().latest().number(), chain.latest().number());
        for number in 0..=chain.latest().number() {
            let [copied, own] = [remote.record().ledger(), chain.ledger()]
                .map(|ledger| ledger.block(number).unwrap());
            assert_eq!(copied.hash(), own.hash());
            assert_eq!(copied.encoded(), own.encoded());
            assert_eq!(copied.encoded_receipts(), own.encoded_receipts());
            assert_eq!(copied.senders, own.senders);
        }
    };
    same(&remote);
    assert!(remote.record().ledger().transaction(hash).is_some());
    let header = remote.record().latest().header.clone();
    assert!(remote.record().store().get(header.hash()).is_some());

    node.chain().reorg(1, &[vec![], vec![]], Removed::Dropped).unwrap();
    remote.update().unwrap();
    same(&remote);
    assert!(remote.record().ledger().transaction(hash).is_none());
}

#[test]
fn a_node_that_is_gone() {
    let (_, server, mut remote) = served();
    drop(server);
    let error = remote.update().unwrap_err().to_string();
    assert!(error.contains("127.0.0.1"), "{error}");
    assert_eq!(remote.record().latest().number(), 0);
}
