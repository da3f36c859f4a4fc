//! The state of a multithreaded 64-bit Cannon machine: what the witness commits to, and the hint
//! buffer beside it.

use crate::memory::Memory;
use alloy_primitives::B256;

/// Steps that a thread may run before it is preempted.
pub const QUANTUM: u64 = 100_000;
/// First address handed out by `mmap`; programs must end below it.
pub const HEAP_START: u64 = 0x1000_0000_0000;
/// The heap never grows beyond this address.
pub const HEAP_END: u64 = 0x6000_0000_0000;
/// What `brk` answers.
pub const PROGRAM_BREAK: u64 = 0x4000_0000_0000;
/// Stack pointer of a new program.
pub const STACK_TOP: u64 = 0x7fff_ffff_f000;
/// Number of the stack pointer register.
pub const SP: usize = 29;
/// Number of the link register.
pub const RA: usize = 31;

/// The versions of the multithreaded 64-bit machine that exist today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StateVersion {
    /// `multithreaded64-4`: `getrandom` does nothing.
    V7 = 7,
    /// `multithreaded64-5`: `getrandom` gives pseudo-random bytes.
    V8 = 8,
}

impl StateVersion {
    /// All versions, oldest first.
    pub const ALL: [Self; 2] = [Self::V7, Self::V8];

    /// The number in the first byte of a state file.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name that `--type` takes.
    pub const fn name(self) -> &'static str {
        VERSION_NAMES[self as usize]
    }
}

/// Names of all state versions ever released, by number.
pub const VERSION_NAMES: [&str; 9] = [
    "singlethreaded",
    "multithreaded",
    "singlethreaded-2",
    "multithreaded64",
    "multithreaded64-2",
    "multithreaded-2",
    "multithreaded64-3",
    "multithreaded64-4",
    "multithreaded64-5",
];

/// Registers of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Address of the instruction to execute.
    pub pc: u64,
    /// Address of the one after it; differs from `pc + 4` in a delay slot.
    pub next_pc: u64,
    /// Quotients and low halves of products.
    pub lo: u64,
    /// Remainders and high halves of products.
    pub hi: u64,
    /// General registers; the first is always zero.
    pub registers: [u64; 32],
}

impl Cpu {
    /// A processor about to execute at `pc`, all registers zero.
    pub const fn at(pc: u64) -> Self {
        Self { pc, next_pc: pc.wrapping_add(4), lo: 0, hi: 0, registers: [0; 32] }
    }
}

/// One thread of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Number of the thread; the first is 0.
    pub id: u64,
    /// Exit code; meaningful once exited.
    pub exit_code: u8,
    /// True once the thread has exited. It stays on its stack until the scheduler meets it.
    pub exited: bool,
    /// Its registers.
    pub cpu: Cpu,
}

/// What a load-linked instruction reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Width of the reservation.
    pub status: ReservationStatus,
    /// The address as the instruction computed it, not rounded.
    pub address: u64,
    /// Id of the thread that reserved.
    pub owner: u64,
}

/// Width of a reservation, as the witness encodes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum ReservationStatus {
    /// Nothing is reserved.
    #[default]
    None = 0,
    /// Reserved by `ll`.
    Word = 1,
    /// Reserved by `lld`.
    Doubleword = 2,
}

impl ReservationStatus {
    /// Reads the byte of a state file.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Word),
            2 => Some(Self::Doubleword),
            _ => None,
        }
    }
}

/// The whole state but for the memory, which is kept beside it because it is large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers {
    /// Key of the preimage that is being read; not localised.
    pub preimage_key: B256,
    /// Offset into the preimage, its 8-byte length prefix included.
    pub preimage_offset: u64,
    /// Next address that `mmap` hands out.
    pub heap: u64,
    /// The load-linked reservation.
    pub reservation: Reservation,
    /// Exit code of the machine; meaningful once exited.
    pub exit_code: u8,
    /// True once the machine has exited: it then stays as it is for ever.
    pub exited: bool,
    /// Steps executed so far.
    pub step: u64,
    /// Steps since the last context switch.
    pub steps_since_switch: u64,
    /// True while the right stack is the active one.
    pub traverse_right: bool,
    /// Left thread stack, bottom first.
    pub left: Vec<Thread>,
    /// Right thread stack, bottom first.
    pub right: Vec<Thread>,
    /// Id of the next thread.
    pub next_thread_id: u64,
    /// Hint bytes written by the guest that do not make a whole hint yet. Part of the state file, not
    /// of the witness.
    pub last_hint: Vec<u8>,
}

impl Registers {
    /// The state of a program that starts at `pc`: one thread, on the left stack.
    pub fn at(pc: u64) -> Self {
        Self {
            preimage_key: B256::ZERO,
            preimage_offset: 0,
            heap: 0,
            reservation: Reservation::default(),
            exit_code: 0,
            exited: false,
            step: 0,
            steps_since_switch: 0,
            traverse_right: false,
            left: vec![Thread { id: 0, exit_code: 0, exited: false, cpu: Cpu::at(pc) }],
            right: Vec::new(),
            next_thread_id: 1,
            last_hint: Vec::new(),
        }
    }

    /// The stack whose top thread runs.
    pub fn active_stack(&self) -> &Vec<Thread> {
        if self.traverse_right { &self.right } else { &self.left }
    }

    /// The stack whose top thread runs.
    pub fn active_stack_mut(&mut self) -> &mut Vec<Thread> {
        if self.traverse_right { &mut self.right } else { &mut self.left }
    }

    /// The thread that runs; none when the active stack is empty, which is a fault.
    pub fn current_thread(&self) -> Option<&Thread> {
        self.active_stack().last()
    }

    /// Threads on both stacks.
    pub fn thread_count(&self) -> usize {
        self.left.len() + self.right.len()
    }

    /// The status that the first byte of the state hash carries.
    pub fn status(&self) -> VmStatus {
        match (self.exited, self.exit_code) {
            (false, _) => VmStatus::Unfinished,
            (true, 0) => VmStatus::Valid,
            (true, 1) => VmStatus::Invalid,
            (true, _) => VmStatus::Panic,
        }
    }
}

/// How a machine ended, as the first byte of the state hash says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VmStatus {
    /// Exit code 0.
    Valid = 0,
    /// Exit code 1.
    Invalid = 1,
    /// Any other exit code.
    Panic = 2,
    /// Still running.
    Unfinished = 3,
}

/// A state with its memory.
#[derive(Debug)]
pub struct State {
    /// The version whose rules the state follows.
    pub version: StateVersion,
    /// Everything but memory.
    pub registers: Registers,
    /// Guest memory.
    pub memory: Memory,
}

impl State {
    /// The state of a program that starts at `pc` with empty memory.
    pub fn at(version: StateVersion, pc: u64) -> Self {
        Self { version, registers: Registers::at(pc), memory: Memory::new() }
    }
}
