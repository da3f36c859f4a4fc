//! RLP from parts that are already encoded.

use alloy_rlp::{Encodable, Header};

/// A byte string.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(bytes)
}

/// A list of encoded items.
pub fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload_length = items.iter().map(Vec::len).sum();
    let mut out = Vec::new();
    Header { list: true, payload_length }.encode(&mut out);
    for item in items {
        out.extend(item);
    }
    out
}

/// A number or another primitive.
pub fn value(value: impl Encodable) -> Vec<u8> {
    alloy_rlp::encode(value)
}
