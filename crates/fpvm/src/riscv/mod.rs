//! Asterisc: RISC-V (RV64IMA), one hart, no traps.
//!
//! `step` executes one instruction, `lower` and `works` make blocks of them. Guest memory and instructions
//! are little-endian; [`Memory`](crate::memory::Memory) keeps bytes in the order of their addresses, so
//! values are turned around where they are loaded and stored.
//!
//! Facts: the RISCV contract of Asterisc, version 1.2.0-rc.1.

pub mod error;
mod lower;
mod step;
#[cfg(test)]
mod tests;
mod works;

use crate::blocks::{Core, Engine, Entrance, Handler, Lowered, Part, Progress};
use crate::machine::Machine;
use crate::machine::error::StepError;
use crate::machine::state::{Registers, State};
use crate::machine::vm::{Version, Vm};
use crate::memory::{AddressSpace, PAGE_BYTES};
use crate::witness::{ShownInstruction, riscv as witness};
use alloy_primitives::B256;
pub(crate) use step::store;
use works::{Kind, Test};

/// Number of the stack pointer register.
pub const SP: usize = 2;
/// First of the argument registers, and where a system call answers.
pub const A0: usize = 10;
/// Register of a system call's second argument, and of its error number.
pub const A1: usize = 11;
/// Register of a system call's number.
pub const A7: usize = 17;

/// The Asterisc machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asterisc;

/// The one release of Asterisc: its state files have no version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsteriscVersion;

impl Version for AsteriscVersion {
    type Vm = Asterisc;
}

/// The hart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hart {
    /// Address of the instruction to execute.
    pub pc: u64,
    /// Address that the last load-reserved reserved; 0 stands for none.
    pub reservation: u64,
    /// General registers; the first is always zero.
    pub registers: [u64; 32],
}

impl Hart {
    /// Goes on with the next instruction.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        self.pc = self.pc.wrapping_add(4);
    }
}

impl Vm for Asterisc {
    type Version = AsteriscVersion;
    type Processor = Hart;

    const ADDRESSES: AddressSpace = AddressSpace::Bits64;
    const PROOF_BYTES: usize = 0;
    const TRANSFER_BYTES: usize = 32;

    fn processor(pc: u64) -> Hart {
        Hart { pc, reservation: 0, registers: [0; 32] }
    }

    fn pc(hart: &Hart) -> Option<u64> {
        Some(hart.pc)
    }

    fn pack(registers: &Registers<Hart>, root: B256) -> Vec<u8> {
        witness::pack(registers, root).to_vec()
    }

    fn proof_head(_: &Hart) -> Vec<u8> {
        Vec::new()
    }

    fn next_instruction(state: &State<Self>) -> Option<ShownInstruction> {
        let hart = &state.registers.processor;
        let word = state.memory.load_u32(hart.pc & !3).swap_bytes();
        Some(ShownInstruction { pc: hart.pc, word, call_number: hart.registers[A7] })
    }

    fn shown_instruction(state: &[u8], proof: &[u8]) -> Option<ShownInstruction> {
        witness::shown(state, proof)
    }

    fn step(machine: &mut Machine<'_, Self>) -> Result<(), StepError> {
        step::execute(machine)
    }

    fn entrance(hart: &Hart) -> Option<Entrance> {
        // A state file may hold any pc, and a register 0 that is not zero; decoded code relies on it.
        let ordinary = hart.pc & 3 == 0 && hart.registers[0] == 0;
        ordinary.then_some(Entrance { pc: hart.pc, limit: u64::MAX, anywhere: false })
    }

    fn enter(hart: &Hart, core: &mut Core<Self>) {
        core.registers[..32].copy_from_slice(&hart.registers);
        core.extra = hart.reservation;
    }

    fn leave(core: &Core<Self>, progress: Progress, hart: &mut Hart) {
        hart.registers.copy_from_slice(&core.registers[..32]);
        hart.reservation = core.extra;
        hart.pc = progress.pc;
    }

    /// The kernel's writes do not end a reservation.
    fn transferred(_: &mut Machine<'_, Self>, _: u64) {}
}

impl Engine for Asterisc {
    /// The reserved address.
    type Extra = u64;
    type Kind = Kind;
    type Test = Test;

    const DELAY_SLOTS: bool = false;
    /// Nobody counts cache misses of this machine.
    const CODE_CACHE_END: u64 = u64::MAX;
    const CODE_END: u64 = u64::MAX - (PAGE_BYTES as u64 - 1);

    #[inline(always)]
    fn wrap(address: u64) -> u64 {
        address
    }

    fn link(address: u64) -> u64 {
        address
    }

    fn lower(word: u32, pc: u64) -> Lowered<Self> {
        lower::lower(word.swap_bytes(), pc)
    }

    fn fuse(parts: &[Part<Self>]) -> Option<(Handler<Self>, usize)> {
        works::fuse(parts)
    }
}
