//! The prologue: what is claimed, about which chain, on which L1 data.
//!
//! Source: fault proof program specification, "Prologue"; local identifiers as the contracts serve them.

use alloc::vec::Vec;
use alloy_primitives::B256;
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};

/// Local identifier of the L1 head.
pub const L1_HEAD_IDENTIFIER: u64 = 1;
/// Local identifier of the agreed output root.
pub const AGREED_OUTPUT_IDENTIFIER: u64 = 2;
/// Local identifier of the claimed output root.
pub const CLAIMED_OUTPUT_IDENTIFIER: u64 = 3;
/// Local identifier of the claimed block number.
pub const CLAIMED_NUMBER_IDENTIFIER: u64 = 4;
/// Local identifier of the chain id.
pub const CHAIN_ID_IDENTIFIER: u64 = 5;

/// What a dispute is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Hash of the last L1 block whose data counts.
    pub l1_head: B256,
    /// The output root both sides agree on.
    pub agreed_output: B256,
    /// The output root in dispute.
    pub claimed_output: B256,
    /// The number of the L2 block the claim is about.
    pub claimed_number: u64,
    /// The L2 chain.
    pub chain_id: u64,
}

/// A local value of another length than its type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("local value {identifier} has {length_bytes} bytes instead of {expected_bytes}")]
pub struct LocalError {
    /// The local identifier.
    pub identifier: u64,
    /// Length of the value.
    pub length_bytes: usize,
    /// Length of its type.
    pub expected_bytes: usize,
}

/// Why the prologue failed.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The oracle lacks a local value.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// A local value is malformed.
    #[error(transparent)]
    Local(#[from] LocalError),
}

impl Boot {
    /// Reads the local values.
    ///
    /// # Errors
    /// [`BootError`], naming the key.
    pub fn load<O: PreimageOracle>(oracle: &mut O) -> Result<Self, BootError> {
        Ok(Self {
            l1_head: local(oracle, L1_HEAD_IDENTIFIER)?.into(),
            agreed_output: local(oracle, AGREED_OUTPUT_IDENTIFIER)?.into(),
            claimed_output: local(oracle, CLAIMED_OUTPUT_IDENTIFIER)?.into(),
            claimed_number: u64::from_be_bytes(local(oracle, CLAIMED_NUMBER_IDENTIFIER)?),
            chain_id: u64::from_be_bytes(local(oracle, CHAIN_ID_IDENTIFIER)?),
        })
    }

    /// The local values by identifier, as a host serves them.
    pub fn local_values(&self) -> [(u64, Vec<u8>); 5] {
        [
            (L1_HEAD_IDENTIFIER, self.l1_head.to_vec()),
            (AGREED_OUTPUT_IDENTIFIER, self.agreed_output.to_vec()),
            (CLAIMED_OUTPUT_IDENTIFIER, self.claimed_output.to_vec()),
            (CLAIMED_NUMBER_IDENTIFIER, self.claimed_number.to_be_bytes().to_vec()),
            (CHAIN_ID_IDENTIFIER, self.chain_id.to_be_bytes().to_vec()),
        ]
    }
}

/// The local value `identifier`, which has `N` bytes.
pub(crate) fn local<const N: usize, O: PreimageOracle>(
    oracle: &mut O,
    identifier: u64,
) -> Result<[u8; N], BootError> {
    let value = oracle.get(PreimageKey::local(identifier))?;
    let length_bytes = value.len();
    let wrong = |_| LocalError { identifier, length_bytes, expected_bytes: N };
    Ok(<[u8; N]>::try_from(value).map_err(wrong)?)
}
