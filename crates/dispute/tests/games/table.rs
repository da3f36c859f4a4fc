//! The contracts of a chain of blocks whose output roots are their numbers, with the alphabet machine.

use crate::alphabet::absolute_prestate;
use alloy_primitives::{Address, B256, address};
use rebut_contracts::bindings::AlphabetVM;
use rebut_contracts::deployment::{Anchor, DeploymentConfig, GameConfig};
use rebut_table::OWNER;
pub use rebut_table::{Contracts, Refusal, Table};

pub const PROPOSER: Address = address!("00000000000000000000000000000000000000bb");

pub const MAX_CLOCK: u64 = 10_000;
pub const EXTENSION: u64 = 1000;
const CHALLENGE_PERIOD: u64 = 2000;

pub const STARTING_BLOCK: u64 = 100;

/// Contracts of games with these depths.
pub fn deploy(max_depth: u64, split_depth: u64) -> Contracts {
    let anchor = Anchor {
        output_root: B256::left_padding_from(&STARTING_BLOCK.to_be_bytes()),
        l2_block_number: STARTING_BLOCK,
    };
    let game = GameConfig {
        absolute_prestate: absolute_prestate(),
        max_depth,
        split_depth,
        clock_extension_seconds: EXTENSION,
        max_clock_duration_seconds: MAX_CLOCK,
        ..GameConfig::default()
    };
    let config = DeploymentConfig {
        l2_chain_id: 901,
        owner: OWNER,
        guardian: OWNER,
        anchor,
        challenge_period_seconds: CHALLENGE_PERIOD,
        games: vec![game],
        ..DeploymentConfig::default()
    };
    Contracts::deploy(&config).with_machine(&AlphabetVM::BYTECODE)
}

/// Opens a game about the root of a block.
pub fn create(contracts: &Contracts, root: B256, l2_block: u64) -> Table {
    contracts.create(PROPOSER, root, l2_block, B256::repeat_byte(0x11))
}
