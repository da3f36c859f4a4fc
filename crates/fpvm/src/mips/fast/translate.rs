//! Makes blocks: follows the code from an address along the path that the guest is expected to take.
//!
//! Expected is that branches backward are taken and branches forward are not; jumps to fixed addresses
//! are followed. So a block may hold several turns of a loop, or a call with the start of its callee.

use super::super::state::RA;
use super::super::stats::CODE_CACHE_END;
use super::code::{Code, Entry, Handler, LONGEST_PATH, Origin, OriginKind, Slot, TARGET};
use super::fuse::{Part, fuse};
use super::handlers::{self, Kind, Test};
use super::lower::{Draft, Lower, Lowered};
use crate::isa::{Op, Word};
use crate::memory::{Memory, PAGE_BYTES};

/// Code from here on is left to plain steps, so that no address computed on the way wraps around.
const LAST_PC: u64 = u64::MAX - (PAGE_BYTES as u64 - 1);

/// Left to plain steps, so that no branch is in the decode cache while its delay slot is beyond.
const BEFORE_CACHE_END: u64 = CODE_CACHE_END - 4;

/// Steps of a branch with its delay slot.
const BRANCH_STEPS: u8 = 2;

/// Adds the block at an aligned `pc` to the code, and marks the pages that it was read from.
pub(super) fn translate(code: &mut Code, memory: &mut Memory, pc: u64) -> Entry {
    let mut builder = Builder {
        code,
        memory,
        block: pc,
        pc,
        executed: 0,
        longest: 0,
        slots: Vec::new(),
        origins: Vec::new(),
        parts: Vec::new(),
        asides: Vec::new(),
    };
    builder.follow();
    builder.place_asides();
    builder.fuse();
    let Builder { slots, origins, longest, .. } = builder;
    code.add(pc, longest, &slots, &origins)
}

/// A branch out of the path that still has no place to go to.
struct Aside {
    branch: usize,
    exit: Origin,
    /// A delay slot to execute before.
    delay: Option<Delay>,
}

/// A delay slot of a jump: where it is, and where it leads.
#[derive(Clone, Copy)]
struct Delay {
    pc: u64,
    target: Target,
}

#[derive(Clone, Copy)]
enum Target {
    Fixed(u64),
    Register,
}

struct Builder<'a> {
    code: &'a Code,
    memory: &'a mut Memory,
    block: u64,
    /// Next instruction of the path.
    pc: u64,
    /// Instructions of the path before it.
    executed: u8,
    longest: u8,
    slots: Vec<Slot>,
    origins: Vec<Origin>,
    parts: Vec<Part>,
    asides: Vec<Aside>,
}

impl Builder<'_> {
    /// Decodes the instruction at an address; left to the plain step is what cannot be decoded.
    fn lower(&mut self, pc: u64) -> Lowered {
        let decodable = pc & 3 == 0
            && pc < LAST_PC
            && pc != BEFORE_CACHE_END
            && self.code.is_worth_decoding(pc / PAGE_BYTES as u64);
        if !decodable {
            return Lowered::Plain;
        }
        self.memory.mark_code(pc);
        let word = Word(self.memory.load_u32(pc));
        match Op::decode(word) {
            Some(op) => op.visit(word, &mut Lower { pc }),
            None => Lowered::Plain,
        }
    }

    /// Code is followed on one side of the decode cache of the deployed machine only, and upwards only
    /// beyond it: so a block's steps tell its cache misses.
    fn may_follow(&self, target: u64) -> bool {
        self.block < CODE_CACHE_END && target < CODE_CACHE_END
    }

    /// Long code without branches is entered anywhere, after each context switch elsewhere. Its blocks
    /// go on in those that are there, lest there be one for every address.
    fn meets_other(&self) -> bool {
        self.executed > 0 && self.asides.is_empty() && self.code.has_block(self.pc)
    }

    fn follow(&mut self) {
        loop {
            let room = LONGEST_PATH as u8 - self.executed;
            let same_side = (self.pc < CODE_CACHE_END) == (self.block < CODE_CACHE_END);
            if room == 0 || !same_side || self.meets_other() {
                self.exit(self.here(OriginKind::Exit));
                break;
            }
            let goes_on = match self.lower(self.pc) {
                Lowered::Plain => self.stop(self.here(OriginKind::Instruction)),
                Lowered::Branch { .. } | Lowered::Fixed { .. } | Lowered::Through { .. }
                    if room < BRANCH_STEPS =>
                {
                    self.exit(self.here(OriginKind::Exit))
                }
                Lowered::Branch { test, a, b, target, link } => {
                    self.branch(test, [a, b], target, link)
                }
                Lowered::Fixed { target, link } => self.fixed(target, link),
                Lowered::Through { to, link } => self.through(to, link),
                straight => {
                    self.work(straight, self.here(OriginKind::Instruction));
                    self.step()
                }
            };
            if !goes_on {
                break;
            }
        }
    }

    /// The state before the next instruction of the path.
    fn here(&self, kind: OriginKind) -> Origin {
        let Self { pc, block, executed, .. } = *self;
        Origin { pc, next_pc: pc.wrapping_add(4), block, executed, kind }
    }

    /// The next instruction of the path was dealt with.
    fn step(&mut self) -> bool {
        self.pc = self.pc.wrapping_add(4);
        self.executed += 1;
        true
    }

    fn push(&mut self, handler: Handler, [a, b]: [u8; 2], origin: Origin, part: Part) {
        self.slots.push(Slot { handler, a, b, c: 0, d: 0, imm: 0 });
        self.parts.push(part);
        self.origins.push(origin);
        self.longest = self.longest.max(origin.executed);
    }

    fn exit(&mut self, origin: Origin) -> bool {
        let handler = match origin.kind {
            // Beyond the decode cache every exit returns to the driver, which counts the misses.
            OriginKind::ExitToTarget if self.block < CODE_CACHE_END => handlers::target_exit,
            _ => handlers::exit,
        };
        self.push(handler, [origin.executed, 0], origin, Part::End);
        false
    }

    fn stop(&mut self, origin: Origin) -> bool {
        self.push(handlers::stop, [0; 2], origin, Part::End);
        false
    }

    fn draft(&mut self, draft: Draft, origin: Origin) {
        let Draft { kind, a, b, c, d, imm } = draft;
        let d = if kind == Kind::SetWide { d } else { origin.executed };
        self.slots.push(Slot { handler: kind.handler(), a, b, c, d, imm });
        self.parts.push(Part::Work(kind));
        self.origins.push(origin);
    }

    /// Adds a straight instruction; answers whether it was one.
    fn work(&mut self, lowered: Lowered, origin: Origin) -> bool {
        match lowered {
            Lowered::Nothing => {}
            Lowered::One(draft) => self.draft(draft, origin),
            Lowered::Two(first, second) => {
                self.draft(first, origin);
                self.draft(second, origin);
            }
            _ => return false,
        }
        true
    }

    /// Adds the link of a jump at the current pc; answers whether its value fits into a slot.
    fn link(&mut self, register: u8) -> bool {
        let draft = Draft::constant(register, self.pc.wrapping_add(8));
        if let Some(draft) = draft {
            self.draft(draft, self.here(OriginKind::Instruction));
        }
        draft.is_some()
    }

    fn branch(&mut self, test: Test, compared: [u8; 2], target: u64, link: bool) -> bool {
        if link && !self.link(RA as u8) {
            return self.stop(self.here(OriginKind::Instruction));
        }
        let origin = self.here(OriginKind::Instruction);
        let backward = target <= self.pc && self.may_follow(target);
        let delay = Delay { pc: self.pc.wrapping_add(4), target: Target::Fixed(target) };
        let behind = Origin {
            pc: delay.pc,
            next_pc: delay.pc.wrapping_add(4),
            executed: self.executed + 1,
            kind: OriginKind::Exit,
            ..origin
        };
        let taken = Origin { executed: self.executed + 2, ..behind.at(target) };
        let (test, exit, aside_delay) =
            if backward { (test.opposite(), behind, None) } else { (test, taken, Some(delay)) };
        self.asides.push(Aside { branch: self.slots.len(), exit, delay: aside_delay });
        self.push(test.handler(), compared, origin, Part::Branch(test));
        self.step();
        if backward { self.delay_and_go(delay) } else { true }
    }

    fn fixed(&mut self, target: Option<u64>, link: bool) -> bool {
        if link && !self.link(RA as u8) {
            return self.stop(self.here(OriginKind::Instruction));
        }
        let delay = self.pc.wrapping_add(4);
        self.step();
        match target {
            // The branch was never there.
            None => true,
            Some(target) => self.delay_and_go(Delay { pc: delay, target: Target::Fixed(target) }),
        }
    }

    fn through(&mut self, to: u8, link: u8) -> bool {
        let origin = self.here(OriginKind::Instruction);
        let target = Draft { kind: Kind::Move, a: TARGET, b: to, c: 0, d: 0, imm: 0 };
        self.draft(target, origin);
        if link != 0 && !self.link(link) {
            return self.stop(origin);
        }
        let delay = Delay { pc: self.pc.wrapping_add(4), target: Target::Register };
        self.step();
        self.delay_and_go(delay)
    }

    /// Executes a delay slot, then follows the jump or leaves the block.
    fn delay_and_go(&mut self, delay: Delay) -> bool {
        let exit = match self.delay(delay, self.executed) {
            Some(exit) => exit,
            None => return false,
        };
        self.executed += 1;
        match delay.target {
            Target::Fixed(target) if self.may_follow(target) => {
                self.pc = target;
                true
            }
            _ => self.exit(exit),
        }
    }

    /// Adds a delay slot. The answer is the exit behind it; none where the path stops before it.
    fn delay(&mut self, delay: Delay, executed: u8) -> Option<Origin> {
        let (kind, exit_kind, next_pc) = match delay.target {
            Target::Fixed(target) => (OriginKind::Instruction, OriginKind::Exit, target),
            Target::Register => (OriginKind::BeforeTarget, OriginKind::ExitToTarget, 0),
        };
        let origin = Origin { pc: delay.pc, next_pc, block: self.block, executed, kind };
        let lowered = self.lower(delay.pc);
        if !self.work(lowered, origin) {
            self.stop(origin);
            return None;
        }
        Some(Origin { executed: executed + 1, kind: exit_kind, ..origin.at(next_pc) })
    }

    /// Fuses neighbours. Branches lead to what follows an end only, never into the middle of a group.
    fn fuse(&mut self) {
        let mut at = 0;
        while at < self.slots.len() {
            at += match fuse(&self.parts[at..]) {
                Some((handler, covered)) => {
                    self.slots[at].handler = handler;
                    covered
                }
                None => 1,
            };
        }
    }

    /// Puts the asides behind the path and points their branches at them.
    fn place_asides(&mut self) {
        for Aside { branch, exit, delay } in std::mem::take(&mut self.asides) {
            self.slots[branch].imm = (self.slots.len() - branch) as i32;
            match delay {
                None => {
                    self.exit(exit);
                }
                Some(delay) => {
                    if let Some(exit) = self.delay(delay, exit.executed - 1) {
                        self.exit(exit);
                    }
                }
            }
        }
    }
}

impl Origin {
    fn at(self, pc: u64) -> Self {
        Self { pc, next_pc: pc.wrapping_add(4), ..self }
    }
}
