//! State for executing blocks in this process.

use crate::PrecompileCall;
use alloy_primitives::{Address, B256};
use rebut_execution::StateOracle;
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};

/// The state that a preimage oracle holds; precompiles are computed at once instead of asked for.
///
/// Values are taken as the oracle gives them: it must have checked them against their keys.
#[derive(Debug)]
pub struct NativeState<O>(pub O);

impl<O: PreimageOracle> StateOracle for NativeState<O> {
    type Error = OracleError;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        self.0.get(PreimageKey::keccak256(hash))
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        self.0.get(PreimageKey::keccak256(hash))
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        self.0.get(PreimageKey::keccak256(hash))
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, OracleError> {
        let call = PrecompileCall { address, gas: Some(gas), input };
        let result = call.execute("l1-precompile")?;
        Ok(result.strip_prefix(&[1]).map(<[u8]>::to_vec))
    }
}
