//! The ways to load a preimage into the oracle, as calls of its loaders.

use crate::bindings::PreimageOracle;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;

/// A preimage and what proves that it belongs to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preimage {
    /// Local data: up to 32 bytes that the calling account vouches for. Type 1.
    Local {
        /// Which datum, without the type byte.
        identifier: U256,
        /// The dispute it belongs to.
        context: B256,
        /// The data; longer data cannot be loaded.
        data: Bytes,
    },
    /// Data under its keccak256 hash. Type 2.
    Keccak256(Bytes),
    /// Data under its SHA-256 hash. Type 4.
    Sha256(Bytes),
    /// The value `y` at the point `z` of a blob. Type 5.
    Blob {
        /// The point: for element i of a blob the bit-reversed i-th 4096-th root of unity.
        z: U256,
        /// The value.
        y: U256,
        /// KZG commitment to the blob, 48 bytes.
        commitment: Bytes,
        /// KZG proof of the value, 48 bytes.
        proof: Bytes,
    },
    /// What a precompile answers. Type 6.
    Precompile {
        /// The precompile.
        address: Address,
        /// The gas with which it finishes, as it stands in the key.
        required_gas: u64,
        /// Its input.
        input: Bytes,
    },
}

impl Preimage {
    /// The preimage of a key as a program asks for it, from the key and the data alone. None for types
    /// whose loaders need more than the data (5, 6) and for types that cannot be loaded.
    pub fn of_key(key: B256, data: Bytes, context: B256) -> Option<Self> {
        let mut identifier = key;
        identifier[0] = 0;
        match key[0] {
            1 => Some(Self::Local { identifier: identifier.into(), context, data }),
            2 => Some(Self::Keccak256(data)),
            4 => Some(Self::Sha256(data)),
            _ => None,
        }
    }

    /// The call to the oracle that loads the part at `part_offset`.
    pub fn load_call(&self, part_offset: U256) -> Bytes {
        match self.clone() {
            Self::Local { identifier, context, data } => {
                let mut word = B256::ZERO;
                let size = data.len().min(word.len());
                word[..size].copy_from_slice(&data[..size]);
                PreimageOracle::loadLocalDataCall {
                    _ident: identifier,
                    _localContext: context,
                    _word: word,
                    // The oracle refuses sizes above 32, so too long data is never cut silently.
                    _size: U256::from(data.len()),
                    _partOffset: part_offset,
                }
                .abi_encode()
            }
            Self::Keccak256(data) => PreimageOracle::loadKeccak256PreimagePartCall {
                _partOffset: part_offset,
                _preimage: data,
            }
            .abi_encode(),
            Self::Sha256(data) => PreimageOracle::loadSha256PreimagePartCall {
                _partOffset: part_offset,
                _preimage: data,
            }
            .abi_encode(),
            Self::Blob { z, y, commitment, proof } => PreimageOracle::loadBlobPreimagePartCall {
                _z: z,
                _y: y,
                _commitment: commitment,
                _proof: proof,
                _partOffset: part_offset,
            }
            .abi_encode(),
            Self::Precompile { address, required_gas, input } => {
                PreimageOracle::loadPrecompilePreimagePartCall {
                    _partOffset: part_offset,
                    _precompile: address,
                    _requiredGas: required_gas,
                    _input: input,
                }
                .abi_encode()
            }
        }
        .into()
    }
}
