//! The block interpreter: executes pre-decoded blocks, to every observer as plain steps would.
//!
//! ```text
//!   translate   code in memory -> blocks of slots, through lower (the table's second visitor)
//!   code        the slots, and how blocks are found; forgotten when their code is written
//!   fuse        frequent neighbours done by one handler
//!   handlers    what a slot does, and the way to the next one
//! ```
//!
//! Invariant: whatever is not an ordinary instruction on ordinary memory (faults, system calls, stores
//! into code or into the reserved doubleword, context switches, the last steps before a stop) is left
//! to the plain step, before any effect.

mod code;
mod fuse;
mod handlers;
mod lower;
#[cfg(test)]
mod tests;
mod translate;

use super::error::StepError;
use super::machine::{Machine, Stop, Until};
use super::state::QUANTUM;
use super::stats::CODE_CACHE_END;
use crate::memory::Memory;
use code::{CHAIN_STEPS, Code, Core, Entry, LONGEST_PATH, OriginKind, TARGET};

/// Decoded code, and the registers while it runs.
#[derive(Default)]
pub(crate) struct Blocks {
    code: Code,
    core: Box<Core>,
    /// Steps executed in blocks.
    executed: u64,
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("slots", &self.code.slots.len()).finish_non_exhaustive()
    }
}

/// Where blocks stopped: nothing was done at `pc` yet.
struct Progress {
    pc: u64,
    next_pc: u64,
    executed: u64,
}

impl Machine<'_> {
    /// Runs until the given point, the exit, or an error.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(&mut self, until: Until) -> Result<Stop, StepError> {
        loop {
            if let Some(stop) = self.stop_before(until) {
                return Ok(stop);
            }
            self.run_blocks(until.step);
            if let Some(stop) = self.stop_before(until) {
                return Ok(stop);
            }
            self.step()?;
            if until.preimage_read && self.host.read_offset.is_some() {
                return Ok(Stop::PreimageRead);
            }
        }
    }

    /// Runs blocks as far as they go before the step `end`.
    fn run_blocks(&mut self, end: u64) {
        let memory = &mut self.state.memory;
        if memory.has_code_writes() {
            self.blocks.code.written(&memory.take_code_writes());
        }
        let r = &mut self.state.registers;
        let quantum = QUANTUM.saturating_sub(r.steps_since_switch);
        let budget = end.saturating_sub(r.step).min(quantum);
        let stack = if r.traverse_right { &mut r.right } else { &mut r.left };
        let Some(thread) = stack.last_mut() else { return };
        let cpu = &thread.cpu;
        // A state file may hold a register 0 that is not zero; decoded code relies on it.
        let ordinary = !thread.exited
            && cpu.next_pc == cpu.pc.wrapping_add(4)
            && cpu.pc & 3 == 0
            && cpu.registers[0] == 0;
        // A switch may fall on any instruction. A block for each would fill memory with copies of the
        // same code, so plain steps go on to where a block begins.
        let behind_switch =
            r.steps_since_switch < LONGEST_PATH && !self.blocks.code.has_block(cpu.pc);
        if budget < LONGEST_PATH || !ordinary || behind_switch {
            return;
        }
        let core = &mut self.blocks.core;
        core.load(thread, r.reservation);
        std::mem::swap(&mut core.stats, &mut self.stats);
        let progress = self.blocks.run(memory, thread.cpu.pc, r.step, budget);
        let core = &mut self.blocks.core;
        std::mem::swap(&mut core.stats, &mut self.stats);
        if progress.executed == 0 {
            return;
        }
        core.save(thread);
        thread.cpu.pc = progress.pc;
        thread.cpu.next_pc = progress.next_pc;
        r.reservation = core.reservation();
        r.step += progress.executed;
        r.steps_since_switch += progress.executed;
        self.host.read_offset = None;
        self.blocks.executed += progress.executed;
    }
}

impl Blocks {
    /// Runs blocks from `pc` on, for at most `budget` steps, beginning with step counter `step`.
    fn run(&mut self, memory: &mut Memory, pc: u64, step: u64, budget: u64) -> Progress {
        let mut at = Progress { pc, next_pc: pc.wrapping_add(4), executed: 0 };
        // The exit through which the last block was left, while it can be linked.
        let mut unlinked = None;
        loop {
            if self.code.is_full() {
                self.code.clear();
                unlinked = None;
            }
            let entry = self.block(memory, at.pc);
            if let Some(slot) = unlinked.take() {
                self.link(slot, entry);
            }
            let left = budget - at.executed;
            if left < entry.longest.into() {
                return at;
            }
            let chain = left.min(CHAIN_STEPS);
            self.core.budget = chain;
            self.core.end = step + at.executed + chain;
            let slots = &self.code.slots[entry.start as usize..];
            let stopped = (slots[0].handler)(&mut self.core, memory, &self.code, slots);
            let slot = self.code.slots.len() - stopped;
            let origin = self.code.origins[slot];

            let steps = chain - self.core.budget + u64::from(origin.executed);
            at.executed += steps;
            if origin.block >= CODE_CACHE_END {
                self.core.stats.fetched_upwards(origin.block, origin.executed.into());
            }
            let target = self.core.get(TARGET);
            (at.pc, at.next_pc) = match origin.kind {
                OriginKind::Instruction | OriginKind::Exit => (origin.pc, origin.next_pc),
                OriginKind::BeforeTarget => (origin.pc, target),
                OriginKind::ExitToTarget => (target, target.wrapping_add(4)),
            };
            match origin.kind {
                OriginKind::Instruction | OriginKind::BeforeTarget => return at,
                OriginKind::Exit if origin.block < CODE_CACHE_END => unlinked = Some(slot),
                OriginKind::Exit | OriginKind::ExitToTarget => {}
            }
            if at.pc & 3 != 0 {
                return at;
            }
        }
    }

    /// The block at an aligned address, decoded if it was not yet.
    fn block(&mut self, memory: &mut Memory, pc: u64) -> Entry {
        match self.code.block(pc) {
            Some(entry) => entry,
            None => translate::translate(&mut self.code, memory, pc),
        }
    }

    /// Lets an exit go on at its next block by itself.
    fn link(&mut self, slot: usize, entry: Entry) {
        if let Some(exit) = self.code.slots.get_mut(slot) {
            exit.handler = handlers::linked_exit;
            exit.b = entry.longest as u8;
            exit.imm = entry.start as i32;
        }
    }
}
