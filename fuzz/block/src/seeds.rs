//! The first inputs of each target: one that the parser takes, where chance would not find one.

use crate::many::noise;
use rebut_host::{BlockWitness, demo::demo_block};
use rebut_preimage::{Hint, MemoryStore};
use rebut_program::config::{Chain, Table, find, json, section};

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

/// The configuration of a chain of the registry, as JSON.
pub fn rollup_file() -> String {
    let config = find(&[], 10).expect("OP Mainnet is in the registry");
    json::write(&config).expect("a configuration is plain data").to_string()
}

/// The L1 chain's file for it.
const L1_FILE: &[u8] = br#"{ "config": { "chainId": 1, "cancunTime": 5, "pragueTime": "0x7",
    "bpo1Time": 9, "blobSchedule": { "bpo1": { "baseFeeUpdateFraction": 8346193 } } } }"#;

/// A table of two chains, one of them not supported.
fn table() -> Vec<u8> {
    let registry = rebut_program::config::registry().expect("the registry is in order");
    let chain = |id| registry.find(id).expect("the registry is in order");
    let chains: Vec<Chain> = [10, 42_220].into_iter().filter_map(chain).collect();
    Table::encode(&chains).expect("two chains of the registry")
}

/// An image with a section that carries them.
fn image() -> Vec<u8> {
    let mut image = [&[1; 40][..], &section::empty_header(1024), &[0; 1024], &[2; 40]].concat();
    section::fill(&mut image, &table()).expect("two chains have less than 1024 bytes");
    image
}

/// Seeds with the name of their target.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let witness = small_witness();
    let mut seeds = vec![
        ("block_witness", witness.to_json().expect("a witness is plain data")),
        ("block_input", witness.input().encode()),
        ("host_hint", Hint::encode("l2-state-node", &[7; 32])),
        ("chain_table", table()),
        ("chain_image", image()),
        ("chain_rollup", rollup_file().into_bytes()),
        ("chain_l1", L1_FILE.to_vec()),
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
    for (name, payload) in [
        ("l2-payload-witness", [&[7; 32][..], br#"{"timestamp":"0x1"}"#, &[0; 8]].concat()),
        ("l2-account-proof", vec![7; 52]),
        ("l2-account-storage-proof", vec![7; 84]),
        ("l1-blob", vec![7; 48]),
    ] {
        seeds.push(("host_hint", Hint::encode(name, &payload)));
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
                "chain_table" => assert_eq!(Table::parse(&seed).unwrap().chains().count(), 2),
                "chain_image" => assert_eq!(section::locate(&seed), Ok(40..40 + 32 + 1024)),
                "chain_rollup" => assert_eq!(json::read(&seed, None).unwrap().block_time, 2),
                "chain_l1" => {
                    let config = json::read(rollup_file().as_bytes(), Some(&seed)).unwrap();
                    assert_eq!(config.l1.blob_fees.len(), 2);
                }
                _ => {}
            }
        }
    }
}
