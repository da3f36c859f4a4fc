//! The `eth`, `net` and `web3` namespaces, for either chain.

use super::{
    ChainView, Params, Place, RpcError, RpcResult,
    forms::{self, JsonForms},
    log_json, to_result,
};
use crate::{
    call::Call,
    ledger::{Block, Ledger},
};
use alloy_consensus::Transaction;
use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash, eip2718::Encodable2718};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{FeeHistory, Filter, TransactionRequest};
use alloy_serde::JsonStorageKey;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// The most blocks of one fee history.
const FEE_HISTORY_LIMIT: u64 = 1_024;
/// The most slots of one proof.
const PROOF_LIMIT: usize = 1_024;
/// What is proposed as a priority fee when there is nothing to learn from, in wei.
const USUAL_TIP: u128 = 1_000_000_000;

/// The result of a method of these namespaces, `None` for another method.
pub fn call<V: ChainView>(view: &V, method: &str, params: &Params) -> Option<RpcResult> {
    Some(match method {
        "web3_clientVersion" => Ok(json!(concat!("rebut/", env!("CARGO_PKG_VERSION")))),
        "net_version" => Ok(json!(view.chain_id().to_string())),
        "net_listening" => Ok(json!(true)),
        "eth_chainId" => Ok(json!(U64::from(view.chain_id()))),
        "eth_syncing" => Ok(json!(false)),
        "eth_accounts" => Ok(json!([])),
        "eth_blockNumber" => view.read(|ledger| Ok(json!(U64::from(ledger.latest().number())))),
        "eth_getBlockByNumber" | "eth_getBlockByHash" => block(view, method, params),
        "eth_getBlockTransactionCountByNumber" | "eth_getBlockTransactionCountByHash" => {
            found_or_null(find(view, method, params), |block| {
                Ok(json!(U64::from(block.transactions.len())))
            })
        }
        "eth_getUncleCountByBlockNumber" | "eth_getUncleCountByBlockHash" => {
            found_or_null(find(view, method, params), |_| Ok(json!("0x0")))
        }
        "eth_getTransactionByHash" => transaction(view, params),
        "eth_getRawTransactionByHash" => raw_transaction(view, params),
        "eth_getTransactionByBlockNumberAndIndex" | "eth_getTransactionByBlockHashAndIndex" => {
            transaction_of_block(view, method, params, false)
        }
        "eth_getRawTransactionByBlockNumberAndIndex"
        | "eth_getRawTransactionByBlockHashAndIndex" => {
            transaction_of_block(view, method, params, true)
        }
        "eth_getTransactionReceipt" => receipt(view, params),
        "eth_getBlockReceipts" => block_receipts(view, params),
        "eth_getLogs" => logs(view, params),
        "eth_getBalance" => balance(view, params),
        "eth_getTransactionCount" => nonce(view, params),
        "eth_getCode" => code(view, params),
        "eth_getStorageAt" => storage(view, params),
        "eth_getProof" => proof(view, params),
        "eth_call" => execute(view, params),
        "eth_estimateGas" => estimate(view, params),
        "eth_gasPrice" => {
            let price = u128::from(view.next_fees().base_fee).saturating_add(tip(view));
            Ok(json!(U256::from(price)))
        }
        "eth_maxPriorityFeePerGas" => Ok(json!(U256::from(tip(view)))),
        "eth_blobBaseFee" => Ok(json!(U256::from(view.next_fees().blob_base_fee))),
        "eth_feeHistory" => fee_history(view, params),
        "eth_sendRawTransaction" => {
            params.get::<Bytes>(0).and_then(|bytes| view.submit(&bytes)).map(|hash| json!(hash))
        }
        _ => return None,
    })
}

type Found<V> = Arc<Block<<V as ChainView>::Forms>>;

/// The block that the first parameter names: by hash or by number, as the method says.
fn find<V: ChainView>(
    view: &V,
    method: &str,
    params: &Params,
) -> Result<Option<Found<V>>, RpcError> {
    let id = if method.contains("ByHash") || method.contains("ByBlockHash") {
        BlockId::Hash(RpcBlockHash::from_hash(params.get(0)?, None))
    } else {
        BlockId::Number(params.get::<BlockNumberOrTag>(0)?)
    };
    Ok(view.read(|ledger| ledger.by_id(id).cloned()))
}

/// The block that a parameter names, by number, tag or hash; the latest by default.
pub(super) fn state_block<V: ChainView>(
    view: &V,
    params: &Params,
    index: usize,
) -> Result<Found<V>, RpcError> {
    let id = params.optional::<BlockId>(index)?.unwrap_or_default();
    let found = view.read(|ledger| ledger.by_id(id).cloned());
    found.ok_or_else(|| RpcError::absent("header"))
}

/// What is to be told of a block, or null for one that is not known.
fn found_or_null<B>(
    found: Result<Option<B>, RpcError>,
    tell: impl FnOnce(B) -> RpcResult,
) -> RpcResult {
    found?.map_or(Ok(Value::Null), tell)
}

fn block<V: ChainView>(view: &V, method: &str, params: &Params) -> RpcResult {
    let full = params.optional(1)?.unwrap_or(false);
    found_or_null(find(view, method, params), |block| forms::block_json(&block, full))
}

fn transaction<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let hash = params.get(0)?;
    match placed(view, hash) {
        Some((block, index)) => at_place::<V>(&block, index),
        None => match view.waiting(hash) {
            Some((transaction, sender)) => V::Forms::transaction_json(&transaction, sender, None),
            None => Ok(Value::Null),
        },
    }
}

fn raw_transaction<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let hash = params.get(0)?;
    if let Some((block, index)) = placed(view, hash) {
        return Ok(raw_at_place::<V>(&block, index));
    }
    let waiting = view.waiting(hash);
    Ok(waiting.map_or(Value::Null, |(tx, _)| json!(Bytes::from(tx.encoded_2718()))))
}

/// Block and position of a transaction.
fn placed<V: ChainView>(view: &V, hash: B256) -> Option<(Found<V>, usize)> {
    view.read(|ledger| ledger.transaction(hash).map(|(block, index)| (Arc::clone(block), index)))
}

fn at_place<V: ChainView>(block: &Block<V::Forms>, index: usize) -> RpcResult {
    match (block.transactions.get(index), block.senders.get(index)) {
        (Some(transaction), Some(sender)) => {
            V::Forms::transaction_json(transaction, *sender, Some(Place { block, index }))
        }
        _ => Ok(Value::Null),
    }
}

fn raw_at_place<V: ChainView>(block: &Block<V::Forms>, index: usize) -> Value {
    let transaction = block.transactions.get(index);
    transaction.map_or(Value::Null, |tx| json!(Bytes::from(tx.encoded_2718())))
}

fn transaction_of_block<V: ChainView>(
    view: &V,
    method: &str,
    params: &Params,
    raw: bool,
) -> RpcResult {
    let index = usize::try_from(params.get::<U64>(1)?).unwrap_or(usize::MAX);
    found_or_null(find(view, method, params), |block| match raw {
        true => Ok(raw_at_place::<V>(&block, index)),
        false => at_place::<V>(&block, index),
    })
}

fn receipt<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    match placed(view, params.get(0)?) {
        Some((block, index)) => view.receipt_json(Place { block: &block, index }),
        None => Ok(Value::Null),
    }
}

fn block_receipts<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let id = params.get::<BlockId>(0)?;
    found_or_null(Ok(view.read(|ledger| ledger.by_id(id).cloned())), |block: Found<V>| {
        let receipt = |index| view.receipt_json(Place { block: &block, index });
        (0..block.receipts.len()).map(receipt).collect::<Result<Vec<_>, _>>().map(Value::Array)
    })
}

fn logs<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let filter: Filter = params.get(0)?;
    let found = view.read(|ledger| ledger.logs(&filter))?;
    let json = found
        .iter()
        .map(|found| log_json(&found.block, found.transaction, found.index, &found.log));
    to_result(json.collect::<Vec<_>>())
}

fn balance<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let root = state_block(view, params, 1)?.header.state_root;
    let account = view.store().account(root, params.get(0)?)?;
    Ok(json!(account.unwrap_or_default().balance))
}

fn nonce<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let address: Address = params.get(0)?;
    if params.optional(1)? == Some(BlockId::pending()) {
        return Ok(json!(U64::from(view.pending_nonce(address)?)));
    }
    let root = state_block(view, params, 1)?.header.state_root;
    Ok(json!(U64::from(view.store().account(root, address)?.unwrap_or_default().nonce)))
}

fn code<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let root = state_block(view, params, 1)?.header.state_root;
    Ok(json!(view.store().code(root, params.get(0)?)?))
}

fn storage<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let root = state_block(view, params, 2)?.header.state_root;
    let slot = params.get::<JsonStorageKey>(1)?.as_b256();
    Ok(json!(B256::from(view.store().storage(root, params.get(0)?, slot.into())?)))
}

fn proof<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let root = state_block(view, params, 2)?.header.state_root;
    let slots: Vec<JsonStorageKey> = params.optional(1)?.unwrap_or_default();
    if slots.len() > PROOF_LIMIT {
        return Err(RpcError::params(format!("more than {PROOF_LIMIT} slots")));
    }
    to_result(view.store().proof(root, params.get(0)?, &slots)?)
}

/// What may be changed of an account for the length of a call.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    code: Bytes,
}

/// The call of the first parameter. Of overrides, which are the third, only code is supported; others are refused
/// rather than ignored.
fn call_of(params: &Params) -> Result<Call, RpcError> {
    let request: TransactionRequest = params.get(0)?;
    let overrides = params
        .optional::<BTreeMap<Address, Override>>(2)
        .map_err(|_| RpcError::params("overrides of anything but code are not supported"))?;
    for index in 3..params.len() {
        if params.optional::<Value>(index)?.is_some() {
            return Err(RpcError::params("block overrides are not supported"));
        }
    }
    let input = match (&request.input.input, &request.input.data) {
        (Some(input), Some(data)) if input != data => {
            return Err(RpcError::params("\"data\" and \"input\" are set and not equal"));
        }
        (Some(input), _) | (None, Some(input)) => input.clone(),
        (None, None) => Bytes::new(),
    };
    Ok(Call {
        from: request.from.unwrap_or_default(),
        to: request.to.and_then(|kind| kind.to().copied()),
        gas: request.gas,
        value: request.value.unwrap_or_default(),
        input,
        access_list: request.access_list.unwrap_or_default(),
        code: overrides
            .unwrap_or_default()
            .into_iter()
            .map(|(address, changed)| (address, changed.code))
            .collect(),
    })
}

fn execute<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let call = call_of(params)?;
    Ok(json!(view.call(&*state_block(view, params, 1)?, &call)?.output))
}

fn estimate<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let call = call_of(params)?;
    let block = state_block(view, params, 1)?;
    Ok(json!(U64::from(view.estimate_gas(&block, &call)?)))
}

/// The priority fee to offer, in wei: what the cheapest transaction of the latest block paid, if it had
/// any, and not less than would be noticed.
fn tip<V: ChainView>(view: &V) -> u128 {
    view.read(|ledger| {
        let block = ledger.latest();
        let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
        let paid = block.transactions.iter().filter(|tx| is_priced(*tx));
        let least = paid.filter_map(|tx| tx.effective_tip_per_gas(base_fee)).min();
        least.unwrap_or(USUAL_TIP).clamp(1, USUAL_TIP)
    })
}

/// Deposits pay nothing.
fn is_priced(transaction: &impl Transaction) -> bool {
    transaction.max_fee_per_gas() > 0
}

fn fee_history<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let count = params.get::<U64>(0)?.to::<u64>().min(FEE_HISTORY_LIMIT);
    let last: BlockNumberOrTag = params.get(1)?;
    let percentiles: Vec<f64> = params.optional(2)?.unwrap_or_default();
    if percentiles.len() > 100
        || !percentiles.is_sorted()
        || percentiles.iter().any(|percentile| !(0.0..=100.0).contains(percentile))
    {
        return Err(RpcError::params("invalid reward percentile"));
    }
    let fees = view.next_fees();
    view.read(|ledger| {
        let last = ledger.by_tag(last).ok_or_else(|| RpcError::absent("block"))?.number();
        let first = last.saturating_add(1).saturating_sub(count).max(ledger.first());
        let blocks: Vec<_> = (first..=last).filter_map(|number| ledger.block(number)).collect();
        to_result(history(ledger, &blocks, fees, &percentiles))
    })
}

fn history<P: JsonForms>(
    ledger: &Ledger<P>,
    blocks: &[&Arc<Block<P>>],
    next: super::Fees,
    percentiles: &[f64],
) -> FeeHistory {
    let mut history = FeeHistory {
        oldest_block: blocks.first().map_or(0, |block| block.number()),
        ..FeeHistory::default()
    };
    let mut rewards = Vec::new();
    for block in blocks {
        let header = block.header.inner();
        history.base_fee_per_gas.push(header.base_fee_per_gas.unwrap_or_default().into());
        history.gas_used_ratio.push(ratio(header.gas_used, header.gas_limit));
        rewards.push(tips(block, percentiles));
    }
    // One more than there are blocks: what comes after the last one.
    let after = blocks.last().and_then(|block| ledger.block(block.number() + 1));
    let base_fee =
        after.map_or(next.base_fee, |block| block.header.base_fee_per_gas.unwrap_or_default());
    history.base_fee_per_gas.push(base_fee.into());
    history.reward = (!percentiles.is_empty()).then_some(rewards);
    history
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The tips at these percentiles of the gas that a block used.
fn tips<P: JsonForms>(block: &Block<P>, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or_default();
    let priced = block.transactions.iter().enumerate().filter(|(_, tx)| is_priced(*tx));
    let mut paid: Vec<(u128, u64)> = priced
        .filter_map(|(index, tx)| {
            Some((tx.effective_tip_per_gas(base_fee)?, block.gas_used(index)?))
        })
        .collect();
    paid.sort_unstable();
    let total: u64 = paid.iter().map(|(_, gas)| gas).sum();
    let at = |percentile: &f64| {
        let threshold = (total as f64 * percentile / 100.0) as u64;
        let mut sum = 0;
        let reached = |(_, gas): &&(u128, u64)| {
            sum += gas;
            sum >= threshold
        };
        paid.iter().find(reached).map_or(0, |(tip, _)| *tip)
    };
    percentiles.iter().map(at).collect()
}
