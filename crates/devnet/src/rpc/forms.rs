//! Blocks, transactions, receipts and logs in JSON.

use super::{RpcResult, to_result};
use crate::ledger::{Block, Primitives};
use alloy_consensus::{Transaction, TxReceipt, transaction::Recovered};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Log};
use alloy_rpc_types_eth::{
    Block as JsonBlock, BlockTransactions, Header as JsonHeader, Log as JsonLog,
    Transaction as JsonTransaction, TransactionReceipt,
};
use serde_json::Value;

/// Where a transaction is in the chain.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a, P: Primitives> {
    /// The block.
    pub block: &'a Block<P>,
    /// The position in it.
    pub index: usize,
}

/// The JSON form of a chain's transactions.
pub trait JsonForms: Primitives {
    /// A transaction; one that waits has no place.
    ///
    /// # Errors
    /// None that the types of this crate bring up.
    fn transaction_json(
        transaction: &Self::Transaction,
        sender: Address,
        place: Option<Place<'_, Self>>,
    ) -> RpcResult
    where
        Self: Sized;
}

/// A transaction with what blocks add to it, in the form that both chains share.
pub fn placed<P: Primitives>(
    transaction: &P::Transaction,
    sender: Address,
    place: Option<Place<'_, P>>,
) -> JsonTransaction<P::Transaction> {
    let header = place.as_ref().map(|place| &place.block.header);
    let base_fee = header.and_then(|header| header.base_fee_per_gas);
    JsonTransaction {
        inner: Recovered::new_unchecked(transaction.clone(), sender),
        block_hash: header.map(|header| header.hash()),
        block_number: header.map(|header| header.number),
        transaction_index: place.as_ref().map(|place| place.index as u64),
        effective_gas_price: Some(transaction.effective_gas_price(base_fee)),
        block_timestamp: header.map(|header| header.timestamp),
    }
}

/// The receipt at a place, with `inner` for the part that differs between chains. `None` when there is
/// no such place.
pub fn receipt_fields<P: Primitives, T>(
    place: Place<'_, P>,
    inner: impl FnOnce(&P::Receipt, Vec<JsonLog>) -> T,
) -> Option<TransactionReceipt<T>> {
    let Place { block, index } = place;
    let (transaction, receipt) = (block.transactions.get(index)?, block.receipts.get(index)?);
    let from = *block.senders.get(index)?;
    let first = block.logs_before(index);
    let logs = receipt.logs().iter().zip(first..);
    let logs = logs.map(|(log, position)| log_json(block, index, position, log)).collect();
    let created = transaction.kind().is_create().then(|| from.create(transaction.nonce()));
    let base_fee = block.header.base_fee_per_gas;
    Some(TransactionReceipt {
        inner: inner(receipt, logs),
        transaction_hash: transaction.trie_hash(),
        transaction_index: Some(index as u64),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        gas_used: block.gas_used(index)?,
        effective_gas_price: transaction.effective_gas_price(base_fee),
        blob_gas_used: None,
        blob_gas_price: None,
        from,
        to: transaction.to(),
        contract_address: created,
    })
}

/// The log at a position of a block.
pub fn log_json<P: Primitives>(
    block: &Block<P>,
    transaction: usize,
    position: usize,
    log: &Log,
) -> JsonLog {
    JsonLog {
        inner: log.clone(),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: block.transaction_hash(transaction),
        transaction_index: Some(transaction as u64),
        log_index: Some(position as u64),
        removed: false,
    }
}

/// The header of a block.
pub fn header_json<P: Primitives>(block: &Block<P>, length_bytes: usize) -> JsonHeader {
    JsonHeader {
        hash: block.hash(),
        inner: block.header.inner().clone(),
        total_difficulty: None,
        size: Some(alloy_primitives::U256::from(length_bytes)),
    }
}

/// A block with its transactions, or with their hashes.
pub(super) fn block_json<P: JsonForms>(block: &Block<P>, full: bool) -> RpcResult {
    let transactions: BlockTransactions<Value> = match full {
        false => {
            let hashes: Vec<B256> =
                block.transactions.iter().map(Encodable2718::trie_hash).collect();
            BlockTransactions::Hashes(hashes)
        }
        true => {
            let one = |(index, (transaction, sender)): (usize, (&P::Transaction, &Address))| {
                P::transaction_json(transaction, *sender, Some(Place { block, index }))
            };
            let pairs = block.transactions.iter().zip(&block.senders);
            BlockTransactions::Full(pairs.enumerate().map(one).collect::<Result<_, _>>()?)
        }
    };
    to_result(JsonBlock {
        header: header_json(block, block.encoded().len()),
        uncles: Vec::new(),
        transactions,
        withdrawals: block.withdrawals.clone().map(Into::into),
    })
}
