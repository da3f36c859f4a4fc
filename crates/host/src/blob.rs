//! Blobs: their commitment, and the preimages that a program reads them by.
//!
//! ```text
//!   sha256 key of the versioned hash          ─► commitment, 48 bytes
//!   blob key of (commitment ‖ z)              ─► y, one field element      4096 of each
//!   keccak256 key over the same hash bytes    ─► commitment ‖ z, 80 bytes
//! ```
//!
//! The points z are those of [`blob_points`].
//!
//! Source: EIP-4844; OP Stack specification, "Fault Proof", section "Pre-image Oracle".

use alloy_primitives::{B256, hex};
use rebut_preimage::{BLOB_ELEMENTS, PreimageKey, blob_points};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Bytes of a blob.
pub(crate) const BLOB_BYTES: usize = BLOB_ELEMENTS * 32;

/// The points at which a blob's elements stand, in the order of the elements.
static POINTS: LazyLock<Vec<[u8; 32]>> = LazyLock::new(blob_points);

/// A commitment to a blob.
pub type Commitment = [u8; 48];

/// The commitment to a blob, `None` for bytes that are no blob: another length, or an element above
/// the modulus.
pub(crate) fn commitment(blob: &[u8]) -> Option<Commitment> {
    let blob = c_kzg::Blob::from_bytes(blob).ok()?;
    let commitment = c_kzg::ethereum_kzg_settings(0).blob_to_kzg_commitment(&blob).ok()?;
    Some(commitment.to_bytes().into_inner())
}

/// The hash by which transactions name a blob.
pub(crate) fn versioned_hash(commitment: &Commitment) -> B256 {
    let mut hash: [u8; 32] = Sha256::digest(commitment).into();
    hash[0] = 1;
    B256::new(hash)
}

/// The keys of a blob's elements, in order.
pub(crate) fn element_keys(commitment: &Commitment) -> impl Iterator<Item = PreimageKey> {
    POINTS.iter().map(|point| PreimageKey::blob(commitment, point))
}

/// Everything a host stores for a blob whose commitment was computed from it.
pub fn preimages(commitment: &Commitment, blob: &[u8]) -> Vec<(PreimageKey, Vec<u8>)> {
    let mut entries = Vec::with_capacity(2 * BLOB_ELEMENTS + 1);
    entries.push((PreimageKey::sha256(versioned_hash(commitment).0), commitment.to_vec()));
    for (point, element) in POINTS.iter().zip(blob.chunks_exact(32)) {
        let key = PreimageKey::blob(commitment, point);
        entries.push((key, element.to_vec()));
        entries.push((key.inputs_key(), [commitment.as_slice(), point].concat()));
    }
    entries
}

/// The commitment in the inputs of a blob key, `commitment ‖ z`, where z is the point of an element.
pub(crate) fn commitment_of_inputs(inputs: &[u8]) -> Option<Commitment> {
    let (commitment, z) = inputs.split_first_chunk::<48>()?;
    POINTS.iter().any(|point| point.as_slice() == z).then_some(*commitment)
}

/// A versioned hash as text, for messages.
pub(crate) fn name(hash: B256) -> String {
    format!("blob {}", hex::encode_prefixed(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    /// The points as the specification's facts list them.
    #[test]
    fn points_are_roots_of_unity_in_bit_reversed_order() {
        let check = |index: usize, expected: B256| assert_eq!(POINTS[index], expected.0, "{index}");
        check(0, B256::with_last_byte(1));
        check(1, b256!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000"));
        check(2, b256!("00000000000000008d51ccce760304d0ec030002760300000001000000000000"));
        check(3, b256!("73eda753299d7d47a5e80b39939ed33467baa40089fb5bfefffeffff00000001"));
        check(4, b256!("345766f603fa66e78c0625cd70d77ce2b38b21c28713b7007228fd3397743f7a"));
        check(4095, b256!("391b2856c609b4784ae25ffab9dc59865046d17864183203961a252dd8543362"));
    }

    #[test]
    fn keys_of_elements() {
        let mut commitment = [0; 48];
        commitment[0] = 0xc0;
        let keys: Vec<String> =
            element_keys(&commitment).take(2).map(|key| key.to_string()).collect();
        let expected = [
            "0x05d0386f1692642e9b46449e7ee5a7aaa85d92ab248930e0ff388ed56c79977e",
            "0x0548a8b457e7d906d8d22e959da25e1162d6f70cfaf8fc55338f898581217adb",
        ];
        assert_eq!(keys, expected);
    }

    /// The polynomial 0 has the point at infinity as its commitment.
    #[test]
    fn the_commitment_to_nothing() {
        let commitment = commitment(&[0; BLOB_BYTES]).unwrap();
        assert_eq!((commitment[0], &commitment[1..]), (0xc0, &[0; 47][..]));
    }

    #[test]
    fn bytes_that_are_no_blob() {
        assert_eq!(commitment(&[]), None);
        assert_eq!(commitment(&[0; BLOB_BYTES - 1]), None);
        assert_eq!(commitment(&[0xff; BLOB_BYTES]), None);
    }

    #[test]
    fn inputs_of_a_blob_key() {
        let inputs = [[7; 48].as_slice(), &POINTS[4095]].concat();
        assert_eq!(commitment_of_inputs(&inputs), Some([7; 48]));
        assert_eq!(commitment_of_inputs(&inputs[..79]), None);
        // A point that belongs to no element, such as its number.
        let inputs = [[7; 48].as_slice(), &B256::with_last_byte(2).0].concat();
        assert_eq!(commitment_of_inputs(&inputs), None);
    }
}
