//! The points at which a blob's polynomial is opened.
//!
//! A blob is 4096 field elements of BLS12-381: the values of a polynomial at the 4096th roots of
//! unity, in bit-reversed order. Element `i` is the preimage of the blob key with the commitment and
//! the `i`-th of these points.
//!
//! Source: EIP-4844 "Helpers", consensus specification "Polynomial commitments"; fault proof
//! specification, "Type 5: EIP-4844 point-evaluation key".

use alloc::vec::Vec;
use alloy_primitives::{U256, uint};

/// Field elements of a blob.
pub const BLOB_ELEMENTS: usize = 4096;

/// The order of the field: of the scalars of BLS12-381.
const MODULUS: U256 =
    uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);
/// A root of unity of order 2^32.
const GENERATOR: U256 =
    uint!(10238227357739495823651030575849232062558860180284477541189508159991286009131_U256);
/// The order of [`GENERATOR`] as a power of two, and that of the roots in use.
const GENERATOR_LOG: usize = 32;
const ELEMENTS_LOG: usize = 12;

/// The points, 32 bytes each, big-endian, in the order of the blob's elements.
pub fn blob_points() -> Vec<[u8; 32]> {
    // Squares of the generator: the roots of order 2^12, 2^11, … 2.
    let mut root = GENERATOR;
    for _ in ELEMENTS_LOG..GENERATOR_LOG {
        root = root.mul_mod(root, MODULUS);
    }
    let mut roots = [U256::ZERO; ELEMENTS_LOG];
    for slot in roots.iter_mut().rev() {
        *slot = root;
        root = root.mul_mod(root, MODULUS);
    }
    // With bits reversed the second half of 2^k points is the first, turned by the root of order
    // 2^k.
    let mut points = Vec::with_capacity(BLOB_ELEMENTS);
    points.push(U256::from(1));
    for root in roots {
        for index in 0..points.len() {
            points.push(points[index].mul_mod(root, MODULUS));
        }
    }
    points.iter().map(|point| point.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_the_root_with_its_index_reversed() {
        let root = GENERATOR.pow_mod(U256::from(1u64 << 20), MODULUS);
        for (index, point) in blob_points().into_iter().enumerate() {
            let exponent = (index as u16).reverse_bits() >> 4;
            let expected = root.pow_mod(U256::from(exponent), MODULUS);
            assert_eq!(U256::from_be_bytes(point), expected, "{index}");
        }
    }

    #[test]
    fn the_points_are_all_the_roots() {
        let points = blob_points();
        assert_eq!(points.len(), BLOB_ELEMENTS);
        let one = U256::from(1);
        for point in points.iter().map(|point| U256::from_be_bytes(*point)) {
            assert_eq!(point.pow_mod(U256::from(BLOB_ELEMENTS), MODULUS), one);
        }
        let mut sorted = points;
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), BLOB_ELEMENTS);
    }
}
