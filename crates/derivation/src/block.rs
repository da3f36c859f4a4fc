//! Blocks by what derivation needs to know of them.

use alloy_consensus::{Header, Sealed};
use alloy_primitives::B256;

/// A block by number and hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BlockId {
    /// The block's hash.
    pub hash: B256,
    /// The block's number.
    pub number: u64,
}

/// An L1 block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L1BlockRef {
    /// Number and hash.
    pub id: BlockId,
    /// Hash of the block before.
    pub parent_hash: B256,
    /// In seconds.
    pub timestamp: u64,
}

impl From<&Sealed<Header>> for L1BlockRef {
    fn from(header: &Sealed<Header>) -> Self {
        Self {
            id: BlockId { hash: header.hash(), number: header.number },
            parent_hash: header.parent_hash,
            timestamp: header.timestamp,
        }
    }
}

/// An L2 block and its place in the sequence of L1 origins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct L2BlockRef {
    /// Number and hash.
    pub id: BlockId,
    /// Hash of the block before.
    pub parent_hash: B256,
    /// In seconds.
    pub timestamp: u64,
    /// The L1 block this block was derived from.
    pub l1_origin: BlockId,
    /// Blocks with the same origin before this one.
    pub sequence_number: u64,
}
