//! Recorded claims, decided with data from nodes: the nodes serve what the recordings hold, and an
//! empty store fills.

use crate::{
    chain::{child, read_list_of},
    config, in_memory,
    server::{Fault as Wrong, Server},
};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, address, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{Nibbles, TrieAccount, nodes::TrieNode};
use rebut_host::{ClaimWitness, Host, HostConfig, LocalValues, Recording};
use rebut_preimage::PreimageKey;
use rebut_program::{claim, config::ConfigError};
use serde_json::json;
use std::{collections::BTreeSet, path::PathBuf};

const RUNS: [&str; 4] = ["311b533", "b1504b1", "da047d3", "ffed1bd"];
const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// A recorded claim and the nodes that know what it takes.
struct Scene {
    witness: ClaimWitness,
    agreed_l2_head: B256,
    l1: Server,
    l2: Server,
}

impl Scene {
    fn new(path: PathBuf) -> Self {
        let recording = Recording::read(&path).unwrap();
        let head = recording.about["boot"]["l2_head"].clone();
        let agreed_l2_head: B256 = serde_json::from_value(head).unwrap();
        let witness = ClaimWitness::read(&path).unwrap();
        let (l1, l2) = (Server::execution(900), Server::execution(901));
        let node = |hash| {
            let value = witness.preimages.value(&PreimageKey::keccak256(hash));
            value.map(<[u8]>::to_vec).or((hash == keccak256([0x80])).then(|| vec![0x80]))
        };
        for (_, value) in witness.preimages.iter() {
            let hash = keccak256(value);
            let raw = Bytes::copy_from_slice(value);
            l2.answer("debug_dbGet", &json!([hash]), json!(raw));
            let mut rest = value;
            let Ok(header) = Header::decode(&mut rest) else { continue };
            for server in [&l1, &l2] {
                server.answer("debug_getRawHeader", &json!([hash]), json!(raw));
                if let Some(items) = read_list_of(&node, header.transactions_root) {
                    let block = json!(block(value, &items));
                    server.answer("debug_getRawBlock", &json!([hash]), block);
                }
                if let Some(items) = read_list_of(&node, header.receipts_root) {
                    server.answer("debug_getRawReceipts", &json!([hash]), json!(items));
                }
            }
            if hash == agreed_l2_head {
                let block = json!({ "blockHash": hash });
                let proof = prove(&node, header.state_root, MESSAGE_PASSER);
                l2.answer("eth_getProof", &json!([MESSAGE_PASSER, [], block]), proof);
            }
        }
        Self { witness, agreed_l2_head, l1, l2 }
    }

    fn host(&self, claimed_output: B256) -> Host {
        let mut boot = self.witness.boot;
        boot.claimed_output = claimed_output;
        in_memory(HostConfig {
            local: LocalValues { boot, rollup_config: None, l1_config: None },
            agreed_l2_head: self.agreed_l2_head,
            l1: vec![self.l1.url()],
            l2: vec![self.l2.url()],
            ..config()
        })
    }

    fn decide(&self, host: &mut Host) -> Result<bool, String> {
        let config = self.witness.config.clone();
        claim::run(host, |_| Ok::<_, ConfigError>(config), |_| {})
            .map(|verdict| verdict.is_valid())
            .map_err(|error| error.to_string())
    }
}

/// An encoded block without uncles.
fn block(header: &[u8], transactions: &[Bytes]) -> Bytes {
    let list = |payload: Vec<u8>| {
        let mut encoded = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut encoded);
        encoded.extend(payload);
        encoded
    };
    let item = |raw: &Bytes| if raw[0] >= 0xc0 { raw.to_vec() } else { alloy_rlp::encode(raw) };
    let transactions = list(transactions.iter().flat_map(item).collect());
    list([header, &transactions, &[0xc0]].concat()).into()
}

/// The proof of an account, read out of the trie.
fn prove(
    node: &impl Fn(B256) -> Option<Vec<u8>>,
    root: B256,
    address: Address,
) -> serde_json::Value {
    let path = Nibbles::unpack(keccak256(address)).to_vec();
    let (mut path, mut proof) = (path.as_slice(), Vec::new());
    let mut raw = node(root).expect("the root of the state");
    let account = loop {
        proof.push(Bytes::from(raw.clone()));
        let reference = match TrieNode::decode(&mut raw.as_slice()).unwrap() {
            TrieNode::Leaf(leaf) => break TrieAccount::decode(&mut &leaf.value[..]).unwrap(),
            TrieNode::Branch(branch) => {
                let (nibble, rest) = path.split_first().unwrap();
                path = rest;
                let branch = branch.as_ref();
                let mut children = branch.children();
                children.find(|(index, _)| index == nibble).unwrap().1.unwrap().to_vec()
            }
            TrieNode::Extension(extension) => {
                path = path.strip_prefix(extension.key.to_vec().as_slice()).unwrap();
                extension.child.to_vec()
            }
            TrieNode::EmptyRoot => panic!("an empty state"),
        };
        raw = child(node, &reference).expect("the nodes of the message passer");
    };
    json!({
        "balance": account.balance, "nonce": format!("0x{:x}", account.nonce),
        "codeHash": account.code_hash, "storageHash": account.storage_root,
        "accountProof": proof, "storageProof": [],
    })
}

#[test]
fn recorded_claims_are_decided_with_data_from_nodes() {
    let Some(folder) = rebut_recordings::path("fpp-devnet") else { return };
    for run in RUNS {
        let scene = Scene::new(folder.join(run).with_extension("json.zst"));
        let claimed = scene.witness.boot.claimed_output;
        assert_eq!(scene.decide(&mut scene.host(claimed)), Ok(true), "{run}");
        let other = claimed ^ B256::with_last_byte(1);
        assert_eq!(scene.decide(&mut scene.host(other)), Ok(false), "{run}");
    }
}

/// A lie about anything that the program asks for is an error, never a verdict. (No block of these
/// recordings has a log, so that receipts are not asked for.)
#[test]
fn lying_nodes_lead_to_no_verdict() {
    let Some(folder) = rebut_recordings::path("fpp-devnet") else { return };
    let mut asked = BTreeSet::new();
    for run in RUNS {
        for (lie, on_l1) in [
            ("debug_getRawHeader", true),
            ("debug_getRawBlock", true),
            ("debug_getRawHeader", false),
            ("debug_dbGet", false),
            ("eth_getProof", false),
        ] {
            let scene = Scene::new(folder.join(run).with_extension("json.zst"));
            let server = if on_l1 { &scene.l1 } else { &scene.l2 };
            server.fail(lie, usize::MAX, Wrong::Result(json!("0xc0ffee")));
            let decided = scene.decide(&mut scene.host(scene.witness.boot.claimed_output));
            // Not every run needs everything: most L1 blocks are empty, and none has a log.
            if server.calls(lie) == 0 {
                assert_eq!(decided, Ok(true), "{run} {lie}");
            } else {
                let error = decided.unwrap_err();
                assert!(error.contains(lie), "{run} {lie}: {error}");
                asked.insert((lie, on_l1));
            }
        }
    }
    assert_eq!(asked.len(), 5, "{asked:?}");
}
