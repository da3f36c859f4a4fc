//! The batch of one block.

use alloc::vec::Vec;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// One block in the batcher's words. The fields are in the order of their RLP form.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SingularBatch {
    /// Hash of the L2 block before.
    pub parent_hash: B256,
    /// Number of the L1 origin.
    pub epoch_number: u64,
    /// Hash of the L1 origin.
    pub epoch_hash: B256,
    /// The block's time, in seconds.
    pub timestamp: u64,
    /// The block's transactions besides deposits, in their EIP-2718 form.
    pub transactions: Vec<Bytes>,
}
