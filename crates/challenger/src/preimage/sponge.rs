//! The sponge of keccak256, stopped after every block.
//!
//! A large preimage is absorbed on chain one block of 136 bytes at a time, off chain in fact: what the chain
//! keeps is a commitment to the state after each block.
//!
//! ```text
//!   commitment = keccak256( 25 lanes, each a word of 32 bytes )        lane x + 5y
//! ```

use alloy_primitives::{B256, keccak256};
use rebut_contracts::bindings::PreimageOracle as Oracle;
use rebut_merkle::keccak_f;

/// Bytes that one permutation absorbs.
pub const BLOCK_BYTES: usize = 136;

const LANES: usize = 25;

/// The state of keccak256 between two blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sponge([u64; LANES]);

impl Sponge {
    /// The state before the first block.
    pub const EMPTY: Self = Self([0; LANES]);

    /// The state with these lanes.
    #[cfg(test)]
    pub(super) const fn from_lanes(lanes: [u64; LANES]) -> Self {
        Self(lanes)
    }

    /// The lanes, that at (x, y) at index x + 5y.
    pub const fn lanes(&self) -> &[u64; LANES] {
        &self.0
    }

    /// Takes in one padded block.
    pub fn absorb(&mut self, block: &[u8; BLOCK_BYTES]) {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in self.0.iter_mut().zip(words) {
            *lane ^= u64::from_le_bytes(*word);
        }
        keccak_f(&mut self.0);
    }

    /// What a leaf says of the state.
    pub fn commitment(&self) -> B256 {
        let mut words = [0; LANES * 32];
        let (chunks, _) = words.as_chunks_mut::<32>();
        for (word, lane) in chunks.iter_mut().zip(self.0) {
            word[24..].copy_from_slice(&lane.to_be_bytes());
        }
        keccak256(words)
    }

    /// The hash, where the last block has been absorbed.
    pub fn digest(&self) -> B256 {
        let mut digest = B256::ZERO;
        let (words, _) = digest.0.as_chunks_mut::<8>();
        for (word, lane) in words.iter_mut().zip(self.0) {
            *word = lane.to_le_bytes();
        }
        digest
    }
}

/// Blocks that `length_bytes` of data make: one more than whole ones, for the padding.
pub const fn block_count(length_bytes: usize) -> usize {
    length_bytes / BLOCK_BYTES + 1
}

/// The blocks of data that ends here, the last one padded.
pub fn padded_blocks(data: &[u8]) -> impl Iterator<Item = [u8; BLOCK_BYTES]> {
    let (whole, rest) = data.as_chunks::<BLOCK_BYTES>();
    let mut last = [0; BLOCK_BYTES];
    for (byte, data) in last.iter_mut().zip(rest) {
        *byte = *data;
    }
    // Both marks fall on one byte where only one is left.
    last[rest.len()] ^= 0x01;
    last[BLOCK_BYTES - 1] ^= 0x80;
    whole.iter().copied().chain(std::iter::once(last))
}

impl From<&Sponge> for Oracle::StateMatrix {
    fn from(sponge: &Sponge) -> Self {
        Self { state: *sponge.lanes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{b256, hex};
    use serde_json::Value;

    fn absorb(data: &[u8]) -> (Vec<B256>, Sponge) {
        let mut sponge = Sponge::EMPTY;
        let mut commitments = vec![sponge.commitment()];
        for block in padded_blocks(data) {
            sponge.absorb(&block);
            commitments.push(sponge.commitment());
        }
        (commitments, sponge)
    }

    #[test]
    fn the_commitment_to_the_empty_state() {
        let known = b256!("ee0a1a26c607ab52c6308165995365f7951a185fccca4b76c847b8860d9fea7a");
        assert_eq!(Sponge::EMPTY.commitment(), known);
    }

    #[test]
    fn the_last_state_gives_the_hash() {
        for length in [0, 1, 134, 135, 136, 137, 271, 272, 1000, 4096] {
            let data: Vec<u8> = (0..length).map(|at| (at * 7) as u8).collect();
            let (commitments, sponge) = absorb(&data);
            assert_eq!(sponge.digest(), keccak256(&data), "{length}");
            assert_eq!(commitments.len(), block_count(length) + 1);
        }
    }

    /// Recorded from the deployed challenger's own sponge.
    #[test]
    fn recorded_commitments() {
        let Some(file) = rebut_recordings::read("keccak/commitments.json") else { return };
        let cases: Vec<Value> = serde_json::from_slice(&file).expect("JSON");
        assert!(cases.len() > 20, "{} cases", cases.len());
        for case in cases {
            let input = base64(case["input"].as_str().expect("an input"));
            let known = case["commitments"].as_array().expect("commitments");
            let known: Vec<B256> =
                known.iter().map(|text| text.as_str().expect("a hash").parse().unwrap()).collect();
            assert_eq!(absorb(&input).0, known, "input 0x{}", hex::encode(&input));
        }
    }

    fn base64(text: &str) -> Vec<u8> {
        let digit = |byte| match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("no base64 digit: {byte}"),
        };
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
        let bits = digits.iter().flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1));
        let bits: Vec<u8> = bits.collect();
        let (bytes, _) = bits.as_chunks::<8>();
        bytes.iter().map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
    }
}
