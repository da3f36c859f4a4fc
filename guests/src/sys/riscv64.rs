//! RISC-V 64: number in `a7`, arguments from `a0` on; the result is in `a0`, or the negative of an error
//! number.
//!
//! The machine answers all ones where it fails, and Linux a small negative number; both read alike.

use core::arch::{asm, global_asm};

pub(super) use crate::keccak::keccak256_into as keccak256;

pub(super) const READ: u64 = 63;
pub(super) const WRITE: u64 = 64;
pub(super) const MMAP: u64 = 222;
pub(super) const EXIT_GROUP: u64 = 94;
pub(super) const MAP_ANONYMOUS: u64 = 0x20;

/// Error numbers are below this.
const ERRORS: u64 = 4096;

// The machine enters here with the stack pointer set and everything else zero.
global_asm!(
    ".globl _start",
    ".type _start, @function",
    "_start:",
    "andi sp, sp, -16", // the ABI wants a stack aligned to 16 bytes
    "mv s0, zero",      // no frame above
    "mv ra, zero",      // no return address
    "tail {start}",
    start = sym super::start,
);

/// A system call with up to six arguments.
///
/// # Errors
/// The error number of the machine.
///
/// # Safety
/// As for the call that `number` stands for.
pub(super) unsafe fn call(number: u64, arguments: [u64; 6]) -> Result<u64, i32> {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let result: u64;
    // SAFETY: the caller vouches for the call. Linux changes a0 alone, the machine a1 as well.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a0 => result,
            inlateout("a1") a1 => _,
            in("a2") a2,
            in("a3") a3,
            in("a4") a4,
            in("a5") a5,
            options(nostack),
        );
    }
    let error = result.wrapping_neg();
    if (1..ERRORS).contains(&error) { Err(error as i32) } else { Ok(result) }
}

/// Nothing: a read takes all that a leaf of memory holds, 32 bytes.
pub(super) fn read_words(_: u64, buffer: &mut [u8]) -> &mut [u8] {
    buffer
}
