//! The multithreaded 64-bit machine: state versions 7 and 8.

use super::state::{Cpu, StateVersion};
use super::threads::{QUANTUM, Reservation, ReservationStatus, Thread, Threads};
use super::works::{Kind, Test};
use super::{Arch, Atomics, CODE_CACHE_END, lower, next_instruction, step, works};
use crate::blocks::{Core, Engine, Entrance, Handler, LONGEST_PATH, Lowered, Part, Progress};
use crate::isa::{Op, Word};
use crate::kernel::Errno;
use crate::machine::Machine;
use crate::machine::error::{Fault, StepError};
use crate::machine::state::{Registers, State};
use crate::machine::stats::Stats;
use crate::machine::vm::Vm;
use crate::memory::{AddressSpace, PAGE_BYTES};
use crate::witness::{ShownInstruction, mips64 as witness};
use alloy_primitives::B256;

/// The multithreaded 64-bit Cannon machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mips64;

impl Vm for Mips64 {
    type Version = StateVersion;
    type Processor = Threads;

    const ADDRESSES: AddressSpace = AddressSpace::Bits64;
    const PROOF_BYTES: usize = witness::PROOF_BYTES;
    const TRANSFER_BYTES: usize = 8;

    fn processor(pc: u64) -> Threads {
        Threads::at(pc)
    }

    fn pc(threads: &Threads) -> Option<u64> {
        threads.current_thread().map(|thread| thread.cpu.pc)
    }

    fn pack(registers: &Registers<Threads>, root: B256) -> Vec<u8> {
        witness::pack(registers, root).to_vec()
    }

    fn proof_head(threads: &Threads) -> Vec<u8> {
        let mut proof = Vec::with_capacity(witness::PROOF_BYTES);
        proof.extend(witness::thread_proof(threads));
        proof
    }

    fn next_instruction(state: &State<Self>) -> Option<ShownInstruction> {
        let threads = &state.registers.processor;
        let thread = threads.current_thread()?;
        // Else the scheduler takes the step for itself.
        let fetches = !thread.exited && threads.steps_since_switch < QUANTUM;
        fetches.then(|| next_instruction::<Self>(&thread.cpu, &state.memory))
    }

    fn shown_instruction(state: &[u8], proof: &[u8]) -> Option<ShownInstruction> {
        witness::shown(state, proof)
    }

    fn step(machine: &mut Machine<'_, Self>) -> Result<(), StepError> {
        let threads = &mut machine.state.registers.processor;
        let thread = threads.current_thread().ok_or(Fault::NoThread)?;
        if thread.exited {
            if threads.thread_count() == 1 {
                return Err(Fault::NoThreadLeft.into());
            }
            threads.pop_thread();
            return Ok(());
        }
        if threads.steps_since_switch >= QUANTUM {
            machine.preempt_and_count();
            machine.stats.forced_preemptions += 1;
            return Ok(());
        }
        threads.steps_since_switch += 1;
        let result = step::execute(machine);
        if result.is_err() {
            machine.state.registers.processor.steps_since_switch -= 1;
        }
        result
    }

    fn entrance(threads: &Threads) -> Option<Entrance> {
        let thread = threads.current_thread().filter(|thread| !thread.exited)?;
        step::block_entry::<Self>(&thread.cpu).map(|pc| Entrance {
            pc,
            limit: QUANTUM.saturating_sub(threads.steps_since_switch),
            // A switch may fall on any instruction.
            anywhere: threads.steps_since_switch < LONGEST_PATH,
        })
    }

    fn enter(threads: &Threads, core: &mut Core<Self>) {
        let Some(thread) = threads.current_thread() else { return };
        works::load(core, &thread.cpu);
        core.extra.thread = thread.id;
        core.extra.set(threads.reservation);
    }

    fn leave(core: &Core<Self>, progress: Progress, threads: &mut Threads) {
        threads.reservation = core.extra.reservation;
        threads.steps_since_switch += progress.executed;
        let Some(thread) = threads.current_thread_mut() else { return };
        works::save(core, progress, &mut thread.cpu);
    }

    fn transferred(machine: &mut Machine<'_, Self>, aligned: u64) {
        let reservation = &mut machine.state.registers.processor.reservation;
        invalidate(reservation, &mut machine.stats, aligned);
    }
}

impl Machine<'_, Mips64> {
    /// Lets the next thread run, and counts how long thread 0 does not.
    pub(crate) fn preempt_and_count(&mut self) {
        let r = &mut self.state.registers;
        r.processor.preempt();
        if let Some(thread) = r.processor.current_thread() {
            self.stats.switched_to(thread.id, r.step);
        }
    }
}

/// A write to the doubleword at `aligned` ends a reservation that lies in it.
fn invalidate(reservation: &mut Reservation, stats: &mut Stats, aligned: u64) {
    if reservation.address & !7 == aligned {
        *reservation = Reservation::default();
        stats.reservation_invalidations += 1;
    }
}

impl Engine for Mips64 {
    type Extra = Linked;
    type Kind = Kind;
    type Test = Test;

    const DELAY_SLOTS: bool = true;
    const CODE_CACHE_END: u64 = CODE_CACHE_END;
    const CODE_END: u64 = u64::MAX - (PAGE_BYTES as u64 - 1);

    #[inline(always)]
    fn wrap(address: u64) -> u64 {
        address
    }

    fn link(address: u64) -> u64 {
        address
    }

    fn lower(word: u32, pc: u64) -> Lowered<Self> {
        lower::lower(word, pc)
    }

    fn fuse(parts: &[Part<Self>]) -> Option<(Handler<Self>, usize)> {
        works::mips64::fuse(parts)
    }
}

/// The reservation, while blocks run.
#[derive(Debug, Default)]
pub struct Linked {
    /// Id of the running thread.
    thread: u64,
    reservation: Reservation,
    /// Address of the doubleword that is reserved; as in a plain step, 0 where nothing is.
    reserved: u64,
}

impl Linked {
    #[inline(always)]
    fn set(&mut self, reservation: Reservation) {
        self.reservation = reservation;
        self.reserved = reservation.address & !7;
    }
}

/// The reservation and its counters, in a plain step.
#[derive(Debug)]
pub struct ThreadAtomics<'a> {
    reservation: &'a mut Reservation,
    stats: &'a mut Stats,
    thread: u64,
    step: u64,
}

impl Atomics for ThreadAtomics<'_> {
    #[inline(always)]
    fn stored(&mut self, aligned: u64) {
        invalidate(self.reservation, self.stats, aligned);
    }

    fn reserve(&mut self, status: ReservationStatus, address: u64) {
        *self.reservation = Reservation { status, address, owner: self.thread };
        self.stats.load_linked(self.thread, self.step);
    }

    /// Only under a reservation of the same width, thread and exact address.
    fn take(&mut self, status: ReservationStatus, address: u64) -> bool {
        let holds = *self.reservation == Reservation { status, address, owner: self.thread };
        if holds {
            *self.reservation = Reservation::default();
        }
        self.stats.store_conditional(self.thread, self.step, holds);
        holds
    }
}

impl Arch for Mips64 {
    const WORD_BYTES: usize = 8;
    const PATCHES_GO: bool = false;
    const HEAP_START: u64 = 0x1000_0000_0000;
    const HEAP_END: u64 = 0x6000_0000_0000;
    const PROGRAM_BREAK: u64 = 0x4000_0000_0000;
    const STACK_TOP: u64 = 0x7fff_ffff_f000;

    type Atomics<'a> = ThreadAtomics<'a>;

    #[inline(always)]
    fn decode(word: Word) -> Option<Op> {
        Op::decode(word)
    }

    #[inline(always)]
    fn cpu(threads: &Threads) -> Option<&Cpu> {
        threads.current_thread().map(|thread| &thread.cpu)
    }

    #[inline(always)]
    fn cpu_mut(threads: &mut Threads) -> Option<&mut Cpu> {
        threads.current_thread_mut().map(|thread| &mut thread.cpu)
    }

    #[inline(always)]
    fn cpu_and_atomics<'a>(
        threads: &'a mut Threads,
        stats: &'a mut Stats,
        step: u64,
    ) -> Option<(&'a mut Cpu, ThreadAtomics<'a>)> {
        let Threads { reservation, traverse_right, left, right, .. } = threads;
        let Thread { id, cpu, .. } = if *traverse_right { right } else { left }.last_mut()?;
        Some((cpu, ThreadAtomics { reservation, stats, thread: *id, step }))
    }

    #[inline(always)]
    fn extend(value: u64) -> u64 {
        value
    }

    fn error(errno: Errno) -> (u64, u64) {
        (errno as u64, u64::MAX)
    }

    fn syscall(machine: &mut Machine<'_, Self>) -> Result<(), StepError> {
        machine.syscall()
    }

    #[inline(always)]
    fn may_store(core: &Core<Self>, address: u64) -> bool {
        address & !7 != core.extra.reserved
    }

    fn reserve(core: &mut Core<Self>, status: ReservationStatus, address: u64, executed: u8) {
        let owner = core.extra.thread;
        core.extra.set(Reservation { status, address, owner });
        core.stats.load_linked(owner, core.step(executed));
    }

    fn holds(core: &Core<Self>, status: ReservationStatus, address: u64) -> bool {
        core.extra.reservation == Reservation { status, address, owner: core.extra.thread }
    }

    fn store_conditional(core: &mut Core<Self>, executed: u8, stored: bool) {
        if stored {
            core.extra.set(Reservation::default());
        }
        core.stats.store_conditional(core.extra.thread, core.step(executed), stored);
    }
}
