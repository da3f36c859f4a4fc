//! The encoding of one chain's configuration.
//!
//! ```text
//!   rlp [ version = 1,
//!         [ chain id, [ fork times ], elasticity, denominator, Canyon denominator ],
//!         [ [ hash, number ] of L1, [ hash, number ] of L2, L2 time,
//!           [ batcher, overhead, scalar, gas limit, [ denominator, elasticity ]?,
//!             operator fee scalar, operator fee constant, minimum base fee, DA footprint scalar ] ],
//!         block time, sequencer drift, sequencing window, channel timeout, Granite channel timeout,
//!         Delta time?, Pectra blob schedule time?,
//!         batch inbox, deposit contract, system config contract,
//!         whether Karst's upgrade gas stays,
//!         [ L1 chain id, [ [ time, update fraction ], … ] ] ]
//! ```
//!
//! A value with `?`, and each fork time, is a list of none or one item. Fork times stand in the order
//! of [`Fork::TIMED`].

use super::ConfigError;
use alloc::{vec, vec::Vec};
use alloy_primitives::{Address, B256, U256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use rebut_derivation::{
    BlobFeeSchedule, BlockId, Eip1559Params, Genesis, L1Config, OperatorFee, RollupConfig,
    SystemConfig,
};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};

/// The version of the encoding, its first item.
pub(super) const VERSION: u8 = 1;
/// How many forks have a time.
pub(super) const FORK_COUNT: usize = Fork::TIMED.len();

#[derive(RlpEncodable, RlpDecodable)]
struct Wire {
    version: u8,
    chain: WireChain,
    genesis: WireGenesis,
    block_time: u64,
    max_sequencer_drift: u64,
    seq_window_size: u64,
    channel_timeout: u64,
    granite_channel_timeout: u64,
    delta_time: Vec<u64>,
    pectra_blob_schedule_time: Vec<u64>,
    batch_inbox: Address,
    deposit_contract: Address,
    l1_system_config: Address,
    keep_karst_upgrade_gas: bool,
    l1: WireL1,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireChain {
    chain_id: u64,
    fork_times: Vec<Vec<u64>>,
    elasticity: u32,
    denominator: u32,
    denominator_canyon: u32,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireGenesis {
    l1: WireBlockId,
    l2: WireBlockId,
    l2_time: u64,
    system_config: WireSystemConfig,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireBlockId {
    hash: B256,
    number: u64,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireSystemConfig {
    batcher: Address,
    overhead: U256,
    scalar: U256,
    gas_limit: u64,
    eip_1559: Vec<WireEip1559>,
    operator_fee_scalar: u32,
    operator_fee_constant: u64,
    min_base_fee: u64,
    da_footprint_gas_scalar: u16,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireEip1559 {
    denominator: u32,
    elasticity: u32,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireL1 {
    chain_id: u64,
    blob_fees: Vec<WireBlobFee>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireBlobFee {
    time: u64,
    update_fraction: u64,
}

/// The one encoding of a configuration.
pub fn encode(config: &RollupConfig) -> Vec<u8> {
    let RollupConfig { chain, genesis, l1, .. } = config;
    let fork_times = Fork::TIMED.map(|fork| Vec::from_iter(chain.forks.time(fork)));
    let wire = Wire {
        version: VERSION,
        chain: WireChain {
            chain_id: chain.chain_id,
            fork_times: fork_times.to_vec(),
            elasticity: chain.base_fee.elasticity,
            denominator: chain.base_fee.denominator,
            denominator_canyon: chain.base_fee.denominator_canyon,
        },
        genesis: WireGenesis {
            l1: genesis.l1.into(),
            l2: genesis.l2.into(),
            l2_time: genesis.l2_time,
            system_config: genesis.system_config.into(),
        },
        block_time: config.block_time,
        max_sequencer_drift: config.max_sequencer_drift,
        seq_window_size: config.seq_window_size,
        channel_timeout: config.channel_timeout,
        granite_channel_timeout: config.granite_channel_timeout,
        delta_time: Vec::from_iter(config.delta_time),
        pectra_blob_schedule_time: Vec::from_iter(config.pectra_blob_schedule_time),
        batch_inbox: config.batch_inbox,
        deposit_contract: config.deposit_contract,
        l1_system_config: config.l1_system_config,
        keep_karst_upgrade_gas: config.keep_karst_upgrade_gas,
        l1: WireL1 {
            chain_id: l1.chain_id,
            blob_fees: l1.blob_fees.iter().copied().map(WireBlobFee::from).collect(),
        },
    };
    let mut bytes = vec![];
    wire.encode(&mut bytes);
    bytes
}

/// Reads an encoding.
///
/// # Errors
/// [`ConfigError`] unless `bytes` is what [`encode`] makes of a configuration that passes [`check`].
pub fn decode(bytes: &[u8]) -> Result<RollupConfig, ConfigError> {
    let mut rest = bytes;
    let wire = Wire::decode(&mut rest).map_err(ConfigError::Rlp)?;
    if !rest.is_empty() {
        return Err(ConfigError::Trailing(rest.len()));
    }
    if wire.version != VERSION {
        return Err(ConfigError::Version(wire.version));
    }
    let config = RollupConfig {
        chain: wire.chain.try_into()?,
        genesis: Genesis {
            l1: wire.genesis.l1.into(),
            l2: wire.genesis.l2.into(),
            l2_time: wire.genesis.l2_time,
            system_config: wire.genesis.system_config.try_into()?,
        },
        block_time: wire.block_time,
        max_sequencer_drift: wire.max_sequencer_drift,
        seq_window_size: wire.seq_window_size,
        channel_timeout: wire.channel_timeout,
        granite_channel_timeout: wire.granite_channel_timeout,
        delta_time: optional(wire.delta_time)?,
        pectra_blob_schedule_time: optional(wire.pectra_blob_schedule_time)?,
        batch_inbox: wire.batch_inbox,
        deposit_contract: wire.deposit_contract,
        l1_system_config: wire.l1_system_config,
        keep_karst_upgrade_gas: wire.keep_karst_upgrade_gas,
        l1: L1Config {
            chain_id: wire.l1.chain_id,
            blob_fees: wire.l1.blob_fees.into_iter().map(BlobFeeSchedule::from).collect(),
        },
    };
    check(&config)?;
    Ok(config)
}

/// Whether a chain can have these parameters: what derivation and execution divide by or step by is
/// not zero, and the rules of blob fees follow each other.
///
/// # Errors
/// [`ConfigError::Impossible`] names the first parameter that cannot be.
pub fn check(config: &RollupConfig) -> Result<(), ConfigError> {
    let base_fee = &config.chain.base_fee;
    let positive = [
        ("l2_chain_id", config.chain.chain_id),
        ("l1_chain_id", config.l1.chain_id),
        ("block_time", config.block_time),
        ("seq_window_size", config.seq_window_size),
        ("channel_timeout", config.channel_timeout),
        ("granite_channel_timeout", config.granite_channel_timeout),
        ("genesis.system_config.gasLimit", config.genesis.system_config.gas_limit),
        ("chain_op_config.eip1559Elasticity", base_fee.elasticity.into()),
        ("chain_op_config.eip1559Denominator", base_fee.denominator.into()),
        ("chain_op_config.eip1559DenominatorCanyon", base_fee.denominator_canyon.into()),
    ];
    for (member, value) in positive {
        if value == 0 {
            return Err(ConfigError::Impossible { member, rule: "is zero" });
        }
    }
    if config.chain.chain_id == config.l1.chain_id {
        let rule = "is that of the L1 chain";
        return Err(ConfigError::Impossible { member: "l2_chain_id", rule });
    }
    check_blob_fees(&config.l1.blob_fees)
}

fn check_blob_fees(blob_fees: &[BlobFeeSchedule]) -> Result<(), ConfigError> {
    let member = "blobSchedule";
    if blob_fees.iter().any(|entry| entry.update_fraction == 0) {
        return Err(ConfigError::Impossible { member, rule: "has an update fraction of zero" });
    }
    if !blob_fees.is_sorted_by(|a, b| a.time < b.time) {
        return Err(ConfigError::Impossible { member, rule: "has times that do not ascend" });
    }
    Ok(())
}

/// A list of at most one item as an option.
fn optional<T>(mut items: Vec<T>) -> Result<Option<T>, ConfigError> {
    if items.len() > 1 {
        return Err(ConfigError::Optional(items.len()));
    }
    Ok(items.pop())
}

impl TryFrom<WireChain> for ChainParameters {
    type Error = ConfigError;

    fn try_from(wire: WireChain) -> Result<Self, ConfigError> {
        if wire.fork_times.len() != FORK_COUNT {
            return Err(ConfigError::ForkCount(wire.fork_times.len()));
        }
        let mut forks = ForkTimes::default();
        for (fork, time) in Fork::TIMED.into_iter().zip(wire.fork_times) {
            forks = forks.with(fork, optional(time)?);
        }
        let base_fee = BaseFeeDefaults {
            elasticity: wire.elasticity,
            denominator: wire.denominator,
            denominator_canyon: wire.denominator_canyon,
        };
        Ok(Self { chain_id: wire.chain_id, forks, base_fee })
    }
}

impl From<BlockId> for WireBlockId {
    fn from(BlockId { hash, number }: BlockId) -> Self {
        Self { hash, number }
    }
}

impl From<WireBlockId> for BlockId {
    fn from(WireBlockId { hash, number }: WireBlockId) -> Self {
        Self { hash, number }
    }
}

impl From<SystemConfig> for WireSystemConfig {
    fn from(config: SystemConfig) -> Self {
        let eip_1559 = config.eip_1559.map(|Eip1559Params { denominator, elasticity }| {
            WireEip1559 { denominator, elasticity }
        });
        Self {
            batcher: config.batcher,
            overhead: config.overhead,
            scalar: config.scalar,
            gas_limit: config.gas_limit,
            eip_1559: Vec::from_iter(eip_1559),
            operator_fee_scalar: config.operator_fee.scalar,
            operator_fee_constant: config.operator_fee.constant,
            min_base_fee: config.min_base_fee,
            da_footprint_gas_scalar: config.da_footprint_gas_scalar,
        }
    }
}

impl TryFrom<WireSystemConfig> for SystemConfig {
    type Error = ConfigError;

    fn try_from(wire: WireSystemConfig) -> Result<Self, ConfigError> {
        let eip_1559 = optional(wire.eip_1559)?.map(|WireEip1559 { denominator, elasticity }| {
            Eip1559Params { denominator, elasticity }
        });
        Ok(Self {
            batcher: wire.batcher,
            overhead: wire.overhead,
            scalar: wire.scalar,
            gas_limit: wire.gas_limit,
            eip_1559,
            operator_fee: OperatorFee {
                scalar: wire.operator_fee_scalar,
                constant: wire.operator_fee_constant,
            },
            min_base_fee: wire.min_base_fee,
            da_footprint_gas_scalar: wire.da_footprint_gas_scalar,
        })
    }
}

impl From<BlobFeeSchedule> for WireBlobFee {
    fn from(BlobFeeSchedule { time, update_fraction }: BlobFeeSchedule) -> Self {
        Self { time, update_fraction }
    }
}

impl From<WireBlobFee> for BlobFeeSchedule {
    fn from(WireBlobFee { time, update_fraction }: WireBlobFee) -> Self {
        Self { time, update_fraction }
    }
}
