//! Oracles for block witness files, the program's input and the host's hints.

use alloy_primitives::keccak256;
use rebut_host::{BlockWitness, WitnessOracle};
use rebut_preimage::{Hint, MemoryStore, PreimageKey, PreimageOracle};
use rebut_program::BlockInput;
use std::path::Path;

/// Reads a witness. Written and read again it is the same, and so is the input made of it.
pub fn parse(text: &[u8]) {
    let path = Path::new("witness.json");
    let witness = match BlockWitness::parse(text, path) {
        Ok(witness) => witness,
        Err(error) => return assert!(error.to_string().contains("witness.json"), "{error}"),
    };
    for (key, value) in witness.preimages.iter() {
        assert_eq!(key.verify(value), Ok(()));
    }
    let again = witness.to_json().expect("a witness is plain data");
    assert_eq!(BlockWitness::parse(&again, path).expect("what was written"), witness);
    let input = witness.input();
    assert_eq!(BlockInput::decode(&input.encode()), Ok(input));
    assert!(witness.oracle().store().len() >= 3);
}

/// Decodes the program's input, which has one encoding.
pub fn input(bytes: &[u8]) {
    let Ok(input) = BlockInput::decode(bytes) else { return };
    assert_eq!(input.encode(), bytes);
}

/// Follows a hint. Whatever the host stores for it is under a key of a precompile or its inputs.
pub fn hint(text: &[u8]) {
    let mut oracle = WitnessOracle::new(MemoryStore::new());
    if oracle.hint(text).is_err() {
        return assert!(oracle.store().is_empty());
    }
    let hint = Hint::parse(text).expect("the host understood it");
    let inputs = PreimageKey::keccak256(keccak256(&hint.payload));
    for (key, value) in oracle.store().iter() {
        assert!(key == inputs || key == inputs.result_key());
        assert_eq!(key.verify(value), Ok(()));
    }
}
