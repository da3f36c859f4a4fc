//! Cannon's two machines: MIPS with registers of 32 bits and one thread, or of 64 bits and many.
//!
//! [`step`] executes one instruction, `lower` and `works` make blocks of them; both are written once, over
//! an [`Arch`]. What a machine is otherwise stands in [`mips32`] and [`mips64`].

mod lower;
pub mod mips32;
pub mod mips64;
pub mod state;
mod step;
#[cfg(test)]
mod tests;
pub mod threads;
mod works;

pub use mips32::Mips32;
pub use mips64::Mips64;

use crate::blocks::{Core, Engine};
use crate::isa::{Op, Word};
use crate::kernel::{Errno, V0};
use crate::loader::Target;
use crate::machine::Machine;
use crate::machine::error::StepError;
use crate::machine::stats::Stats;
use crate::memory::Memory;
use crate::witness::ShownInstruction;

use state::Cpu;
use threads::ReservationStatus;
use works::{Kind, Test};

/// Instructions below this address count as cached: the deployed machine decodes them ahead.
pub const CODE_CACHE_END: u64 = 128 << 20;

/// A width of the MIPS machine.
pub trait Arch: Target + Engine<Kind = Kind, Test = Test> {
    /// Bytes of a register.
    const WORD_BYTES: usize;
    /// Whether a loaded Go program has functions taken out that a single thread cannot run.
    const PATCHES_GO: bool;
    /// First address handed out by `mmap`; programs must end below it.
    const HEAP_START: u64;
    /// The heap never grows beyond this address.
    const HEAP_END: u64;
    /// What `brk` answers.
    const PROGRAM_BREAK: u64;
    /// Stack pointer of a new program.
    const STACK_TOP: u64;

    /// What load-linked and store-conditional work on in a plain step.
    type Atomics<'a>: Atomics;

    /// The instruction that a word encodes.
    fn decode(word: Word) -> Option<Op>;

    /// The running processor; nothing where there is none.
    fn cpu(processor: &Self::Processor) -> Option<&Cpu>;

    /// The running processor, for writing.
    fn cpu_mut(processor: &mut Self::Processor) -> Option<&mut Cpu>;

    /// The running processor with what its atomic instructions work on, in step number `step`.
    fn cpu_and_atomics<'a>(
        processor: &'a mut Self::Processor,
        stats: &'a mut Stats,
        step: u64,
    ) -> Option<(&'a mut Cpu, Self::Atomics<'a>)>;

    /// A value as a register holds it: of its low bits, as many as the machine has.
    fn extend(value: u64) -> u64;

    /// What a system call that fails puts into `$2` and `$7`.
    fn error(errno: Errno) -> (u64, u64);

    /// Executes the system call at pc.
    ///
    /// # Errors
    /// As a step.
    fn syscall(machine: &mut Machine<'_, Self>) -> Result<(), StepError>;

    /// Whether a slot may store at an address: it may not where a reservation would end.
    fn may_store(core: &Core<Self>, address: u64) -> bool;

    /// A slot, `executed` steps into its block, loads from an address and reserves it.
    fn reserve(core: &mut Core<Self>, status: ReservationStatus, address: u64, executed: u8);

    /// Whether a store-conditional to an address would store.
    fn holds(core: &Core<Self>, status: ReservationStatus, address: u64) -> bool;

    /// A slot, `executed` steps into its block, was a store-conditional.
    fn store_conditional(core: &mut Core<Self>, executed: u8, stored: bool);
}

/// The instruction at the pc of a processor that runs.
fn next_instruction<A: Arch>(cpu: &Cpu, memory: &Memory) -> ShownInstruction {
    let call_number = A::wrap(cpu.registers[V0]);
    ShownInstruction { pc: cpu.pc, word: memory.load_u32(cpu.pc & !3), call_number }
}

/// Load-linked and store-conditional, and what stores do to them.
pub trait Atomics {
    /// The doubleword at an address was written.
    fn stored(&mut self, aligned: u64);

    /// An address is loaded from and reserved.
    fn reserve(&mut self, status: ReservationStatus, address: u64);

    /// Whether a store-conditional to an address stores. Then the reservation has served.
    fn take(&mut self, status: ReservationStatus, address: u64) -> bool;
}
