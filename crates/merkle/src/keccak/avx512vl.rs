//! Four nodes at a time in 256-bit registers, with the single-instruction rotations and ternary
//! logic of AVX-512VL: for what is left over by eight at a time, down to one node, where it beats
//! the integer code.

use core::arch::x86_64::*;

use super::{
    avx2::{WIDTH, initial_state, store, transpose},
    permutation::permute,
};

/// Truth table of `a ^ b ^ c` for a ternary operation.
pub(super) const XOR3: i32 = 0x96;
/// Truth table of `a ^ (!b & c)`.
pub(super) const CHI: i32 = 0xd2;

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn xor(a: __m256i, b: __m256i) -> __m256i {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn xor5(a: __m256i, b: __m256i, c: __m256i, d: __m256i, e: __m256i) -> __m256i {
    _mm256_ternarylogic_epi64::<XOR3>(_mm256_ternarylogic_epi64::<XOR3>(a, b, c), d, e)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn rotl<const L: i32, const R: i32>(a: __m256i) -> __m256i {
    _mm256_rol_epi64::<L>(a)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn chi(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_ternarylogic_epi64::<CHI>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn broadcast(constant: u64) -> __m256i {
    _mm256_set1_epi64x(constant.cast_signed())
}

/// keccak256 of up to four messages, in order; further ones are left alone.
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) fn hash_up_to_four(messages: &[[u8; 64]], digests: &mut [[u8; 32]]) {
    let mut group = [[0; 64]; WIDTH];
    for (slot, message) in group.iter_mut().zip(messages) {
        *slot = *message;
    }
    let mut a = initial_state(&group);
    permute!(a);
    let mut out = [[0; 32]; WIDTH];
    for (digest, row) in out.iter_mut().zip(transpose([a[0], a[1], a[2], a[3]])) {
        store(digest, row);
    }
    let length = messages.len().min(WIDTH).min(digests.len());
    digests[..length].copy_from_slice(&out[..length]);
}
