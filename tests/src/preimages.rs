//! A small oracle: preimages of every length that matters, under keys that the contract can check.

use alloy_primitives::{B256, keccak256};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Lengths in bytes: around the 8 bytes of one read and the 32 bytes of one part.
const LENGTHS: [usize; 12] = [0, 1, 7, 8, 9, 23, 24, 25, 31, 32, 33, 100];

/// A preimage that recorded reads were made of.
pub const RECORDED: &[u8] = &[0x12, 0x34, 0x56, 0x78, 0x98, 0x76, 0x54, 0x32];

/// Keys of types 1, 2 and 4 with their values, and keys without a value.
#[derive(Clone, Debug)]
pub struct Preimages(BTreeMap<PreimageKey, Vec<u8>>);

impl Default for Preimages {
    fn default() -> Self {
        Self::new()
    }
}

impl Preimages {
    /// All of them.
    pub fn new() -> Self {
        let mut values = BTreeMap::new();
        for length in LENGTHS {
            let data: Vec<u8> = (0..length).map(|i| (i * 37 + length) as u8 | 1).collect();
            if data.len() <= 32 {
                values.insert(PreimageKey::local(length as u64), data.clone());
            }
            values.insert(PreimageKey::sha256(Sha256::digest(&data).into()), data.clone());
            values.insert(PreimageKey::keccak256(keccak256(&data)), data);
        }
        values.insert(PreimageKey::keccak256(keccak256(RECORDED)), RECORDED.to_vec());
        Self(values)
    }

    /// Keys that have a value.
    pub fn keys(&self) -> Vec<B256> {
        self.0.keys().map(|key| B256::from(*key.as_bytes())).collect()
    }

    /// The value of a key.
    pub fn value(&self, key: B256) -> Option<&[u8]> {
        PreimageKey::parse(key.0).ok().and_then(|key| self.0.get(&key)).map(Vec::as_slice)
    }
}

impl PreimageOracle for Preimages {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.0.get(&key).cloned().ok_or(OracleError::Missing { key })
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}
