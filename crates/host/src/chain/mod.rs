//! Headers, transactions and receipts of a chain, as an execution node gives them, verified.
//!
//! ```text
//!   block hash ─► header ─┬─► transactions root ─► the list, and every node of its trie
//!                         └─► receipts root     ─► the list, and every node of its trie
//! ```
//!
//! A node that keeps raw encodings is asked for those. Otherwise its JSON is encoded again; what
//! that gives is right if the hash is. So every way leads to the same bytes or to a fault.

mod header;
mod receipt;
mod transaction;
mod trie;

pub(crate) use header::Header;
pub use trie::ListTrie;
pub(crate) use trie::{EMPTY_LIST, JsonProof, ProvenAccount, account_proof, storage_proof};

use crate::source::{Failure, Failures, Fault, RpcNode, first_of, parallel};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{B256, Bytes, keccak256};
use receipt::JsonReceipt;
use serde::Deserialize;
use serde_json::{Value, json};

/// Methods that an L1 node is asked about.
pub(crate) const L1_METHODS: &[&str] =
    &["debug_getRawHeader", "debug_getRawBlock", "debug_getRawReceipts", "eth_getBlockReceipts"];

/// Which transactions a chain has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChainKind {
    /// Blob transactions, no deposits.
    L1,
    /// Deposits, no blob transactions.
    L2,
}

/// The header with this hash: its encoding and its fields.
pub(crate) fn header(node: &RpcNode, hash: B256) -> Result<(Bytes, Header), Failures> {
    first_of(&[
        &|| {
            let method = "debug_getRawHeader";
            let raw: Bytes = node.call(method, &json!([hash]))?;
            checked_header(raw, hash).map_err(|fault| Failure { method, fault })
        },
        &|| {
            let method = "eth_getBlockByHash";
            let header: alloy_consensus::Header = node.call(method, &json!([hash, false]))?;
            let raw = Bytes::from(alloy_rlp::encode(&header));
            checked_header(raw, hash).map_err(|fault| Failure { method, fault })
        },
    ])
}

/// The header with this hash in its encoding, which hashes to it.
///
/// # Errors
/// [`Failures`], one for each method that the node was asked by.
pub fn header_rlp(node: &RpcNode, hash: B256) -> Result<Bytes, Failures> {
    header(node, hash).map(|(raw, _)| raw)
}

/// The hash of the node's block at a height. Which block stands there is the node's word.
///
/// # Errors
/// [`Failure`] where the node does not say.
pub fn block_hash_at(node: &RpcNode, number: u64) -> Result<B256, Failure> {
    let method = "eth_getBlockByNumber";
    let params = json!([format!("0x{number:x}"), false]);
    let header: alloy_consensus::Header = node.call(method, &params)?;
    if header.number != number {
        return Err(Failure { method, fault: Fault::Stray });
    }
    Ok(header.hash_slow())
}

fn checked_header(raw: Bytes, hash: B256) -> Result<(Bytes, Header), Fault> {
    let found = keccak256(&raw);
    if found != hash {
        return Err(Fault::Hash { what: "header", found });
    }
    let header = Header::decode(&raw).ok_or(Fault::Encoding { what: "a header" })?;
    Ok((raw, header))
}

/// The trie of the transactions of the block with this hash and header.
pub(crate) fn transactions(
    node: &RpcNode,
    kind: ChainKind,
    hash: B256,
    header: &Header,
) -> Result<ListTrie, Failures> {
    let check = |method, items: &[Bytes]| {
        ListTrie::with_root(items, header.transactions_root, "transactions")
            .map_err(|fault| Failure { method, fault })
    };
    first_of(&[
        &|| {
            let method = "debug_getRawBlock";
            let raw: Bytes = node.call(method, &json!([hash]))?;
            let fault = Fault::Encoding { what: "a block" };
            let items = transaction::of_raw_block(&raw).ok_or(Failure { method, fault })?;
            check(method, &items)
        },
        &|| {
            let method = "eth_getBlockByHash";
            let block: JsonBlock = node.call(method, &json!([hash, true]))?;
            if let (ChainKind::L1, Some(root)) = (kind, header.withdrawals_root) {
                // Nobody needs them, but a node that lies here is not to be believed there.
                let items: Vec<Bytes> =
                    block.withdrawals.iter().map(|item| alloy_rlp::encode(item).into()).collect();
                ListTrie::with_root(&items, root, "withdrawals")
                    .map_err(|fault| Failure { method, fault })?;
            }
            let encode = |(index, json): (usize, &Value)| match transaction::encode(json, kind) {
                Ok(Some(raw)) => Ok(raw),
                Err(fault) => Err(Failure { method, fault }),
                // A type that is younger than this program.
                Ok(None) => node.call(
                    "eth_getRawTransactionByBlockHashAndIndex",
                    &json!([hash, format!("0x{index:x}")]),
                ),
            };
            let items: Result<Vec<Bytes>, _> =
                block.transactions.iter().enumerate().map(encode).collect();
            check(method, &items?)
        },
    ])
}

/// The trie of the receipts of the block with this hash and header.
pub(crate) fn receipts(node: &RpcNode, hash: B256, header: &Header) -> Result<ListTrie, Failures> {
    let check = |method, items: &[Bytes]| {
        ListTrie::with_root(items, header.receipts_root, "receipts")
            .map_err(|fault| Failure { method, fault })
    };
    let encode = |receipts: &[JsonReceipt]| receipts.iter().map(JsonReceipt::encode).collect();
    first_of(&[
        &|| {
            let method = "debug_getRawReceipts";
            let items: Vec<Bytes> = node.call(method, &json!([hash]))?;
            check(method, &items)
        },
        &|| {
            let method = "eth_getBlockReceipts";
            let receipts: Vec<JsonReceipt> = node.call(method, &json!([hash]))?;
            let items: Vec<Bytes> = encode(&receipts);
            check(method, &items)
        },
        &|| {
            let block: JsonBlockHashes = node.call("eth_getBlockByHash", &json!([hash, false]))?;
            let method = "eth_getTransactionReceipt";
            let receipts = parallel(&block.transactions, node.in_flight, |transaction| {
                node.call::<JsonReceipt>(method, &json!([transaction]))
            });
            let receipts: Vec<JsonReceipt> = receipts.into_iter().collect::<Result<_, _>>()?;
            let items: Vec<Bytes> = encode(&receipts);
            check(method, &items)
        },
    ])
}

#[derive(Deserialize)]
struct JsonBlock {
    transactions: Vec<Value>,
    #[serde(default)]
    withdrawals: Vec<Withdrawal>,
}

#[derive(Deserialize)]
struct JsonBlockHashes {
    transactions: Vec<B256>,
}

#[cfg(test)]
mod tests;
