//! Eight nodes at a time in 512-bit registers: lane `i` of the state holds lane `i` of each of the
//! eight messages. Rotations and three-operand logic are single instructions, and the 25 lanes of
//! the state fit the 32 registers.

use core::arch::x86_64::*;

use super::{
    PADDING_FIRST, PADDING_LAST,
    avx512vl::{self, CHI, XOR3},
    permutation::permute,
};

/// Messages hashed together.
const WIDTH: usize = 8;

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor5(a: __m512i, b: __m512i, c: __m512i, d: __m512i, e: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<XOR3>(_mm512_ternarylogic_epi64::<XOR3>(a, b, c), d, e)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotl<const L: i32, const R: i32>(a: __m512i) -> __m512i {
    _mm512_rol_epi64::<L>(a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn chi(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<CHI>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(constant: u64) -> __m512i {
    _mm512_set1_epi64(constant.cast_signed())
}

/// Eight rows of eight lanes become eight columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    // Within 128-bit quarters: column pairs (0, 1), (2, 3), ... of row pairs.
    let low: [__m512i; 4] =
        core::array::from_fn(|pair| _mm512_unpacklo_epi64(rows[2 * pair], rows[2 * pair + 1]));
    let high: [__m512i; 4] =
        core::array::from_fn(|pair| _mm512_unpackhi_epi64(rows[2 * pair], rows[2 * pair + 1]));
    let mut columns = [_mm512_setzero_si512(); 8];
    for (parity, pairs) in [low, high].into_iter().enumerate() {
        // Quarters 0 and 2, then 1 and 3, of rows 0 to 3 and of rows 4 to 7.
        let even0 = _mm512_shuffle_i64x2::<0b10_00_10_00>(pairs[0], pairs[1]);
        let odd0 = _mm512_shuffle_i64x2::<0b11_01_11_01>(pairs[0], pairs[1]);
        let even1 = _mm512_shuffle_i64x2::<0b10_00_10_00>(pairs[2], pairs[3]);
        let odd1 = _mm512_shuffle_i64x2::<0b11_01_11_01>(pairs[2], pairs[3]);
        columns[parity] = _mm512_shuffle_i64x2::<0b10_00_10_00>(even0, even1);
        columns[2 + parity] = _mm512_shuffle_i64x2::<0b10_00_10_00>(odd0, odd1);
        columns[4 + parity] = _mm512_shuffle_i64x2::<0b11_01_11_01>(even0, even1);
        columns[6 + parity] = _mm512_shuffle_i64x2::<0b11_01_11_01>(odd0, odd1);
    }
    columns
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes are readable, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_low_half(bytes: &mut [u8; 32], value: __m512i) {
    // SAFETY: 32 bytes are writable, and the store asks for no alignment.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), _mm512_castsi512_si256(value)) }
}

#[target_feature(enable = "avx512f")]
fn hash_eight(messages: &[[u8; 64]; WIDTH], digests: &mut [[u8; 32]; WIDTH]) {
    let zero = _mm512_setzero_si512();
    let mut a = [zero; 25];
    a[..8].copy_from_slice(&transpose(core::array::from_fn(|row| load(&messages[row]))));
    a[8] = broadcast(PADDING_FIRST);
    a[16] = broadcast(PADDING_LAST);
    permute!(a);
    let rows = transpose([a[0], a[1], a[2], a[3], zero, zero, zero, zero]);
    for (digest, row) in digests.iter_mut().zip(rows) {
        store_low_half(digest, row);
    }
}

/// keccak256 of each message, in order.
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) fn hash_pairs(messages: &[[u8; 64]], digests: &mut [[u8; 32]]) {
    let length = messages.len().min(digests.len());
    let (groups, rest) = messages[..length].as_chunks::<WIDTH>();
    let (out, out_rest) = digests[..length].as_chunks_mut::<WIDTH>();
    for (group, out) in groups.iter().zip(out) {
        hash_eight(group, out);
    }
    if rest.len() <= WIDTH / 2 {
        if !rest.is_empty() {
            avx512vl::hash_up_to_four(rest, out_rest);
        }
    } else {
        let mut group = [[0; 64]; WIDTH];
        group[..rest.len()].copy_from_slice(rest);
        let mut out = [[0; 32]; WIDTH];
        hash_eight(&group, &mut out);
        out_rest.copy_from_slice(&out[..rest.len()]);
    }
}
