//! What the instructions compute: short pure functions over 64-bit register values.
//!
//! Every engine computes through these, so that an engine differs from another only in how it fetches,
//! dispatches and stores. Results of 32-bit operations are sign-extended from bit 31.

/// The upper address bits that `j` and `jal` keep: all but the 256 MiB region.
pub const JUMP_REGION: u64 = 0xffff_ffff_f000_0000;

/// Sign-extends the low 32 bits.
#[inline(always)]
pub const fn sext32(v: u64) -> u64 {
    v as i32 as u64
}

macro_rules! functions {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident),*) = $body:expr;)*) => {
        $($(#[$meta])* #[inline(always)] pub const fn $name($($arg: u64),*) -> u64 { $body })*
    };
}

functions! {
    /// Sum of two words.
    fn add32(a, b) = sext32(a.wrapping_add(b));
    /// Difference of two words.
    fn sub32(a, b) = sext32(a.wrapping_sub(b));
    /// Sum of two doublewords.
    fn add64(a, b) = a.wrapping_add(b);
    /// Difference of two doublewords.
    fn sub64(a, b) = a.wrapping_sub(b);
    /// Low word of a product.
    fn mul32(a, b) = sext32(a.wrapping_mul(b));
    /// Bitwise and.
    fn and(a, b) = a & b;
    /// Bitwise or.
    fn or(a, b) = a | b;
    /// Bitwise exclusive or.
    fn xor(a, b) = a ^ b;
    /// Bitwise nor.
    fn nor(a, b) = !(a | b);
    /// One when a is less than b, signed.
    fn slt(a, b) = ((a as i64) < b as i64) as u64;
    /// One when a is less than b, unsigned.
    fn sltu(a, b) = (a < b) as u64;
    /// Word shifted left by the low 5 bits of `by`.
    fn sll32(v, by) = sext32(((v as u32) << (by & 31)) as u64);
    /// Word shifted right by the low 5 bits of `by`, zeros enter.
    fn srl32(v, by) = sext32(((v as u32) >> (by & 31)) as u64);
    /// Word shifted right by the low 5 bits of `by`, the sign enters.
    fn sra32(v, by) = (v as i32 >> (by & 31)) as u64;
    /// Doubleword shifted left by the low 6 bits of `by`.
    fn sll64(v, by) = v << (by & 63);
    /// Doubleword shifted right by the low 6 bits of `by`, zeros enter.
    fn srl64(v, by) = v >> (by & 63);
    /// Doubleword shifted right by the low 6 bits of `by`, the sign enters.
    fn sra64(v, by) = (v as i64 >> (by & 63)) as u64;
    /// Leading zeros of a word.
    fn clz32(v) = (v as u32).leading_zeros() as u64;
    /// Leading ones of a word.
    fn clo32(v) = (v as u32).leading_ones() as u64;
    /// Leading zeros of a doubleword.
    fn clz64(v) = v.leading_zeros() as u64;
    /// Leading ones of a doubleword.
    fn clo64(v) = v.leading_ones() as u64;
    /// Immediate of `lui` in place.
    fn lui(uimm) = sext32(uimm << 16);
    /// Byte at `addr` within its doubleword, sign-extended.
    fn lb(addr, dword) = byte(addr, dword) as i8 as u64;
    /// Byte at `addr` within its doubleword, zero-extended.
    fn lbu(addr, dword) = byte(addr, dword) as u64;
    /// Halfword at `addr` within its doubleword, sign-extended.
    fn lh(addr, dword) = half(addr, dword) as i16 as u64;
    /// Halfword at `addr` within its doubleword, zero-extended.
    fn lhu(addr, dword) = half(addr, dword) as u64;
    /// Word at `addr` within its doubleword, sign-extended.
    fn lw(addr, dword) = word(addr, dword) as i32 as u64;
    /// Word at `addr` within its doubleword, zero-extended.
    fn lwu(addr, dword) = word(addr, dword) as u64;
    /// `lwl`: the word shifted up to the address, the rest of the low word from rt.
    fn lwl(addr, dword, rt) = {
        let shift = 8 * (addr & 3) as u32;
        sext32((word(addr, dword) << shift | rt as u32 & !(u32::MAX << shift)) as u64)
    };
    /// `lwr`: the word shifted down to the address. Only a full word reaches the sign; else the upper
    /// half of rt stays as it was.
    fn lwr(addr, dword, rt) = {
        let shift = 24 - 8 * (addr & 3) as u32;
        let low = word(addr, dword) >> shift | rt as u32 & !(u32::MAX >> shift);
        if shift == 0 { sext32(low as u64) } else { rt & !0xffff_ffff | low as u64 }
    };
    /// `ldl`: the doubleword shifted up to the address, the rest from rt.
    fn ldl(addr, dword, rt) = {
        let shift = 8 * (addr & 7) as u32;
        dword << shift | rt & !(u64::MAX << shift)
    };
    /// `ldr`: the doubleword shifted down to the address, the rest from rt.
    fn ldr(addr, dword, rt) = {
        let shift = 56 - 8 * (addr & 7) as u32;
        dword >> shift | rt & !(u64::MAX >> shift)
    };
    /// Doubleword after `sb`.
    fn sb(addr, dword, rt) = patch(dword, rt, 0xff, 56 - 8 * (addr & 7) as u32);
    /// Doubleword after `sh`.
    fn sh(addr, dword, rt) = patch(dword, rt, 0xffff, 48 - 8 * (addr & 6) as u32);
    /// Doubleword after `sw`.
    fn sw(addr, dword, rt) = patch(dword, rt, 0xffff_ffff, 32 - 8 * (addr & 4) as u32);
    /// Doubleword after `swl`.
    fn swl(addr, dword, rt) = {
        let shift = 8 * (addr & 3) as u32;
        let kept = word(addr, dword) & !(u32::MAX >> shift);
        sw(addr, dword, ((rt as u32) >> shift | kept) as u64)
    };
    /// Doubleword after `swr`.
    fn swr(addr, dword, rt) = {
        let shift = 24 - 8 * (addr & 3) as u32;
        let kept = word(addr, dword) & !(u32::MAX << shift);
        sw(addr, dword, ((rt as u32) << shift | kept) as u64)
    };
    /// Doubleword after `sdl`.
    fn sdl(addr, dword, rt) = {
        let shift = 8 * (addr & 7) as u32;
        rt >> shift | dword & !(u64::MAX >> shift)
    };
    /// Doubleword after `sdr`.
    fn sdr(addr, dword, rt) = {
        let shift = 56 - 8 * (addr & 7) as u32;
        rt << shift | dword & !(u64::MAX << shift)
    };
}

#[inline(always)]
const fn byte(addr: u64, dword: u64) -> u8 {
    (dword >> (56 - 8 * (addr & 7))) as u8
}

#[inline(always)]
const fn half(addr: u64, dword: u64) -> u16 {
    (dword >> (48 - 8 * (addr & 6))) as u16
}

#[inline(always)]
const fn word(addr: u64, dword: u64) -> u32 {
    (dword >> (32 - 8 * (addr & 4))) as u32
}

#[inline(always)]
const fn patch(dword: u64, value: u64, mask: u64, shift: u32) -> u64 {
    dword & !(mask << shift) | (value & mask) << shift
}

macro_rules! conditions {
    ($($(#[$meta:meta])* fn $name:ident($rs:ident, $rt:ident) = $body:expr;)*) => {
        $($(#[$meta])* #[inline(always)] pub const fn $name($rs: u64, $rt: u64) -> bool { $body })*
    };
}
pub(crate) use {conditions, functions};

conditions! {
    /// Condition of `beq`.
    fn eq(rs, rt) = rs == rt;
    /// Condition of `bne`.
    fn ne(rs, rt) = rs != rt;
    /// Condition of `blez`.
    fn lez(rs, _rt) = rs as i64 <= 0;
    /// Condition of `bgtz`.
    fn gtz(rs, _rt) = rs as i64 > 0;
    /// Condition of `bltz` and `bltzal`.
    fn ltz(rs, _rt) = (rs as i64) < 0;
    /// Condition of `bgez` and `bgezal`.
    fn gez(rs, _rt) = rs as i64 >= 0;
    /// Condition of a branch that is never taken.
    fn never(_rs, _rt) = false;
}

/// HI and LO, in this order.
pub type HiLo = (u64, u64);

/// Product of two signed words.
#[inline(always)]
pub const fn mult(a: u64, b: u64) -> HiLo {
    let p = (a as i32 as i64).wrapping_mul(b as i32 as i64) as u64;
    (sext32(p >> 32), sext32(p))
}

/// Product of two unsigned words.
#[inline(always)]
pub const fn multu(a: u64, b: u64) -> HiLo {
    let p = (a as u32 as u64).wrapping_mul(b as u32 as u64);
    (sext32(p >> 32), sext32(p))
}

/// Product of two signed doublewords.
#[inline(always)]
pub const fn dmult(a: u64, b: u64) -> HiLo {
    let p = (a as i64 as i128).wrapping_mul(b as i64 as i128);
    ((p >> 64) as u64, p as u64)
}

/// Product of two unsigned doublewords.
#[inline(always)]
pub const fn dmultu(a: u64, b: u64) -> HiLo {
    let p = (a as u128) * (b as u128);
    ((p >> 64) as u64, p as u64)
}

/// Remainder and quotient of two signed words; nothing when the low word of `b` is zero.
#[inline(always)]
pub const fn div(a: u64, b: u64) -> Option<HiLo> {
    let (a, b) = (a as i32, b as i32);
    if b == 0 { None } else { Some((a.wrapping_rem(b) as u64, a.wrapping_div(b) as u64)) }
}

/// Remainder and quotient of two unsigned words; nothing when the low word of `b` is zero.
#[inline(always)]
pub const fn divu(a: u64, b: u64) -> Option<HiLo> {
    let (a, b) = (a as u32, b as u32);
    if b == 0 { None } else { Some((sext32((a % b) as u64), sext32((a / b) as u64))) }
}

/// Remainder and quotient of two signed doublewords; nothing when `b` is zero.
#[inline(always)]
pub const fn ddiv(a: u64, b: u64) -> Option<HiLo> {
    let (a, b) = (a as i64, b as i64);
    if b == 0 { None } else { Some((a.wrapping_rem(b) as u64, a.wrapping_div(b) as u64)) }
}

/// Remainder and quotient of two unsigned doublewords; nothing when `b` is zero.
#[inline(always)]
pub const fn ddivu(a: u64, b: u64) -> Option<HiLo> {
    if b == 0 { None } else { Some((a % b, a / b)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Memory word W0..W7 and register R0..R7, as the tables of the architecture draw them.
    const W: u64 = 0xa0a1_a2a3_a4a5_a6a7;
    const R: u64 = 0x1011_1213_1415_1617;

    #[test]
    fn unaligned_word_pairs() {
        let check = |got: [u64; 4], want: [u64; 4]| {
            assert_eq!(got.map(|v| format!("{v:016x}")), want.map(|v| format!("{v:016x}")))
        };
        check(
            [4, 5, 6, 7].map(|a| lwl(a, W, R)),
            [
                0xffff_ffff_a4a5_a6a7,
                0xffff_ffff_a5a6_a717,
                0xffff_ffff_a6a7_1617,
                0xffff_ffff_a715_1617,
            ],
        );
        check(
            [4, 5, 6, 7].map(|a| lwr(a, W, R)),
            [
                0x1011_1213_1415_16a4,
                0x1011_1213_1415_a4a5,
                0x1011_1213_14a4_a5a6,
                0xffff_ffff_a4a5_a6a7,
            ],
        );
        check(
            [4, 5, 6, 7].map(|a| swl(a, W, R)),
            [
                0xa0a1_a2a3_1415_1617,
                0xa0a1_a2a3_a414_1516,
                0xa0a1_a2a3_a4a5_1415,
                0xa0a1_a2a3_a4a5_a614,
            ],
        );
        check(
            [0, 1, 2, 3].map(|a| swr(a, W, R)),
            [
                0x17a1_a2a3_a4a5_a6a7,
                0x1617_a2a3_a4a5_a6a7,
                0x1516_17a3_a4a5_a6a7,
                0x1415_1617_a4a5_a6a7,
            ],
        );
    }

    #[test]
    fn unaligned_doubleword_pairs() {
        assert_eq!(ldl(0, W, R), W);
        assert_eq!(ldl(3, W, R), 0xa3a4_a5a6_a715_1617);
        assert_eq!(ldr(7, W, R), W);
        assert_eq!(ldr(2, W, R), 0x1011_1213_14a0_a1a2);
        assert_eq!(sdl(3, W, R), 0xa0a1_a210_1112_1314);
        assert_eq!(sdr(2, W, R), 0x1516_17a3_a4a5_a6a7);
    }

    #[test]
    fn division_edges() {
        assert_eq!(div(0x8000_0000, u64::MAX), Some((0, 0xffff_ffff_8000_0000)));
        assert_eq!(div(1, 0x1_0000_0000), None);
        assert_eq!(ddiv(1 << 63, u64::MAX), Some((0, 1 << 63)));
        assert_eq!(ddiv((-7i64) as u64, 2), Some((u64::MAX, (-3i64) as u64)));
        assert_eq!(ddivu(1, 0), None);
        assert_eq!(divu(0xffff_ffff, 1), Some((0, u64::MAX)));
    }
}
