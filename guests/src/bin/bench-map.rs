//! Bench: ordered and hashed maps, sorting, allocation.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::map::HashMap;
use guest::{STDOUT, print_line};

/// Rounds over the whole program.
const ROUNDS: u64 = 12;
/// Entries of each map in one round.
const ENTRIES: u64 = 20_000;

guest::main!(main);

/// A sequence without pattern: xorshift64.
struct Sequence(u64);

impl Iterator for Sequence {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(self.0)
    }
}

fn main() -> u8 {
    let mut checksum = 0_u64;
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    for round in 0..ROUNDS {
        let keys: Vec<u64> = sequence.by_ref().take(ENTRIES as usize).collect();
        let ordered: BTreeMap<u64, u64> = keys.iter().map(|key| (*key, key ^ round)).collect();
        let hashed: HashMap<u64, Vec<u8>> =
            keys.iter().map(|key| (*key, key.to_be_bytes().to_vec())).collect();
        let mut sorted: Vec<(u64, usize)> =
            keys.iter().map(|key| (ordered[key], hashed[key].len())).collect();
        sorted.sort_unstable();
        let middle = sorted[sorted.len() / 2];
        checksum = checksum.rotate_left(9) ^ middle.0 ^ middle.1 as u64;
        checksum ^= ordered.range(middle.0..).take(100).fold(0, |sum, (key, _)| sum ^ key);
    }
    print_line(STDOUT, format_args!("map {checksum:016x}"));
    0
}
