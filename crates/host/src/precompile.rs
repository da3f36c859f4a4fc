//! Results of the precompiled contracts that a program asks its host for.
//!
//! A program does not run the precompiles that would cost it too many instructions. It hints at the
//! call, and reads the result under the key that commits to address, gas and input:
//!
//! ```text
//!   hint     l1-precompile 0x ‖ address 20 ‖ gas 8 ‖ input
//!   result   status byte ‖ output     1 for success; 0 and no output for failure
//! ```
//!
//! The verifier contract executes the same call on L1 when the result is challenged, so the result
//! must be what L1 computes.

use alloy_primitives::{Address, address};
use rebut_preimage::HintError;
use revm::precompile::Precompiles;

/// The precompiles that are answered through the oracle: ecrecover, bn254 pairing, KZG point
/// evaluation, and the BLS12-381 family from G1 addition to the map to G2.
pub const ACCELERATED: [Address; 10] = [
    address!("0000000000000000000000000000000000000001"),
    address!("0000000000000000000000000000000000000008"),
    address!("000000000000000000000000000000000000000a"),
    address!("000000000000000000000000000000000000000b"),
    address!("000000000000000000000000000000000000000c"),
    address!("000000000000000000000000000000000000000d"),
    address!("000000000000000000000000000000000000000e"),
    address!("000000000000000000000000000000000000000f"),
    address!("0000000000000000000000000000000000000010"),
    address!("0000000000000000000000000000000000000011"),
];

/// A call as a hint describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrecompileCall<'a> {
    /// The precompile's address.
    pub address: Address,
    /// The gas the call may use; without one, as much as it needs.
    pub gas: Option<u64>,
    /// The call's input.
    pub input: &'a [u8],
}

/// What a precompile hint's payload looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadForm {
    /// `address 20 ‖ gas 8 ‖ input`: today's programs. Only this form can be proven on chain.
    #[default]
    WithGas,
    /// `address 20 ‖ input`: programs from before the gas entered the key.
    WithoutGas,
}

impl<'a> PrecompileCall<'a> {
    /// Reads the payload of the hint `name`.
    ///
    /// # Errors
    /// [`HintError::Payload`] when it is too short.
    pub fn parse(name: &str, payload: &'a [u8], form: PayloadForm) -> Result<Self, HintError> {
        let short = |expected_bytes| HintError::Payload {
            name: name.into(),
            length_bytes: payload.len(),
            expected_bytes,
        };
        let (address, rest) = payload.split_first_chunk::<20>().ok_or_else(|| short(20))?;
        let (gas, input) = match form {
            PayloadForm::WithoutGas => (None, rest),
            PayloadForm::WithGas => {
                let (gas, input) = rest.split_first_chunk::<8>().ok_or_else(|| short(28))?;
                (Some(u64::from_be_bytes(*gas)), input)
            }
        };
        Ok(Self { address: Address::new(*address), gas, input })
    }

    /// Executes the call of the hint `name`: status byte and output.
    ///
    /// # Errors
    /// [`HintError::Precompile`] for an address that is not [`ACCELERATED`], and
    /// [`HintError::Gas`] for a call that runs out of its gas. A program checks the gas before it
    /// asks, and L1, where the verifier may pass on more gas, need not come to the same result.
    pub fn execute(&self, name: &str) -> Result<Vec<u8>, HintError> {
        let refused = || HintError::Precompile { name: name.into(), address: self.address };
        if !ACCELERATED.contains(&self.address) {
            return Err(refused());
        }
        let precompile = Precompiles::prague().get(&self.address).ok_or_else(refused)?;
        let gas = self.gas.unwrap_or(u64::MAX);
        match precompile.execute(self.input, gas, 0) {
            Ok(output) if output.is_success() => {
                let mut result = Vec::with_capacity(1 + output.bytes.len());
                result.push(1);
                result.extend_from_slice(&output.bytes);
                Ok(result)
            }
            Ok(output) if output.halt_reason().is_some_and(|halt| halt.is_oog()) => {
                Err(HintError::Gas { name: name.into(), address: self.address, gas })
            }
            Ok(_) => Ok(vec![0]),
            // No accelerated precompile has such a case; were there one, there is no result.
            Err(_) => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests;
