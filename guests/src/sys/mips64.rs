//! MIPS64 (n64): number in `$2`, arguments from `$4` on; the result is in `$2`, or an error number if `$7`
//! is not 0.

use core::arch::{asm, global_asm};

pub(super) const READ: u64 = 5000;
pub(super) const WRITE: u64 = 5001;
pub(super) const MMAP: u64 = 5009;
pub(super) const EXIT_GROUP: u64 = 5205;
pub(super) const MAP_ANONYMOUS: u64 = 0x800;

// The machine enters here with the stack pointer set and everything else zero.
global_asm!(
    ".globl _start",
    ".type _start, @function",
    "_start:",
    "daddiu $4, $0, -16", // the ABI wants a stack aligned to 16 bytes
    "and $29, $29, $4",
    "move $30, $0", // no frame above
    "move $31, $0", // no return address
    "j {start}",
    "nop",
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
    let (result, failed): (u64, u64);
    // SAFETY: the caller vouches for the call; all registers that Linux may change are declared.
    unsafe {
        asm!(
            "syscall",
            inlateout("$2") number => result,
            in("$4") a0,
            in("$5") a1,
            in("$6") a2,
            inlateout("$7") a3 => failed,
            in("$8") a4,
            in("$9") a5,
            lateout("$3") _,
            lateout("$10") _, lateout("$11") _, lateout("$12") _, lateout("$13") _,
            lateout("$14") _, lateout("$15") _, lateout("$24") _, lateout("$25") _,
            options(nostack),
        );
    }
    if failed == 0 { Ok(result) } else { Err(result as i32) }
}

/// Fills what a buffer has of aligned words, as long as the descriptor gives a word at a time, which is
/// what the machine does with preimages: five instructions a word. Returns what is still to be filled.
pub(super) fn read_words(descriptor: u64, buffer: &mut [u8]) -> &mut [u8] {
    let words = buffer.len() / 8;
    let start = buffer.as_mut_ptr();
    if words == 0 || start.align_offset(8) != 0 {
        return buffer;
    }
    let (end, last, failed): (u64, u64, u64);
    // SAFETY: each call writes at most eight bytes, from the address that the loop has come to; there
    // are `words` times eight.
    unsafe {
        asm!(
            ".set noreorder",
            "daddiu $2, $0, {read}",
            "2: syscall",
            "bne $2, $6, 3f",
            "daddiu $5, $5, 8",
            "bne $5, $16, 2b",
            "daddiu $2, $0, {read}",
            "b 4f",
            "move $2, $0",
            // Fewer bytes, or an error number.
            "3: daddiu $5, $5, -8",
            "4:",
            ".set reorder",
            read = const READ,
            in("$4") descriptor,
            inlateout("$5") start => end,
            in("$6") 8,
            in("$16") start.wrapping_add(8 * words),
            lateout("$2") last,
            lateout("$7") failed,
            lateout("$3") _,
            lateout("$8") _, lateout("$9") _, lateout("$10") _, lateout("$11") _,
            lateout("$12") _, lateout("$13") _, lateout("$14") _, lateout("$15") _,
            lateout("$24") _, lateout("$25") _,
            options(nostack),
        );
    }
    // A failure is left for the next call to report.
    let last = if failed == 0 { last } else { 0 };
    let filled = (end - start as u64 + last) as usize;
    buffer.get_mut(filled..).unwrap_or_default()
}

// keccak256, and what the compiler calls to copy, fill and compare memory, in place of the byte-wise
// versions that it brings along for machines it knows little of.
global_asm!(include_str!("keccak.s"), options(raw));
global_asm!(include_str!("memory.s"), options(raw));

unsafe extern "C" {
    /// # Safety
    /// `input` points to `length` readable bytes, `output` to 32 writable ones.
    fn keccak256_mips64(input: *const u8, length: usize, output: *mut u8);
}

/// keccak256 of `input`, written to `output`. The compiler cannot hold 25 lanes in registers.
pub(super) fn keccak256(input: &[u8], output: &mut [u8; 32]) {
    // SAFETY: both pointers come from references of these lengths.
    unsafe { keccak256_mips64(input.as_ptr(), input.len(), output.as_mut_ptr()) }
}
