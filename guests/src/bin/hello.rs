//! Allocates, sorts and prints one line: a smoke test for machines.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::{collections::BTreeMap, vec::Vec};
use guest::{STDOUT, print_line};

guest::main!(main);

fn main() -> u8 {
    let mut numbers: Vec<u32> =
        (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761) % 997).collect();
    numbers.sort_unstable();
    let count: BTreeMap<u32, usize> = numbers.iter().fold(BTreeMap::new(), |mut map, n| {
        *map.entry(*n).or_default() += 1;
        map
    });
    print_line(
        STDOUT,
        format_args!(
            "hello: {} numbers, {} different, median {}",
            numbers.len(),
            count.len(),
            numbers[500]
        ),
    );
    0
}
