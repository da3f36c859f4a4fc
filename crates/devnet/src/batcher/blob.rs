//! Rollup data written into a blob.
//!
//! Version 0, a length of three bytes, the data and zeros are spread over 1024 groups of four field
//! elements: 31 bytes in the tail of each, and three more in the low six bits of their first bytes.
//!
//! Specification: Ecotone, "Blob Encoding".

/// Bytes of a blob.
const BLOB_BYTES: usize = 131_072;
/// What a blob carries besides version and length.
pub const BLOB_DATA_LIMIT_BYTES: usize = 1024 * 127 - 4;

/// The blob that carries `data`. `None` for more data than fits.
pub fn encode(data: &[u8]) -> Option<Box<[u8; BLOB_BYTES]>> {
    let length = u32::try_from(data.len()).ok()?;
    if data.len() > BLOB_DATA_LIMIT_BYTES {
        return None;
    }
    // The first byte of the length is 0, and so is the version that stands in its place.
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(1024 * 127, 0);
    let mut blob = Vec::with_capacity(BLOB_BYTES);
    for group in bytes.as_chunks::<127>().0 {
        let [tail_a, tail_b, tail_c, tail_d] = [0, 32, 64, 96].map(|at| &group[at..at + 31]);
        let [x, y, z] = [31, 63, 95].map(|at| group[at]);
        let heads =
            [x & 0x3f, y & 0x0f | (x & 0xc0) >> 2, z & 0x3f, (z & 0xc0) >> 2 | (y & 0xf0) >> 4];
        for (head, tail) in heads.into_iter().zip([tail_a, tail_b, tail_c, tail_d]) {
            blob.push(head);
            blob.extend_from_slice(tail);
        }
    }
    Box::try_from(blob.into_boxed_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_reads_what_was_written() {
        for length in [0, 1, 27, 122, 123, 130_000, BLOB_DATA_LIMIT_BYTES] {
            let data: Vec<u8> = (0..length).map(|at| (at * 7 + at / 251) as u8).collect();
            let blob = encode(&data).unwrap();
            assert_eq!(rebut_derivation::decode_blob(&blob).unwrap(), data, "{length} bytes");
        }
        assert_eq!(encode(&[0; BLOB_DATA_LIMIT_BYTES + 1]), None);
    }
}
