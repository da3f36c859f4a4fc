//! The parameters of a generated chain, in words of neither library.

use crate::random::Random;
use alloy_primitives::{Address, B256, U256, address};

/// The batcher's inbox.
pub const BATCH_INBOX: Address = address!("0xff00000000000000000000000000000000000901");
/// The portal.
pub const DEPOSIT_CONTRACT: Address = address!("0x00000000000000000000000000000000000de905");
/// The system config.
pub const SYSTEM_CONFIG: Address = address!("0x000000000000000000000000000000000005c0f1");
/// The chain id of L1.
pub const L1_CHAIN_ID: u64 = 900;
/// The chain id of L2.
pub const L2_CHAIN_ID: u64 = 901;
/// EIP-1559 constants of L2: elasticity, denominator, and the denominator from Canyon on.
pub const BASE_FEE: (u32, u32, u32) = (6, 50, 250);

/// An upgrade of L2, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Upgrade {
    /// Deposits account for their gas.
    Regolith,
    /// Any complete channel may be read.
    Canyon,
    /// Span batches.
    Delta,
    /// Blobs.
    Ecotone,
    /// Brotli.
    Fjord,
    /// Short channel timeout.
    Granite,
    /// Strict order.
    Holocene,
    /// Operator fee.
    Isthmus,
}

impl Upgrade {
    /// All of them, oldest first.
    pub const ALL: [Self; 8] = [
        Self::Regolith,
        Self::Canyon,
        Self::Delta,
        Self::Ecotone,
        Self::Fjord,
        Self::Granite,
        Self::Holocene,
        Self::Isthmus,
    ];
}

/// The parameters that L1 can change, at genesis.
#[derive(Clone, Copy, Debug)]
pub struct GenesisConfig {
    /// Who may send batches.
    pub batcher: Address,
    /// Fee overhead.
    pub overhead: U256,
    /// Fee scalar.
    pub scalar: U256,
    /// Gas limit.
    pub gas_limit: u64,
    /// Denominator and elasticity, in a chain that starts with Holocene.
    pub eip_1559: Option<(u32, u32)>,
}

/// What a generated chain is made by.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Seconds between two L2 blocks.
    pub block_time: u64,
    /// Seconds of an L1 slot.
    pub slot_time: u64,
    /// Before Fjord, in seconds.
    pub max_sequencer_drift: u64,
    /// In L1 blocks.
    pub seq_window_size: u64,
    /// Before Granite, in L1 blocks.
    pub channel_timeout: u64,
    /// From Granite on, in L1 blocks.
    pub granite_channel_timeout: u64,
    /// When each upgrade activates, ascending, in the order of [`Upgrade::ALL`].
    pub upgrades: [Option<u64>; Upgrade::ALL.len()],
    /// When L1's Prague blob fees are followed, if later than L1 has them.
    pub pectra_blob_schedule_time: Option<u64>,
    /// When L1 got blobs.
    pub l1_cancun_time: u64,
    /// When L1 got Prague.
    pub l1_prague_time: u64,
    /// Number and hash of the L1 block that L2 starts from.
    pub genesis_l1: (u64, B256),
    /// Hash of the first L2 block, whose number is 0.
    pub genesis_l2: B256,
    /// Timestamp of both.
    pub genesis_time: u64,
    /// The system config at the start.
    pub genesis_config: GenesisConfig,
}

impl Parameters {
    /// Whether an upgrade is active at a time.
    pub fn is_active(&self, upgrade: Upgrade, time: u64) -> bool {
        self.upgrades[upgrade as usize].is_some_and(|start| start <= time)
    }

    /// How far a block may be ahead of an origin at a time.
    pub fn drift(&self, time: u64) -> u64 {
        if self.is_active(Upgrade::Fjord, time) { 1800 } else { self.max_sequencer_drift }
    }

    /// Random parameters of a chain of about `l1_blocks` L1 blocks. The hashes are still missing.
    pub fn random(random: &mut Random, batcher: Address, l1_blocks: u64) -> Self {
        // Now and then slow chains, so that the fixed drift of Fjord is reached.
        let slow = random.chance(25);
        let (block_time, slot_time) = if slow {
            (*random.pick(&[150, 200, 300]), *random.pick(&[300, 600]))
        } else {
            (*random.pick(&[1, 2, 2, 3, 4]), 12)
        };
        let genesis_time = 1_700_000_000;
        let end = genesis_time + slot_time * l1_blocks;
        let upgrades = schedule(random, genesis_time, end);
        let holocene =
            upgrades[Upgrade::Holocene as usize].is_some_and(|time| time <= genesis_time);
        let l1_cancun_time = match upgrades[Upgrade::Ecotone as usize] {
            Some(time) if random.chance(50) => time.saturating_sub(2 * slot_time),
            _ => 0,
        };
        let l1_prague_time =
            if random.chance(40) { 0 } else { random.between(genesis_time, end + 100) };
        let pectra_blob_schedule_time =
            random.chance(30).then(|| random.between(genesis_time, end));
        let ecotone = upgrades[Upgrade::Ecotone as usize].is_some_and(|time| time <= genesis_time);
        Self {
            block_time,
            slot_time,
            max_sequencer_drift: random.between(1, 6) * slot_time,
            seq_window_size: random.between(6, 16),
            channel_timeout: random.between(4, 12),
            granite_channel_timeout: random.between(2, 8),
            upgrades,
            pectra_blob_schedule_time,
            l1_cancun_time,
            l1_prague_time: l1_prague_time.max(l1_cancun_time),
            genesis_l1: (random.between(0, 3) * 50, B256::ZERO),
            genesis_l2: B256::ZERO,
            genesis_time,
            genesis_config: GenesisConfig {
                batcher,
                overhead: U256::from(188),
                scalar: scalar(random, ecotone),
                gas_limit: 30_000_000,
                eip_1559: holocene.then_some((BASE_FEE.2, BASE_FEE.0)),
            },
        }
    }
}

/// A fee scalar in the form it has before Ecotone, or since.
pub fn scalar(random: &mut Random, ecotone: bool) -> U256 {
    let base = U256::from(random.below(1 << 32));
    if ecotone && random.chance(80) {
        U256::from(1) << 248 | U256::from(random.below(1 << 32)) << 32 | base
    } else {
        base
    }
}

/// Some upgrades at the start, some on the way, some never.
fn schedule(random: &mut Random, start: u64, end: u64) -> [Option<u64>; Upgrade::ALL.len()] {
    let count = Upgrade::ALL.len() as u64;
    let at_start = random.between(0, count);
    let scheduled = random.between(at_start, count);
    let mut times: Vec<u64> =
        (at_start..scheduled).map(|_| random.between(start + 1, end)).collect();
    times.sort_unstable();
    core::array::from_fn(|index| {
        let index = index as u64;
        if index < at_start {
            Some(if random.chance(50) { 0 } else { start })
        } else {
            times.get((index - at_start) as usize).copied()
        }
    })
}
