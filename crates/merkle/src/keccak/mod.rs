//! keccak256 of 64-byte messages: the only hash a binary tree needs.
//!
//! A message of 64 bytes fills eight lanes of the first and only block (rate 136 bytes, 17 lanes);
//! the padding is a 1 bit after the message and a 1 bit at the end of the block, so lanes 8 and 16
//! are constants and the rest is zero. That makes every engine a fixed-shape permutation.

#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod avx2;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod avx512;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod avx512vl;
mod permutation;
mod portable;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod sliced;
#[cfg(test)]
mod tests;

use core::fmt;

pub(crate) use portable::hash_pair;
pub use portable::keccak_f;

/// Lane 8: the first padding bit, right after the message.
const PADDING_FIRST: u64 = 1;
/// Lane 16: the last padding bit, at the end of the 136-byte block.
const PADDING_LAST: u64 = 1 << 63;

/// Which code hashes. All engines give the same bytes.
///
/// Invariant: a value exists only for an engine that this processor can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512,
}

impl Engine {
    /// Plain integer code, one message at a time; runs everywhere.
    pub const PORTABLE: Self = Self(Kind::Portable);

    /// The engines of this processor, slowest first. Without `std` nothing can be asked of the
    /// processor, and there is the portable one only.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        let vector = {
            let avx2 = std::is_x86_feature_detected!("avx2");
            let avx512 = avx2
                && std::is_x86_feature_detected!("avx512f")
                && std::is_x86_feature_detected!("avx512vl");
            [(avx2, Kind::Avx2), (avx512, Kind::Avx512)]
        };
        #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
        let vector: [(bool, Kind); 0] = [];
        core::iter::once(Self::PORTABLE).chain(
            vector.into_iter().filter(|(available, _)| *available).map(|(_, kind)| Self(kind)),
        )
    }

    /// The fastest engine of this processor.
    #[must_use]
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Self::PORTABLE)
    }

    /// keccak256 of each 64-byte message into the digest of the same position.
    ///
    /// Surplus messages or digests, where the two slices differ in length, are left alone.
    pub fn hash_pairs(self, messages: &[[u8; 64]], digests: &mut [[u8; 32]]) {
        match self.0 {
            Kind::Portable => portable::hash_pairs(messages, digests),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            // SAFETY: this value exists only where the processor has AVX2.
            Kind::Avx2 => unsafe { avx2::hash_pairs(messages, digests) },
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            // SAFETY: this value exists only where the processor has AVX-512F and AVX-512VL.
            Kind::Avx512 => unsafe { avx512::hash_pairs(messages, digests) },
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Portable => "portable",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Kind::Avx2 => "avx2",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Kind::Avx512 => "avx512",
        })
    }
}
