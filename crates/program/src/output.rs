//! Output roots: what a claim commits to.
//!
//! ```text
//!   ┌────────────┬───────────────┬──────────────────────────────┬───────────────┐
//!   │ version 32 │ state root 32 │ message passer's storage 32  │ block hash 32 │   version 0: all zero
//!   └────────────┴───────────────┴──────────────────────────────┴───────────────┘
//! ```
//!
//! Specification: "L2 output root proposals", "L2 output commitment construction".

use alloy_primitives::{B256, keccak256};

/// What an output root of version 0 is the hash of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Root of the account trie.
    pub state_root: B256,
    /// Root of the storage of the `L2ToL1MessagePasser`.
    pub message_passer_storage_root: B256,
    /// Hash of the block.
    pub block_hash: B256,
}

/// Bytes that are no output of version 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Not four words.
    #[error("an output has {LENGTH_BYTES} bytes, not {0}")]
    Length(usize),
    /// A version that nobody has defined.
    #[error("the output has version {0}, only version 0 is known")]
    Version(B256),
}

const LENGTH_BYTES: usize = 128;

impl Output {
    /// The preimage of the output root.
    pub fn encode(&self) -> [u8; LENGTH_BYTES] {
        let mut bytes = [0; LENGTH_BYTES];
        bytes[32..64].copy_from_slice(self.state_root.as_slice());
        bytes[64..96].copy_from_slice(self.message_passer_storage_root.as_slice());
        bytes[96..].copy_from_slice(self.block_hash.as_slice());
        bytes
    }

    /// Reads the preimage of an output root.
    ///
    /// # Errors
    /// [`OutputError`] unless `bytes` is what [`Self::encode`] makes of some output.
    pub fn decode(bytes: &[u8]) -> Result<Self, OutputError> {
        let (words, []) = bytes.as_chunks::<32>() else {
            return Err(OutputError::Length(bytes.len()));
        };
        let [version, state_root, message_passer_storage_root, block_hash] = words else {
            return Err(OutputError::Length(bytes.len()));
        };
        if *version != [0; 32] {
            return Err(OutputError::Version(version.into()));
        }
        Ok(Self {
            state_root: state_root.into(),
            message_passer_storage_root: message_passer_storage_root.into(),
            block_hash: block_hash.into(),
        })
    }

    /// The output root.
    pub fn root(&self) -> B256 {
        keccak256(self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn output() -> Output {
        Output {
            state_root: B256::repeat_byte(1),
            message_passer_storage_root: B256::repeat_byte(2),
            block_hash: B256::repeat_byte(3),
        }
    }

    #[test]
    fn the_layout_is_four_words() {
        let expected = [[0; 32], [1; 32], [2; 32], [3; 32]].concat();
        assert_eq!(output().encode().as_slice(), expected);
        assert_eq!(Output::decode(&expected), Ok(output()));
        assert_eq!(output().root(), keccak256(expected));
    }

    #[test]
    fn what_is_no_output_is_refused() {
        for length_bytes in [0, 96, 127, 129, 160] {
            let bytes = vec![0; length_bytes];
            assert_eq!(Output::decode(&bytes), Err(OutputError::Length(length_bytes)));
        }
        let mut bytes = output().encode();
        bytes[31] = 1;
        assert_eq!(Output::decode(&bytes), Err(OutputError::Version(B256::with_last_byte(1))));
    }
}
