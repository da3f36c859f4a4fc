//! The batch of a span of blocks, whose fields are grouped by kind so that they compress well.
//!
//! ```text
//!   ┌───────────────┬───────────────┬─────────────────┬────────────────────┐
//!   │ rel_timestamp │ l1_origin_num │ parent_check 20 │ l1_origin_check 20 │
//!   ├─────────────┬─┴───────────┬───┴─────────────┬───┴──────────────────┬─┘
//!   │ block_count │ origin_bits │ block_tx_counts │ transactions         │
//!   └─────────────┴─────────────┴─────────────────┴──────────────────────┘
//! ```
//!
//! Integers are unsigned LEB128 of at most 64 bits; as with protobuf, they need not be minimal.
//!
//! Specification: "Delta", span batch format.

use super::{
    BatchError, MAX_SPAN_BATCH_ELEMENT_COUNT, SingularBatch,
    span_transaction::{self, TransactionError},
};
use crate::RollupConfig;
use alloc::vec::Vec;
use alloy_primitives::{B256, Bytes, FixedBytes};

/// Consecutive blocks in the batcher's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanBatch {
    /// The start of the hash of the block before the span.
    pub parent_check: FixedBytes<20>,
    /// The start of the hash of the last block's L1 origin.
    pub l1_origin_check: FixedBytes<20>,
    /// Whether the first block says that it changes the origin. Validity does not depend on it: the
    /// origin of the block before the span is known.
    pub starts_epoch: bool,
    /// The blocks, at least one.
    pub blocks: Vec<SpanBlock>,
}

/// One block of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanBlock {
    /// Number of the L1 origin.
    pub epoch_number: u64,
    /// The block's time, in seconds.
    pub timestamp: u64,
    /// The block's transactions besides deposits, in their EIP-2718 form.
    pub transactions: Vec<Bytes>,
}

/// Why blocks cannot be written as a span batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpanEncodeError {
    /// There is nothing to write.
    #[error("a span batch needs at least one block")]
    NoBlocks,
    /// A block is not one block time after the one before.
    #[error("block {index} of the span is not one block time after the one before")]
    Time {
        /// In the span.
        index: usize,
    },
    /// A block's origin is neither that of the block before nor the next one.
    #[error("block {index} of the span skips an L1 origin or goes back")]
    Origin {
        /// In the span.
        index: usize,
    },
    /// More blocks or transactions than the protocol allows.
    #[error("the span has more than {MAX_SPAN_BATCH_ELEMENT_COUNT} {0}")]
    TooMany(&'static str),
    /// A transaction cannot be part of a span batch.
    #[error("transaction {index} of the span: {error}")]
    Transaction {
        /// Among the transactions of all blocks.
        index: usize,
        /// What is wrong.
        error: TransactionError,
    },
}

impl SpanBatch {
    /// A span of singular batches, the first of which is the first of its epoch or not.
    ///
    /// `None` without batches.
    pub fn from_singular(batches: &[SingularBatch], starts_epoch: bool) -> Option<Self> {
        let (first, last) = (batches.first()?, batches.last()?);
        let block = |batch: &SingularBatch| SpanBlock {
            epoch_number: batch.epoch_number,
            timestamp: batch.timestamp,
            transactions: batch.transactions.clone(),
        };
        Some(Self {
            parent_check: check(first.parent_hash),
            l1_origin_check: check(last.epoch_hash),
            starts_epoch,
            blocks: batches.iter().map(block).collect(),
        })
    }

    /// Reads the batch after its version byte.
    pub(super) fn decode(data: &[u8], config: &RollupConfig) -> Result<Self, BatchError> {
        let mut reader = Reader { rest: data };
        let relative_timestamp = reader.varint("timestamp")?;
        let l1_origin_number = reader.varint("L1 origin")?;
        let parent_check = FixedBytes::from_slice(reader.take(20, "parent check")?);
        let l1_origin_check = FixedBytes::from_slice(reader.take(20, "L1 origin check")?);

        let block_count = reader.count("blocks")?;
        if block_count == 0 {
            return Err(BatchError::NoBlocks);
        }
        let origin_bits = reader.bits(block_count, "origin bits")?;
        // Each count takes a byte at least, so a span that names too many blocks ends early.
        let mut transaction_counts = Vec::with_capacity(block_count.min(reader.rest.len()));
        let mut transaction_count = 0;
        for _ in 0..block_count {
            let count = reader.count("transactions")?;
            // Neither term exceeds the limit.
            transaction_count += count;
            limit(transaction_count as u64, "transactions")?;
            transaction_counts.push(count);
        }
        let mut transactions =
            span_transaction::decode(&mut reader, transaction_count, config.chain.chain_id)?
                .into_iter();

        // A batch may claim any number and time. Those that make no sense wrap around, as they do
        // for everybody, and match no block.
        let mut epoch_number = l1_origin_number
            .wrapping_sub(origin_bits.iter(1..block_count).filter(|bit| *bit).count() as u64);
        let mut timestamp = config.genesis.l2_time.wrapping_add(relative_timestamp);
        let mut blocks = Vec::with_capacity(block_count);
        for (index, count) in transaction_counts.into_iter().enumerate() {
            if index > 0 {
                epoch_number = epoch_number.wrapping_add(u64::from(origin_bits.get(index)));
                timestamp = timestamp.wrapping_add(config.block_time);
            }
            let transactions = transactions.by_ref().take(count).collect();
            blocks.push(SpanBlock { epoch_number, timestamp, transactions });
        }
        Ok(Self { parent_check, l1_origin_check, starts_epoch: origin_bits.get(0), blocks })
    }

    /// Writes the batch without a version byte.
    pub(super) fn encode(
        &self,
        config: &RollupConfig,
        out: &mut Vec<u8>,
    ) -> Result<(), SpanEncodeError> {
        let (Some(first), Some(last)) = (self.blocks.first(), self.blocks.last()) else {
            return Err(SpanEncodeError::NoBlocks);
        };
        let mut origin_bits = Vec::with_capacity(self.blocks.len());
        origin_bits.push(self.starts_epoch);
        for (index, pair) in self.blocks.windows(2).enumerate() {
            let index = index + 1;
            if pair[1].timestamp != pair[0].timestamp.wrapping_add(config.block_time) {
                return Err(SpanEncodeError::Time { index });
            }
            match pair[1].epoch_number.wrapping_sub(pair[0].epoch_number) {
                step @ (0 | 1) => origin_bits.push(step == 1),
                _ => return Err(SpanEncodeError::Origin { index }),
            }
        }
        let transactions = || self.blocks.iter().flat_map(|block| &block.transactions);
        for (count, what) in
            [(self.blocks.len(), "blocks"), (transactions().count(), "transactions")]
        {
            if count as u64 > MAX_SPAN_BATCH_ELEMENT_COUNT {
                return Err(SpanEncodeError::TooMany(what));
            }
        }

        write_varint(out, first.timestamp.wrapping_sub(config.genesis.l2_time));
        write_varint(out, last.epoch_number);
        out.extend(self.parent_check);
        out.extend(self.l1_origin_check);
        write_varint(out, self.blocks.len() as u64);
        write_bits(out, &origin_bits);
        for block in &self.blocks {
            write_varint(out, block.transactions.len() as u64);
        }
        span_transaction::encode(out, transactions(), config.chain.chain_id)
    }
}

/// What a span batch keeps of a hash.
pub(crate) fn check(hash: B256) -> FixedBytes<20> {
    FixedBytes::from_slice(&hash[..20])
}

fn limit(count: u64, what: &'static str) -> Result<(), BatchError> {
    if count > MAX_SPAN_BATCH_ELEMENT_COUNT { Err(BatchError::TooMany(what)) } else { Ok(()) }
}

/// The bytes of a span batch that are still to be read.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next `length` bytes.
    pub(super) fn take(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], BatchError> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(BatchError::Truncated(what))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next integer.
    pub(super) fn varint(&mut self, what: &'static str) -> Result<u64, BatchError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1, what)?[0];
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if shift == 63 && byte > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BatchError::Integer(what))
    }

    /// The next integer as a number of elements, which is bounded.
    fn count(&mut self, what: &'static str) -> Result<usize, BatchError> {
        let count = self.varint(what)?;
        limit(count, what)?;
        usize::try_from(count).map_err(|_| BatchError::TooMany(what))
    }

    /// A list of `count` bits: a big-endian integer whose lowest bit is the first of the list.
    pub(super) fn bits(
        &mut self,
        count: usize,
        what: &'static str,
    ) -> Result<Bits<'a>, BatchError> {
        let bytes = self.take(count.div_ceil(8), what)?;
        let unused = (bytes.len() * 8 - count) as u32;
        match bytes.first() {
            Some(first) if first.leading_zeros() < unused => Err(BatchError::Bits(what)),
            _ => Ok(Bits { bytes }),
        }
    }
}

/// A list of bits.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
}

impl Bits<'_> {
    /// Bit `index`, clear beyond the end.
    pub(super) fn get(&self, index: usize) -> bool {
        let byte = self.bytes.iter().rev().nth(index / 8);
        byte.is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    fn iter(&self, range: core::ops::Range<usize>) -> impl Iterator<Item = bool> {
        range.map(|index| self.get(index))
    }

    /// How many bits are set.
    pub(super) fn count_ones(&self) -> usize {
        self.bytes.iter().map(|byte| byte.count_ones() as usize).sum()
    }
}

/// Appends an integer in as few bytes as possible.
pub(super) fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a list of bits.
pub(super) fn write_bits(out: &mut Vec<u8>, bits: &[bool]) {
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    out.extend(bits.chunks(8).rev().map(byte));
}
