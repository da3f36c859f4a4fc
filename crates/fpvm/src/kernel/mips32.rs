//! The system calls of the 32-bit machine.
//!
//! Source: the system calls of the single-threaded MIPS contract, state versions 0 and 2. An error is all
//! ones in `$2` and its number in `$7`. A number that the table does not have succeeds without effect.

use super::table::Syscall32;
use super::{Errno, descriptors};
use crate::blocks::Engine;
use crate::machine::Machine;
use crate::machine::error::StepError;
use crate::mips::state::StateVersion32;
use crate::mips::{Arch, Mips32};

/// What `clone` answers: the id of a thread that never runs.
const CLONED: u64 = 1;

impl Machine<'_, Mips32> {
    /// Executes the system call at pc.
    pub(crate) fn syscall(&mut self) -> Result<(), StepError> {
        let cpu = self.cpu()?;
        let [number, a0, a1, a2] = [2, 4, 5, 6].map(|r: usize| Mips32::wrap(cpu.registers[r]));
        let answer = match Syscall32::from_number(number) {
            Some(Syscall32::exit_group) => return self.exit_group(a0 as u8),
            Some(Syscall32::read) => self.read_descriptor(a0, a1, a2)?,
            Some(Syscall32::write) => self.write_descriptor(a0, a1, a2)?,
            Some(Syscall32::fcntl) => match self.state.version {
                StateVersion32::V0 if a1 == descriptors::F_GETFD => Err(Errno::EINVAL),
                StateVersion32::V0 | StateVersion32::V2 => descriptors::fcntl(a0, a1),
            },
            Some(Syscall32::mmap) => self.mmap(a0, a1),
            Some(Syscall32::brk) => Ok(Mips32::PROGRAM_BREAK),
            Some(Syscall32::clone) => Ok(CLONED),
            None => Ok(0),
        };
        self.answer(answer)
    }
}
