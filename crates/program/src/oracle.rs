//! State, code, headers and precompiles by preimage key.
//!
//! Every key is announced by the hint that makes a host fetch it. Names and payloads are those of
//! deployed programs, so their hosts serve this one; a precompile travels under the name
//! `l1-precompile` with `address 20 ‖ gas 8 ‖ input`.

use alloc::vec::Vec;
use alloy_primitives::{Address, B256, keccak256};
use rebut_execution::StateOracle;
use rebut_preimage::{Hint, OracleError, PreimageKey, PreimageOracle, ValueError};

/// The preimage of a keccak256 hash, announced by the hint `name`.
pub(crate) fn hinted<O: PreimageOracle>(
    oracle: &mut O,
    name: &str,
    hash: B256,
) -> Result<Vec<u8>, OracleError> {
    oracle.hint(&Hint::encode(name, hash.as_slice()))?;
    oracle.get(PreimageKey::keccak256(hash))
}

/// What a precompiled contract makes of `input`: its output, or `None` when it fails.
pub(crate) fn precompile<O: PreimageOracle>(
    oracle: &mut O,
    address: Address,
    gas: u64,
    input: &[u8],
) -> Result<Option<Vec<u8>>, OracleError> {
    let payload = [address.as_slice(), &gas.to_be_bytes(), input].concat();
    oracle.hint(&Hint::encode("l1-precompile", &payload))?;
    // The same as `PreimageKey::precompile`, hashed in one go: a guest replaces that function
    // of the hash by a fast one, not the incremental form.
    let key = PreimageKey::keccak256(keccak256(&payload)).result_key();
    let mut value = oracle.get(key)?;
    let wrong = |source| OracleError::Mismatch { key, source };
    match value.first() {
        Some(1) => Ok(Some(value.split_off(1))),
        Some(0) => Ok(None),
        Some(&status) => Err(wrong(ValueError::PrecompileStatus { status })),
        None => Err(wrong(ValueError::PrecompileEmpty)),
    }
}

/// A preimage oracle as a source of state.
#[derive(Debug)]
pub(crate) struct PreimageState<'a, O>(pub(crate) &'a mut O);

impl<O: PreimageOracle> StateOracle for PreimageState<'_, O> {
    type Error = OracleError;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        hinted(self.0, "l2-state-node", hash)
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        hinted(self.0, "l2-code", hash)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        hinted(self.0, "l2-block-header", hash)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, OracleError> {
        precompile(self.0, address, gas, input)
    }
}
