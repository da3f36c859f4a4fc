//! What a block is built from besides its parent: the chain's parameters and the attributes.

use crate::ForkTimes;
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes};

/// The parameters of one chain, the same for all its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainParameters {
    /// The chain's id.
    pub chain_id: u64,
    /// When each fork activates.
    pub forks: ForkTimes,
    /// The base fee parameters of blocks whose parent's header does not carry any.
    pub base_fee: BaseFeeDefaults,
}

/// EIP-1559 parameters from the chain's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseFeeDefaults {
    /// Gas limit divided by gas target.
    pub elasticity: u32,
    /// Largest change of the base fee is one part in this, before Canyon.
    pub denominator: u32,
    /// The same from Canyon on.
    pub denominator_canyon: u32,
}

/// The payload attributes that a new block is built from.
///
/// Withdrawals are not among them: a rollup block has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadAttributes {
    /// The block's timestamp, in seconds.
    pub timestamp: u64,
    /// The block's `mixHash`.
    pub prev_randao: B256,
    /// The block's beneficiary.
    pub suggested_fee_recipient: Address,
    /// The block's gas limit.
    pub gas_limit: u64,
    /// Root of the L1 origin's parent beacon block. Ecotone and later.
    pub parent_beacon_block_root: Option<B256>,
    /// Denominator and elasticity, four bytes each. Holocene and later.
    pub eip_1559_params: Option<[u8; 8]>,
    /// The lowest possible base fee. Jovian and later.
    pub min_base_fee: Option<u64>,
    /// All transactions in order, in their EIP-2718 form.
    pub transactions: Vec<Bytes>,
}
