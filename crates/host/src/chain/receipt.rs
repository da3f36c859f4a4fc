//! Receipts: JSON to their consensus encoding.

use alloy_primitives::{Address, B256, Bloom, Bytes, LogData, U64};
use alloy_rlp::{BufMut, Encodable};
use serde::Deserialize;

/// The type of a deposit.
const DEPOSIT_TYPE: u64 = 0x7e;

/// A receipt as nodes give it. Of a type younger than this program it is encoded as all types so far
/// are; the receipts root tells whether that is right.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonReceipt {
    #[serde(default, rename = "type")]
    kind: U64,
    /// From Byzantium on.
    #[serde(default)]
    status: Option<U64>,
    /// Before Byzantium: the state root after the transaction.
    #[serde(default)]
    root: Option<Bytes>,
    cumulative_gas_used: U64,
    logs_bloom: Bloom,
    logs: Vec<JsonLog>,
    /// Of deposits.
    #[serde(default)]
    deposit_nonce: Option<U64>,
    /// Of deposits from Canyon on. Only with it the nonce is part of the encoding.
    #[serde(default)]
    deposit_receipt_version: Option<U64>,
}

#[derive(Debug, Deserialize)]
struct JsonLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

impl JsonReceipt {
    /// `[status or root, cumulative gas, bloom, logs]`, for deposits with nonce and version, behind
    /// the type's byte unless it is 0.
    pub(super) fn encode(&self) -> Bytes {
        let mut fields = Vec::new();
        match (&self.status, &self.root) {
            (Some(status), _) => status.to::<u64>().encode(&mut fields),
            (None, Some(root)) => root.encode(&mut fields),
            (None, None) => 0_u64.encode(&mut fields),
        }
        self.cumulative_gas_used.to::<u64>().encode(&mut fields);
        self.logs_bloom.encode(&mut fields);
        let logs: Vec<alloy_primitives::Log> = self
            .logs
            .iter()
            .map(|log| alloy_primitives::Log {
                address: log.address,
                data: LogData::new_unchecked(log.topics.clone(), log.data.clone()),
            })
            .collect();
        logs.encode(&mut fields);
        let kind = self.kind.to::<u64>();
        if let (DEPOSIT_TYPE, Some(version)) = (kind, self.deposit_receipt_version) {
            self.deposit_nonce.unwrap_or_default().to::<u64>().encode(&mut fields);
            version.to::<u64>().encode(&mut fields);
        }
        let mut encoded = Vec::with_capacity(fields.len() + 10);
        if kind != 0 {
            // Types are below 0x80; a larger number fails at the receipts root.
            encoded.put_u8(u8::try_from(kind).unwrap_or(u8::MAX));
        }
        alloy_rlp::Header { list: true, payload_length: fields.len() }.encode(&mut encoded);
        encoded.extend_from_slice(&fields);
        encoded.into()
    }
}
