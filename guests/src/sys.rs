//! The guests' contact with the machine: start, system calls, heap, and the symbol behind
//! `keccak256`.
//!
//! Source: Linux system calls; what differs from machine to machine is in a module of its name.

mod carried;
mod heap;
mod keccak;
#[cfg(target_arch = "mips")]
#[path = "sys/mips32.rs"]
mod machine;
#[cfg(target_arch = "mips64")]
#[path = "sys/mips64.rs"]
mod machine;
#[cfg(target_arch = "riscv64")]
#[path = "sys/riscv64.rs"]
mod machine;

pub use keccak::keccak256_into;

pub use carried::carried_chains;

use machine::{EXIT_GROUP, READ, WRITE, call, read_words};
use rebut_preimage::{Channel, ChannelError};

/// The machine's descriptors, the same for the guest and for the server at the other end.
const HINT_READ: u64 = 3;
const HINT_WRITE: u64 = 4;
const PREIMAGE_READ: u64 = 5;
const PREIMAGE_WRITE: u64 = 6;

extern "C" fn start() -> ! {
    unsafe extern "C" {
        fn guest_main() -> u8;
    }
    // SAFETY: every guest defines the function with this signature through `main!`.
    let code = unsafe { guest_main() };
    exit(code)
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
