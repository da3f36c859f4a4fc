//! The single-threaded 32-bit machine: state versions 0 and 2.
//!
//! Its registers are held sign-extended in 64 bits, its addresses zero-extended, so that all instructions
//! compute as on the 64-bit machine.

use super::state::{Cpu, StateVersion32};
use super::threads::ReservationStatus;
use super::works::{Kind, Test};
use super::{Arch, Atomics, CODE_CACHE_END, lower, next_instruction, step, works};
use crate::blocks::{Core, Engine, Entrance, Handler, Lowered, Part, Progress};
use crate::isa::{Op, Word, semantics};
use crate::kernel::Errno;
use crate::machine::Machine;
use crate::machine::error::StepError;
use crate::machine::state::{Registers, State};
use crate::machine::stats::Stats;
use crate::machine::vm::Vm;
use crate::memory::{AddressSpace, PAGE_BYTES};
use crate::witness::{ShownInstruction, mips32 as witness};
use alloy_primitives::B256;

/// The single-threaded 32-bit Cannon machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mips32;

impl Vm for Mips32 {
    type Version = StateVersion32;
    type Processor = Cpu;

    const ADDRESSES: AddressSpace = AddressSpace::Bits32;
    const PROOF_BYTES: usize = witness::PROOF_BYTES;
    const TRANSFER_BYTES: usize = 4;

    fn processor(pc: u64) -> Cpu {
        Cpu { next_pc: Self::wrap(pc.wrapping_add(4)), ..Cpu::at(pc) }
    }

    fn pc(cpu: &Cpu) -> Option<u64> {
        Some(cpu.pc)
    }

    fn pack(registers: &Registers<Cpu>, root: B256) -> Vec<u8> {
        witness::pack(registers, root).to_vec()
    }

    fn proof_head(_: &Cpu) -> Vec<u8> {
        Vec::with_capacity(witness::PROOF_BYTES)
    }

    fn next_instruction(state: &State<Self>) -> Option<ShownInstruction> {
        Some(next_instruction::<Self>(&state.registers.processor, &state.memory))
    }

    fn shown_instruction(state: &[u8], proof: &[u8]) -> Option<ShownInstruction> {
        witness::shown(state, proof)
    }

    fn step(machine: &mut Machine<'_, Self>) -> Result<(), StepError> {
        step::execute(machine)
    }

    fn entrance(cpu: &Cpu) -> Option<Entrance> {
        let pc = step::block_entry::<Self>(cpu)?;
        Some(Entrance { pc, limit: u64::MAX, anywhere: false })
    }

    fn enter(cpu: &Cpu, core: &mut Core<Self>) {
        works::load(core, cpu);
    }

    fn leave(core: &Core<Self>, progress: Progress, cpu: &mut Cpu) {
        works::save(core, progress, cpu);
    }

    fn transferred(_: &mut Machine<'_, Self>, _: u64) {}
}

impl Engine for Mips32 {
    type Extra = ();
    type Kind = Kind;
    type Test = Test;

    const DELAY_SLOTS: bool = true;
    const CODE_CACHE_END: u64 = CODE_CACHE_END;
    const CODE_END: u64 = u32::MAX as u64 - (PAGE_BYTES as u64 - 1);

    #[inline(always)]
    fn wrap(address: u64) -> u64 {
        address & u64::from(u32::MAX)
    }

    fn link(address: u64) -> u64 {
        semantics::sext32(address)
    }

    fn lower(word: u32, pc: u64) -> Lowered<Self> {
        lower::lower(word, pc)
    }

    fn fuse(parts: &[Part<Self>]) -> Option<(Handler<Self>, usize)> {
        works::mips32::fuse(parts)
    }
}

/// There is one thread, so that nothing can come between a load-linked and its store-conditional.
impl Atomics for () {
    fn stored(&mut self, _: u64) {}

    fn reserve(&mut self, _: ReservationStatus, _: u64) {}

    fn take(&mut self, _: ReservationStatus, _: u64) -> bool {
        true
    }
}

impl Arch for Mips32 {
    const WORD_BYTES: usize = 4;
    const PATCHES_GO: bool = true;
    const HEAP_START: u64 = 0x0500_0000;
    const HEAP_END: u64 = 0x6000_0000;
    const PROGRAM_BREAK: u64 = 0x4000_0000;
    const STACK_TOP: u64 = 0x7fff_d000;

    type Atomics<'a> = ();

    #[inline(always)]
    fn decode(word: Word) -> Option<Op> {
        Op::decode_narrow(word)
    }

    #[inline(always)]
    fn cpu(cpu: &Cpu) -> Option<&Cpu> {
        Some(cpu)
    }

    #[inline(always)]
    fn cpu_mut(cpu: &mut Cpu) -> Option<&mut Cpu> {
        Some(cpu)
    }

    #[inline(always)]
    fn cpu_and_atomics<'a>(
        cpu: &'a mut Cpu,
        _: &'a mut Stats,
        _: u64,
    ) -> Option<(&'a mut Cpu, ())> {
        Some((cpu, ()))
    }

    #[inline(always)]
    fn extend(value: u64) -> u64 {
        semantics::sext32(value)
    }

    fn error(errno: Errno) -> (u64, u64) {
        (u64::MAX, errno as u64)
    }

    fn syscall(machine: &mut Machine<'_, Self>) -> Result<(), StepError> {
        machine.syscall()
    }

    #[inline(always)]
    fn may_store(_: &Core<Self>, _: u64) -> bool {
        true
    }

    fn reserve(_: &mut Core<Self>, _: ReservationStatus, _: u64, _: u8) {}

    fn holds(_: &Core<Self>, _: ReservationStatus, _: u64) -> bool {
        true
    }

    fn store_conditional(_: &mut Core<Self>, _: u8, _: bool) {}
}
