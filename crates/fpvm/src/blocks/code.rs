//! The decoded code: slots, the blocks they form, and how they are found.
//!
//! ```text
//!   slots   | block ......... exit | aside, exit | block ... exit |      one array, blocks end to end
//!   origins | state before slot 0  | ...                          |      same indexes, read on leaving
//!   jumps   pc -> block, one entry a hash value: for jumps through registers
//!   blocks  pc -> block, all of them
//! ```
//!
//! A block is entered at its first slot only. It follows the path that the guest is expected to take,
//! over branches and jumps; where the guest leaves that path it goes on in an aside behind it. All
//! slots of a block run only when the whole block fits into the budget.

use super::Engine;
use crate::machine::stats::Stats;
use crate::memory::Memory;
use alloy_primitives::map::HashMap;

/// Registers that handlers address: below 64 those of the machine, then these.
/// It takes what would be written to a register that is always zero.
pub const SINK: u8 = 64;
/// Target of a jump through a register while its delay slot runs.
pub const TARGET: u8 = 65;

/// Steps of the longest path through a block.
pub const LONGEST_PATH: u64 = 64;
/// Steps after which a chain of blocks returns to the driver. Handlers end in calls of the next one;
/// where the compiler does not make jumps of them, this bounds the host's stack.
pub const CHAIN_STEPS: u64 = 4096;
/// Slots beyond which everything is forgotten, so that no guest makes this grow without end.
const SLOT_LIMIT: usize = 1 << 20;
/// Writes to its page after which code is no longer decoded but stepped.
const WRITE_LIMIT: u32 = 16;
const JUMP_ENTRIES: usize = 4096;

/// Executes the first of `slots` and goes on with the ones behind it. The answer is how many slots were
/// left, up to the end of the array, when it stopped: that tells the slot it stopped before.
pub type Handler<V> = fn(&mut Core<V>, &mut Memory, &Code<V>, slots: &[Slot<V>]) -> usize;

/// One decoded instruction, or a part or a group of them, with its operands.
#[derive(Clone, Copy)]
pub struct Slot<V: Engine> {
    pub handler: Handler<V>,
    pub a: u8,
    pub b: u8,
    pub c: u8,
    /// Steps from the start of the block to here, unless the handler needs it for its constant.
    pub d: u8,
    pub imm: i32,
}

impl<V: Engine> Slot<V> {
    /// The immediate as a register value.
    #[inline(always)]
    pub const fn value(&self) -> u64 {
        self.imm as u64
    }
}

/// What is true just before a slot runs.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Address of the instruction; of the next block at an exit.
    pub pc: u64,
    /// Address of the one after it.
    pub next_pc: u64,
    /// Address of the block.
    pub block: u64,
    /// Steps from there to here.
    pub executed: u8,
    pub kind: OriginKind,
}

/// Where the addresses of an [`Origin`] are, and what its slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// An instruction.
    Instruction,
    /// An instruction whose `next_pc` is in the register `TARGET`.
    BeforeTarget,
    /// The end of a path.
    Exit,
    /// The end of a path, at the address in the register `TARGET`.
    ExitToTarget,
}

/// A block: its first slot, and the steps of its longest path.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub pc: u64,
    pub start: u32,
    pub longest: u32,
}

impl Entry {
    /// Fits into no budget.
    const NONE: Self = Self { pc: 0, start: 0, longest: u32::MAX };
}

/// What handlers work on beside memory.
pub struct Core<V: Engine> {
    /// Indexed by a byte, so that no index is out of bounds.
    pub registers: [u64; 256],
    /// Steps that may still be executed in this chain, counted at the ends of blocks.
    pub budget: u64,
    /// The step counter once the budget is used up.
    pub end: u64,
    pub stats: Stats,
    /// What handlers of this machine need besides.
    pub extra: V::Extra,
}

impl<V: Engine> Default for Core<V> {
    fn default() -> Self {
        Self {
            registers: [0; 256],
            budget: 0,
            end: 0,
            stats: Stats::default(),
            extra: V::Extra::default(),
        }
    }
}

impl<V: Engine> Core<V> {
    #[inline(always)]
    pub fn get(&self, register: u8) -> u64 {
        self.registers[usize::from(register)]
    }

    #[inline(always)]
    pub fn set(&mut self, register: u8, value: u64) {
        self.registers[usize::from(register)] = value;
    }

    /// The step counter as of the instruction that is `executed` steps into its block.
    #[inline(always)]
    pub fn step(&self, executed: u8) -> u64 {
        self.end - self.budget + u64::from(executed) + 1
    }
}

/// All decoded code.
pub struct Code<V: Engine> {
    pub slots: Vec<Slot<V>>,
    pub origins: Vec<Origin>,
    jumps: Box<[Entry; JUMP_ENTRIES]>,
    blocks: HashMap<u64, Entry>,
    /// How often each code page was written.
    writes: HashMap<u64, u32>,
}

impl<V: Engine> Default for Code<V> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            origins: Vec::new(),
            jumps: Box::new([Entry::NONE; JUMP_ENTRIES]),
            blocks: HashMap::default(),
            writes: HashMap::default(),
        }
    }
}

impl<V: Engine> Code<V> {
    /// The block to which a jump through a register goes, if it was met lately.
    #[inline(always)]
    pub fn jump(&self, pc: u64) -> Option<Entry> {
        let entry = self.jumps[jump_index(pc)];
        (entry.pc == pc).then_some(entry)
    }

    /// The block at an address.
    pub fn block(&mut self, pc: u64) -> Option<Entry> {
        let entry = *self.blocks.get(&pc)?;
        self.jumps[jump_index(pc)] = entry;
        Some(entry)
    }

    /// Whether there is a block at an address.
    pub fn has_block(&self, pc: u64) -> bool {
        self.blocks.contains_key(&pc)
    }

    /// Adds a block that was decoded.
    pub fn add(&mut self, pc: u64, longest: u8, slots: &[Slot<V>], origins: &[Origin]) -> Entry {
        let entry = Entry { pc, start: self.slots.len() as u32, longest: longest.into() };
        self.slots.extend_from_slice(slots);
        self.origins.extend_from_slice(origins);
        self.blocks.insert(pc, entry);
        entry
    }

    /// True when a block more may not fit.
    pub fn is_full(&self) -> bool {
        self.slots.len() >= SLOT_LIMIT
    }

    /// Forgets all code.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.origins.clear();
        self.blocks.clear();
        self.jumps.fill(Entry::NONE);
    }

    /// Forgets all code because these code pages were written. Programs that write their own code are
    /// rare, and blocks are linked across pages, so nothing is gained by forgetting less.
    pub fn written(&mut self, pages: &[u64]) {
        self.clear();
        for &page in pages {
            *self.writes.entry(page).or_default() += 1;
        }
    }

    /// False for a page that holds data beside its code, as its many writes show: decoding it again
    /// after each of them costs more than it gains.
    pub fn is_worth_decoding(&self, page: u64) -> bool {
        self.writes.get(&page).is_none_or(|&count| count < WRITE_LIMIT)
    }
}

#[inline(always)]
const fn jump_index(pc: u64) -> usize {
    (pc >> 2) as usize % JUMP_ENTRIES
}
