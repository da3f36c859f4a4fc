//! The RPC of L2, method by method: each answer beside something that it has to agree with.

use alloy_consensus::{Header, Sealable};
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{Nibbles, TrieAccount, proof::verify_proof};
use rebut_devnet::{
    l1,
    l2::{self, genesis::L1_FEE_VAULT, genesis::TRAFFIC},
    rollup::{Devnet, Setup},
    rpc::answer,
};
use rebut_execution::{Fork, PayloadAttributes, State, StateOracle, execute_block};
use rebut_program::config::json as config;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

const MESSAGE_PASSER: &str = "0x4200000000000000000000000000000000000016";

/// A rollup after some blocks, asked as its server asks it.
struct Asked {
    node: l2::Node,
}

impl Asked {
    fn new(setup: Setup, steps: u64) -> Self {
        let mut devnet = Devnet::new(setup).unwrap();
        for _ in 0..steps {
            devnet.step().unwrap();
        }
        let l1 = Arc::new(l1::Node::new(devnet.l1, l1::Mining::Manual));
        Self { node: l2::Node::new(l2::L1Access::Embedded(l1), devnet.rollup) }
    }

    fn try_call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let text = answer(&self.node, body.to_string().as_bytes());
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["result"].take()),
        }
    }

    fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn latest(&self) -> u64 {
        number(&self.call("eth_blockNumber", json!([])))
    }

    fn header(&self, block: u64) -> Header {
        let raw = bytes(&self.call("debug_getRawHeader", json!([quantity(block)])));
        alloy_rlp::decode_exact(raw).unwrap()
    }

    /// What block `block` was built from, in the words of the Engine API.
    fn attributes(&self, block: u64) -> Value {
        let header = self.header(block);
        let json = self.call("eth_getBlockByNumber", json!([quantity(block), true]));
        let hashes = json["transactions"].as_array().unwrap().iter().map(|tx| tx["hash"].clone());
        let raw = hashes.map(|hash| self.call("debug_getRawTransaction", json!([hash])));
        let extra = header.extra_data.get(1..9).map(hex::encode_prefixed);
        let fee = header.extra_data.get(9..17).map(hex::encode);
        let fee = fee.map(|fee| u64::from_str_radix(&fee, 16).unwrap());
        json!({
            "timestamp": quantity(header.timestamp),
            "prevRandao": header.mix_hash,
            "suggestedFeeRecipient": header.beneficiary,
            "parentBeaconBlockRoot": header.parent_beacon_block_root,
            "transactions": raw.collect::<Vec<_>>(),
            "gasLimit": quantity(header.gas_limit),
            "noTxPool": true,
            "eip1559Params": extra,
            "minBaseFee": fee,
        })
    }
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

fn word(json: &Value) -> U256 {
    json.as_str().unwrap_or_else(|| panic!("{json}")).parse().unwrap()
}

fn number(json: &Value) -> u64 {
    word(json).to()
}

fn hash(json: &Value) -> B256 {
    json.as_str().unwrap_or_else(|| panic!("{json}")).parse().unwrap()
}

fn bytes(json: &Value) -> Bytes {
    json.as_str().unwrap_or_else(|| panic!("{json}")).parse().unwrap()
}

fn list(json: &Value) -> Vec<Bytes> {
    json.as_array().unwrap_or_else(|| panic!("{json}")).iter().map(bytes).collect()
}

/// A setup with large enough blocks for what is looked at here.
fn setup(fork: Fork) -> Setup {
    let mut setup = Setup::at_fork(21, fork);
    setup.transactions_per_block = 6;
    setup.deposits_percent = 100;
    setup
}

/// Nothing but what a witness holds.
struct Witness(HashMap<B256, Vec<u8>>);

#[derive(Debug, thiserror::Error)]
#[error("{0} is not in the witness")]
struct Missing(B256);

impl StateOracle for Witness {
    type Error = Missing;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.0.get(&hash).cloned().ok_or(Missing(hash))
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.trie_node(hash)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.trie_node(hash)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, Missing> {
        let call = rebut_host::PrecompileCall { address, gas: Some(gas), input };
        let result = call.execute("l1-precompile").unwrap();
        Ok(result.strip_prefix(&[1]).map(<[u8]>::to_vec))
    }
}

/// Blocks are executed again from nothing but the witness of either method.
#[test]
fn witnesses_are_all_that_a_block_needs() {
    for fork in [Fork::Canyon, Fork::Jovian] {
        let asked = Asked::new(setup(fork), 4);
        for block in 1..=asked.latest() {
            let parent = asked.header(block - 1).seal_slow();
            let json = asked.attributes(block);
            let execution = asked.call("debug_executionWitness", json!([quantity(block)]));
            let payload = asked.call("debug_executePayload", json!([parent.hash(), json]));
            assert_eq!(execution, payload, "block {block}");
            let values = ["state", "codes", "headers"].map(|kind| list(&payload[kind])).concat();
            let values = values.into_iter().map(|value| (keccak256(&value), value.into()));
            let mut witness = Witness(values.collect());
            let header = asked.header(block);
            let param =
                |at: usize| header.extra_data.get(at..at + 8).map(|p| p.try_into().unwrap());
            let attributes = PayloadAttributes {
                timestamp: header.timestamp,
                prev_randao: header.mix_hash,
                suggested_fee_recipient: header.beneficiary,
                gas_limit: header.gas_limit,
                parent_beacon_block_root: header.parent_beacon_block_root,
                eip_1559_params: param(1),
                min_base_fee: param(9).map(u64::from_be_bytes),
                transactions: list(&json["transactions"]),
            };
            let chain = asked.node.rollup().config().chain;
            let mut state = State::new(parent.state_root);
            let executed =
                execute_block(&chain, &parent, &attributes, &mut state, &mut witness).unwrap();
            assert_eq!(executed.header.hash(), header.hash_slow(), "{fork:?} {block}");
        }
    }
}

#[test]
fn a_payload_need_not_have_a_block() {
    let asked = Asked::new(setup(Fork::Isthmus), 2);
    let block = asked.latest();
    let mut attributes = asked.attributes(block);
    attributes["transactions"].as_array_mut().unwrap().truncate(1);
    let parent = asked.header(block - 1).hash_slow();
    let witness = asked.call("debug_executePayload", json!([parent, attributes]));
    let root = asked.header(block - 1).state_root;
    assert!(list(&witness["state"]).iter().any(|node| keccak256(node) == root));
    attributes["transactions"] = json!(["0x01"]);
    asked.try_call("debug_executePayload", json!([parent, attributes])).unwrap_err();
    let error = asked.try_call("debug_executePayload", json!([B256::ZERO, attributes]));
    assert!(error.unwrap_err()["message"].as_str().unwrap().contains("parent block not found"));
}

#[test]
fn proofs_prove_accounts_and_slots() {
    let asked = Asked::new(setup(Fork::Jovian), 4);
    let block = quantity(asked.latest());
    let root = asked.header(asked.latest()).state_root;
    let nobody = format!("{:?}", Address::repeat_byte(0xab));
    for address in [TRAFFIC.to_string(), MESSAGE_PASSER.to_owned(), nobody.clone()] {
        let slots: Vec<B256> = (0..4_u64).map(|slot| B256::from(U256::from(slot))).collect();
        let proof = asked.call("eth_getProof", json!([address, slots, block]));
        let account = TrieAccount {
            nonce: number(&proof["nonce"]),
            balance: word(&proof["balance"]),
            storage_root: hash(&proof["storageHash"]),
            code_hash: hash(&proof["codeHash"]),
        };
        let path = Nibbles::unpack(keccak256(address.parse::<Address>().unwrap()));
        let expected = (address != nobody).then(|| alloy_rlp::encode(account));
        verify_proof(root, path, expected, &list(&proof["accountProof"])).unwrap();
        for (slot, proven) in slots.iter().zip(proof["storageProof"].as_array().unwrap()) {
            let value = word(&proven["value"]);
            let at = asked.call("eth_getStorageAt", json!([address, slot, block]));
            assert_eq!(hash(&at), B256::from(value));
            let mut encoded = Vec::new();
            value.encode(&mut encoded);
            let expected = (!value.is_zero()).then_some(encoded);
            let path = Nibbles::unpack(keccak256(slot));
            verify_proof(account.storage_root, path, expected, &list(&proven["proof"])).unwrap();
        }
    }
}

#[test]
fn values_are_had_by_their_hash() {
    let asked = Asked::new(setup(Fork::Granite), 2);
    let root = asked.header(asked.latest()).state_root;
    assert_eq!(keccak256(bytes(&asked.call("debug_dbGet", json!([root])))), root);
    let code = bytes(&asked.call("eth_getCode", json!([TRAFFIC, "latest"])));
    assert!(!code.is_empty());
    let by_hash = hex::encode(keccak256(&code));
    for key in [format!("0x63{by_hash}"), format!("0x{by_hash}")] {
        assert_eq!(bytes(&asked.call("debug_dbGet", json!([key]))), code);
    }
    let error = asked.try_call("debug_dbGet", json!([B256::repeat_byte(1)])).unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("not found"), "{error}");
    asked.try_call("debug_dbGet", json!(["0x01"])).unwrap_err();
}

#[test]
fn logs_are_those_of_the_receipts() {
    let asked = Asked::new(setup(Fork::Jovian), 6);
    let latest = asked.latest();
    let filter = json!([{ "fromBlock": "0x0", "toBlock": "latest", "address": TRAFFIC }]);
    let found = asked.call("eth_getLogs", filter);
    let mut expected = Vec::new();
    for block in 1..=latest {
        for receipt in
            asked.call("eth_getBlockReceipts", json!([quantity(block)])).as_array().unwrap()
        {
            expected.extend(receipt["logs"].as_array().unwrap().iter().cloned());
        }
    }
    let traffic = TRAFFIC.to_string().to_lowercase();
    expected.retain(|log| log["address"].as_str().unwrap().to_lowercase() == traffic);
    assert!(!expected.is_empty());
    assert_eq!(found, Value::Array(expected.clone()));
    let one = &expected[0];
    let filter = json!([{ "blockHash": one["blockHash"], "topics": [one["topics"][0]] }]);
    let found = asked.call("eth_getLogs", filter);
    assert!(found.as_array().unwrap().contains(one));
    let filter = json!([{ "fromBlock": "0x2", "toBlock": "0x1" }]);
    asked.try_call("eth_getLogs", filter).unwrap_err();
}

#[test]
fn a_rollup_node_knows_its_chain() {
    let asked = Asked::new(setup(Fork::Isthmus), 5);
    let version = asked.call("optimism_version", json!([]));
    assert!(version.as_str().unwrap().starts_with("rebut/"), "{version}");

    let written = asked.call("optimism_rollupConfig", json!([])).to_string();
    let l1 = json!({ "chainId": 900, "cancunTime": 0, "pragueTime": 0 }).to_string();
    let read = config::read(written.as_bytes(), Some(l1.as_bytes())).unwrap();
    assert_eq!(read, *asked.node.rollup().config());

    let status = asked.call("optimism_syncStatus", json!([]));
    let at = |name: &str| status[name]["number"].as_u64().unwrap();
    assert_eq!(at("unsafe_l2"), asked.latest());
    assert!(at("finalized_l2") <= at("safe_l2") && at("safe_l2") <= at("unsafe_l2"));
    assert!(at("finalized_l1") <= at("safe_l1") && at("safe_l1") <= at("head_l1"));
    assert_eq!(at("current_l1"), at("head_l1"));
    assert_eq!(at("safe_l2"), at("local_safe_l2"));

    for number in 0..=asked.latest() {
        let header = asked.header(number);
        let output = asked.call("optimism_outputAtBlock", json!([quantity(number)]));
        let proof = asked.call("eth_getProof", json!([MESSAGE_PASSER, [], quantity(number)]));
        let storage = hash(&proof["storageHash"]);
        let preimage = [B256::ZERO, header.state_root, storage, header.hash_slow()].concat();
        assert_eq!(hash(&output["outputRoot"]), keccak256(preimage), "block {number}");
        assert_eq!(hash(&output["stateRoot"]), header.state_root);
        assert_eq!(hash(&output["withdrawalStorageRoot"]), storage);
        assert_eq!(hash(&output["blockRef"]["hash"]), header.hash_slow());
        assert_eq!(output["blockRef"]["timestamp"].as_u64(), Some(header.timestamp));
    }
    asked.try_call("optimism_outputAtBlock", json!(["0xffffff"])).unwrap_err();

    let mut before = 0;
    for number in 0..=at("current_l1") {
        let head = asked.call("optimism_safeHeadAtL1Block", json!([quantity(number)]));
        assert_eq!(head["l1Block"]["number"].as_u64(), Some(number));
        let safe = head["safeHead"]["number"].as_u64().unwrap();
        assert_eq!(hash(&head["safeHead"]["hash"]), asked.header(safe).hash_slow());
        assert!(safe >= before);
        before = safe;
    }
    assert_eq!(before, at("safe_l2"));
    assert!(before > 0);
}

/// What the L1 fees of a block's transactions come to is what the vault for them has more after it, and the
/// fields are those that its fork has.
#[test]
fn receipts_tell_what_was_paid_for_l1() {
    let forks = std::iter::once(Fork::Bedrock).chain(Fork::TIMED);
    for fork in forks.filter(|fork| *fork <= Fork::Jovian) {
        let mut setup = setup(fork);
        setup.rollup.genesis.system_config.operator_fee.scalar = 3_000_000;
        setup.rollup.genesis.system_config.operator_fee.constant = 11;
        setup.rollup.genesis.system_config.da_footprint_gas_scalar = 300;
        let asked = Asked::new(setup, 6);
        let balance = |block: u64| {
            word(&asked.call("eth_getBalance", json!([L1_FEE_VAULT, quantity(block)])))
        };
        let (mut count, mut compared) = (0, 0);
        for block in 1..=asked.latest() {
            let receipts = asked.call("eth_getBlockReceipts", json!([quantity(block)]));
            let mut fees = U256::ZERO;
            let mut footprint = 0;
            for receipt in receipts.as_array().unwrap() {
                let has = |name: &str| receipt.get(name).is_some_and(|field| !field.is_null());
                let users = receipt["type"] != "0x7e";
                assert_eq!(
                    (has("l1Fee"), has("l1GasPrice"), has("l1GasUsed")),
                    (users, users, users)
                );
                let since = |first: Fork| users && fork >= first;
                assert_eq!(has("l1FeeScalar"), users && fork < Fork::Ecotone, "{fork:?}");
                for name in ["l1BaseFeeScalar", "l1BlobBaseFee", "l1BlobBaseFeeScalar"] {
                    assert_eq!(has(name), since(Fork::Ecotone), "{fork:?} {name}");
                }
                for name in ["operatorFeeScalar", "operatorFeeConstant"] {
                    assert_eq!(has(name), since(Fork::Isthmus), "{fork:?} {name}");
                }
                for name in ["daFootprintGasScalar", "blobGasUsed"] {
                    assert_eq!(has(name), since(Fork::Jovian), "{fork:?} {name}");
                }
                if !users {
                    continue;
                }
                count += 1;
                let field = |name: &str| word(&receipt[name]);
                fees += field("l1Fee");
                let rollup = asked.node.rollup();
                let place = rollup.l2().ledger().block(block).unwrap();
                let origin = rollup.l2().place(place).unwrap().l1_origin.number;
                drop(rollup);
                let origin = asked
                    .node
                    .l1()
                    .with(|l1| l1.record().ledger().block(origin).unwrap().header.base_fee_per_gas);
                assert_eq!(field("l1GasPrice"), U256::from(origin.unwrap()));
                if fork >= Fork::Isthmus {
                    assert_eq!(field("operatorFeeScalar"), U256::from(3_000_000));
                    assert_eq!(field("operatorFeeConstant"), U256::from(11));
                }
                if fork >= Fork::Jovian {
                    assert_eq!(field("daFootprintGasScalar"), U256::from(300));
                    footprint += number(&receipt["blobGasUsed"]);
                }
                // The formulas of the specification, as far as they are without compression.
                let (gas, price) = (field("l1GasUsed"), field("l1GasPrice"));
                let millions = U256::from(1_000_000);
                let raw =
                    asked.call("debug_getRawTransaction", json!([receipt["transactionHash"]]));
                let raw = bytes(&raw);
                let zeros = raw.iter().filter(|byte| **byte == 0).count();
                let data = U256::from(16 * (raw.len() - zeros) + 4 * zeros);
                if fork < Fork::Ecotone {
                    let scalar: f64 = receipt["l1FeeScalar"].as_str().unwrap().parse().unwrap();
                    assert_eq!(scalar, 0.684);
                    let empty_signature = if fork < Fork::Regolith { 68 * 16 } else { 0 };
                    assert_eq!(gas, data + U256::from(188 + empty_signature));
                    assert_eq!(field("l1Fee"), gas * price * U256::from(684_000) / millions);
                } else if fork < Fork::Fjord {
                    let calldata = price * U256::from(16) * field("l1BaseFeeScalar");
                    let blobs = field("l1BlobBaseFee") * field("l1BlobBaseFeeScalar");
                    assert_eq!(gas, data);
                    let fee = gas * (calldata + blobs) / (millions * U256::from(16));
                    assert_eq!(field("l1Fee"), fee);
                }
            }
            // Somebody may have let the vault pay out.
            let filter = json!([{
                "address": L1_FEE_VAULT, "fromBlock": quantity(block), "toBlock": quantity(block),
            }]);
            if asked.call("eth_getLogs", filter) == json!([]) {
                compared += 1;
                let collected = balance(block) - balance(block - 1);
                assert_eq!(collected, fees, "{fork:?}, block {block}");
            }
            if fork >= Fork::Jovian {
                assert_eq!(asked.header(block).blob_gas_used, Some(footprint), "block {block}");
            }
        }
        assert!(count > 5 && compared > 5, "{count} transactions, {compared} blocks at {fork:?}");
    }
}

/// As nodes write it: where it holds, and nowhere else.
#[test]
fn system_transactions_are_marked() {
    for (fork, expected) in [(Fork::Bedrock, Some(true)), (Fork::Jovian, None)] {
        let asked = Asked::new(setup(fork), 1);
        let block = asked.call("eth_getBlockByNumber", json!(["0x1", true]));
        let mark = block["transactions"][0].get("isSystemTx").map(|mark| mark.as_bool().unwrap());
        assert_eq!(mark, expected, "{fork:?}");
    }
}
