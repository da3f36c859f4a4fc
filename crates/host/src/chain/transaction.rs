//! Transactions: JSON or a raw block to their consensus encodings.

use super::ChainKind;
use crate::source::Fault;
use alloy_consensus::{EthereumTxEnvelope, TxEip4844};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U128, U256};
use alloy_rlp::PayloadView;
use op_alloy_consensus::TxDeposit;
use serde::Deserialize;
use serde_json::Value;

/// The transactions of an encoded block.
pub(super) fn of_raw_block(raw: &[u8]) -> Option<Vec<Bytes>> {
    let mut rest = raw;
    let PayloadView::List(parts) = alloy_rlp::Header::decode_raw(&mut rest).ok()? else {
        return None;
    };
    let mut list = *parts.get(1)?;
    let PayloadView::List(items) = alloy_rlp::Header::decode_raw(&mut list).ok()? else {
        return None;
    };
    let transaction = |item: &[u8]| match alloy_rlp::Header::decode_raw(&mut &*item).ok()? {
        // A legacy transaction is a list in the list, a typed one a string.
        PayloadView::List(_) => Some(Bytes::copy_from_slice(item)),
        PayloadView::String(typed) => Some(Bytes::copy_from_slice(typed)),
    };
    items.into_iter().map(transaction).collect()
}

/// The encoding of a transaction, `None` for a type that this program does not know.
pub(super) fn encode(json: &Value, kind: ChainKind) -> Result<Option<Bytes>, Fault> {
    let number: Option<U64> = match json.get("type") {
        Some(number) => serde_json::from_value(number.clone()).map_err(Fault::Shape)?,
        None => None,
    };
    let json = without_nulls(json);
    let raw = match (kind, number.unwrap_or_default().to::<u64>()) {
        (_, 0..=2 | 4) | (ChainKind::L1, 3) => {
            let transaction: EthereumTxEnvelope<TxEip4844> =
                serde_json::from_value(json).map_err(Fault::Shape)?;
            transaction.encoded_2718()
        }
        (ChainKind::L2, 0x7e) => {
            let deposit: JsonDeposit = serde_json::from_value(json).map_err(Fault::Shape)?;
            TxDeposit::from(deposit).encoded_2718()
        }
        _ => return Ok(None),
    };
    Ok(Some(raw.into()))
}

/// A deposit as L2 nodes give it, beside members that all transactions have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonDeposit {
    source_hash: B256,
    from: Address,
    #[serde(default)]
    to: Option<Address>,
    #[serde(default)]
    mint: U128,
    value: U256,
    gas: U64,
    #[serde(default)]
    is_system_tx: Flag,
    input: Bytes,
}

/// Some nodes write a quantity.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Plain(bool),
    Quantity(U64),
}

impl Default for Flag {
    fn default() -> Self {
        Self::Plain(false)
    }
}

impl From<JsonDeposit> for TxDeposit {
    fn from(deposit: JsonDeposit) -> Self {
        Self {
            source_hash: deposit.source_hash,
            from: deposit.from,
            to: deposit.to.map_or(TxKind::Create, TxKind::Call),
            mint: deposit.mint.to(),
            value: deposit.value,
            gas_limit: deposit.gas.to(),
            is_system_transaction: match deposit.is_system_tx {
                Flag::Plain(flag) => flag,
                Flag::Quantity(number) => !number.is_zero(),
            },
            input: deposit.input,
        }
    }
}

/// Nodes write `null` for what a transaction does not have, also where a member should be absent.
fn without_nulls(json: &Value) -> Value {
    match json {
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        other => other.clone(),
    }
}
