//! Asterisc's system calls.
//!
//! A call takes its number in a7 and its arguments from a0 on; it answers in a0 with a1 = 0, or with all
//! ones in a0 and the error number in a1. A number that is in no row answers 0 and does nothing.
//!
//! Source: the system calls of the RISCV contract, version 1.2.0-rc.1.

use super::{Answer, Errno, PAGE_MASK, descriptors};
use crate::machine::Machine;
use crate::machine::error::StepError;
use crate::riscv::error::Fault;
use crate::riscv::{A0, A1, A7, Asterisc, store};

define_syscalls! {
    /// A system call of Asterisc, by its Linux name. Any other number answers 0.
    Syscall;
    /// Flags of a descriptor.
    fcntl 25;
    /// Always EACCES: there are no files.
    openat 56;
    /// Read from a descriptor.
    read 63;
    /// Write to a descriptor.
    write 64;
    /// End the machine.
    exit 93;
    /// End the machine.
    exit_group 94;
    /// A fault.
    nanosleep 101;
    /// A time that never changes.
    clock_gettime 113;
    /// The limit of open files; any other is a fault.
    getrlimit 163;
    /// The fixed program break.
    brk 214;
    /// Answers 1: there are no threads.
    clone 220;
    /// Hand out heap.
    mmap 222;
    /// A fault.
    prlimit64 261;
    /// A fault.
    futex 422;
}

/// What `brk` answers.
const PROGRAM_BREAK: u64 = 0x4000_0000;
const MAP_ANONYMOUS: u64 = 0x20;
const NO_DESCRIPTOR: u64 = u64::MAX;
/// Seconds and nanoseconds of every clock.
const TIME: [u64; 2] = [1337, 42];
const RLIMIT_NOFILE: u64 = 7;
/// Soft and hard limit of open files.
const OPEN_FILES: [u64; 2] = [1024, 1024];
/// What the deployed machine has for EBADF.
const EBADF: u64 = 0x4d;

impl Machine<'_, Asterisc> {
    /// Executes the system call at pc.
    pub(crate) fn ecall(&mut self) -> Result<(), StepError> {
        let hart = &self.state.registers.processor;
        let pc = hart.pc;
        let number = hart.registers[A7];
        let [a0, a1, a2, a3, a4] = std::array::from_fn(|i| hart.registers[A0 + i]);
        let answer = match Syscall::from_number(number) {
            Some(Syscall::exit | Syscall::exit_group) => {
                self.exit_group(a0 as u8)?;
                self.state.registers.processor.advance();
                return Ok(());
            }
            Some(Syscall::read) => self.read_descriptor(a0, a1, a2)?,
            Some(Syscall::write) => self.write_descriptor(a0, a1, a2)?,
            Some(Syscall::fcntl) => descriptors::fcntl(a0, a1),
            Some(Syscall::openat) => Err(Errno::EACCES),
            Some(Syscall::mmap) => self.map([a0, a1, a3, a4]),
            Some(Syscall::brk) => Ok(PROGRAM_BREAK),
            Some(Syscall::clone) => Ok(1),
            Some(Syscall::clock_gettime) => self.write_pair(a1, TIME),
            Some(Syscall::getrlimit) if a0 == RLIMIT_NOFILE => self.write_pair(a1, OPEN_FILES),
            Some(Syscall::getrlimit) => return Err(Fault::Resource { resource: a0, pc }.into()),
            Some(Syscall::nanosleep | Syscall::prlimit64 | Syscall::futex) => {
                return Err(Fault::Syscall { number, pc }.into());
            }
            None => Ok(0),
        };
        let hart = &mut self.state.registers.processor;
        (hart.registers[A0], hart.registers[A1]) = match answer {
            Ok(value) => (value, 0),
            Err(Errno::EBADF) => (u64::MAX, EBADF),
            Err(errno) => (u64::MAX, errno as u64),
        };
        hart.advance();
        Ok(())
    }

    /// Anonymous memory only. Address 0 asks for new heap, which has no end and wraps; any other address
    /// is granted unseen.
    fn map(&mut self, [address, length, flags, descriptor]: [u64; 4]) -> Answer {
        if flags & MAP_ANONYMOUS == 0 || descriptor != NO_DESCRIPTOR {
            return Err(Errno::EBADF);
        }
        if address != 0 {
            return Ok(address);
        }
        let heap = &mut self.state.registers.heap;
        let start = *heap;
        *heap = start.wrapping_add(length.wrapping_add(PAGE_MASK) & !PAGE_MASK);
        Ok(start)
    }

    fn write_pair(&mut self, address: u64, pair: [u64; 2]) -> Answer {
        let bytes = pair.map(u64::to_le_bytes);
        store(&mut self.state.memory, &mut self.recorder, address, bytes.as_flattened());
        Ok(0)
    }
}
