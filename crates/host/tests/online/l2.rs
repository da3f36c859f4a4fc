//! State, code, proofs and outputs of L2.

use crate::{
    L2_CHAIN, ask, assert_stored, attempts,
    chain::{Block, read_list},
    config, hash_of, in_memory, keccak_key,
    server::{Fault as Wrong, Server},
};
use alloy_consensus::Header;
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, keccak256};
use alloy_trie::{
    EMPTY_ROOT_HASH, HashBuilder, KECCAK_EMPTY, Nibbles, TrieAccount, proof::ProofRetainer,
};
use op_alloy_consensus::TxDeposit;
use rebut_host::{Host, HostConfig, source::Fault};
use rebut_preimage::{Hint, PreimageOracle};
use serde_json::{Value, json};

const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");
const ACCOUNT: Address = address!("00000000000000000000000000000000000000aa");
const NOBODY: Address = address!("00000000000000000000000000000000000000bb");
const CODE: &[u8] = b"\x60\x00\x60\x00";

/// A trie, and a proof for each path.
fn trie(leaves: &[(B256, Vec<u8>)], paths: &[B256]) -> (B256, Vec<Vec<Bytes>>) {
    let mut leaves: Vec<_> = leaves.iter().map(|(key, v)| (Nibbles::unpack(key), v)).collect();
    leaves.sort();
    let paths: Vec<Nibbles> = paths.iter().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(paths.clone()));
    for (path, value) in leaves {
        builder.add_leaf(path, value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes();
    let proof = |path: &Nibbles| {
        nodes.matching_nodes_sorted(path).into_iter().map(|(_, node)| node).collect()
    };
    (root, paths.iter().map(proof).collect())
}

/// A state with two contracts and twenty more accounts, and a block on it.
struct State {
    block: Block,
    storage_root: B256,
    slots: [B256; 2],
    proofs: Vec<(Address, Value)>,
}

impl State {
    fn new() -> Self {
        // One slot that is there, one that is not.
        let slots = [B256::with_last_byte(1), B256::with_last_byte(0xee)];
        let storage: Vec<_> = (0..30_u8)
            .map(|slot| {
                let value = U256::from(1000 + u64::from(slot));
                (keccak256(B256::with_last_byte(slot)), alloy_rlp::encode(value))
            })
            .collect();
        let (storage_root, storage_proofs) = trie(&storage, &slots.map(keccak256));

        let account = |nonce, storage_root, code_hash| TrieAccount {
            nonce,
            balance: U256::from(5),
            storage_root,
            code_hash,
        };
        let contract = account(1, storage_root, hash_of(CODE));
        let mut accounts = vec![(ACCOUNT, contract), (MESSAGE_PASSER, contract)];
        accounts.extend((1..20_u8).map(|i| {
            (Address::repeat_byte(i), account(u64::from(i), EMPTY_ROOT_HASH, KECCAK_EMPTY))
        }));
        let leaves: Vec<_> = accounts
            .iter()
            .map(|(a, account)| (keccak256(a), alloy_rlp::encode(account)))
            .collect();
        let wanted = [ACCOUNT, MESSAGE_PASSER, NOBODY];
        let (state_root, proofs) = trie(&leaves, &wanted.map(keccak256));
        let proofs = wanted.into_iter().zip(proofs).map(|(address, proof)| {
            let contract = if address == NOBODY { TrieAccount::default() } else { contract };
            let json = json!({
                "address": address, "balance": contract.balance, "codeHash": contract.code_hash,
                "nonce": format!("0x{:x}", contract.nonce), "storageHash": contract.storage_root,
                "accountProof": proof,
                "storageProof": [
                    { "key": slots[0], "value": "0x3e9", "proof": storage_proofs[0] },
                    { "key": slots[1], "value": "0x0", "proof": storage_proofs[1] },
                ],
            });
            (address, json)
        });
        let header = Header { state_root, number: 50, ..Header::default() };
        let block = Block::sealed(header, vec![], vec![], vec![], vec![]);
        Self { block, storage_root, slots, proofs: proofs.collect() }
    }

    /// The proof of an account with the first `slots` of its slots.
    fn proof(&self, address: Address, slots: usize) -> Value {
        let mut proof = self.proofs.iter().find(|(a, _)| *a == address).unwrap().1.clone();
        proof["storageProof"].as_array_mut().unwrap().truncate(slots);
        proof
    }

    fn serve(&self, server: &Server) {
        self.block.serve_raw(server);
        self.block.serve_json(server);
        let block = json!({ "blockHash": self.block.hash });
        for (address, _) in &self.proofs {
            let params = json!([address, [], block]);
            server.answer("eth_getProof", &params, self.proof(*address, 0));
        }
        for index in [0, 1] {
            let params = json!([ACCOUNT, [self.slots[index]], block]);
            let mut proof = self.proof(ACCOUNT, 2);
            let slot = proof["storageProof"][index].take();
            proof["storageProof"] = json!([slot]);
            server.answer("eth_getProof", &params, proof);
        }
    }

    fn output(&self) -> Vec<u8> {
        [B256::ZERO, self.block.header.state_root, self.storage_root, self.block.hash].concat()
    }
}

fn host(servers: &[&Server], head: B256) -> Host {
    let l2 = servers.iter().map(|server| server.url()).collect();
    in_memory(HostConfig { l2, agreed_l2_head: head, ..config() })
}

fn l2_host(server: &Server) -> Host {
    host(&[server], B256::ZERO)
}

#[test]
fn trie_nodes_and_code_from_the_database() {
    let (server, node) = (Server::execution(L2_CHAIN), b"a node of more than 32 bytes, or not");
    let hash = hash_of(node);
    server.answer("debug_dbGet", &json!([hash]), json!(Bytes::from_static(node)));
    assert_eq!(*ask(&mut l2_host(&server), "l2-state-node", &hash.0, hash).unwrap(), node[..]);

    // Code is asked for under its prefix first; an older database has it by its hash.
    let hash = hash_of(CODE);
    let prefixed = Bytes::from([b"c", hash.as_slice()].concat());
    for key in [json!([prefixed]), json!([hash])] {
        let server = Server::execution(L2_CHAIN);
        server.answer("debug_dbGet", &key, json!(Bytes::from_static(CODE)));
        let chain = L2_CHAIN.to_be_bytes();
        for payload in [hash.to_vec(), [hash.as_slice(), &chain].concat()] {
            assert_eq!(*ask(&mut l2_host(&server), "l2-code", &payload, hash).unwrap(), *CODE);
        }
    }
}

#[test]
fn wrong_trie_nodes_and_code() {
    let server = Server::execution(L2_CHAIN);
    server.offer("debug_dbGet");
    server.fail("debug_dbGet", usize::MAX, Wrong::Result(json!("0x1234")));
    for name in ["l2-state-node", "l2-code"] {
        let mut host = l2_host(&server);
        let error = ask(&mut host, name, &hash_of(CODE).0, hash_of(CODE)).unwrap_err();
        let attempts = attempts(error);
        assert!(matches!(attempts[0].failure.fault, Fault::Hash { .. }), "{}", attempts[0]);
        assert_stored(&host, 0);
    }
}

#[test]
fn a_node_without_a_database_is_told_so() {
    let server = Server::execution(L2_CHAIN);
    let mut host = l2_host(&server);
    let error = ask(&mut host, "l2-state-node", &hash_of(CODE).0, hash_of(CODE)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("debug_dbGet: the method is not offered"), "{text}");
    assert!(text.contains("use a node that offers the method"), "{text}");
    assert_eq!(server.calls("debug_dbGet"), 0);
}

/// A proof hint alone, of any program, makes the nodes on the way available.
#[test]
fn account_proofs_by_every_form_of_the_hint() {
    let state = State::new();
    let block = state.block.hash;
    let chain = L2_CHAIN.to_be_bytes();
    let payloads = [
        [block.as_slice(), ACCOUNT.as_slice()].concat(),
        [block.as_slice(), ACCOUNT.as_slice(), &chain].concat(),
        [&50_u64.to_be_bytes(), ACCOUNT.as_slice()].concat(),
    ];
    for payload in payloads {
        let server = Server::execution(L2_CHAIN);
        state.serve(&server);
        let mut host = l2_host(&server);
        let root = state.block.header.state_root;
        ask(&mut host, "l2-account-proof", &payload, root).unwrap();
        for node in state.proof(ACCOUNT, 0)["accountProof"].as_array().unwrap() {
            let node: Bytes = serde_json::from_value(node.clone()).unwrap();
            assert_eq!(host.get(keccak_key(hash_of(&node))).unwrap(), node.to_vec());
        }
    }
}

#[test]
fn proofs_of_slots_there_and_not_there() {
    let state = State::new();
    for slot in state.slots {
        for block in [state.block.hash.to_vec(), 50_u64.to_be_bytes().to_vec()] {
            let server = Server::execution(L2_CHAIN);
            state.serve(&server);
            let payload = [&block, ACCOUNT.as_slice(), slot.as_slice()].concat();
            let mut host = l2_host(&server);
            ask(&mut host, "l2-account-storage-proof", &payload, state.storage_root).unwrap();
            host.get(keccak_key(state.block.header.state_root)).unwrap();
        }
    }
}

/// Absence is proven as well: the nodes on the way show that nothing is there.
#[test]
fn a_proof_of_nobody() {
    let (state, server) = (State::new(), Server::execution(L2_CHAIN));
    state.serve(&server);
    let payload = [state.block.hash.as_slice(), NOBODY.as_slice()].concat();
    let root = state.block.header.state_root;
    ask(&mut l2_host(&server), "l2-account-proof", &payload, root).unwrap();
}

/// A bulk hint is an offer: its failure is not the program's, the granular hint decides.
#[test]
fn a_failed_proof_leaves_the_granular_hint() {
    let (state, server) = (State::new(), Server::execution(L2_CHAIN));
    state.serve(&server);
    server.withdraw("eth_getProof");
    let proof = state.proof(ACCOUNT, 0);
    let node: Bytes = serde_json::from_value(proof["accountProof"][0].clone()).unwrap();
    let root = state.block.header.state_root;
    server.answer("debug_dbGet", &json!([root]), json!(node));
    let mut host = l2_host(&server);
    let payload = [state.block.hash.as_slice(), ACCOUNT.as_slice()].concat();
    host.hint(&Hint::encode("l2-account-proof", &payload)).unwrap();
    assert_eq!(ask(&mut host, "l2-state-node", &root.0, root).unwrap(), node);
}

fn output_faults(change: &dyn Fn(&mut Value)) -> Vec<String> {
    let (state, server) = (State::new(), Server::execution(L2_CHAIN));
    state.serve(&server);
    let mut proof = state.proof(MESSAGE_PASSER, 0);
    change(&mut proof);
    server.fail("eth_getProof", usize::MAX, Wrong::Result(proof));
    let mut host = host(&[&server], state.block.hash);
    let root = hash_of(&state.output());
    let error = ask(&mut host, "starting-l2-output", &root.0, root).unwrap_err();
    assert_stored(&host, 1);
    attempts(error).into_iter().map(|attempt| format!("{:?}", attempt.failure.fault)).collect()
}

#[test]
fn wrong_proofs() {
    let other = State::new().proof(ACCOUNT, 0)["accountProof"].clone();
    let check = |change: &dyn Fn(&mut Value)| {
        let faults = output_faults(change);
        assert!(faults[0].starts_with("Proof"), "{faults:?}");
    };
    check(&|proof| proof["nonce"] = json!("0x2"));
    check(&|proof| proof["nonce"] = json!("0xffffffffffffffffff"));
    check(&|proof| proof["storageHash"] = json!(B256::ZERO));
    check(&|proof| drop(proof["accountProof"].as_array_mut().unwrap().pop()));
    check(&|proof| proof["accountProof"] = json!([]));
    check(&|proof| proof["accountProof"][0] = json!("0xc0"));
    check(&|proof| proof["accountProof"] = json!(["0xff"]));
    check(&|proof| proof["accountProof"] = other.clone());
    let faults = output_faults(&|proof| proof["accountProof"] = Value::Null);
    assert!(faults[0].starts_with("Shape"), "{faults:?}");
}

#[test]
fn wrong_proofs_of_slots() {
    let state = State::new();
    let check = |change: &dyn Fn(&mut Value)| {
        let server = Server::execution(L2_CHAIN);
        state.serve(&server);
        let mut proof = state.proof(ACCOUNT, 1);
        change(&mut proof);
        server.fail("eth_getProof", usize::MAX, Wrong::Result(proof));
        let mut host = l2_host(&server);
        let slot = state.slots[0];
        let payload = [state.block.hash.as_slice(), ACCOUNT.as_slice(), slot.as_slice()].concat();
        ask(&mut host, "l2-account-storage-proof", &payload, state.storage_root).unwrap_err();
        // The header alone.
        assert_stored(&host, 1);
    };
    check(&|proof| proof["storageProof"][0]["value"] = json!("0x3ea"));
    check(&|proof| proof["storageProof"][0]["value"] = json!("0x0"));
    check(&|proof| proof["storageProof"][0]["proof"] = json!([]));
    check(&|proof| proof["storageProof"] = json!([]));
}

#[test]
fn outputs_before_and_after_isthmus() {
    let state = State::new();
    let root = hash_of(&state.output());
    for name in ["starting-l2-output", "l2-output", "l2-output-root"] {
        let server = Server::execution(L2_CHAIN);
        state.serve(&server);
        let mut host = host(&[&server], state.block.hash);
        assert_eq!(ask(&mut host, name, &root.0, root).unwrap(), state.output(), "{name}");
    }

    // The storage root stands in the header; no proof is needed.
    let storage_root = B256::repeat_byte(5);
    let header = Header {
        number: 9,
        base_fee_per_gas: Some(1),
        withdrawals_root: Some(storage_root),
        ..Header::default()
    };
    let block = Block::sealed(header, vec![], vec![], vec![], vec![]);
    let server = Server::execution(L2_CHAIN);
    block.serve_raw(&server);
    let output = [B256::ZERO, block.header.state_root, storage_root, block.hash].concat();
    let mut host = host(&[&server], block.hash);
    let root = hash_of(&output);
    assert_eq!(ask(&mut host, "starting-l2-output", &root.0, root).unwrap(), output);
}

#[test]
fn another_output_than_that_of_the_agreed_head() {
    let (state, server) = (State::new(), Server::execution(L2_CHAIN));
    state.serve(&server);
    let mut host = host(&[&server], state.block.hash);
    let other = B256::repeat_byte(0xee);
    let error = ask(&mut host, "l2-output", &other.0, other).unwrap_err();
    let attempts = attempts(error);
    match attempts[0].failure.fault {
        Fault::Output { block, found } => {
            assert_eq!((block, found), (state.block.hash, hash_of(&state.output())));
        }
        _ => panic!("{}", attempts[0]),
    }
}

/// Code by the account whose proof showed that it has it.
#[test]
fn code_of_a_proven_account() {
    let (state, server) = (State::new(), Server::execution(L2_CHAIN));
    state.serve(&server);
    let block = json!({ "blockHash": state.block.hash });
    server.answer("eth_getCode", &json!([ACCOUNT, block]), json!(Bytes::from_static(CODE)));
    let mut host = l2_host(&server);
    let payload = [state.block.hash.as_slice(), ACCOUNT.as_slice()].concat();
    let root = state.block.header.state_root;
    ask(&mut host, "l2-account-proof", &payload, root).unwrap();
    let hash = hash_of(CODE);
    assert_eq!(*ask(&mut host, "l2-code", &hash.0, hash).unwrap(), *CODE);
}

#[test]
fn payload_witnesses_of_both_kinds_of_nodes() {
    let state = State::new();
    let parent = state.block.hash;
    let attributes = json!({ "timestamp": "0x1" });
    let whole = json!({ "parentBlockHash": parent, "payloadAttributes": attributes }).to_string();
    let parts = [parent.as_slice(), attributes.to_string().as_bytes()].concat();
    let values = [&b"a trie node"[..], b"code", b"a key"].map(Bytes::from_static);
    let witness = json!({ "state": [values[0]], "codes": { "0x00": values[1] },
        "keys": [values[2]], "headers": [{ "number": "0x1" }] });
    for (method, params) in [
        ("debug_executePayload", json!([parent, attributes])),
        ("debug_executionWitness", json!(["0x33"])),
    ] {
        for payload in [whole.as_bytes(), &parts] {
            let server = Server::execution(L2_CHAIN);
            state.block.serve_raw(&server);
            server.answer(method, &params, witness.clone());
            let mut host = l2_host(&server);
            host.hint(&Hint::encode("l2-payload-witness", payload)).unwrap();
            // Hints in between do not displace it.
            host.hint(&Hint::encode("l2-state-node", &[0; 32])).unwrap();
            for value in &values {
                assert_eq!(host.get(keccak_key(hash_of(value))).unwrap(), value.to_vec());
            }
            assert_eq!(server.calls(method), 1);
        }
    }
}

/// Deposits in the JSON of L2 nodes, with members that are null or absent.
#[test]
fn deposits_and_their_receipts() {
    let deposit = TxDeposit {
        source_hash: B256::repeat_byte(1),
        from: Address::repeat_byte(2),
        to: TxKind::Call(Address::repeat_byte(3)),
        mint: 77,
        value: U256::from(5),
        gas_limit: 1_000_000,
        is_system_transaction: false,
        input: Bytes::from_static(b"input"),
    };
    let creation = TxDeposit { to: TxKind::Create, mint: 0, ..deposit.clone() };
    let json = |deposit: &TxDeposit, mint: Value| {
        json!({
            "type": "0x7e", "sourceHash": deposit.source_hash, "from": deposit.from,
            "to": deposit.to.to(), "mint": mint, "value": "0x5", "gas": "0xf4240",
            "input": deposit.input, "nonce": "0x9", "r": "0x0", "s": "0x0", "v": "0x0",
            "hash": B256::ZERO, "gasPrice": "0x0",
        })
    };
    let transactions = vec![deposit.encoded_2718().into(), creation.encoded_2718().into()];
    let jsons = vec![json(&deposit, json!("0x4d")), json(&creation, Value::Null)];
    let mut block = Block::of(3, B256::ZERO, transactions, jsons, &[0x7e, 0x7e]);

    // From Canyon on nonce and version are part of the receipt, earlier only nodes tell the nonce.
    block.json_receipts[0]["depositNonce"] = json!("0x9");
    let server = Server::execution(L2_CHAIN);
    block.serve_json(&server);
    let mut host = l2_host(&server);
    let root = block.header.transactions_root;
    ask(&mut host, "l2-transactions", &block.hash.0, root).unwrap();
    assert_eq!(read_list(&host, root), block.transactions);
    let root = block.header.receipts_root;
    ask(&mut host, "l2-receipts", &block.hash.0, root).unwrap();
    assert_eq!(read_list(&host, root), block.receipts);
}

/// A receipt written down byte by byte from the specification.
#[test]
fn a_receipt_of_a_deposit_after_canyon() {
    let bloom = "00".repeat(256);
    // 7e ‖ list of 1, 46913, bloom, no logs, nonce 0x1b5e3b, version 1.
    let raw = format!("7ef9010d0182b741b90100{bloom}c0831b5e3b01");
    let raw = Bytes::from(alloy_primitives::hex::decode(raw).unwrap());
    let json = json!({
        "type": "0x7e", "status": "0x1", "cumulativeGasUsed": "0xb741",
        "logsBloom": format!("0x{bloom}"), "logs": [], "depositNonce": "0x1b5e3b",
        "depositReceiptVersion": "0x1", "transactionHash": B256::ZERO,
    });
    let header = Header {
        number: 4,
        receipts_root: alloy_consensus::proofs::ordered_trie_root_with_encoder(
            &[&raw],
            |item, out| out.extend_from_slice(item),
        ),
        ..Header::default()
    };
    let block = Block::sealed(header, vec![], vec![], vec![raw], vec![json]);
    let server = Server::execution(L2_CHAIN);
    block.serve_json(&server);
    let mut host = l2_host(&server);
    let root = block.header.receipts_root;
    ask(&mut host, "l2-receipts", &block.hash.0, root).unwrap();
    assert_eq!(read_list(&host, root), block.receipts);
}
