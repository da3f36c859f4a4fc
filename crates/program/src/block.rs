//! The block program: is this the hash of the block that these attributes describe?
//!
//! Local key 1 holds the keccak256 hash of an encoded [`BlockInput`], local key 2 the expected
//! block hash. The input itself is the preimage of its hash.

use crate::{BlockInput, InputError, oracle::PreimageState};
use alloy_consensus::Sealable;
use alloy_primitives::B256;
use rebut_execution::{ExecutedBlock, ExecutionError, execute_block};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};

/// Local identifier of the hash of the encoded input.
pub const INPUT_HASH_IDENTIFIER: u64 = 1;
/// Local identifier of the expected block hash.
pub const EXPECTED_HASH_IDENTIFIER: u64 = 2;

/// Exit code when the hashes are equal.
pub const EXIT_EQUAL: u8 = 0;
/// Exit code when they differ.
pub const EXIT_DIFFERENT: u8 = 1;
/// Exit code when there is no verdict.
pub const EXIT_ERROR: u8 = 2;

/// The hash that was claimed and the one that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// From local key 2.
    pub expected: B256,
    /// Of the block that was built.
    pub computed: B256,
}

impl Verdict {
    /// What a process or guest ends with.
    pub fn exit_code(&self) -> u8 {
        if self.expected == self.computed { EXIT_EQUAL } else { EXIT_DIFFERENT }
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The oracle lacks something; its error names the key.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// A local value is no hash.
    #[error("local value {identifier} has {length_bytes} bytes instead of 32")]
    LocalLength {
        /// The local identifier.
        identifier: u64,
        /// Length of the value.
        length_bytes: usize,
    },
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
    Ok(Verdict { expected, computed: block.header.hash() })
}

/// As [`run`], for callers that want to see the block: the expected hash and what was built.
///
/// # Errors
/// As [`run`].
pub fn build<O: PreimageOracle>(oracle: &mut O) -> Result<(B256, ExecutedBlock), ProgramError> {
    let input_hash = local_hash(oracle, INPUT_HASH_IDENTIFIER)?;
    let expected = local_hash(oracle, EXPECTED_HASH_IDENTIFIER)?;
    let input = BlockInput::decode(&oracle.get(PreimageKey::keccak256(input_hash))?)?;
    let parent = input.parent.seal_slow();
    let block =
        execute_block(&input.chain, &parent, &input.attributes, &mut PreimageState(oracle))?;
    Ok((expected, block))
}

fn local_hash<O: PreimageOracle>(oracle: &mut O, identifier: u64) -> Result<B256, ProgramError> {
    let value = oracle.get(PreimageKey::local(identifier))?;
    B256::try_from(value.as_slice())
        .map_err(|_| ProgramError::LocalLength { identifier, length_bytes: value.len() })
}
