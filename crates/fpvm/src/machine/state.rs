//! What all machines' states have in common: what a witness commits to, and the hint buffer beside it.

use super::vm::{Version, Vm};
use crate::memory::Memory;
use alloy_primitives::B256;

/// The whole state but for the memory, which is kept beside it because it is large. `P` is the part that
/// differs from machine to machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers<P> {
    /// Key of the preimage that is being read; not localised.
    pub preimage_key: B256,
    /// Offset into the preimage, its 8-byte length prefix included.
    pub preimage_offset: u64,
    /// Next address that `mmap` hands out.
    pub heap: u64,
    /// Exit code of the machine; meaningful once exited.
    pub exit_code: u8,
    /// True once the machine has exited: it then stays as it is for ever.
    pub exited: bool,
    /// Steps executed so far.
    pub step: u64,
    /// What executes instructions.
    pub processor: P,
    /// Hint bytes written by the guest that do not make a whole hint yet. Part of the state file, not
    /// of the witness.
    pub last_hint: Vec<u8>,
}

impl<P> Registers<P> {
    /// The state before the first step.
    pub const fn new(processor: P) -> Self {
        Self {
            preimage_key: B256::ZERO,
            preimage_offset: 0,
            heap: 0,
            exit_code: 0,
            exited: false,
            step: 0,
            processor,
            last_hint: Vec::new(),
        }
    }

    /// The status that the first byte of the state hash carries.
    pub const fn status(&self) -> VmStatus {
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
pub struct State<V: Vm> {
    /// The version whose rules the state follows.
    pub version: V::Version,
    /// Everything but memory.
    pub registers: Registers<V::Processor>,
    /// Guest memory.
    pub memory: Memory,
}

impl<V: Vm> State<V> {
    /// The state of a program that starts at `pc` with empty memory.
    pub fn at<N: Version<Vm = V>>(version: N, pc: u64) -> Self
    where
        V: Vm<Version = N>,
    {
        Self {
            version,
            registers: Registers::new(V::processor(pc)),
            memory: Memory::of(V::ADDRESSES),
        }
    }
}
