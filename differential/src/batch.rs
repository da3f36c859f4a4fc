//! Batches as a batcher writes them, by the field, so that each field can be wrong.

use crate::{
    rlp,
    user_transaction::{Kind, UserTransaction},
};
use alloy_primitives::B256;

/// A batch of one block.
#[derive(Clone, Debug)]
pub struct Singular {
    /// Hash of the block before.
    pub parent_hash: B256,
    /// Number of the origin.
    pub epoch_number: u64,
    /// Hash of the origin.
    pub epoch_hash: B256,
    /// In seconds.
    pub timestamp: u64,
    /// Any bytes.
    pub transactions: Vec<Vec<u8>>,
}

impl Singular {
    /// With its version byte.
    pub fn encode(&self) -> Vec<u8> {
        let transactions: Vec<Vec<u8>> =
            self.transactions.iter().map(|bytes| rlp::string(bytes)).collect();
        let mut out = vec![0];
        out.extend(rlp::list(&[
            rlp::value(self.parent_hash),
            rlp::value(self.epoch_number),
            rlp::value(self.epoch_hash),
            rlp::value(self.timestamp),
            rlp::list(&transactions),
        ]));
        out
    }
}

/// A batch of consecutive blocks.
#[derive(Clone, Debug)]
pub struct Span {
    /// Since the L2 genesis.
    pub relative_timestamp: u64,
    /// Number of the last block's origin.
    pub l1_origin_number: u64,
    /// Start of a hash.
    pub parent_check: [u8; 20],
    /// Start of a hash.
    pub l1_origin_check: [u8; 20],
    /// For each block whether its origin is new.
    pub origin_bits: Vec<bool>,
    /// The blocks' transactions.
    pub blocks: Vec<Vec<UserTransaction>>,
}

impl Span {
    /// With its version byte.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![1];
        varint(&mut out, self.relative_timestamp);
        varint(&mut out, self.l1_origin_number);
        out.extend(self.parent_check);
        out.extend(self.l1_origin_check);
        varint(&mut out, self.blocks.len() as u64);
        bits(&mut out, self.origin_bits.iter().copied());
        for block in &self.blocks {
            varint(&mut out, block.len() as u64);
        }
        let all = || self.blocks.iter().flatten();
        bits(&mut out, all().map(|transaction| transaction.to.is_none()));
        bits(&mut out, all().map(|transaction| transaction.parity));
        for transaction in all() {
            out.extend(transaction.r.to_be_bytes::<32>());
            out.extend(transaction.s.to_be_bytes::<32>());
        }
        all().filter_map(|transaction| transaction.to).for_each(|to| out.extend(to));
        all().for_each(|transaction| out.extend(transaction.span_data()));
        all().for_each(|transaction| varint(&mut out, transaction.nonce));
        all().for_each(|transaction| varint(&mut out, transaction.gas));
        let legacy = all().filter(|t| matches!(t.kind, Kind::Legacy | Kind::Unprotected));
        bits(&mut out, legacy.map(|transaction| transaction.kind == Kind::Legacy));
        out
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn bits(out: &mut Vec<u8>, list: impl Iterator<Item = bool>) {
    let list: Vec<bool> = list.collect();
    let mut bytes = vec![0u8; list.len().div_ceil(8)];
    let length = bytes.len();
    for (index, _) in list.iter().enumerate().filter(|(_, bit)| **bit) {
        bytes[length - 1 - index / 8] |= 1 << (index % 8);
    }
    out.extend(bytes);
}
