//! What RISC-V instructions compute beyond [`semantics`](crate::isa::semantics), as pure functions over
//! 64-bit register values.

use crate::isa::semantics::{conditions, dmult, dmultu, functions, sext32};

functions! {
    /// Lower half of a product.
    fn mul(a, b) = a.wrapping_mul(b);
    /// Upper half of a signed product.
    fn mulh(a, b) = dmult(a, b).0;
    /// Upper half of the product of a signed `a` and an unsigned `b`.
    fn mulhsu(a, b) = ((a as i64 as i128).wrapping_mul(b as i128) >> 64) as u64;
    /// Upper half of an unsigned product.
    fn mulhu(a, b) = dmultu(a, b).0;
    /// Signed quotient; all ones where `b` is zero, `a` where it overflows.
    fn div(a, b) = if b == 0 { u64::MAX } else { (a as i64).wrapping_div(b as i64) as u64 };
    /// Unsigned quotient; all ones where `b` is zero.
    fn divu(a, b) = match a.checked_div(b) { Some(quotient) => quotient, None => u64::MAX };
    /// Signed remainder; `a` where `b` is zero, zero where the quotient overflows.
    fn rem(a, b) = if b == 0 { a } else { (a as i64).wrapping_rem(b as i64) as u64 };
    /// Unsigned remainder; `a` where `b` is zero.
    fn remu(a, b) = if b == 0 { a } else { a % b };
    /// Signed quotient of words; all ones where `b` is zero.
    fn divw(a, b) = {
        if b as u32 == 0 { u64::MAX } else { (a as i32).wrapping_div(b as i32) as u64 }
    };
    /// Unsigned quotient of words; all ones where `b` is zero.
    fn divuw(a, b) = match (a as u32).checked_div(b as u32) {
        Some(quotient) => sext32(quotient as u64),
        None => u64::MAX,
    };
    /// Signed remainder of words; `a` where `b` is zero.
    fn remw(a, b) = {
        if b as u32 == 0 { sext32(a) } else { (a as i32).wrapping_rem(b as i32) as u64 }
    };
    /// Unsigned remainder of words; `a` where `b` is zero.
    fn remuw(a, b) = {
        if b as u32 == 0 { sext32(a) } else { sext32((a as u32 % b as u32) as u64) }
    };
    /// The second operand: what `amoswap` stores.
    fn second(_a, b) = b;
    /// The lesser, signed.
    fn min(a, b) = if (b as i64) < a as i64 { b } else { a };
    /// The greater, signed.
    fn max(a, b) = if b as i64 > a as i64 { b } else { a };
    /// The lesser, unsigned.
    fn minu(a, b) = if b < a { b } else { a };
    /// The greater, unsigned.
    fn maxu(a, b) = if b > a { b } else { a };
}

conditions! {
    /// Condition of `blt`.
    fn lt(a, b) = (a as i64) < b as i64;
    /// Condition of `bge`.
    fn ge(a, b) = a as i64 >= b as i64;
    /// Condition of `bltu`.
    fn ltu(a, b) = a < b;
    /// Condition of `bgeu`.
    fn geu(a, b) = a >= b;
}

#[cfg(test)]
mod tests {
    use super::*;

    // Tables of the architecture's manual.
    #[test]
    fn division_edges() {
        let least = i64::MIN as u64;
        let check = |got: u64, want: i64| assert_eq!(got as i64, want);
        check(div(5, 0), -1);
        check(divu(5, 0), -1);
        check(rem(5, 0), 5);
        check(remu(5, 0), 5);
        check(div(least, u64::MAX), i64::MIN);
        check(rem(least, u64::MAX), 0);
        check(div((-7i64) as u64, 2), -3);
        check(rem((-7i64) as u64, 2), -1);
        let word = 0x8000_0000;
        check(divw(word, u64::MAX), i64::from(i32::MIN));
        check(remw(word, u64::MAX), 0);
        check(divw(word, 1 << 32), -1);
        check(remw(0x1_8000_0000, 1 << 32), i64::from(i32::MIN));
        check(remuw(0xffff_ffff, 0), -1);
        check(divuw(0xffff_ffff, 1), -1);
    }

    #[test]
    fn upper_halves_of_products() {
        assert_eq!(mulh(u64::MAX, u64::MAX), 0);
        assert_eq!(mulhu(u64::MAX, u64::MAX), u64::MAX - 1);
        assert_eq!(mulhsu(u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(mulhsu(2, u64::MAX), 1);
        assert_eq!(mulh(1 << 63, 2), u64::MAX);
    }
}
