//! keccak256 in plain Rust, for a 64-bit machine without rotations.
//!
//! The benchmark of the machine and the check of the assembly use it; hashing in programs is
//! [`sys::keccak256_into`](crate::sys::keccak256_into).
//!
//! Source: FIPS 202, section 3.2, with the padding of the original Keccak.

/// Bytes that go into the state before each permutation.
pub const RATE_BYTES: usize = 136;

const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// keccak256 of `input`.
pub fn keccak256(input: &[u8]) -> [u8; 32] {
    let mut output = [0; 32];
    keccak256_into(input, &mut output);
    output
}

/// keccak256 of `input`, written to `output`.
pub fn keccak256_into(input: &[u8], output: &mut [u8; 32]) {
    let mut state = [0; 25];
    let (blocks, rest) = input.as_chunks::<RATE_BYTES>();
    for block in blocks {
        absorb(&mut state, block.as_chunks().0);
        permute(&mut state);
    }
    let (lanes, tail) = rest.as_chunks::<8>();
    absorb(&mut state, lanes);
    // One bit behind the input, one at the end of the block.
    let mut last = [0; 8];
    last[..tail.len()].copy_from_slice(tail);
    last[tail.len()] = 0x01;
    state[lanes.len()] ^= u64::from_le_bytes(last);
    state[RATE_BYTES / 8 - 1] ^= 1 << 63;
    permute(&mut state);
    for (bytes, lane) in output.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = lane.to_le_bytes();
    }
}

fn absorb(state: &mut [u64; 25], lanes: &[[u8; 8]]) {
    for (lane, bytes) in state.iter_mut().zip(lanes) {
        *lane ^= u64::from_le_bytes(*bytes);
    }
}

fn permute(state: &mut [u64; 25]) {
    let mut lanes = *state;
    for [even, odd] in ROUND_CONSTANTS.as_chunks::<2>().0 {
        lanes = round(&round(&lanes, *even), *odd);
    }
    *state = lanes;
}

/// Where the lane at `x + 5 y` comes from and by how much it is rotated (rho and pi).
#[rustfmt::skip]
const SOURCES: [(usize, u32); 25] = [
    (0, 0), (6, 44), (12, 43), (18, 21), (24, 14),
    (3, 28), (9, 20), (10, 3), (16, 45), (22, 61),
    (1, 1), (7, 6), (13, 25), (19, 8), (20, 18),
    (4, 27), (5, 36), (11, 10), (17, 15), (23, 56),
    (2, 62), (8, 55), (14, 39), (15, 41), (21, 2),
];

/// One round: row by row, so that few lanes are alive beside the ones that come and go.
#[inline(always)]
fn round(a: &[u64; 25], constant: u64) -> [u64; 25] {
    let c: [u64; 5] = core::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    let d: [u64; 5] = core::array::from_fn(|x| c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1));
    let mut e = [0; 25];
    macro_rules! row {
        ($y:literal) => {
            let b: [u64; 5] = core::array::from_fn(|x| {
                let (from, rotation) = SOURCES[x + 5 * $y];
                (a[from] ^ d[from % 5]).rotate_left(rotation)
            });
            e[5 * $y] = b[0] ^ (!b[1] & b[2]);
            e[5 * $y + 1] = b[1] ^ (!b[2] & b[3]);
            e[5 * $y + 2] = b[2] ^ (!b[3] & b[4]);
            e[5 * $y + 3] = b[3] ^ (!b[4] & b[0]);
            e[5 * $y + 4] = b[4] ^ (!b[0] & b[1]);
        };
    }
    row!(0);
    row!(1);
    row!(2);
    row!(3);
    row!(4);
    e[0] ^= constant;
    e
}
