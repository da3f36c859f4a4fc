//! The part of the `debug` namespace that needs the record of a chain only, for either chain.

use super::{ChainView, Params, RpcError, RpcResult, eth};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes};
use serde_json::json;

/// The result of a method of this namespace, `None` for another method.
pub fn call<V: ChainView>(view: &V, method: &str, params: &Params) -> Option<RpcResult> {
    Some(match method {
        "debug_getRawHeader" => {
            raw(view, params, |block| json!(Bytes::from(alloy_rlp::encode(block.header.inner()))))
        }
        "debug_getRawBlock" => raw(view, params, |block| json!(Bytes::from(block.encoded()))),
        "debug_getRawReceipts" => raw(view, params, |block| json!(block.encoded_receipts())),
        "debug_getRawTransaction" => transaction(view, params),
        _ => return None,
    })
}

fn raw<V: ChainView>(
    view: &V,
    params: &Params,
    show: impl FnOnce(&crate::ledger::Block<V::Forms>) -> serde_json::Value,
) -> RpcResult {
    if params.is_empty() {
        return Err(RpcError::params("missing value for required argument 0"));
    }
    Ok(show(&*eth::state_block(view, params, 0)?))
}

fn transaction<V: ChainView>(view: &V, params: &Params) -> RpcResult {
    let hash: B256 = params.get(0)?;
    let mined = view.read(|ledger| {
        let (block, index) = ledger.transaction(hash)?;
        Some(Bytes::from(block.transactions.get(index)?.encoded_2718()))
    });
    let waiting = || view.waiting(hash).map(|(tx, _)| Bytes::from(tx.encoded_2718()));
    mined.or_else(waiting).map(|bytes| json!(bytes)).ok_or_else(|| RpcError::absent("transaction"))
}
