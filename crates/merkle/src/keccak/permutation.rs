//! The round function of Keccak-f\[1600\], written once for every lane type.
//!
//! The macro expands to the whole permutation of 25 lanes held in locals. It names no operation of
//! its own: the module that expands it provides
//!
//! - `xor(a, b)`, `xor5(a, b, c, d, e)`,
//! - `rotl::<L, R>(a)`: rotate left by `L`, where `R = 64 - L` (const generics cannot subtract),
//! - `chi(a, b, c)` = `a ^ (!b & c)`,
//! - `broadcast(u64)`: the constant in every lane.
//!
//! So one text serves a `const fn` over `u64` and the vector units, and the text is checked against
//! an independent keccak in the tests of each engine.
//!
//! Specification: FIPS 202, section 3 (with the original Keccak padding, see the callers).

/// Round constants of the step iota.
pub(super) const ROUND_CONSTANTS: [u64; 24] = round_constants();

/// The constants are the output of an 8-bit LFSR (FIPS 202, algorithm 5), which is shorter and
/// easier to check than a table of 24 numbers.
const fn round_constants() -> [u64; 24] {
    let mut constants = [0u64; 24];
    let mut lfsr = 1u8;
    let mut round = 0;
    while round < 24 {
        let mut bit = 0;
        while bit < 7 {
            if lfsr & 1 == 1 {
                constants[round] |= 1 << ((1u32 << bit) - 1);
            }
            // x^8 + x^6 + x^5 + x^4 + 1: the bit shifted out feeds back into 0, 4, 5 and 6.
            lfsr = (lfsr << 1) ^ (if lfsr >> 7 == 1 { 0x71 } else { 0 });
            bit += 1;
        }
        round += 1;
    }
    constants
}

/// Applies Keccak-f\[1600\] to `$a`, an array of 25 lanes; lane `x + 5y` is at index `x + 5y`.
macro_rules! permute {
    ($a:ident) => {{
        let mut round = 0;
        while round < 24 {
            // theta
            let c0 = xor5($a[0], $a[5], $a[10], $a[15], $a[20]);
            let c1 = xor5($a[1], $a[6], $a[11], $a[16], $a[21]);
            let c2 = xor5($a[2], $a[7], $a[12], $a[17], $a[22]);
            let c3 = xor5($a[3], $a[8], $a[13], $a[18], $a[23]);
            let c4 = xor5($a[4], $a[9], $a[14], $a[19], $a[24]);
            let d0 = xor(c4, rotl::<1, 63>(c1));
            let d1 = xor(c0, rotl::<1, 63>(c2));
            let d2 = xor(c1, rotl::<1, 63>(c3));
            let d3 = xor(c2, rotl::<1, 63>(c4));
            let d4 = xor(c3, rotl::<1, 63>(c0));
            // rho and pi: lane (x, y) rotated goes to (y, 2x + 3y); then chi, one row at a time.
            let b0 = xor($a[0], d0);
            let b1 = rotl::<44, 20>(xor($a[6], d1));
            let b2 = rotl::<43, 21>(xor($a[12], d2));
            let b3 = rotl::<21, 43>(xor($a[18], d3));
            let b4 = rotl::<14, 50>(xor($a[24], d4));
            let b5 = rotl::<28, 36>(xor($a[3], d3));
            let b6 = rotl::<20, 44>(xor($a[9], d4));
            let b7 = rotl::<3, 61>(xor($a[10], d0));
            let b8 = rotl::<45, 19>(xor($a[16], d1));
            let b9 = rotl::<61, 3>(xor($a[22], d2));
            let b10 = rotl::<1, 63>(xor($a[1], d1));
            let b11 = rotl::<6, 58>(xor($a[7], d2));
            let b12 = rotl::<25, 39>(xor($a[13], d3));
            let b13 = rotl::<8, 56>(xor($a[19], d4));
            let b14 = rotl::<18, 46>(xor($a[20], d0));
            let b15 = rotl::<27, 37>(xor($a[4], d4));
            let b16 = rotl::<36, 28>(xor($a[5], d0));
            let b17 = rotl::<10, 54>(xor($a[11], d1));
            let b18 = rotl::<15, 49>(xor($a[17], d2));
            let b19 = rotl::<56, 8>(xor($a[23], d3));
            let b20 = rotl::<62, 2>(xor($a[2], d2));
            let b21 = rotl::<55, 9>(xor($a[8], d3));
            let b22 = rotl::<39, 25>(xor($a[14], d4));
            let b23 = rotl::<41, 23>(xor($a[15], d0));
            let b24 = rotl::<2, 62>(xor($a[21], d1));
            $a = [
                xor(
                    chi(b0, b1, b2),
                    broadcast($crate::keccak::permutation::ROUND_CONSTANTS[round]),
                ),
                chi(b1, b2, b3),
                chi(b2, b3, b4),
                chi(b3, b4, b0),
                chi(b4, b0, b1),
                chi(b5, b6, b7),
                chi(b6, b7, b8),
                chi(b7, b8, b9),
                chi(b8, b9, b5),
                chi(b9, b5, b6),
                chi(b10, b11, b12),
                chi(b11, b12, b13),
                chi(b12, b13, b14),
                chi(b13, b14, b10),
                chi(b14, b10, b11),
                chi(b15, b16, b17),
                chi(b16, b17, b18),
                chi(b17, b18, b19),
                chi(b18, b19, b15),
                chi(b19, b15, b16),
                chi(b20, b21, b22),
                chi(b21, b22, b23),
                chi(b22, b23, b24),
                chi(b23, b24, b20),
                chi(b24, b20, b21),
            ];
            round += 1;
        }
    }};
}

pub(super) use permute;
