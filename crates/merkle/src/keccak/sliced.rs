//! Thirty-two nodes at a time in 256-bit registers, for processors whose vector units cannot rotate.
//!
//! There, each of the 29 rotations of a round is two shifts and an or, almost half of all work. So a lane is
//! cut into eight slices of every eighth bit, and a slice of all messages fills a register:
//!
//! ```text
//!   slice z of a lane, 32 bytes:   byte 8q + b, bit i  =  bit 8b + z of that lane in message 4i + q
//! ```
//!
//! Rotated by k, slice s becomes slice s + k mod 8, which costs nothing, with the bytes of each 64-bit part
//! rotated by (s + k) / 8, which is one shuffle, or none. Everything else is bitwise, and the same as on
//! whole lanes.
//!
//! A round reads one state and writes another, row by row, so that it needs no more than 16 registers.
//! There are no closures in it: the compiler does not always inline one where vectors go in and out.

use core::arch::x86_64::*;
use core::array;
use core::cell::Cell;

use super::{
    PADDING_FIRST, PADDING_LAST,
    avx2::{chi, load, store, transpose, xor},
    permutation::ROUND_CONSTANTS,
};

/// Messages hashed together.
pub(super) const WIDTH: usize = 32;

/// The slices of one lane.
type Slices = [__m256i; 8];

/// Where the lanes of each row of the next state come from, and how far they are rotated: rho and pi.
const ROWS: [[(usize, usize); 5]; 5] = [
    [(0, 0), (6, 44), (12, 43), (18, 21), (24, 14)],
    [(3, 28), (9, 20), (10, 3), (16, 45), (22, 61)],
    [(1, 1), (7, 6), (13, 25), (19, 8), (20, 18)],
    [(4, 27), (5, 36), (11, 10), (17, 15), (23, 56)],
    [(2, 62), (8, 55), (14, 39), (15, 41), (21, 2)],
];

/// The round constants, cut into slices.
static IOTA: [[u64; 8]; 24] = {
    let mut slices = [[0; 8]; 24];
    let mut at = 0;
    while at < 24 * 8 {
        slices[at / 8][at % 8] = slice_of(ROUND_CONSTANTS[at / 8], at % 8);
        at += 1;
    }
    slices
};

/// One 64-bit part of a slice of a lane that is the same in all messages.
const fn slice_of(lane: u64, slice: usize) -> u64 {
    // Every bit that belongs to the slice, spread over its byte.
    ((lane >> slice) & 0x0101_0101_0101_0101) * 0xff
}

/// For each n the shuffle that rotates 64-bit parts left by n bytes. Parts come in pairs; a shuffle counts
/// bytes from the start of its pair.
static BYTE_ROTATIONS: [[u8; 32]; 8] = {
    let mut shuffles = [[0; 32]; 8];
    let mut at = 0;
    while at < 8 * 32 {
        let (n, byte) = (at / 32, at % 32);
        shuffles[n][byte] = ((byte & 8) | ((byte + 8 - n) % 8)) as u8;
        at += 1;
    }
    shuffles
};

/// [`BYTE_ROTATIONS`] in registers.
struct ByteRotations([__m256i; 8]);

impl ByteRotations {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        let mut shuffles = [_mm256_setzero_si256(); 8];
        // The compiler would turn a shuffle that it knows into two others.
        for (to, bytes) in shuffles.iter_mut().zip(core::hint::black_box(&BYTE_ROTATIONS)) {
            *to = load(bytes);
        }
        Self(shuffles)
    }

    /// Slices 7 of lanes that are rotated left by one bit: what becomes slice 0.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn by_one(&self, mut slices: [__m256i; 5]) -> [__m256i; 5] {
        for slice in &mut slices {
            *slice = self.rotl(*slice, 1);
        }
        slices
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotl(&self, part: __m256i, bytes: usize) -> __m256i {
        match bytes {
            0 => part,
            4 => _mm256_shuffle_epi32::<0b10_11_00_01>(part),
            _ => _mm256_shuffle_epi8(part, self.0[bytes]),
        }
    }
}

/// The lanes of 32 states, and what theta adds to each of their columns.
///
/// Cells, so that two states change places without copying. It also keeps the compiler from carrying what it
/// has loaded once across later stores: it would run out of registers, and write it to the stack to have it.
#[repr(align(64))]
struct State {
    lanes: [[Cell<__m256i>; 8]; 25],
    theta: [[Cell<__m256i>; 8]; 5],
}

impl State {
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        let slices = || array::from_fn(|_| Cell::new(_mm256_setzero_si256()));
        Self { lanes: array::from_fn(|_| slices()), theta: array::from_fn(|_| slices()) }
    }

    /// The first block of each message, padding included.
    #[target_feature(enable = "avx2")]
    fn absorb(&self, messages: &[[u8; 64]; WIDTH], rotations: &ByteRotations) {
        let halves = messages.as_flattened().as_chunks::<32>().0;
        for half in 0..2 {
            let mut lanes = [[_mm256_setzero_si256(); 8]; 4];
            for i in 0..8 {
                let first = 8 * i + half;
                let rows = transpose([
                    load(&halves[first]),
                    load(&halves[first + 2]),
                    load(&halves[first + 4]),
                    load(&halves[first + 6]),
                ]);
                for (lane, row) in lanes.iter_mut().zip(rows) {
                    lane[i] = row;
                }
            }
            for (lane, to) in lanes.into_iter().zip(&self.lanes[4 * half..]) {
                for (slice, to) in transpose_bits(lane).into_iter().zip(to) {
                    to.set(slice);
                }
            }
        }
        for (lane, to) in self.lanes.iter().enumerate().skip(8) {
            let constant = match lane {
                8 => PADDING_FIRST,
                16 => PADDING_LAST,
                _ => 0,
            };
            for (slice, to) in to.iter().enumerate() {
                to.set(_mm256_set1_epi64x(slice_of(constant, slice).cast_signed()));
            }
        }
        let first = self.parity(0);
        let mut before = first;
        for slice in 1..8 {
            let parity = self.parity(slice);
            self.set_theta(slice, parity, before);
            before = parity;
        }
        self.set_theta(0, first, rotations.by_one(before));
    }

    /// The parities of the columns of one slice.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn parity(&self, slice: usize) -> [__m256i; 5] {
        let mut parity = [_mm256_setzero_si256(); 5];
        for (lane, slices) in self.lanes.iter().enumerate() {
            parity[lane % 5] = xor(parity[lane % 5], slices[slice].get());
        }
        parity
    }

    /// Theta's sums of one slice, from the parities of its columns and those of the slice that a rotation by
    /// one brings there.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn set_theta(&self, slice: usize, parity: [__m256i; 5], rotated: [__m256i; 5]) {
        for x in 0..5 {
            self.theta[x][slice].set(xor(parity[(x + 4) % 5], rotated[(x + 1) % 5]));
        }
    }
}

/// Asks for the sums here and now. The compiler would put them off, run out of registers, and have the
/// rows they are made of on the stack.
#[inline]
#[target_feature(enable = "avx2")]
fn settle([a, b, c, d, e]: &mut [__m256i; 5]) {
    // SAFETY: no instruction but a comment; the values stay what and where they are.
    unsafe {
        core::arch::asm!(
            "/* {} {} {} {} {} */",
            inout(ymm_reg) * a,
            inout(ymm_reg) * b,
            inout(ymm_reg) * c,
            inout(ymm_reg) * d,
            inout(ymm_reg) * e,
            options(nostack, preserves_flags),
        );
    }
}

/// Eight registers of whole lanes become eight slices and back: in each byte position an 8 x 8 matrix of
/// bits is transposed, by exchanging its quarters, then theirs, then single bits.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose_bits(mut rows: Slices) -> Slices {
    exchange::<4>(&mut rows, 0x0f);
    exchange::<2>(&mut rows, 0x33);
    exchange::<1>(&mut rows, 0x55);
    rows
}

/// Exchanges the high bits of each row with the low bits, those of `mask`, of the row `BY` further.
#[inline]
#[target_feature(enable = "avx2")]
fn exchange<const BY: i32>(rows: &mut Slices, mask: u8) {
    let mask = _mm256_set1_epi8(mask.cast_signed());
    let by = BY as usize;
    for row in 0..8 {
        if row & by != 0 {
            continue;
        }
        let high = _mm256_srli_epi64::<BY>(rows[row]);
        let difference = _mm256_and_si256(xor(high, rows[row + by]), mask);
        rows[row] = xor(rows[row], _mm256_slli_epi64::<BY>(difference));
        rows[row + by] = xor(rows[row + by], difference);
    }
}

/// One round, from one state to the other.
struct Round<'a> {
    from: &'a State,
    to: &'a State,
    rotations: &'a ByteRotations,
    iota: &'a [u64; 8],
}

impl Round<'_> {
    /// Lane `X` of row `Y` after theta, rho and pi.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn lane<const Y: usize, const X: usize, const SLICE: usize>(&self) -> __m256i {
        let (lane, by) = const { ROWS[Y][X] };
        let slice = const { (SLICE + 64 - ROWS[Y][X].1) % 8 };
        let sum = xor(self.from.theta[lane % 5][slice].get(), self.from.lanes[lane][slice].get());
        self.rotations.rotl(sum, (slice + by) / 8 % 8)
    }

    /// Row `Y` after chi.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn row<const Y: usize, const SLICE: usize>(&self) -> [__m256i; 5] {
        let row = [
            self.lane::<Y, 0, SLICE>(),
            self.lane::<Y, 1, SLICE>(),
            self.lane::<Y, 2, SLICE>(),
            self.lane::<Y, 3, SLICE>(),
            self.lane::<Y, 4, SLICE>(),
        ];
        [
            chi(row[0], row[1], row[2]),
            chi(row[1], row[2], row[3]),
            chi(row[2], row[3], row[4]),
            chi(row[3], row[4], row[0]),
            chi(row[4], row[0], row[1]),
        ]
    }

    /// Row 0 after iota.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn row_0<const SLICE: usize>(&self) -> [__m256i; 5] {
        let mut row = self.row::<0, SLICE>();
        row[0] = xor(row[0], _mm256_set1_epi64x(self.iota[SLICE].cast_signed()));
        row
    }

    /// Writes a row, and adds it to the parities of the columns.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn write<const Y: usize, const SLICE: usize>(
        &self,
        row: [__m256i; 5],
        mut parity: [__m256i; 5],
    ) -> [__m256i; 5] {
        for x in 0..5 {
            self.to.lanes[5 * Y + x][SLICE].set(row[x]);
            parity[x] = xor(parity[x], row[x]);
        }
        settle(&mut parity);
        parity
    }

    /// One slice of the whole state; the parities of its columns.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn slice<const SLICE: usize>(&self) -> [__m256i; 5] {
        let mut parity = [_mm256_setzero_si256(); 5];
        parity = self.write::<0, SLICE>(self.row_0::<SLICE>(), parity);
        parity = self.write::<1, SLICE>(self.row::<1, SLICE>(), parity);
        parity = self.write::<2, SLICE>(self.row::<2, SLICE>(), parity);
        parity = self.write::<3, SLICE>(self.row::<3, SLICE>(), parity);
        self.write::<4, SLICE>(self.row::<4, SLICE>(), parity)
    }

    /// A slice behind one whose parities are known.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn slice_after<const SLICE: usize>(&self, before: [__m256i; 5]) -> [__m256i; 5] {
        let parity = self.slice::<SLICE>();
        self.to.set_theta(SLICE, parity, before);
        parity
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn run(&self) {
        let first = self.slice::<0>();
        let parity = self.slice_after::<1>(first);
        let parity = self.slice_after::<2>(parity);
        let parity = self.slice_after::<3>(parity);
        let parity = self.slice_after::<4>(parity);
        let parity = self.slice_after::<5>(parity);
        let parity = self.slice_after::<6>(parity);
        let parity = self.slice_after::<7>(parity);
        self.to.set_theta(0, first, self.rotations.by_one(parity));
    }

    /// Of the last round, what the digests need: the first four lanes, whole again.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn digests(&self) -> [Slices; 4] {
        let slices = [
            self.row_0::<0>(),
            self.row_0::<1>(),
            self.row_0::<2>(),
            self.row_0::<3>(),
            self.row_0::<4>(),
            self.row_0::<5>(),
            self.row_0::<6>(),
            self.row_0::<7>(),
        ];
        let mut lanes = [[_mm256_setzero_si256(); 8]; 4];
        for (slice, row) in slices.iter().enumerate() {
            for (lane, part) in lanes.iter_mut().zip(row) {
                lane[slice] = *part;
            }
        }
        [
            transpose_bits(lanes[0]),
            transpose_bits(lanes[1]),
            transpose_bits(lanes[2]),
            transpose_bits(lanes[3]),
        ]
    }
}

/// All rounds over what `from` has absorbed.
#[inline]
#[target_feature(enable = "avx2")]
fn permute<'a>(
    mut from: &'a State,
    mut to: &'a State,
    rotations: &'a ByteRotations,
) -> [Slices; 4] {
    let [rounds @ .., last] = &IOTA;
    for iota in rounds {
        Round { from, to, rotations, iota }.run();
        core::mem::swap(&mut from, &mut to);
    }
    Round { from, to, rotations, iota: last }.digests()
}

/// keccak256 of each message of each group, in order.
#[target_feature(enable = "avx2")]
pub(super) fn hash_groups(messages: &[[[u8; 64]; WIDTH]], digests: &mut [[[u8; 32]; WIDTH]]) {
    let rotations = ByteRotations::new();
    let (state, scratch) = (State::new(), State::new());
    for (messages, digests) in messages.iter().zip(digests) {
        state.absorb(messages, &rotations);
        let lanes = permute(&state, &scratch, &rotations);
        for (i, digests) in digests.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let rows = transpose([lanes[0][i], lanes[1][i], lanes[2][i], lanes[3][i]]);
            for (digest, row) in digests.iter_mut().zip(rows) {
                store(digest, row);
            }
        }
    }
}
