//! The guests' contact with the machine: start, system calls, heap, and the symbol behind
//! `keccak256`.
//!
//! Source: Linux system calls of MIPS64 (n64). Number in `$2`, arguments from `$4` on; the result
//! is in `$2`, or an error number if `$7` is not 0.

mod carried;
mod heap;
mod keccak;
mod memory;

pub use keccak::keccak256_into;

pub use carried::carried_chains;

use core::arch::{asm, global_asm};
use rebut_preimage::{Channel, ChannelError};

const READ: u64 = 5000;
const WRITE: u64 = 5001;
const MMAP: u64 = 5009;
const EXIT_GROUP: u64 = 5205;

/// The machine's descriptors, the same for the guest and for the server at the other end.
const HINT_READ: u64 = 3;
const HINT_WRITE: u64 = 4;
const PREIMAGE_READ: u64 = 5;
const PREIMAGE_WRITE: u64 = 6;

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
    start = sym start,
);

extern "C" fn start() -> ! {
    unsafe extern "C" {
        fn guest_main() -> u8;
    }
    // SAFETY: every guest defines the function with this signature through `main!`.
    let code = unsafe { guest_main() };
    exit(code)
}

/// A system call with up to six arguments.
///
/// # Errors
/// The error number of the machine.
///
/// # Safety
/// As for the call that `number` stands for.
unsafe fn call(number: u64, arguments: [u64; 6]) -> Result<u64, i32> {
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

/// Ends the guest.
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: the call has no memory effects; it does not return.
        let _ = unsafe { call(EXIT_GROUP, [code.into(), 0, 0, 0, 0, 0]) };
    }
}

/// Writes all bytes to a descriptor.
///
/// # Errors
/// [`ChannelError`] when nothing more can be written.
pub fn write_all(descriptor: u64, mut bytes: &[u8]) -> Result<(), ChannelError> {
    while !bytes.is_empty() {
        let arguments = [descriptor, bytes.as_ptr() as u64, bytes.len() as u64, 0, 0, 0];
        // SAFETY: the call reads the given bytes and nothing else.
        match unsafe { call(WRITE, arguments) }.map_err(ChannelError::Os)? {
            0 => return Err(ChannelError::Closed),
            // A descriptor may take less than it is given, but never more.
            written => bytes = bytes.get(written as usize..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Fills a buffer from a descriptor.
///
/// # Errors
/// [`ChannelError`] when the peer ends first.
pub fn read_exact(descriptor: u64, mut buffer: &mut [u8]) -> Result<(), ChannelError> {
    while !buffer.is_empty() {
        buffer = read_words(descriptor, buffer);
        if buffer.is_empty() {
            break;
        }
        let arguments = [descriptor, buffer.as_mut_ptr() as u64, buffer.len() as u64, 0, 0, 0];
        // SAFETY: the call writes into the given buffer and nowhere else.
        match unsafe { call(READ, arguments) }.map_err(ChannelError::Os)? {
            0 => return Err(ChannelError::Closed),
            read => buffer = buffer.get_mut(read as usize..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Fills what a buffer has of aligned words, as long as the descriptor gives a word at a time, which is
/// what the machine does with preimages: five instructions a word. Returns what is still to be filled.
fn read_words(descriptor: u64, buffer: &mut [u8]) -> &mut [u8] {
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

/// The two pipes of one channel.
#[derive(Debug)]
pub struct Pipes {
    read: u64,
    write: u64,
}

/// The channel for preimages.
pub const PREIMAGES: Pipes = Pipes { read: PREIMAGE_READ, write: PREIMAGE_WRITE };
/// The channel for hints.
pub const HINTS: Pipes = Pipes { read: HINT_READ, write: HINT_WRITE };

impl Channel for Pipes {
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError> {
        read_exact(self.read, buffer)
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        write_all(self.write, bytes)
    }
}
