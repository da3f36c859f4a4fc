//! Blocks made for tests, and a reader of list tries that shares nothing with the host's writer.

use crate::server::Server;
use alloy_consensus::{
    EthereumTxEnvelope, Header, Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy,
    proofs::ordered_trie_root_with_encoder,
};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, LogData, Signature, TxKind, U256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::nodes::TrieNode;
use rebut_host::Host;
use rebut_preimage::{PreimageKey, PreimageStore};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Transaction = EthereumTxEnvelope<TxEip4844>;

/// A block in every form a node gives it in.
pub struct Block {
    pub hash: B256,
    pub header: Header,
    pub raw_header: Bytes,
    pub transactions: Vec<Bytes>,
    pub receipts: Vec<Bytes>,
    /// With whole transactions.
    pub json: Value,
    pub json_receipts: Value,
}

/// Transactions of every type of L1, `count` of them.
fn transactions(count: u64) -> Vec<Transaction> {
    let signature = Signature::test_signature();
    let to = Address::repeat_byte(0x11);
    let make = |nonce: u64| {
        let input = Bytes::from(vec![nonce as u8; 40]);
        match nonce % 5 {
            0 => Signed::new_unhashed(
                TxLegacy {
                    chain_id: Some(1),
                    nonce,
                    to: TxKind::Call(to),
                    input,
                    ..Default::default()
                },
                signature,
            )
            .into(),
            1 => Signed::new_unhashed(
                TxEip2930 { chain_id: 1, nonce, to: TxKind::Create, input, ..Default::default() },
                signature,
            )
            .into(),
            2 => Signed::new_unhashed(
                TxEip1559 {
                    chain_id: 1,
                    nonce,
                    to: TxKind::Call(to),
                    value: U256::from(nonce),
                    input,
                    ..Default::default()
                },
                signature,
            )
            .into(),
            3 => Signed::new_unhashed(
                TxEip4844 {
                    chain_id: 1,
                    nonce,
                    to,
                    blob_versioned_hashes: vec![B256::repeat_byte(1)],
                    ..Default::default()
                },
                signature,
            )
            .into(),
            _ => Signed::new_unhashed(
                TxEip7702 { chain_id: 1, nonce, to, input, ..Default::default() },
                signature,
            )
            .into(),
        }
    };
    (0..count).map(make).collect()
}

/// A receipt in both forms: written down here from the specification.
fn receipt(kind: u8, index: u64) -> (Bytes, Value) {
    let log = Log {
        address: Address::repeat_byte(index as u8),
        data: LogData::new_unchecked(vec![B256::repeat_byte(3)], vec![index as u8; 33].into()),
    };
    let logs = if index.is_multiple_of(3) { vec![] } else { vec![log] };
    let (status, gas, bloom) = (index % 2, 21_000 * (index + 1), Bloom::repeat_byte(kind));
    let mut fields = Vec::new();
    status.encode(&mut fields);
    gas.encode(&mut fields);
    bloom.encode(&mut fields);
    logs.encode(&mut fields);
    let mut raw = Vec::new();
    if kind != 0 {
        raw.push(kind);
    }
    alloy_rlp::Header { list: true, payload_length: fields.len() }.encode(&mut raw);
    raw.extend(fields);
    let logs: Vec<Value> = logs
        .iter()
        .map(|log| {
            json!({ "address": log.address, "topics": log.data.topics(), "data": log.data.data })
        })
        .collect();
    let json = json!({
        "type": format!("0x{kind:x}"), "status": format!("0x{status:x}"),
        "cumulativeGasUsed": format!("0x{gas:x}"), "logsBloom": bloom, "logs": logs,
        "transactionHash": B256::repeat_byte(index as u8), "contractAddress": null,
    });
    (raw.into(), json)
}

fn root(items: &[Bytes]) -> B256 {
    ordered_trie_root_with_encoder(items, |item, out| out.extend_from_slice(item))
}

impl Block {
    /// A block of `count` transactions of all types on top of `parent`.
    pub fn new(number: u64, parent: B256, count: u64) -> Self {
        let envelopes = transactions(count);
        let transactions: Vec<Bytes> =
            envelopes.iter().map(|envelope| envelope.encoded_2718().into()).collect();
        let json = envelopes
            .iter()
            .map(|envelope| {
                let mut json = serde_json::to_value(envelope).unwrap();
                // Nodes add members, some of them without a value.
                json["blockHash"] = Value::Null;
                json["from"] = json!(Address::ZERO);
                json
            })
            .collect();
        let kinds: Vec<u8> = envelopes.iter().map(|envelope| envelope.tx_type() as u8).collect();
        Self::of(number, parent, transactions, json, &kinds)
    }

    /// A block of transactions in both forms.
    pub fn of(
        number: u64,
        parent: B256,
        transactions: Vec<Bytes>,
        json_transactions: Vec<Value>,
        kinds: &[u8],
    ) -> Self {
        let receipts = kinds.iter().zip(0..).map(|(kind, index)| receipt(*kind, index));
        let (receipts, json_receipts): (Vec<Bytes>, Vec<Value>) = receipts.unzip();
        let header = Header {
            parent_hash: parent,
            number,
            timestamp: 12 * number,
            transactions_root: root(&transactions),
            receipts_root: root(&receipts),
            withdrawals_root: Some(root(&[])),
            base_fee_per_gas: Some(7),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            requests_hash: Some(B256::ZERO),
            ..Default::default()
        };
        Self::sealed(header, transactions, json_transactions, receipts, json_receipts)
    }

    pub fn sealed(
        header: Header,
        transactions: Vec<Bytes>,
        json_transactions: Vec<Value>,
        receipts: Vec<Bytes>,
        json_receipts: Vec<Value>,
    ) -> Self {
        let mut json = serde_json::to_value(&header).unwrap();
        json["transactions"] = json_transactions.into();
        json["withdrawals"] = json!([]);
        Self {
            hash: header.hash_slow(),
            raw_header: alloy_rlp::encode(&header).into(),
            header,
            transactions,
            receipts,
            json,
            json_receipts: json_receipts.into(),
        }
    }

    /// The whole block, encoded.
    pub fn raw(&self) -> Bytes {
        let mut body = self.raw_header.to_vec();
        let items: Vec<u8> = self
            .transactions
            .iter()
            .flat_map(|raw| if raw[0] >= 0xc0 { raw.to_vec() } else { alloy_rlp::encode(raw) })
            .collect();
        alloy_rlp::Header { list: true, payload_length: items.len() }.encode(&mut body);
        body.extend(items);
        body.extend([0xc0, 0xc0]);
        let mut raw = Vec::new();
        alloy_rlp::Header { list: true, payload_length: body.len() }.encode(&mut raw);
        raw.extend(body);
        raw.into()
    }

    /// With hashes instead of transactions.
    pub fn json_hashes(&self) -> Value {
        let mut json = self.json.clone();
        let hash = |receipt: &Value| receipt["transactionHash"].clone();
        let hashes = self.json_receipts.as_array().unwrap().iter().map(hash).collect();
        json["transactions"] = Value::Array(hashes);
        json
    }

    /// Makes a node serve the block in raw encodings.
    pub fn serve_raw(&self, server: &Server) {
        let by_hash = json!([self.hash]);
        server.answer("debug_getRawHeader", &by_hash, json!(self.raw_header));
        server.answer("debug_getRawBlock", &by_hash, json!(self.raw()));
        server.answer("debug_getRawReceipts", &by_hash, json!(self.receipts));
    }

    /// Makes a node serve the block as JSON.
    pub fn serve_json(&self, server: &Server) {
        let number = format!("0x{:x}", self.header.number);
        server.answer("eth_getBlockByHash", &json!([self.hash, true]), self.json.clone());
        server.answer("eth_getBlockByHash", &json!([self.hash, false]), self.json_hashes());
        server.answer("eth_getBlockByNumber", &json!([number, false]), self.json_hashes());
        server.answer("eth_getBlockReceipts", &json!([self.hash]), self.json_receipts.clone());
    }

    /// Makes a node serve each receipt by its transaction.
    pub fn serve_receipts(&self, server: &Server) {
        for receipt in self.json_receipts.as_array().unwrap() {
            let params = json!([receipt["transactionHash"]]);
            server.answer("eth_getTransactionReceipt", &params, receipt.clone());
        }
    }
}

/// Reads the list behind a trie root from what a host has stored.
pub fn read_list(host: &Host, root: B256) -> Vec<Bytes> {
    let node = |hash| host.store().get(PreimageKey::keccak256(hash)).unwrap();
    read_list_of(&node, root).expect("every node of the trie")
}

/// Reads the list behind a trie root. `None` when a node is missing.
pub fn read_list_of(node: &impl Fn(B256) -> Option<Vec<u8>>, root: B256) -> Option<Vec<Bytes>> {
    let mut leaves = BTreeMap::new();
    walk(node, &node(root)?, &mut Vec::new(), &mut leaves)?;
    let items = (0..leaves.len() as u64).map(|index| {
        let key = alloy_rlp::encode(index);
        let path: Vec<u8> = key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
        leaves.remove(&path).expect("an item for every index")
    });
    Some(items.collect())
}

/// The node behind a reference: 0xa0 and a hash, or the node itself when it is short.
pub fn child(node: &impl Fn(B256) -> Option<Vec<u8>>, reference: &[u8]) -> Option<Vec<u8>> {
    match reference {
        [0xa0, hash @ ..] if hash.len() == 32 => node(B256::from_slice(hash)),
        short => Some(short.to_vec()),
    }
}

fn walk(
    node: &impl Fn(B256) -> Option<Vec<u8>>,
    raw: &[u8],
    path: &mut Vec<u8>,
    leaves: &mut BTreeMap<Vec<u8>, Bytes>,
) -> Option<()> {
    match TrieNode::decode(&mut &*raw).unwrap() {
        TrieNode::EmptyRoot => {}
        TrieNode::Leaf(leaf) => {
            let whole = [path.as_slice(), &leaf.key.to_vec()].concat();
            leaves.insert(whole, leaf.value.into());
        }
        TrieNode::Extension(extension) => {
            let length = path.len();
            path.extend(extension.key.to_vec());
            walk(node, &child(node, &extension.child)?, path, leaves)?;
            path.truncate(length);
        }
        TrieNode::Branch(branch) => {
            for (nibble, reference) in branch.as_ref().children() {
                if let Some(reference) = reference {
                    path.push(nibble);
                    walk(node, &child(node, reference)?, path, leaves)?;
                    path.pop();
                }
            }
        }
    }
    Some(())
}
