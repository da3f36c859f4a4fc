//! File descriptors: the standard streams, the two preimage channels and the event descriptor.
//!
//! Transfers on the preimage channels stay within one aligned part of memory, whose size is the machine's, so a
//! guest loops.

use super::{Answer, Errno};
use crate::kernel::host::Stream;
use crate::machine::Machine;
use crate::machine::error::StepError;
use crate::machine::vm::Vm;
use crate::memory::PAGE_BYTES;

/// Standard input: always at its end.
pub const STDIN: u64 = 0;
/// Standard output.
pub const STDOUT: u64 = 1;
/// Standard error.
pub const STDERR: u64 = 2;
/// Hint acknowledgements: reading always succeeds and touches nothing.
pub const HINT_READ: u64 = 3;
/// Hints.
pub const HINT_WRITE: u64 = 4;
/// The preimage behind the key, its 8-byte length first.
pub const PREIMAGE_READ: u64 = 5;
/// The key of the next preimage.
pub const PREIMAGE_WRITE: u64 = 6;
/// The only event descriptor: never ready.
pub const EVENT: u64 = 100;

/// Bytes of a hint's length prefix.
const HINT_PREFIX_BYTES: usize = 4;
/// Most hint bytes that may wait for their rest. Far above any hint; bounds what a guest can make the
/// machine hold.
pub const HINT_BUFFER_LIMIT_BYTES: usize = 64 << 20;
/// Most bytes of one write to a standard stream that are passed on. The call still reports all.
const PRINT_LIMIT_BYTES: u64 = 1 << 20;

/// Command of `fcntl`: flags of the descriptor.
pub const F_GETFD: u64 = 1;
const F_GETFL: u64 = 3;
const READ_ONLY: u64 = 0;
const WRITE_ONLY: u64 = 1;

/// Flags of a descriptor.
pub(crate) fn fcntl(fd: u64, command: u64) -> Answer {
    match (command, fd) {
        (F_GETFD, STDIN..=PREIMAGE_WRITE) => Ok(0),
        (F_GETFL, STDIN | HINT_READ | PREIMAGE_READ) => Ok(READ_ONLY),
        (F_GETFL, STDOUT | STDERR | HINT_WRITE | PREIMAGE_WRITE) => Ok(WRITE_ONLY),
        (F_GETFD | F_GETFL, _) => Err(Errno::EBADF),
        _ => Err(Errno::EINVAL),
    }
}

/// The event descriptor, which exists in its non-blocking form only.
pub(crate) fn eventfd(nonblocking: bool) -> Answer {
    if nonblocking { Ok(EVENT) } else { Err(Errno::EINVAL) }
}

impl<V: Vm> Machine<'_, V> {
    pub(crate) fn read_descriptor(
        &mut self,
        fd: u64,
        address: u64,
        count: u64,
    ) -> Result<Answer, StepError> {
        Ok(match fd {
            STDIN => Ok(0),
            HINT_READ => Ok(count),
            PREIMAGE_READ => Ok(self.read_preimage(address, count)?),
            _ => Err(Errno::EBADF),
        })
    }

    pub(crate) fn write_descriptor(
        &mut self,
        fd: u64,
        address: u64,
        count: u64,
    ) -> Result<Answer, StepError> {
        Ok(match fd {
            STDOUT => Ok(self.print(Stream::Stdout, address, count)),
            STDERR => Ok(self.print(Stream::Stderr, address, count)),
            HINT_WRITE => Ok(self.write_hint(address, count)?),
            PREIMAGE_WRITE => Ok(self.write_key(address, count)),
            _ => Err(Errno::EBADF),
        })
    }

    fn print(&mut self, stream: Stream, address: u64, count: u64) -> u64 {
        let mut bytes = vec![0; count.min(PRINT_LIMIT_BYTES) as usize];
        self.state.memory.read_range(address, &mut bytes);
        self.host.output.write(stream, &bytes, self.state.registers.step);
        count
    }

    /// Bytes of a transfer that `count` asks for at `address`.
    fn transfer(address: u64, count: u64) -> usize {
        let at = address as usize % V::TRANSFER_BYTES;
        count.min((V::TRANSFER_BYTES - at) as u64) as usize
    }

    fn read_preimage(&mut self, address: u64, count: u64) -> Result<u64, StepError> {
        let r = &mut self.state.registers;
        let rest = self.host.read(r.preimage_key, r.preimage_offset)?;
        let bytes = &rest[..Self::transfer(address, count).min(rest.len())];
        let memory = &mut self.state.memory;
        self.recorder.record(memory, address);
        // A transfer of nothing is a write too.
        memory.touch_page(address / PAGE_BYTES as u64);
        memory.write_range(address, bytes);
        let count = bytes.len() as u64;
        r.preimage_offset += count;
        V::transferred(self, address & !(V::TRANSFER_BYTES as u64 - 1));
        Ok(count)
    }

    /// Shifts bytes into the key, and rewinds the preimage.
    fn write_key(&mut self, address: u64, count: u64) -> u64 {
        let count = Self::transfer(address, count);
        let memory = &mut self.state.memory;
        self.recorder.record(memory, address);
        let key = &mut self.state.registers.preimage_key.0;
        key.copy_within(count.., 0);
        memory.read_range(address, &mut key[32 - count..]);
        self.state.registers.preimage_offset = 0;
        count as u64
    }

    /// Delivers every hint that is complete; the rest waits in the state.
    fn write_hint(&mut self, address: u64, count: u64) -> Result<u64, StepError> {
        let held = self.state.registers.last_hint.len();
        let room = (HINT_BUFFER_LIMIT_BYTES - held.min(HINT_BUFFER_LIMIT_BYTES)) as u64;
        if count > room {
            return Err(StepError::HintTooLong { limit: HINT_BUFFER_LIMIT_BYTES });
        }
        let mut buffer = vec![0; held + count as usize];
        buffer[..held].copy_from_slice(&self.state.registers.last_hint);
        self.state.memory.read_range(address, &mut buffer[held..]);

        let mut rest = buffer.as_slice();
        while let Some((prefix, body)) = rest.split_first_chunk::<HINT_PREFIX_BYTES>() {
            let Some(hint) = body.get(..u32::from_be_bytes(*prefix) as usize) else { break };
            self.host.oracle.hint(hint)?;
            rest = &body[hint.len()..];
        }
        self.state.registers.last_hint = rest.to_vec();
        Ok(count)
    }
}
