//! A small block of a chain that exists nowhere, for demonstrations without a recorded block.
//!
//! The chain is at its first block after genesis, under Jovian rules. The block holds the
//! L1-attributes deposit, a user's deposit that mints, transfers to an existing and to a new account,
//! a call that recovers a signer, checks a pairing and rewrites storage, a contract creation, and a
//! withdrawal. Contracts and keys were made for it; only the code of the two system contracts of
//! EIP-4788 and EIP-2935 is the standard's.
//!
//! The block's expected hash is what this project's executor computes. The demo block therefore shows
//! that machine, native execution and verifier agree with each other; that they agree with the rest of
//! the world is shown by the recorded blocks of real chains.

use crate::{BlockWitness, NativeState, RecordingOracle, WitnessError, WitnessOracle};
use alloy_primitives::Sealable;
use rebut_execution::{
    BaseFeeDefaults, ChainParameters, ExecutionError, Fork, ForkTimes, State, execute_block,
};
use rebut_preimage::{MemoryStore, OracleError, store::StoreError};
use std::path::Path;

mod contracts;
mod genesis;
mod transactions;

/// The packed witness of the demo block, as made by [`generate`].
pub const DEMO_BLOCK: &[u8] = include_bytes!("../assets/demo-block.json.zst");

/// The id of the demo's chain. No registered chain has it.
const CHAIN_ID: u64 = 0x7265_6275;

/// The demo block as it is carried along.
///
/// # Errors
/// None unless the file was damaged when this crate was built.
pub fn demo_block() -> Result<BlockWitness, WitnessError> {
    BlockWitness::parse_packed(DEMO_BLOCK, Path::new("the built-in demo block"))
}

/// Why the demo block cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The block is invalid.
    #[error("the demo block cannot be executed: {0}")]
    Execution(#[from] ExecutionError<OracleError>),
    /// A transaction of the block did not do what it is there for.
    #[error("transaction {index} of the demo block fails")]
    Reverted {
        /// Position in the block.
        index: usize,
    },
    /// A preimage is wrong.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the demo block: genesis, transactions, the executed block, and of the genesis state
/// whatever executing it touches.
///
/// # Errors
/// [`DemoError`]; the input being fixed, a defect of this project.
pub fn generate() -> Result<BlockWitness, DemoError> {
    let chain = chain();
    let genesis = genesis::state()?;
    let parent_header = genesis::header(genesis.root);
    let attributes = transactions::attributes(&parent_header);
    let parent = parent_header.clone().seal_slow();

    let mut state = State::new(genesis.root);
    let mut oracle = NativeState(RecordingOracle::new(WitnessOracle::new(genesis.preimages)));
    let block = execute_block(&chain, &parent, &attributes, &mut state, &mut oracle)?;
    if let Some(index) = block.receipts.iter().position(|receipt| !receipt.status()) {
        return Err(DemoError::Reverted { index });
    }

    let (oracle, record) = oracle.0.into_parts();
    let mut preimages = MemoryStore::new();
    for key in record.keys.keys() {
        if let Some(value) = oracle.store().value(key) {
            preimages.insert(*key, value.to_vec())?;
        }
    }
    Ok(BlockWitness {
        source: "made by rebut (cargo xtask demo-block); the expected hash is its own result"
            .into(),
        chain,
        parent_header,
        attributes,
        expected_block_hash: block.header.hash(),
        preimages,
    })
}

fn chain() -> ChainParameters {
    let forks = Fork::TIMED
        .into_iter()
        .filter(|fork| *fork <= Fork::Jovian)
        .fold(ForkTimes::default(), |forks, fork| forks.with(fork, Some(0)));
    let base_fee = BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 };
    ChainParameters { chain_id: CHAIN_ID, forks, base_fee }
}

#[cfg(test)]
mod tests;
