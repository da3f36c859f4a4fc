//! Sequences for generated inputs.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Up to `MAX` items, any number of them equally likely. The usual way to make a vector tosses a coin
/// before each item, which leaves most of them almost empty.
#[derive(Clone, Debug)]
pub struct Many<T, const MAX: usize>(pub Vec<T>);

impl<'a, T: Arbitrary<'a>, const MAX: usize> Arbitrary<'a> for Many<T, MAX> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let length = u.int_in_range(0..=MAX)?;
        let mut items = Vec::with_capacity(length);
        while items.len() < length && !u.is_empty() {
            items.push(u.arbitrary()?);
        }
        Ok(Self(items))
    }
}

/// Bytes without a pattern, the same for the same number: a first input for generators.
pub fn noise(number: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| splitmix64(number << 32 | at) as u8).collect()
}

/// The generator splitmix64.
const fn splitmix64(seed: u64) -> u64 {
    let x = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}
