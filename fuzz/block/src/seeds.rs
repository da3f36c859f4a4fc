//! The first inputs of each target: one that the parser takes, where chance would not find one.

use crate::many::noise;
use rebut_host::{BlockWitness, demo::demo_block};
use rebut_preimage::{Hint, MemoryStore};

/// A witness with few preimages, which keeps inputs short.
fn small_witness() -> BlockWitness {
    let mut witness = demo_block().expect("the built-in block is in order");
    let first = witness.preimages.iter().min_by_key(|(_, value)| value.len());
    let first = first.map(|(key, value)| (key, value.to_vec()));
    witness.preimages = MemoryStore::new();
    if let Some((key, value)) = first {
        witness.preimages.insert(key, value).expect("it was in a store");
    }
    witness.attributes.transactions.truncate(3);
    witness
}

/// Seeds with the name of their target.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let witness = small_witness();
    let mut seeds = vec![
        ("block_witness", witness.to_json().expect("a witness is plain data")),
        ("block_input", witness.input().encode()),
        ("host_hint", Hint::encode("l2-state-node", &[7; 32])),
    ];
    for (address, gas, input) in
        [(1, 3000u64, 128), (8, 79_000, 192), (10, 50_000, 192), (11, 375, 256), (16, 5_500, 64)]
    {
        let mut payload = vec![0; 19];
        payload.push(address);
        payload.extend(gas.to_be_bytes());
        payload.resize(28 + input, 0);
        seeds.push(("host_hint", Hint::encode("l1-precompile", &payload)));
    }
    for number in 0..32 {
        for target in ["block_execution", "trie_content", "trie_nodes"] {
            seeds.push((target, noise(number, 1024)));
        }
        seeds.push(("block_tampered", noise(number, 64)));
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_program::BlockInput;
    use std::path::Path;

    #[test]
    fn parsers_take_their_seeds() {
        for (target, seed) in all() {
            match target {
                "block_witness" => {
                    let witness = BlockWitness::parse(&seed, Path::new("seed")).unwrap();
                    assert_eq!(witness, small_witness());
                }
                "block_input" => {
                    assert_eq!(BlockInput::decode(&seed).unwrap(), small_witness().input());
                }
                "host_hint" => {
                    Hint::parse(&seed).unwrap();
                }
                _ => {}
            }
        }
    }
}
