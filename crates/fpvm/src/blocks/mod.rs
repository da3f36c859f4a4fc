//! The block interpreter: executes pre-decoded blocks, to every observer as plain steps would.
//!
//! ```text
//!   translate   code in memory -> blocks of slots, through the machine's lowering of its table
//!   code        the slots, and how blocks are found; forgotten when their code is written
//!   fuse        frequent neighbours done by one handler
//!   handlers    the way from slot to slot, and the shapes of what they do
//! ```
//!
//! A machine brings an [`Engine`]: how its instructions are lowered, and the work of its slots, built from
//! the shapes in `handlers`.
//!
//! Invariant: whatever is not an ordinary instruction on ordinary memory (faults, system calls, stores
//! into code or into what is reserved, context switches, the last steps before a stop) is left to the
//! plain step, before any effect.

pub mod code;
pub mod fuse;
pub mod handlers;
mod translate;

use crate::machine::error::StepError;
use crate::machine::vm::Vm;
use crate::machine::{Machine, Stop, Until};
use crate::memory::Memory;
use code::{CHAIN_STEPS, OriginKind};
pub use code::{Code, Core, Entry, Handler, LONGEST_PATH, SINK, Slot, TARGET};
pub use fuse::Part;
pub use handlers::{Condition, Kinds, Tests, Work};
use std::fmt::Debug;

/// The part of a machine that its blocks are made of.
pub trait Engine: Copy + Debug + Eq + 'static {
    /// What handlers need beside the registers.
    type Extra: Default;
    /// What slots of straight instructions do.
    type Kind: Kinds<Self>;
    /// What branches test.
    type Test: Tests<Self>;

    /// Whether a jump or a branch acts behind the instruction after it.
    const DELAY_SLOTS: bool;
    /// Fetches at and above this address are counted as cache misses.
    const CODE_CACHE_END: u64;
    /// Code from here on is left to plain steps, so that no address computed on the way wraps around.
    const CODE_END: u64;

    /// An address within the machine's address space.
    fn wrap(address: u64) -> u64;

    /// An address as a register holds it.
    fn link(address: u64) -> u64;

    /// What becomes of the instruction whose 4 bytes at `pc` are `word`, the first the most significant.
    fn lower(word: u32, pc: u64) -> Lowered<Self>;

    /// The handler for the first of `parts` fused with those behind it, and how many it covers.
    fn fuse(parts: &[Part<Self>]) -> Option<(Handler<Self>, usize)>;
}

/// A slot without its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft<K> {
    pub kind: K,
    pub a: u8,
    pub b: u8,
    pub c: u8,
    pub d: u8,
    pub imm: i32,
}

impl<K> Draft<K> {
    pub const fn new(kind: K, a: u8, b: u8, c: u8, imm: i32) -> Self {
        Self { kind, a, b, c, d: 0, imm }
    }

    /// Sets a register to a constant; `None` if it needs more than 56 bits.
    pub fn constant<V: Engine<Kind = K>>(register: u8, value: u64) -> Option<Self>
    where
        K: Kinds<V>,
    {
        if let Ok(imm) = i32::try_from(value as i64) {
            return Some(Self::new(K::SET, register, 0, 0, imm));
        }
        let [b0, b1, b2, b3, b, c, d, _] = value.to_le_bytes();
        let fits = (value as i64) << 8 >> 8 == value as i64;
        let imm = i32::from_le_bytes([b0, b1, b2, b3]);
        fits.then_some(Self { kind: K::SET_WIDE, a: register, b, c, d, imm })
    }
}

/// What becomes of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowered<V: Engine> {
    /// No slot: it has no effect.
    Nothing,
    /// One slot.
    One(Draft<V::Kind>),
    /// Two slots, of which the second cannot stop.
    Two(Draft<V::Kind>, Draft<V::Kind>),
    /// A branch to `target` that compares registers `a` and `b`. Links in register `link` unless that is 0.
    Branch { test: V::Test, a: u8, b: u8, target: u64, link: u8 },
    /// A branch that is never taken, a jump, or a branch that always is. Links in register `link` unless
    /// that is 0.
    Fixed { target: Option<u64>, link: u8 },
    /// A jump to where the slot puts into `TARGET`. Then links in register `link` unless that is 0.
    Through { to: Draft<V::Kind>, link: u8 },
    /// Left to the plain step.
    Plain,
}

impl<V: Engine> Lowered<V> {
    /// Work on registers b and c or on an immediate, whose only effect is its register: without it, none.
    pub fn one(kind: V::Kind, register: usize, b: usize, c: usize, imm: i32) -> Self {
        if register == 0 {
            return Self::Nothing;
        }
        Self::One(Draft::new(kind, register as u8, b as u8, c as u8, imm))
    }

    /// As [`one`](Self::one), where a zero register leaves the other as it is.
    pub fn sum(kind: V::Kind, register: usize, b: usize, c: usize) -> Self {
        match (b, c) {
            (b, 0) => Self::one(V::Kind::MOVE, register, b, 0, 0),
            (0, c) => Self::one(V::Kind::MOVE, register, c, 0, 0),
            (b, c) => Self::one(kind, register, b, c, 0),
        }
    }

    /// As [`sum`](Self::sum), of a register and an immediate.
    pub fn sum_imm(kind: V::Kind, register: usize, b: usize, imm: i32) -> Self {
        match (b, imm) {
            (0, imm) => Self::one(V::Kind::SET, register, 0, 0, imm),
            (b, 0) => Self::one(V::Kind::MOVE, register, b, 0, 0),
            (b, imm) => Self::one(kind, register, b, 0, imm),
        }
    }

    /// A branch that tests registers `a` and `b`, with what is known where they are the same.
    pub fn branch(test: V::Test, [a, b]: [usize; 2], target: u64, link: usize) -> Self {
        let link = link as u8;
        if a == b {
            return Self::Fixed { target: test.of_same().then_some(target), link };
        }
        Self::Branch { test, a: a as u8, b: b as u8, target, link }
    }
}

/// The register itself, or the one that takes what a register that is always zero would.
pub const fn or_sink(register: usize) -> u8 {
    if register == 0 { SINK } else { register as u8 }
}

/// A processor that can go on in blocks.
#[derive(Clone, Copy, Debug)]
pub struct Entrance {
    /// Where it is. It is not in a delay slot.
    pub pc: u64,
    /// Most steps it may do before something else than an instruction happens.
    pub limit: u64,
    /// It may have come to any address, so that a block for each would fill memory with copies of the same
    /// code: plain steps go on to where a block begins.
    pub anywhere: bool,
}

/// Where blocks stopped: nothing was done at `pc` yet.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub pc: u64,
    pub next_pc: u64,
    pub executed: u64,
}

/// Decoded code, and the registers while it runs.
pub(crate) struct Blocks<V: Engine> {
    pub(crate) code: Code<V>,
    core: Box<Core<V>>,
    /// Steps executed in blocks.
    pub(crate) executed: u64,
}

impl<V: Engine> Default for Blocks<V> {
    fn default() -> Self {
        Self { code: Code::default(), core: Box::default(), executed: 0 }
    }
}

impl<V: Engine> Debug for Blocks<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks").field("slots", &self.code.slots.len()).finish_non_exhaustive()
    }
}

impl<V: Vm> Machine<'_, V> {
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
        let Some(entrance) = V::entrance(&r.processor) else { return };
        let budget = end.saturating_sub(r.step).min(entrance.limit);
        if budget < LONGEST_PATH || (entrance.anywhere && !self.blocks.code.has_block(entrance.pc))
        {
            return;
        }
        let core = &mut self.blocks.core;
        V::enter(&r.processor, core);
        std::mem::swap(&mut core.stats, &mut self.stats);
        let progress = self.blocks.run(memory, entrance.pc, r.step, budget);
        let core = &mut self.blocks.core;
        std::mem::swap(&mut core.stats, &mut self.stats);
        if progress.executed == 0 {
            return;
        }
        V::leave(core, progress, &mut r.processor);
        r.step += progress.executed;
        self.host.read_offset = None;
        self.blocks.executed += progress.executed;
    }
}

impl<V: Engine> Blocks<V> {
    /// Runs blocks from `pc` on, for at most `budget` steps, beginning with step counter `step`.
    fn run(&mut self, memory: &mut Memory, pc: u64, step: u64, budget: u64) -> Progress {
        let mut at = Progress { pc, next_pc: V::wrap(pc.wrapping_add(4)), executed: 0 };
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
            if origin.block >= V::CODE_CACHE_END {
                self.core.stats.fetched_upwards(
                    origin.block,
                    origin.executed.into(),
                    V::CODE_CACHE_END,
                );
            }
            let target = self.core.get(TARGET);
            (at.pc, at.next_pc) = match origin.kind {
                OriginKind::Instruction | OriginKind::Exit => (origin.pc, origin.next_pc),
                OriginKind::BeforeTarget => (origin.pc, target),
                OriginKind::ExitToTarget => (target, V::wrap(target.wrapping_add(4))),
            };
            match origin.kind {
                OriginKind::Instruction | OriginKind::BeforeTarget => return at,
                OriginKind::Exit if origin.block < V::CODE_CACHE_END => unlinked = Some(slot),
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
