//! MIPS32 (o32): number in `$2`, arguments from `$4` on and, from the fifth on, on the stack; the result is in
//! `$2`, or nothing if `$7` is not 0. Then the error number is in `$7` itself, and on Linux in `$2`.

use core::arch::{asm, global_asm};

pub(super) use crate::keccak::keccak256_into as keccak256;

pub(super) const READ: u64 = 4003;
pub(super) const WRITE: u64 = 4004;
pub(super) const MMAP: u64 = 4090;
pub(super) const EXIT_GROUP: u64 = 4246;
pub(super) const MAP_ANONYMOUS: u64 = 0x800;

// The machine enters here with the stack pointer set and everything else zero.
global_asm!(
    ".set noreorder",
    ".globl _start",
    ".type _start, @function",
    "_start:",
    "addiu $4, $0, -8", // the ABI wants a stack aligned to 8 bytes
    "and $29, $29, $4",
    "addiu $29, $29, -16", // and room for four arguments of whatever is called
    "move $30, $0",        // no frame above
    "move $31, $0",        // no return address
    "j {start}",
    "nop",
    ".set reorder",
    start = sym super::start,
);

/// A system call with up to six arguments, of which the low halves count.
///
/// # Errors
/// The error number of the machine.
///
/// # Safety
/// As for the call that `number` stands for.
pub(super) unsafe fn call(number: u64, arguments: [u64; 6]) -> Result<u64, i32> {
    let [a0, a1, a2, a3, a4, a5] = arguments.map(|argument| argument as u32);
    let (result, failed): (u32, u32);
    // SAFETY: the caller vouches for the call; all registers that Linux may change are declared. The stack is
    // left as it was found.
    unsafe {
        asm!(
            "addiu $29, $29, -24",
            "sw $8, 16($29)",
            "sw $9, 20($29)",
            "syscall",
            "addiu $29, $29, 24",
            inlateout("$2") number as u32 => result,
            in("$4") a0,
            in("$5") a1,
            in("$6") a2,
            inlateout("$7") a3 => failed,
            inlateout("$8") a4 => _,
            inlateout("$9") a5 => _,
            lateout("$3") _,
            lateout("$10") _, lateout("$11") _, lateout("$12") _, lateout("$13") _,
            lateout("$14") _, lateout("$15") _, lateout("$24") _, lateout("$25") _,
        );
    }
    match (failed, result) {
        (0, _) => Ok(result.into()),
        (number, u32::MAX) | (_, number) => Err(number as i32),
    }
}

/// Nothing: a word is four bytes, of which each read takes one.
pub(super) fn read_words(_: u64, buffer: &mut [u8]) -> &mut [u8] {
    buffer
}
