//! The system calls of the 64-bit machine.
//!
//! Source: the system calls of the MIPS64 contract, state versions 7 and 8. An error is its number in `$2`
//! and all ones in `$7`.

use super::{Answer, ERROR, Errno, Syscall, V0, descriptors};
use crate::machine::Machine;
use crate::machine::error::{Fault, StepError};
use crate::machine::vm::Vm;
use crate::mips::state::{Cpu, SP, StateVersion};
use crate::mips::threads::Thread;
use crate::mips::{Arch, Mips64};

/// The only flags with which a thread may be cloned: VM, FS, FILES, SIGHAND, SYSVSEM and THREAD.
pub const CLONE_FLAGS: u64 = 0x100 | 0x200 | 0x400 | 0x800 | 0x4_0000 | 0x1_0000;
/// Exit code of the machine after a clone with other flags.
const CLONE_EXIT_CODE: u8 = 2;

/// Steps that make one second.
pub const STEPS_PER_SECOND: u64 = 10_000_000;
const NANOSECONDS_PER_STEP: u64 = 1_000_000_000 / STEPS_PER_SECOND;

const FUTEX_WAIT_PRIVATE: u64 = 128;
const FUTEX_WAKE_PRIVATE: u64 = 129;
const CLOCK_REALTIME: u64 = 0;
const CLOCK_MONOTONIC: u64 = 1;
const EFD_NONBLOCK: u64 = 0x80;

impl Machine<'_, Mips64> {
    /// Executes the system call at pc.
    pub(crate) fn syscall(&mut self) -> Result<(), StepError> {
        let cpu = self.cpu()?;
        let [number, a0, a1, a2] = [2, 4, 5, 6].map(|r: usize| cpu.registers[r]);
        let syscall =
            Syscall::from_number(number).ok_or(Fault::UnknownSyscall { number, pc: cpu.pc })?;
        let answer = match syscall {
            Syscall::exit_group => return self.exit_group(a0 as u8),
            Syscall::exit => return self.exit_thread(a0 as u8),
            Syscall::clone => return self.clone_thread(a0, a1),
            Syscall::sched_yield | Syscall::nanosleep => return self.yield_thread(),
            Syscall::futex => match self.futex(a0, a1, a2) {
                None => return self.yield_thread(),
                Some(errno) => Err(errno),
            },
            Syscall::read | Syscall::write if a0 == descriptors::EVENT => Err(Errno::EAGAIN),
            Syscall::read => self.read_descriptor(a0, a1, a2)?,
            Syscall::write => self.write_descriptor(a0, a1, a2)?,
            Syscall::fcntl => descriptors::fcntl(a0, a1),
            Syscall::open => Err(Errno::EBADF),
            Syscall::eventfd2 => descriptors::eventfd(a1 & EFD_NONBLOCK != 0),
            Syscall::mmap => self.mmap(a0, a1),
            Syscall::brk => Ok(Mips64::PROGRAM_BREAK),
            Syscall::gettid => {
                let thread = self.state.registers.processor.current_thread();
                Ok(thread.ok_or(Fault::NoThread)?.id)
            }
            Syscall::clock_gettime => self.clock_gettime(a0, a1),
            Syscall::getrandom => match self.state.version {
                StateVersion::V7 => Ok(0),
                StateVersion::V8 => Ok(self.getrandom(a0, a1)),
            },
            Syscall::getpid
            | Syscall::close
            | Syscall::stat
            | Syscall::fstat
            | Syscall::lseek
            | Syscall::mprotect
            | Syscall::munmap
            | Syscall::rt_sigaction
            | Syscall::rt_sigprocmask
            | Syscall::ioctl
            | Syscall::pread64
            | Syscall::mincore
            | Syscall::madvise
            | Syscall::setitimer
            | Syscall::uname
            | Syscall::readlink
            | Syscall::getrlimit
            | Syscall::getuid
            | Syscall::getgid
            | Syscall::sigaltstack
            | Syscall::sched_getaffinity
            | Syscall::epoll_ctl
            | Syscall::timer_create
            | Syscall::timer_settime
            | Syscall::timer_delete
            | Syscall::tgkill
            | Syscall::openat
            | Syscall::readlinkat
            | Syscall::epoll_pwait
            | Syscall::epoll_create1
            | Syscall::pipe2
            | Syscall::prlimit64 => Ok(0),
        };
        self.answer(answer)
    }

    fn yield_thread(&mut self) -> Result<(), StepError> {
        self.answer(Ok(0))?;
        self.preempt_and_count();
        Ok(())
    }

    /// The last thread takes the machine with it.
    fn exit_thread(&mut self, code: u8) -> Result<(), StepError> {
        let threads = &mut self.state.registers.processor;
        let thread = threads.current_thread_mut().ok_or(Fault::NoThread)?;
        thread.exited = true;
        thread.exit_code = code;
        if threads.thread_count() == 1 {
            self.exit_group(code)?;
        }
        Ok(())
    }

    fn clone_thread(&mut self, flags: u64, stack: u64) -> Result<(), StepError> {
        if flags != CLONE_FLAGS {
            return self.exit_group(CLONE_EXIT_CODE);
        }
        let parent = self.cpu()?;
        let mut cpu =
            Cpu { pc: parent.next_pc, next_pc: parent.next_pc.wrapping_add(4), ..parent.clone() };
        cpu.registers[SP] = stack;
        cpu.registers[V0] = 0;
        cpu.registers[ERROR] = 0;
        let id = self.state.registers.processor.next_thread_id;
        self.answer(Ok(id))?;
        self.state.registers.processor.next_thread_id = id.wrapping_add(1);
        self.state.registers.processor.push_thread(Thread { id, exit_code: 0, exited: false, cpu });
        Ok(())
    }

    fn store_dword(&mut self, aligned: u64, value: u64) {
        self.state.memory.store_u64(aligned, value);
        Mips64::transferred(self, aligned);
    }

    /// Nothing means yield: a waiter is scheduled again and looks again, nobody sleeps.
    fn futex(&mut self, address: u64, operation: u64, value: u64) -> Option<Errno> {
        match operation {
            FUTEX_WAIT_PRIVATE => {
                let address = address & !3;
                self.recorder.record(&mut self.state.memory, address);
                let differs = self.state.memory.load_u32(address) != value as u32;
                differs.then_some(Errno::EAGAIN)
            }
            FUTEX_WAKE_PRIVATE => None,
            _ => Some(Errno::EINVAL),
        }
    }

    /// The real-time clock stands at zero; the monotonic one counts steps.
    fn clock_gettime(&mut self, clock: u64, address: u64) -> Answer {
        let step = self.state.registers.step;
        let (seconds, nanoseconds) = match clock {
            CLOCK_REALTIME => (0, 0),
            CLOCK_MONOTONIC => {
                (step / STEPS_PER_SECOND, step % STEPS_PER_SECOND * NANOSECONDS_PER_STEP)
            }
            _ => return Err(Errno::EINVAL),
        };
        let first = address & !7;
        let second = first.wrapping_add(8);
        self.recorder.record(&mut self.state.memory, first);
        self.store_dword(first, seconds);
        self.recorder.record(&mut self.state.memory, second);
        self.store_dword(second, nanoseconds);
        Ok(0)
    }

    /// Fills at most the rest of one doubleword.
    fn getrandom(&mut self, address: u64, count: u64) -> u64 {
        let aligned = address & !7;
        let at = (address - aligned) as usize;
        let count = count.min(8 - at as u64);
        let random = splitmix64(self.state.registers.step).to_be_bytes();
        self.recorder.record(&mut self.state.memory, aligned);
        let mut bytes = self.state.memory.load_u64(aligned).to_be_bytes();
        let end = at + count as usize;
        bytes[at..end].copy_from_slice(&random[at..end]);
        self.store_dword(aligned, u64::from_be_bytes(bytes));
        count
    }
}

/// The splitmix64 generator's first output for a seed.
pub const fn splitmix64(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_known_values() {
        let check = |seed, want| assert_eq!(splitmix64(seed), want, "seed {seed}");
        check(0, 0xe220_a839_7b1d_cdaf);
        check(1, 0x910a_2dec_8902_5cc1);
        check(2, 0x9758_35de_1c97_56ce);
        check(u64::MAX, 0xe4d9_7177_1b65_2c20);
        check(0x1a2b_3c4d_5e6f_7531, 0x4141_3027_68c9_e9d0);
    }

    #[test]
    fn clone_flags_are_the_deployed_ones() {
        assert_eq!(CLONE_FLAGS, 0x50f00);
    }
}
