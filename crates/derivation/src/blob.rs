//! Rollup data in blobs.
//!
//! A field element has room for 254 bits. Four elements carry 127 bytes: 31 in the tail of each, and
//! three more in the low six bits of their first bytes.
//!
//! ```text
//!   element   ┌───┬─────────┐┌───┬─────────┐┌───┬─────────┐┌───┬─────────┐
//!             │ A │ tail 31 ││ B │ tail 31 ││ C │ tail 31 ││ D │ tail 31 │
//!             └───┴─────────┘└───┴─────────┘└───┴─────────┘└───┴─────────┘
//!   decoded   tail A, x, tail B, y, tail C, z, tail D
//!
//!                 7 6       5 4 3 2 1 0
//!   x         B 5..4        A 5..0
//!   z         D 5..4        C 5..0
//!   y         D 3..0 in 7..4, B 3..0 in 3..0
//! ```
//!
//! The 130048 decoded bytes are a version (0), a length of three bytes, the data, and zeros.
//!
//! Invariant: whatever is left over must be zero, so one data has exactly one blob, but for the two
//! highest bits of the first element: no node looks at them.
//!
//! Specification: Ecotone, "Blob Encoding".

use alloc::vec::Vec;
use alloy_primitives::Bytes;

/// 4096 field elements of 32 bytes.
const BLOB_BYTES: usize = 4096 * 32;

/// Bytes of four field elements.
const GROUP_BYTES: usize = 4 * 32;

/// What four field elements carry.
const GROUP_DATA_BYTES: usize = 4 * 31 + 3;

/// Version and length.
const HEADER_BYTES: usize = 4;

/// The longest data a blob may carry.
const MAX_DATA_BYTES: usize = BLOB_BYTES / GROUP_BYTES * GROUP_DATA_BYTES - HEADER_BYTES;

/// Why a blob carries no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The first decoded byte is no known version.
    #[error("a blob of version {0} is unknown")]
    Version(u8),
    /// It claims more data than fits.
    #[error("a blob cannot carry {0} bytes")]
    Length(usize),
    /// One of the two highest bits of a field element is set.
    #[error("field element {0} holds more than 254 bits")]
    FieldElement(usize),
    /// Something other than zeros follows the data.
    #[error("a byte behind the data is not zero")]
    Trailing,
}

/// The data that a blob carries.
///
/// # Errors
/// When the blob is not the encoding of any data.
pub fn decode_blob(blob: &[u8; BLOB_BYTES]) -> Result<Bytes, BlobError> {
    let [_, version, length @ ..] = blob.first_chunk::<5>().ok_or(BlobError::Trailing)?;
    if *version != 0 {
        return Err(BlobError::Version(*version));
    }
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    if length > MAX_DATA_BYTES {
        return Err(BlobError::Length(length));
    }
    let end = HEADER_BYTES + length;
    let (groups, _) = blob.as_chunks::<GROUP_BYTES>();
    let used = end.div_ceil(GROUP_DATA_BYTES);
    let mut decoded = Vec::with_capacity(used * GROUP_DATA_BYTES);
    for (index, group) in groups.iter().take(used).enumerate() {
        decode_group(group, index, &mut decoded)?;
    }
    let padding = decoded.get(end..).unwrap_or_default();
    let rest = groups.get(used..).unwrap_or_default().as_flattened();
    if padding.iter().chain(rest).any(|byte| *byte != 0) {
        return Err(BlobError::Trailing);
    }
    Ok(Bytes::from(decoded).slice(HEADER_BYTES..end))
}

/// What the first byte of a field element may hold.
const LOW_SIX_BITS: u8 = 0b0011_1111;

fn decode_group(
    group: &[u8; GROUP_BYTES],
    index: usize,
    decoded: &mut Vec<u8>,
) -> Result<(), BlobError> {
    let (elements, _) = group.as_chunks::<32>();
    let checked = usize::from(index == 0);
    let high = elements.iter().skip(checked).position(|element| element[0] > LOW_SIX_BITS);
    if let Some(place) = high {
        return Err(BlobError::FieldElement(index * 4 + checked + place));
    }
    let [[a, tail_a @ ..], [b, tail_b @ ..], [c, tail_c @ ..], [d, tail_d @ ..]] = elements else {
        return Ok(());
    };
    decoded.extend_from_slice(tail_a);
    decoded.push(a & LOW_SIX_BITS | (b & 0b0011_0000) << 2);
    decoded.extend_from_slice(tail_b);
    decoded.push(b & 0b0000_1111 | (d & 0b0000_1111) << 4);
    decoded.extend_from_slice(tail_c);
    decoded.push(c | (d & 0b0011_0000) << 2);
    decoded.extend_from_slice(tail_d);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::seeded;
    use alloc::{boxed::Box, vec};
    use proptest::{collection::vec as vec_of, prelude::*};

    /// The blob of `decoded` (version, length, data), written after the encoder in the specification.
    fn encode(decoded: &[u8]) -> Box<[u8; BLOB_BYTES]> {
        let mut read = decoded.iter().copied().chain(core::iter::repeat(0));
        let mut blob = Vec::new();
        for _ in 0..1024 {
            let mut tail = || -> Vec<u8> { read.by_ref().take(31).collect() };
            let (tail_a, x) = (tail(), read.next().unwrap());
            let mut tail = || -> Vec<u8> { read.by_ref().take(31).collect() };
            let (tail_b, y) = (tail(), read.next().unwrap());
            let mut tail = || -> Vec<u8> { read.by_ref().take(31).collect() };
            let (tail_c, z) = (tail(), read.next().unwrap());
            let tail_d: Vec<u8> = read.by_ref().take(31).collect();
            for (first, tail) in [
                (x & 0x3f, tail_a),
                ((y & 0x0f) | ((x & 0xc0) >> 2), tail_b),
                (z & 0x3f, tail_c),
                (((z & 0xc0) >> 2) | ((y & 0xf0) >> 4), tail_d),
            ] {
                blob.push(first);
                blob.extend_from_slice(&tail);
            }
        }
        blob.into_boxed_slice().try_into().unwrap()
    }

    fn with_header(data: &[u8]) -> Vec<u8> {
        [&[0], &(data.len() as u32).to_be_bytes()[1..], data].concat()
    }

    fn check(blob: &[u8; BLOB_BYTES], expected: Result<&[u8], BlobError>) {
        assert_eq!(
            decode_blob(blob).as_ref().map(|data| &data[..]),
            expected.as_ref().map(|data| *data)
        );
    }

    #[test]
    fn data_of_every_interesting_length_is_read() {
        for length in [0, 1, 27, 28, 122, 123, 124, 130_043, 130_044] {
            let data: Vec<u8> = (0..length).map(|at| (at * 7 + at / 256) as u8 | 1).collect();
            check(&encode(&with_header(&data)), Ok(&data));
        }
    }

    #[test]
    fn other_versions_are_rejected() {
        check(&encode(&[1, 0, 0, 1, 9]), Err(BlobError::Version(1)));
    }

    #[test]
    fn a_length_that_does_not_fit_is_rejected() {
        check(&encode(&[0, 0x01, 0xfb, 0xfd]), Err(BlobError::Length(130_045)));
        check(&encode(&[0, 0xff, 0xff, 0xff]), Err(BlobError::Length(0xff_ffff)));
    }

    #[test]
    fn an_element_of_more_than_254_bits_is_rejected() {
        let data = vec![5; 1000];
        for (element, bit) in [(1, 0x80), (2, 0x40), (3, 0x80), (4, 0x40), (31, 0x40)] {
            let mut blob = encode(&with_header(&data));
            blob[element * 32] |= bit;
            check(&blob, Err(BlobError::FieldElement(element)));
        }
    }

    #[test]
    fn the_highest_bits_of_the_first_element_do_not_count() {
        let data = vec![5; 1000];
        for bits in [0x40, 0x80, 0xc0] {
            let mut blob = encode(&with_header(&data));
            blob[0] |= bits;
            check(&blob, Ok(&data));
        }
    }

    #[test]
    fn whatever_follows_the_data_must_be_zero() {
        let mut blob = encode(&with_header(&[5; 10]));
        for at in [15, 31, 32, 33, 96, 127, 128, 129, 4000, BLOB_BYTES - 32, BLOB_BYTES - 1] {
            let before = core::mem::replace(&mut blob[at], 1);
            check(&blob, Err(BlobError::Trailing));
            blob[at] = before;
        }
        check(&blob, Ok(&[5; 10]));
    }

    proptest! {
        #![proptest_config(seeded(64))]

        #[test]
        fn data_survives_the_way(data in vec_of(any::<u8>(), 0..2000)) {
            prop_assert_eq!(&decode_blob(&encode(&with_header(&data))).unwrap()[..], &data[..]);
        }

        #[test]
        fn one_data_has_one_blob(
            data in vec_of(any::<u8>(), 0..300), at in 0..600usize, flip in 1..=u8::MAX,
        ) {
            let mut blob = encode(&with_header(&data));
            blob[at] ^= flip;
            blob[0] &= LOW_SIX_BITS;
            if let Ok(other) = decode_blob(&blob) {
                prop_assert_eq!(encode(&with_header(&other)), blob);
            }
        }
    }
}
