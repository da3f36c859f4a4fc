//! The contract's verdict on a claim about one step.
//!
//! The referee does what a dispute game does at its last move: it has the verifier contract repeat the
//! step, and compares what comes out with the post-state that is claimed.

use crate::guest::Builtin;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use anyhow::{Context, bail};
use rebut_contracts::{CallError, Preimage, Revert, Verifier};
use rebut_fpvm::StepProof;
use rebut_fpvm::kernel::host::LENGTH_PREFIX_BYTES;
use rebut_fpvm::witness::PreimageRead;
use rebut_preimage::{KeyType, MemoryStore, PreimageKey};
use std::fmt;

/// What is claimed about a step, and what is to prove it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// State hash after the step.
    pub post: B256,
    /// Packed state before the step.
    pub state_data: Vec<u8>,
    /// The step's proof.
    pub proof_data: Vec<u8>,
}

impl Claim {
    /// The claim that a proof was made for.
    pub fn of(proof: &StepProof) -> Self {
        Self {
            post: proof.post,
            state_data: proof.state_data.0.to_vec(),
            proof_data: proof.proof_data.clone(),
        }
    }
}

/// The verdict.
#[derive(Clone, Debug)]
pub enum Ruling {
    /// The contract executed the step and came to the claimed post-state.
    Accepted {
        /// Gas of the execution alone.
        gas: u64,
    },
    /// The contract reverted.
    Reverted(Revert),
    /// The contract came to another post-state.
    OtherPostState,
}

impl Ruling {
    /// Whether the claim was refused.
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Accepted { .. })
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { .. } => f.write_str("accepted"),
            Self::Reverted(revert) => write!(f, "{revert}"),
            Self::OtherPostState => f.write_str("another post-state"),
        }
    }
}

/// A verifier, and the dispute it takes part in.
#[derive(Debug)]
pub struct Referee {
    verifier: Verifier,
    /// What a game would derive from the disputed claims; local preimages are bound to it.
    local_context: B256,
}

impl Referee {
    /// Deploys the contracts of a machine.
    ///
    /// # Errors
    /// None that input could cause.
    pub fn new<V: Builtin>() -> Result<Self, CallError> {
        let verifier = V::deploy(V::VERSION)?;
        Ok(Self { verifier, local_context: keccak256("the claims in dispute") })
    }

    /// Loads the part that a step reads into the contracts' oracle. `store` has the calls behind
    /// precompile keys. The result is the gas of loading.
    ///
    /// # Errors
    /// The oracle contract refuses, or the key has a type that this host serves no data of.
    pub fn load(&mut self, read: &PreimageRead, store: &MemoryStore) -> anyhow::Result<u64> {
        let key = PreimageKey::parse(read.key.0)?;
        let data =
            Bytes::copy_from_slice(read.value.get(LENGTH_PREFIX_BYTES..).unwrap_or_default());
        let preimage = match key.key_type() {
            KeyType::Precompile => {
                let call = store.value(&key.inputs_key());
                precompile(call.with_context(|| format!("no call is known for key {key}"))?)?
            }
            _ => Preimage::of_key(read.key, data, self.local_context)
                .with_context(|| format!("key {key} cannot be loaded"))?,
        };
        Ok(self.verifier.load_preimage(&preimage, read.offset)?.gas_used)
    }

    /// Judges a claim.
    ///
    /// # Errors
    /// The EVM did not get as far as a verdict.
    pub fn rule(&mut self, claim: &Claim) -> Result<Ruling, CallError> {
        match self.verifier.step(&claim.state_data, &claim.proof_data, self.local_context) {
            Ok(outcome) if outcome.post_state_hash == claim.post => {
                Ok(Ruling::Accepted { gas: outcome.gas_used })
            }
            Ok(_) => Ok(Ruling::OtherPostState),
            Err(CallError::Revert(revert)) => Ok(Ruling::Reverted(revert)),
            Err(error) => Err(error),
        }
    }
}

/// The call `address 20 ‖ gas 8 ‖ input`.
fn precompile(call: &[u8]) -> anyhow::Result<Preimage> {
    let Some((address, rest)) = call.split_first_chunk::<20>() else {
        bail!("a precompile call of {} bytes has no address", call.len());
    };
    let Some((gas, input)) = rest.split_first_chunk::<8>() else {
        bail!("a precompile call of {} bytes has no gas", call.len());
    };
    Ok(Preimage::Precompile {
        address: Address::from(*address),
        required_gas: u64::from_be_bytes(*gas),
        input: Bytes::copy_from_slice(input),
    })
}
