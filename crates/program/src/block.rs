//! The block program: is this the hash of the block that these attributes describe?
//!
//! Local key 1 holds the keccak256 hash of an encoded [`BlockInput`], local key 2 the expected
//! block hash. The input itself is the preimage of its hash.

use crate::{
    BlockInput, BootError, InputError, LocalError, Verdict, boot::local, oracle::PreimageState,
};
use alloy_consensus::Sealable;
use alloy_primitives::B256;
use rebut_execution::{ExecutedBlock, ExecutionError, State, execute_block};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};

/// Local identifier of the hash of the encoded input.
pub const INPUT_HASH_IDENTIFIER: u64 = 1;
/// Local identifier of the expected block hash.
pub const EXPECTED_HASH_IDENTIFIER: u64 = 2;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The oracle lacks something; its error names the key.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// A local value is no hash.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The input cannot be decoded.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The block cannot be built.
    #[error(transparent)]
    Execution(#[from] ExecutionError<OracleError>),
}

/// Builds the block and compares its hash.
///
/// The values that `oracle` returns must be verified: by the machine that runs this code, or by a
/// [`VerifyingOracle`](rebut_preimage::VerifyingOracle) around an oracle that does not do it.
///
/// # Errors
/// [`ProgramError`]; what is missing is named by its key.
pub fn run<O: PreimageOracle>(oracle: &mut O) -> Result<Verdict, ProgramError> {
    let (expected, block) = build(oracle)?;
    Ok(Verdict { claimed: expected, computed: Some(block.header.hash()) })
}

/// As [`run`], for callers that want to see the block: the expected hash and what was built.
///
/// # Errors
/// As [`run`].
pub fn build<O: PreimageOracle>(oracle: &mut O) -> Result<(B256, ExecutedBlock), ProgramError> {
    let input_hash = B256::new(local(oracle, INPUT_HASH_IDENTIFIER)?);
    let expected = B256::new(local(oracle, EXPECTED_HASH_IDENTIFIER)?);
    let input = BlockInput::decode(&oracle.get(PreimageKey::keccak256(input_hash))?)?;
    let parent = input.parent.seal_slow();
    let mut state = State::new(parent.state_root);
    let mut oracle = PreimageState(oracle);
    let block = execute_block(&input.chain, &parent, &input.attributes, &mut state, &mut oracle)?;
    Ok((expected, block))
}

impl From<BootError> for ProgramError {
    fn from(error: BootError) -> Self {
        match error {
            BootError::Oracle(error) => Self::Oracle(error),
            BootError::Local(error) => Self::Local(error),
        }
    }
}
