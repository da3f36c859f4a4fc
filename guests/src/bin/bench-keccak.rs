//! Bench: a chain of hashes.

#![no_std]
#![no_main]

use guest::{STDOUT, keccak::keccak256, print_line};

/// Length of the chain.
const HASHES: u32 = 20_000;

guest::main!(main);

fn main() -> u8 {
    let mut block = [0x5a; 64];
    for _ in 0..HASHES {
        let hash = keccak256(&block);
        block.copy_within(32.., 0);
        block[32..].copy_from_slice(&hash);
    }
    let [a, b, c, d, ..] = block;
    print_line(STDOUT, format_args!("keccak {:08x}", u32::from_be_bytes([a, b, c, d])));
    0
}
