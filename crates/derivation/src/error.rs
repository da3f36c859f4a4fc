//! Errors of the pipeline, by what the caller does next.

use crate::{BlockId, L2BlockError};
use alloy_primitives::B256;

/// Why no attributes could be derived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError<E> {
    /// A source lacks something, which its error names. Nothing can be said about the chain.
    #[error(transparent)]
    Source(E),
    /// The pipeline's state does not fit the safe head: start again from the safe head.
    #[error("derivation must start again from the safe head: {0}")]
    Reset(#[from] ResetError),
    /// Nothing can be derived from this L1 chain with this configuration. Give up.
    #[error("derivation is impossible: {0}")]
    Critical(#[from] CriticalError),
}

/// What does not fit the safe head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResetError {
    /// An L1 block does not continue the one before.
    #[error("L1 block {number} has the parent {parent} instead of {expected}")]
    L1Parent {
        /// Of the block.
        number: u64,
        /// Its parent by its header.
        parent: B256,
        /// The block before.
        expected: B256,
    },
    /// A block would have an origin that is neither its parent's nor the one after.
    #[error("the L1 origin {} does not follow {}", .origin.number, .parent_origin.number)]
    Origin {
        /// The origin of the block.
        origin: BlockId,
        /// The origin of the block's parent.
        parent_origin: BlockId,
    },
    /// A block would be older than its origin.
    #[error("an L2 block at {timestamp} would precede its L1 origin at {origin}")]
    Time {
        /// Of the block.
        timestamp: u64,
        /// Of its origin.
        origin: u64,
    },
}

/// Why nothing can be derived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CriticalError {
    /// A receipt is not what the protocol of L1 says.
    #[error("receipt {index} of L1 block {block} is malformed")]
    Receipt {
        /// The L1 block.
        block: u64,
        /// Index of the receipt in the block.
        index: usize,
    },
    /// A transaction is not what the protocol of L1 says.
    #[error("transaction {index} of L1 block {block} is malformed")]
    Transaction {
        /// The L1 block.
        block: u64,
        /// Index of the transaction in the block.
        index: usize,
    },
    /// An event of the portal is no deposit.
    #[error("log {log} of L1 block {block} is a malformed deposit: {reason}")]
    Deposit {
        /// The L1 block.
        block: u64,
        /// Index of the log in the block.
        log: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A block of the safe chain is none that derivation makes.
    #[error("L2 block {number}: {error}")]
    L2Block {
        /// Of the block.
        number: u64,
        /// What is wrong.
        error: L2BlockError,
    },
    /// The pipeline would start to read above the L1 head.
    #[error("L1 block {number}, where derivation starts, is above the L1 head")]
    OriginAboveHead {
        /// The L1 block.
        number: u64,
    },
    /// The safe chain does not reach back to where derivation starts.
    #[error("the epoch before that of L2 block {number} is not in the safe chain")]
    EpochMissing {
        /// The L2 block.
        number: u64,
    },
    /// The safe head is not among the blocks of the safe chain.
    #[error("L2 block {number}, the safe head, is not in the safe chain")]
    SafeHeadMissing {
        /// The L2 block.
        number: u64,
    },
}
