//! The part of an operating system that a machine plays: system calls, descriptors, the oracle's cache.
//!
//! What all machines share is here, in [`descriptors`] and in [`host`]; each machine's own calls, with their
//! numbers in [`table`], are in a module of its name.

#[macro_use]
pub mod table;
pub mod descriptors;
pub mod host;
mod mips32;
pub mod mips64;
pub mod riscv;

use crate::machine::Machine;
use crate::machine::error::{Fault, StepError};
use crate::machine::vm::Vm;
use crate::mips::Arch;
use crate::mips::state::Cpu;
pub use mips64::{CLONE_FLAGS, STEPS_PER_SECOND, splitmix64};
pub use table::{Syscall, Syscall32};

/// Register of a MIPS call's number and of its answer.
pub const V0: usize = 2;
/// Register that tells a MIPS call's answer (0) from an error.
pub const ERROR: usize = 7;

/// Linux error numbers, as MIPS has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Errno {
    /// Bad descriptor.
    EBADF = 9,
    /// Try again.
    EAGAIN = 11,
    /// Permission denied.
    EACCES = 13,
    /// Bad argument.
    EINVAL = 22,
}

/// What a call answers.
pub(crate) type Answer = Result<u64, Errno>;

/// Bits of an address within its page.
const PAGE_MASK: u64 = 4095;

impl<V: Vm> Machine<'_, V> {
    pub(crate) fn exit_group(&mut self, code: u8) -> Result<(), StepError> {
        self.state.registers.exited = true;
        self.state.registers.exit_code = code;
        Ok(())
    }
}

/// What the system calls of both MIPS machines share. A call takes its number in `$2` and its arguments in
/// `$4` to `$6`, and answers in `$2` and `$7`.
impl<A: Arch> Machine<'_, A> {
    pub(crate) fn cpu(&self) -> Result<&Cpu, Fault> {
        A::cpu(&self.state.registers.processor).ok_or(Fault::NoThread)
    }

    pub(crate) fn cpu_mut(&mut self) -> Result<&mut Cpu, Fault> {
        A::cpu_mut(&mut self.state.registers.processor).ok_or(Fault::NoThread)
    }

    /// Writes the answer of a call and goes on behind it.
    pub(crate) fn answer(&mut self, answer: Answer) -> Result<(), StepError> {
        let (value, error) = match answer {
            Ok(value) => (A::extend(value), 0),
            Err(errno) => A::error(errno),
        };
        let cpu = self.cpu_mut()?;
        cpu.registers[V0] = value;
        cpu.registers[ERROR] = error;
        cpu.advance::<A>();
        Ok(())
    }

    /// Only address 0 asks for new heap; any other address is granted unseen.
    pub(crate) fn mmap(&mut self, address: u64, length: u64) -> Answer {
        if address != 0 {
            return Ok(address);
        }
        let start = self.state.registers.heap;
        let rounded = length.checked_add(PAGE_MASK).map(|l| l & !PAGE_MASK);
        let end = rounded.and_then(|l| start.checked_add(l)).filter(|end| *end <= A::HEAP_END);
        self.state.registers.heap = end.ok_or(Errno::EINVAL)?;
        Ok(start)
    }
}
