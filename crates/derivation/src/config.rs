//! The parameters of a chain, fixed and changing.
//!
//! Specification: "Rollup configuration"; facts about forks stand in `rebut_execution::Fork`, except
//! for the two that concern derivation alone.

use crate::BlockId;
use alloc::vec::Vec;
use alloy_primitives::{Address, U256};
use rebut_execution::{ChainParameters, Fork};

/// What derivation depends on besides L1 data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupConfig {
    /// What execution needs to know: chain id, forks, base fee.
    pub chain: ChainParameters,
    /// Where the chain begins.
    pub genesis: Genesis,
    /// Seconds between two L2 blocks.
    pub block_time: u64,
    /// How far a block's time may be ahead of its origin's, in seconds, before Fjord.
    pub max_sequencer_drift: u64,
    /// L1 blocks after an origin within which a batch for it must be included.
    pub seq_window_size: u64,
    /// L1 blocks within which a channel must be complete, before Granite.
    pub channel_timeout: u64,
    /// The same from Granite on.
    pub granite_channel_timeout: u64,
    /// When span batches begin. Ecotone and later forks imply it.
    pub delta_time: Option<u64>,
    /// When L1's Prague blob fees are followed, for chains that activated Isthmus after L1 did
    /// Prague and went on with the older ones.
    pub pectra_blob_schedule_time: Option<u64>,
    /// Where the batcher sends its transactions.
    pub batch_inbox: Address,
    /// Emits the deposit events: the portal.
    pub deposit_contract: Address,
    /// Emits the updates of the system config.
    pub l1_system_config: Address,
    /// The gas limit stays raised by Karst's upgrade transactions after its first block.
    pub keep_karst_upgrade_gas: bool,
    /// The chain below.
    pub l1: L1Config,
}

/// What derivation depends on of the chain below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L1Config {
    /// The chain's id.
    pub chain_id: u64,
    /// The blob fee rules by time, ascending. Blocks before the first use the rules of Cancun.
    pub blob_fees: Vec<BlobFeeSchedule>,
}

/// From `time` on, this fraction controls how fast the blob base fee moves (EIP-7840).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobFeeSchedule {
    /// In seconds.
    pub time: u64,
    /// `baseFeeUpdateFraction`.
    pub update_fraction: u64,
}

/// Where an L2 chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The L1 block the chain starts from.
    pub l1: BlockId,
    /// The first L2 block.
    pub l2: BlockId,
    /// The first L2 block's timestamp, in seconds.
    pub l2_time: u64,
    /// The system config at the start.
    pub system_config: SystemConfig,
}

/// The parameters that L1 can change while the chain runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemConfig {
    /// Who may send batches.
    pub batcher: Address,
    /// L1 fee overhead, before Ecotone.
    pub overhead: U256,
    /// L1 fee scalar, or the two scalars of Ecotone in their packed form.
    pub scalar: U256,
    /// Gas limit of L2 blocks.
    pub gas_limit: u64,
    /// EIP-1559 parameters, `None` until they are first set (Holocene).
    pub eip_1559: Option<Eip1559Params>,
    /// Operator fee (Isthmus).
    pub operator_fee: OperatorFee,
    /// Lowest base fee (Jovian).
    pub min_base_fee: u64,
    /// Gas of one byte of data (Jovian), 0 if it was never set.
    pub da_footprint_gas_scalar: u16,
}

/// EIP-1559 parameters of a system config.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Eip1559Params {
    /// Largest change of the base fee is one part in this.
    pub denominator: u32,
    /// Gas limit divided by gas target.
    pub elasticity: u32,
}

/// What an operator charges on top of gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperatorFee {
    /// Per gas, in millionths (hundreds from Jovian on).
    pub scalar: u32,
    /// Per transaction, in wei.
    pub constant: u64,
}

impl RollupConfig {
    /// The latest fork of execution that is active at `timestamp`.
    pub fn fork(&self, timestamp: u64) -> Fork {
        self.chain.forks.active(timestamp)
    }

    /// Whether `fork` is active at `timestamp`.
    pub fn is_active(&self, fork: Fork, timestamp: u64) -> bool {
        self.fork(timestamp) >= fork
    }

    /// Whether an L2 block at `timestamp` is the first one of `fork`.
    pub fn is_first_block(&self, fork: Fork, timestamp: u64) -> bool {
        self.is_active(fork, timestamp)
            && timestamp
                .checked_sub(self.block_time)
                .is_some_and(|parent| !self.is_active(fork, parent))
    }

    /// Whether span batches are allowed at `timestamp`.
    pub fn is_delta(&self, timestamp: u64) -> bool {
        self.delta_time.is_some_and(|time| time <= timestamp)
            || self.is_active(Fork::Ecotone, timestamp)
    }

    /// How many L1 blocks a channel may take whose frame is in an L1 block at `timestamp`.
    pub fn channel_timeout(&self, timestamp: u64) -> u64 {
        if self.is_active(Fork::Granite, timestamp) {
            self.granite_channel_timeout
        } else {
            self.channel_timeout
        }
    }

    /// How far ahead of an origin at `timestamp` a block's time may be, in seconds.
    pub fn max_sequencer_drift(&self, timestamp: u64) -> u64 {
        /// Fjord makes it a constant.
        const FJORD_DRIFT: u64 = 1800;
        if self.is_active(Fork::Fjord, timestamp) { FJORD_DRIFT } else { self.max_sequencer_drift }
    }

    /// The bytes that the batches of one channel may have at an L1 origin at `timestamp`.
    pub fn max_rlp_bytes_per_channel(&self, timestamp: u64) -> usize {
        if self.is_active(Fork::Fjord, timestamp) { 100_000_000 } else { 10_000_000 }
    }

    /// The bytes that a channel bank may hold at an L1 origin at `timestamp`.
    pub fn max_channel_bank_bytes(&self, timestamp: u64) -> usize {
        if self.is_active(Fork::Fjord, timestamp) { 1_000_000_000 } else { 100_000_000 }
    }
}
