//! What the tests of several modules begin with.

use crate::{BlockId, Eip1559Params, Genesis, L1Config, OperatorFee, RollupConfig, SystemConfig};
use alloc::vec::Vec;
use alloy_primitives::{Address, U256, address};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};

/// The first L2 block's time.
pub(crate) const GENESIS_TIME: u64 = 1_000;

/// The base fee parameters of OP Mainnet.
pub(crate) const BASE_FEE: BaseFeeDefaults =
    BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 };

/// Forks that are all active from the start up to `fork`.
pub(crate) fn forks_up_to(fork: Fork) -> ForkTimes {
    Fork::TIMED
        .into_iter()
        .filter(|timed| *timed <= fork)
        .fold(ForkTimes::default(), |times, timed| times.with(timed, Some(0)))
}

/// A chain of two-second blocks.
pub(crate) fn config(forks: ForkTimes) -> RollupConfig {
    RollupConfig {
        chain: ChainParameters { chain_id: 901, forks, base_fee: BASE_FEE },
        genesis: Genesis {
            l1: BlockId::default(),
            l2: BlockId::default(),
            l2_time: GENESIS_TIME,
            system_config: SystemConfig {
                batcher: address!("0xba7c000000000000000000000000000000000000"),
                overhead: U256::from(188),
                scalar: U256::from(684_000),
                gas_limit: 30_000_000,
                eip_1559: Some(Eip1559Params { denominator: 250, elasticity: 6 }),
                operator_fee: OperatorFee::default(),
                min_base_fee: 0,
                da_footprint_gas_scalar: 0,
            },
        },
        block_time: 2,
        max_sequencer_drift: 600,
        seq_window_size: 10,
        channel_timeout: 300,
        granite_channel_timeout: 50,
        delta_time: None,
        pectra_blob_schedule_time: None,
        batch_inbox: Address::repeat_byte(0xff),
        deposit_contract: Address::repeat_byte(0xde),
        l1_system_config: Address::repeat_byte(0x5c),
        keep_karst_upgrade_gas: false,
        l1: L1Config { chain_id: 900, blob_fees: Vec::new() },
    }
}
