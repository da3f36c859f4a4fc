//! L1 as its nodes serve it: `eth`, `debug`, and the methods by which development chains are steered.
//!
//! ```text
//!   evm_mine [time]                    evm_increaseTime [seconds]     evm_setNextBlockTimestamp [time]
//!   evm_snapshot                       evm_revert [id]
//!   evm_setAutomine [on]               evm_setIntervalMining [seconds; 0: by hand]
//!   anvil_mine [count, seconds between]
//!   anvil_dropTransaction [hash]       anvil_getAutomine
//!   devnet_reorg [first, [[transaction, …], …], drop]   blocks from `first` on are replaced by these;
//!                                      a transaction is raw, or the hash of one that is known; with
//!                                      `drop` what the old blocks held does not wait again
//!   devnet_withdraw [address, gwei]    by a withdrawal in the next block
//!   devnet_dropBlobs [block]           as a beacon node that prunes
//! ```

use super::{ChainView, Fees, JsonForms, Methods, Params, Place, RpcError, RpcResult};
use super::{debug, eth, forms, receipt_fields, to_result};
use crate::{
    call::{Call, CallError, CallOutcome},
    l1::{self, L1, L1Block, MineError, Mining, Node, Pooled, Removed, SubmitError},
    ledger::Ledger,
    state::{StateStore, StoreError},
};
use alloy_consensus::Transaction;
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_eth::Log;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The most blocks that are mined at once.
const MINE_LIMIT: u64 = 10_000;

impl JsonForms for L1 {
    fn transaction_json(
        transaction: &l1::L1Transaction,
        sender: Address,
        place: Option<Place<'_, Self>>,
    ) -> RpcResult {
        to_result(forms::placed(transaction, sender, place))
    }
}

impl ChainView for Node {
    type Forms = L1;

    fn chain_id(&self) -> u64 {
        self.chain().config().chain_id
    }

    fn read<T>(&self, read: impl FnOnce(&Ledger<L1>) -> T) -> T {
        read(self.chain().ledger())
    }

    fn store(&self) -> StateStore {
        self.chain().store().clone()
    }

    fn receipt_json(&self, place: Place<'_, L1>) -> RpcResult {
        let with_logs = |receipt: &l1::L1Receipt, logs: Vec<Log>| {
            let mut logs = logs.into_iter();
            // As many as the receipt has.
            receipt
                .clone()
                .map_logs(|inner| logs.next().unwrap_or_else(|| Log { inner, ..Log::default() }))
        };
        let Some(mut receipt) = receipt_fields(place, with_logs) else { return Ok(Value::Null) };
        let transaction = place.block.transactions.get(place.index);
        if let Some(blob_gas) = transaction.and_then(|transaction| transaction.blob_gas_used()) {
            receipt.blob_gas_used = Some(blob_gas);
            receipt.blob_gas_price = Some(l1::blob_base_fee(&place.block.header));
        }
        to_result(receipt)
    }

    fn submit(&self, bytes: &[u8]) -> Result<B256, RpcError> {
        Ok(Node::submit(self, bytes)?)
    }

    fn call(&self, block: &L1Block, call: &Call) -> Result<CallOutcome, CallError> {
        self.chain().call(block, call)
    }

    fn estimate_gas(&self, block: &L1Block, call: &Call) -> Result<u64, CallError> {
        self.chain().estimate_gas(block, call)
    }

    fn pending_nonce(&self, address: Address) -> Result<u64, StoreError> {
        self.chain().pending_nonce(address)
    }

    fn waiting(&self, hash: B256) -> Option<(l1::L1Transaction, Address)> {
        let chain = self.chain();
        let pooled = chain.pool().get(hash)?;
        Some((pooled.transaction().clone(), pooled.sender()))
    }

    fn next_fees(&self) -> Fees {
        let (base_fee, blob_base_fee) = self.chain().next_fees();
        Fees { base_fee, blob_base_fee }
    }
}

impl From<SubmitError> for RpcError {
    fn from(error: SubmitError) -> Self {
        Self::failed(&error)
    }
}

impl From<MineError> for RpcError {
    fn from(error: MineError) -> Self {
        match error {
            MineError::Range { .. } | MineError::Finalized { .. } => {
                Self::params(error.to_string())
            }
            error => Self::failed(&error),
        }
    }
}

impl Methods for Node {
    fn call(&self, method: &str, params: &Params) -> Option<RpcResult> {
        eth::call(self, method, params)
            .or_else(|| debug::call(self, method, params))
            .or_else(|| steer(self, method, params))
    }
}

/// A number as tools give it: hexadecimal text or a plain number.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Hex(U64),
}

impl Number {
    fn value(self) -> u64 {
        match self {
            Self::Plain(number) => number,
            Self::Hex(number) => number.to(),
        }
    }
}

fn number(params: &Params, index: usize) -> Result<u64, RpcError> {
    Ok(params.get::<Number>(index)?.value())
}

/// The methods that steer the chain.
fn steer(node: &Node, method: &str, params: &Params) -> Option<RpcResult> {
    Some(match method {
        "evm_mine" => evm_mine(node, params),
        "anvil_mine" | "hardhat_mine" => mine_many(node, params),
        "evm_increaseTime" => number(params, 0).map(|seconds| {
            let mut chain = node.chain();
            chain.increase_time(seconds);
            json!(chain.next_timestamp())
        }),
        "evm_setNextBlockTimestamp" => set_time(node, params),
        "evm_snapshot" => Ok(json!(U64::from(node.chain().snapshot()))),
        "evm_revert" => number(params, 0).and_then(|id| {
            let reverted = node.chain().revert(id).map_err(|error| RpcError::failed(&error))?;
            Ok(json!(reverted))
        }),
        "evm_setAutomine" => params.get::<bool>(0).map(|on| {
            node.set_mining(if on { Mining::Automatic } else { Mining::Manual });
            Value::Null
        }),
        "anvil_getAutomine" => Ok(json!(node.mining() == Mining::Automatic)),
        "evm_setIntervalMining" => number(params, 0).map(|seconds| {
            node.set_mining(match seconds {
                0 => Mining::Manual,
                seconds => Mining::Interval(Duration::from_secs(seconds)),
            });
            Value::Null
        }),
        "anvil_dropTransaction" => params
            .get(0)
            .map(|hash: B256| json!(node.chain().drop_transaction(hash).then_some(hash))),
        "devnet_reorg" => reorg(node, params),
        "devnet_withdraw" => params.get::<Address>(0).and_then(|address| {
            node.chain().withdraw(address, number(params, 1)?);
            Ok(Value::Null)
        }),
        "devnet_dropBlobs" => params.get::<BlockId>(0).map(|id| {
            let mut chain = node.chain();
            let hash = chain.ledger().by_id(id).map(|block| block.hash());
            json!(hash.is_some_and(|hash| chain.drop_blobs(hash)))
        }),
        _ => return None,
    })
}

fn set_time(node: &Node, params: &Params) -> RpcResult {
    let time = number(params, 0)?;
    node.chain().set_next_timestamp(time).map_err(|error| RpcError::params(error.to_string()))?;
    Ok(Value::Null)
}

/// The time of the block, as a number or in an object, as different tools send it.
#[derive(Deserialize)]
#[serde(untagged)]
enum MineOptions {
    Time(Number),
    Object { timestamp: Option<Number>, blocks: Option<u64> },
}

fn evm_mine(node: &Node, params: &Params) -> RpcResult {
    let (time, blocks) = match params.optional(0)? {
        None => (None, None),
        Some(MineOptions::Time(time)) => (Some(time), None),
        Some(MineOptions::Object { timestamp, blocks }) => (timestamp, blocks),
    };
    let mut chain = node.chain();
    if let Some(time) = time {
        let set = chain.set_next_timestamp(time.value());
        set.map_err(|error| RpcError::params(error.to_string()))?;
    }
    for _ in 0..limited(blocks.unwrap_or(1))? {
        chain.mine()?;
    }
    Ok(json!("0x0"))
}

fn mine_many(node: &Node, params: &Params) -> RpcResult {
    let count = params.optional::<Number>(0)?.map_or(1, Number::value);
    let between = params.optional::<Number>(1)?.map(Number::value);
    let mut chain = node.chain();
    for mined in 0..limited(count)? {
        if let (1.., Some(seconds)) = (mined, between) {
            let next = chain.latest().header.timestamp.saturating_add(seconds);
            let set = chain.set_next_timestamp(next);
            set.map_err(|error| RpcError::params(error.to_string()))?;
        }
        chain.mine()?;
    }
    Ok(Value::Null)
}

fn limited(count: u64) -> Result<u64, RpcError> {
    match count {
        0..=MINE_LIMIT => Ok(count),
        _ => Err(RpcError::params(format!("more than {MINE_LIMIT} blocks"))),
    }
}

fn reorg(node: &Node, params: &Params) -> RpcResult {
    let first = number(params, 0)?;
    let blocks: Vec<Vec<Bytes>> = params.optional(1)?.unwrap_or_default();
    let removed = match params.optional(2)?.unwrap_or(false) {
        true => Removed::Dropped,
        false => Removed::Wait,
    };
    let mut chain = node.chain();
    let transaction = |bytes: &Bytes| match <[u8; 32]>::try_from(bytes.as_ref()) {
        Ok(hash) => chain.pooled(hash.into()).ok_or_else(|| RpcError::absent("transaction")),
        Err(_) => Pooled::decode(bytes).map(Arc::new).map_err(|error| RpcError::failed(&error)),
    };
    let blocks = blocks
        .iter()
        .map(|block| block.iter().map(transaction).collect())
        .collect::<Result<Vec<Vec<_>>, _>>()?;
    let new = chain.reorg(first, &blocks, removed)?;
    Ok(json!(new.iter().map(|block| block.hash()).collect::<Vec<_>>()))
}
