//! The state of a MIPS processor, and the versions of Cannon.

use super::{Mips32, Mips64};
use crate::machine::vm::Version;

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

impl Version for StateVersion {
    type Vm = Mips64;
}

/// The versions of the single-threaded 32-bit machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StateVersion32 {
    /// `singlethreaded`: `fcntl` knows F_GETFL only.
    V0 = 0,
    /// `singlethreaded-2`: `fcntl` knows F_GETFD too.
    V2 = 2,
}

impl StateVersion32 {
    /// Both versions, oldest first.
    pub const ALL: [Self; 2] = [Self::V0, Self::V2];

    /// The number in the first byte of a state file.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name that `--type` takes.
    pub const fn name(self) -> &'static str {
        VERSION_NAMES[self as usize]
    }
}

impl Version for StateVersion32 {
    type Vm = Mips32;
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

/// A processor. On the 32-bit machine general registers, LO and HI are held sign-extended, as a 64-bit processor
/// holds 32-bit values: so the semantics of both machines are the same.
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
