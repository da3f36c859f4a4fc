//! An L1 node elsewhere: anvil, or any other development chain, behind JSON-RPC.
//!
//! Its blocks are copied into a [`Record`], each checked against its hash and its roots, so that the
//! rollup follows them as it follows the embedded chain. Blobs are not copied: a rollup on such a chain
//! posts calldata.
//!
//! Invariant: what is in the record is a chain that the node has had, block by block.

use super::{Client, ClientError, L1Block, L1Transaction, Record};
use crate::{ledger::LedgerError, state::StateStore};
use alloy_consensus::{Sealable, proofs, transaction::SignerRecoverable};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, U64, U256, hex};
use alloy_rpc_types_eth::{Block as JsonBlock, Transaction as JsonTransaction, TransactionReceipt};
use rebut_host::source::{Failure, NodeUrl, Policy, RpcNode};
use serde_json::json;

/// The longest reorg that is followed, in blocks.
const REORG_LIMIT: u64 = 1_024;
/// The most blocks that are copied at once; the rest comes with the next update.
const COPY_LIMIT: u64 = 1_024;

type Json = JsonBlock<JsonTransaction<L1Transaction>>;

/// Why a node cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It does not answer, or not what was asked.
    #[error("{url}: {}: {}", failure.method, failure.fault)]
    Node {
        /// Where it is.
        url: NodeUrl,
        /// What is wrong.
        failure: Box<Failure>,
    },
    /// A block is not what its hash stands for.
    #[error("the {part} of block {number} do not match its header")]
    Block {
        /// Its number.
        number: u64,
        /// What is wrong.
        part: &'static str,
    },
    /// The blocks do not follow each other.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The chain has forgotten what the rollup was built on.
    #[error("block {number} and all before it were replaced")]
    Reorg {
        /// The oldest block that was looked at.
        number: u64,
    },
}

/// A node elsewhere and what was copied from it.
#[derive(Debug)]
pub struct Remote {
    node: RpcNode,
    chain_id: u64,
    record: Record,
}

impl Remote {
    /// Connects to a node. The record begins with the block that is the latest now.
    ///
    /// # Errors
    /// [`RemoteError`] when the node does not answer.
    pub fn connect(url: NodeUrl, store: StateStore) -> Result<Self, RemoteError> {
        let node = RpcNode::new(url, None, &[], &Policy::default());
        let profile = node.profile().map_err(|failure| failed(&node, failure))?;
        let chain_id = profile.chain_id;
        let first = block(&node, "eth_getBlockByNumber", &json!(["latest", true]))?;
        Ok(Self { record: Record::new(first, store), node, chain_id })
    }

    fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: &'static str,
        params: &serde_json::Value,
    ) -> Result<T, RemoteError> {
        self.node.call(method, params).map_err(|failure| failed(&self.node, failure))
    }

    /// Copies what is new.
    fn copy(&mut self) -> Result<(), RemoteError> {
        let latest: U64 = self.call("eth_blockNumber", &json!([]))?;
        let mut common = self.record.latest().number().min(latest.to());
        let oldest = self.record.ledger.first().max(common.saturating_sub(REORG_LIMIT));
        while !self.is_canonical(common)? {
            common = common
                .checked_sub(1)
                .filter(|number| *number >= oldest)
                .ok_or(RemoteError::Reorg { number: oldest })?;
        }
        // Read before anything is forgotten; a failure half way leaves what there was.
        let mut new = Vec::new();
        for number in common + 1..=latest.to::<u64>().min(common.saturating_add(COPY_LIMIT)) {
            let params = json!([U64::from(number), true]);
            new.push(block(&self.node, "eth_getBlockByNumber", &params)?);
        }
        self.record.ledger.truncate(common);
        for block in new {
            self.record.append(block, Vec::new())?;
        }
        self.follow_heads();
        Ok(())
    }

    fn is_canonical(&self, number: u64) -> Result<bool, RemoteError> {
        let params = json!([U64::from(number), false]);
        let header: alloy_rpc_types_eth::Header = self.call("eth_getBlockByNumber", &params)?;
        let known = self.record.ledger.block(number);
        Ok(known.is_some_and(|block| block.hash() == header.hash))
    }

    /// The node's heads where it has any; development chains need not have.
    fn follow_heads(&mut self) {
        let number = |tag: &str| {
            let header: Result<alloy_rpc_types_eth::Header, _> =
                self.call("eth_getBlockByNumber", &json!([tag, false]));
            header.map_or(0, |header| header.inner.number)
        };
        let (safe, finalized) = (number("safe"), number("finalized"));
        self.record.ledger.set_heads(safe, finalized);
    }
}

fn failed(node: &RpcNode, failure: Failure) -> RemoteError {
    RemoteError::Node { url: node.url().clone(), failure: Box::new(failure) }
}

/// A block with its receipts, checked.
fn block(
    node: &RpcNode,
    method: &'static str,
    params: &serde_json::Value,
) -> Result<L1Block, RemoteError> {
    let json: Json = node.call(method, params).map_err(|failure| failed(node, failure))?;
    let mut block = without_receipts(json)?;
    let receipts: Vec<TransactionReceipt> = node
        .call("eth_getBlockReceipts", &json!([block.hash()]))
        .map_err(|failure| failed(node, failure))?;
    block.receipts =
        receipts.into_iter().map(|receipt| receipt.inner.into_primitives_receipt()).collect();
    if proofs::calculate_receipt_root(&block.receipts) != block.header.receipts_root {
        return Err(RemoteError::Block { number: block.number(), part: "receipts" });
    }
    Ok(block)
}

/// A block as it is in JSON, checked against its hash.
fn without_receipts(json: Json) -> Result<L1Block, RemoteError> {
    let header = json.header.inner.seal_slow();
    let number = header.number;
    let wrong = |part| RemoteError::Block { number, part };
    if header.hash() != json.header.hash {
        return Err(wrong("fields"));
    }
    let transactions: Vec<L1Transaction> =
        json.transactions.into_transactions().map(|tx| tx.inner.into_inner()).collect();
    if proofs::calculate_transaction_root(&transactions) != header.transactions_root {
        return Err(wrong("transactions"));
    }
    let withdrawals = json.withdrawals.map(Withdrawals::into_inner);
    let root = withdrawals.as_deref().map(proofs::calculate_withdrawals_root);
    if root != header.withdrawals_root {
        return Err(wrong("withdrawals"));
    }
    let senders = transactions.iter().map(SignerRecoverable::recover_signer);
    let senders = senders.collect::<Result<Vec<Address>, _>>().map_err(|_| wrong("signatures"))?;
    Ok(L1Block { header, transactions, senders, receipts: Vec::new(), withdrawals })
}

impl Client for Remote {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn update(&mut self) -> Result<(), ClientError> {
        Ok(self.copy()?)
    }

    fn submit(&mut self, bytes: &[u8]) -> Result<B256, ClientError> {
        let raw = hex::encode_prefixed(bytes);
        Ok(self.call("eth_sendRawTransaction", &json!([raw]))?)
    }

    fn pending_nonce(&self, address: Address) -> Result<u64, ClientError> {
        let nonce: U64 = self.call("eth_getTransactionCount", &json!([address, "pending"]))?;
        Ok(nonce.to())
    }

    fn next_fees(&self) -> Result<(u64, u128), ClientError> {
        let price: U256 = self.call("eth_gasPrice", &json!([]))?;
        let latest = self.record.latest();
        Ok((u64::try_from(price).unwrap_or(u64::MAX), super::blob_base_fee(&latest.header)))
    }
}

#[cfg(test)]
mod tests;
