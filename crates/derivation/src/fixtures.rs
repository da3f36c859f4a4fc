//! What the tests of several modules begin with.

use crate::{
    BlockId, ChannelId, Eip1559Params, Frame, Genesis, L1BlockRef, L1Config, OperatorFee,
    RollupConfig, SystemConfig,
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256, address};
use proptest::{prelude::ProptestConfig, test_runner::RngSeed};
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

/// The same chain, on which `forks` activate at the given times.
pub(crate) fn config_at(forks: &[(Fork, u64)]) -> RollupConfig {
    let none = ForkTimes::default();
    config(forks.iter().fold(none, |times, (fork, time)| times.with(*fork, Some(*time))))
}

/// The same `cases` inputs in every run.
pub(crate) fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(8),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The L1 block of that number and time.
pub(crate) fn l1_block(number: u64, timestamp: u64) -> L1BlockRef {
    let hash = |number: u64| B256::left_padding_from(&number.to_be_bytes());
    L1BlockRef {
        id: BlockId { hash: hash(number), number },
        parent_hash: hash(number.wrapping_sub(1)),
        timestamp,
    }
}

/// A frame in short: name of the channel, number, data, and `!` if it is the last.
pub(crate) fn frame(short: &str) -> Frame {
    let parts: Vec<&str> = short.trim_end_matches('!').split(':').collect();
    let [name, number, data] = parts[..] else { panic!("no frame: {short}") };
    let name = u128::from(name.bytes().next().unwrap());
    Frame {
        channel: ChannelId(name.into()),
        number: number.parse().unwrap(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        is_last: short.ends_with('!'),
    }
}

/// Frames in short.
pub(crate) fn frames(shorts: &[&str]) -> Vec<Frame> {
    shorts.iter().map(|short| frame(short)).collect()
}
