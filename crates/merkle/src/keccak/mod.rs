//! keccak256 of 64-byte messages: the only hash a binary tree needs.
//!
//! A message of 64 bytes fills eight lanes of the first and only block (rate 136 bytes, 17 lanes);
//! the padding is a 1 bit after the message and a 1 bit at the end of the block, so lanes 8 and 16
//! are constants and the rest is zero. That makes every engine a fixed-shape permutation.

mod permutation;
mod portable;

pub(crate) use portable::hash_pair;

/// Lane 8: the first padding bit, right after the message.
const PADDING_FIRST: u64 = 1;
/// Lane 16: the last padding bit, at the end of the 136-byte block.
const PADDING_LAST: u64 = 1 << 63;

/// Which code hashes. All engines give the same bytes.
///
/// A value exists only for an engine that this processor can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
}

impl Engine {
    /// Plain integer code, one message at a time; runs everywhere.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// The fastest engine of this processor.
    #[must_use]
    pub fn best() -> Self {
        Self::PORTABLE
    }

    /// keccak256 of each 64-byte message into the digest of the same position.
    ///
    /// Surplus messages or digests, where the two slices differ in length, are left alone.
    pub fn hash_pairs(self, messages: &[[u8; 64]], digests: &mut [[u8; 32]]) {
        match self.0 {
            Kind::Portable => portable::hash_pairs(messages, digests),
        }
    }
}
