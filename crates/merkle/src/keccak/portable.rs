//! One node at a time on plain 64-bit integers. `const`, so that tables of hashes can be made at
//! compile time; the engine that runs wherever no vector unit is known.

use super::permutation::permute;

const fn xor(a: u64, b: u64) -> u64 {
    a ^ b
}

const fn xor5(a: u64, b: u64, c: u64, d: u64, e: u64) -> u64 {
    a ^ b ^ c ^ d ^ e
}

const fn rotl<const L: u32, const R: u32>(a: u64) -> u64 {
    a << L | a >> R
}

const fn chi(a: u64, b: u64, c: u64) -> u64 {
    a ^ (!b & c)
}

const fn broadcast(constant: u64) -> u64 {
    constant
}

/// Keccak-f\[1600\] on a state of 25 lanes; lane (x, y) of the specification is at index x + 5y.
///
/// Source: FIPS 202, section 3.
pub const fn keccak_f(lanes: &mut [u64; 25]) {
    let mut a = *lanes;
    permute!(a);
    *lanes = a;
}

/// keccak256 of 64 bytes: the parent of two nodes.
pub(crate) const fn hash_pair(message: &[u8; 64]) -> [u8; 32] {
    let mut a = [0u64; 25];
    let mut lane = 0;
    let (lanes, _) = message.as_chunks::<8>();
    while lane < 8 {
        a[lane] = u64::from_le_bytes(lanes[lane]);
        lane += 1;
    }
    a[8] = super::PADDING_FIRST;
    a[16] = super::PADDING_LAST;
    keccak_f(&mut a);
    let mut digest = [0u8; 32];
    let (out, _) = digest.as_chunks_mut::<8>();
    lane = 0;
    while lane < 4 {
        out[lane] = a[lane].to_le_bytes();
        lane += 1;
    }
    digest
}

/// keccak256 of each message, in order.
pub(super) fn hash_pairs(messages: &[[u8; 64]], digests: &mut [[u8; 32]]) {
    for (message, digest) in messages.iter().zip(digests) {
        *digest = hash_pair(message);
    }
}
