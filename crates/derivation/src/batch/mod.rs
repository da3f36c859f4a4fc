//! Batches: what the batcher says about the L2 blocks, one block or a span of them at a time.
//!
//! ```text
//!   batch = version 1 ++ content        version 0: singular, 1: span
//! ```
//!
//! Bytes after a complete batch are ignored, as every node of the network does.
//!
//! Invariant: decoding takes memory in proportion to its input, whatever counts the input names.
//!
//! Specification: "Derivation", batch format; "Delta", span batches.

mod singular;
mod span;
mod span_transaction;
mod validity;

use crate::RollupConfig;
use alloc::vec::Vec;
use alloy_rlp::{Decodable, Encodable};
pub use singular::SingularBatch;
pub use span::{SpanBatch, SpanBlock, SpanEncodeError};
pub use span_transaction::TransactionError;
pub use validity::DropReason;
pub(crate) use validity::{Context, Validity, check_singular, check_span, check_span_prefix};

/// Version byte of singular batches.
const SINGULAR: u8 = 0;
/// Version byte of span batches.
const SPAN: u8 = 1;

/// A decoded batch whose validity is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// One block.
    Singular(SingularBatch),
    /// Consecutive blocks.
    Span(SpanBatch),
}

/// Why bytes are no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// No version byte.
    #[error("the batch is empty")]
    Empty,
    /// The version byte has no meaning.
    #[error("batch version {0} is unknown")]
    Version(u8),
    /// A singular batch is not in its RLP form.
    #[error("the singular batch is malformed: {0}")]
    Singular(alloy_rlp::Error),
    /// The input ends within the span batch.
    #[error("the span batch ends within its {0}")]
    Truncated(&'static str),
    /// A variable-length integer has more than 64 bits.
    #[error("an integer of the span batch's {0} is too large")]
    Integer(&'static str),
    /// A bit list has bits beyond its length.
    #[error("the span batch's {0} have bits beyond their number")]
    Bits(&'static str),
    /// A span of no blocks.
    #[error("the span batch has no block")]
    NoBlocks,
    /// More blocks or transactions than the protocol allows.
    #[error("the span batch has more than {MAX_SPAN_BATCH_ELEMENT_COUNT} {0}")]
    TooMany(&'static str),
    /// The data of a span batch's transaction is no list behind a type.
    #[error("the data of transaction {index} of the span batch: {error}")]
    TransactionData {
        /// Among the transactions of all blocks.
        index: usize,
        /// What is wrong.
        error: TransactionError,
    },
    /// A transaction of a span batch is malformed, which spoils that batch alone.
    #[error("transaction {index} of the span batch: {error}")]
    Transaction {
        /// Among the transactions of all blocks.
        index: usize,
        /// What is wrong.
        error: TransactionError,
    },
}

impl BatchError {
    /// Whether the batches that follow in the channel can be read nevertheless.
    pub const fn spares_channel(&self) -> bool {
        matches!(self, Self::Transaction { .. })
    }
}

/// Most blocks, most transactions, and most bytes of one transaction's data in a span batch.
pub(crate) const MAX_SPAN_BATCH_ELEMENT_COUNT: u64 = 10_000_000;

impl Batch {
    /// Reads a batch from the start of `data`.
    ///
    /// # Errors
    /// When there is none, which spoils the rest of its channel, unless [`BatchError::spares_channel`].
    pub fn decode(data: &[u8], config: &RollupConfig) -> Result<Self, BatchError> {
        let (version, mut content) = data.split_first().ok_or(BatchError::Empty)?;
        match *version {
            SINGULAR => SingularBatch::decode(&mut content)
                .map(Self::Singular)
                .map_err(BatchError::Singular),
            SPAN => SpanBatch::decode(content, config).map(Self::Span),
            unknown => Err(BatchError::Version(unknown)),
        }
    }

    /// The batch as a batcher writes it.
    ///
    /// # Errors
    /// When the blocks of a span are not consecutive or hold transactions that have no place there.
    pub fn encode(&self, config: &RollupConfig) -> Result<Vec<u8>, SpanEncodeError> {
        let mut out = Vec::new();
        match self {
            Self::Singular(batch) => {
                out.push(SINGULAR);
                batch.encode(&mut out);
            }
            Self::Span(batch) => {
                out.push(SPAN);
                batch.encode(config, &mut out)?;
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
