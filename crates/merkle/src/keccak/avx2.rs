//! Four nodes at a time in 256-bit registers: lane `i` of the state holds lane `i` of each of the
//! four messages. Many at a time are hashed by `sliced`; this is for what is left over.

use core::arch::x86_64::*;

use super::{PADDING_FIRST, PADDING_LAST, permutation::permute, portable, sliced};

/// Messages hashed together.
pub(super) const WIDTH: usize = 4;

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn xor(a: __m256i, b: __m256i) -> __m256i {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor5(a: __m256i, b: __m256i, c: __m256i, d: __m256i, e: __m256i) -> __m256i {
    xor(xor(xor(a, b), xor(c, d)), e)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotl<const L: i32, const R: i32>(a: __m256i) -> __m256i {
    match L {
        // Rotations by whole bytes are one shuffle instead of two shifts and an or.
        8 => {
            let left_by_one = _mm256_set_epi64x(
                0x0e0d_0c0b_0a09_080f,
                0x0605_0403_0201_0007,
                0x0e0d_0c0b_0a09_080f,
                0x0605_0403_0201_0007,
            );
            _mm256_shuffle_epi8(a, left_by_one)
        }
        56 => {
            let right_by_one = _mm256_set_epi64x(
                0x080f_0e0d_0c0b_0a09,
                0x0007_0605_0403_0201,
                0x080f_0e0d_0c0b_0a09,
                0x0007_0605_0403_0201,
            );
            _mm256_shuffle_epi8(a, right_by_one)
        }
        _ => _mm256_or_si256(_mm256_slli_epi64::<L>(a), _mm256_srli_epi64::<R>(a)),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn chi(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    xor(a, _mm256_andnot_si256(b, c))
}

#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(constant: u64) -> __m256i {
    _mm256_set1_epi64x(constant.cast_signed())
}

/// Lanes 0 to 3 of four rows become four columns and back: the transpose is its own inverse.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn transpose(rows: [__m256i; 4]) -> [__m256i; 4] {
    let low01 = _mm256_unpacklo_epi64(rows[0], rows[1]);
    let high01 = _mm256_unpackhi_epi64(rows[0], rows[1]);
    let low23 = _mm256_unpacklo_epi64(rows[2], rows[3]);
    let high23 = _mm256_unpackhi_epi64(rows[2], rows[3]);
    [
        _mm256_permute2x128_si256::<0x20>(low01, low23),
        _mm256_permute2x128_si256::<0x20>(high01, high23),
        _mm256_permute2x128_si256::<0x31>(low01, low23),
        _mm256_permute2x128_si256::<0x31>(high01, high23),
    ]
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are readable, and the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(bytes: &mut [u8; 32], value: __m256i) {
    // SAFETY: 32 bytes are writable, and the store asks for no alignment.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) }
}

/// The first block of each message, padding included.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn initial_state(messages: &[[u8; 64]; WIDTH]) -> [__m256i; 25] {
    let halves = messages.as_flattened().as_chunks::<32>().0;
    let [a0, a1, a2, a3] = transpose(core::array::from_fn(|row| load(&halves[2 * row])));
    let [a4, a5, a6, a7] = transpose(core::array::from_fn(|row| load(&halves[2 * row + 1])));
    let zero = _mm256_setzero_si256();
    let mut a = [zero; 25];
    a[..8].copy_from_slice(&[a0, a1, a2, a3, a4, a5, a6, a7]);
    a[8] = broadcast(PADDING_FIRST);
    a[16] = broadcast(PADDING_LAST);
    a
}

#[target_feature(enable = "avx2")]
fn hash_four(messages: &[[u8; 64]; WIDTH], digests: &mut [[u8; 32]; WIDTH]) {
    let mut a = initial_state(messages);
    permute!(a);
    for (digest, row) in digests.iter_mut().zip(transpose([a[0], a[1], a[2], a[3]])) {
        store(digest, row);
    }
}

/// keccak256 of each message, in order.
#[target_feature(enable = "avx2")]
pub(super) fn hash_pairs(messages: &[[u8; 64]], digests: &mut [[u8; 32]]) {
    let length = messages.len().min(digests.len());
    let (groups, messages) = messages[..length].as_chunks::<{ sliced::WIDTH }>();
    let (out, digests) = digests[..length].as_chunks_mut::<{ sliced::WIDTH }>();
    if !groups.is_empty() {
        sliced::hash_groups(groups, out);
    }
    let (groups, rest) = messages.as_chunks::<WIDTH>();
    let (out, out_rest) = digests.as_chunks_mut::<WIDTH>();
    for (group, out) in groups.iter().zip(out) {
        hash_four(group, out);
    }
    match rest {
        [] => {}
        [one] => out_rest[0] = portable::hash_pair(one),
        _ => {
            let mut group = [[0; 64]; WIDTH];
            group[..rest.len()].copy_from_slice(rest);
            let mut out = [[0; 32]; WIDTH];
            hash_four(&group, &mut out);
            out_rest.copy_from_slice(&out[..rest.len()]);
        }
    }
}
