//! Makes blocks: follows the code from an address along the path that the guest is expected to take.
//!
//! Expected is that branches backward are taken and branches forward are not; jumps to fixed addresses
//! are followed. So a block may hold several turns of a loop, or a call with the start of its callee.

use super::code::{Code, Entry, Handler, LONGEST_PATH, Origin, OriginKind, Slot};
use super::fuse::Part;
use super::handlers::{self, Kinds, Tests};
use super::{Draft, Engine, Lowered};
use crate::memory::{Memory, PAGE_BYTES};

/// Steps of a branch, with its delay slot where there is one.
const fn branch_steps<V: Engine>() -> u8 {
    1 + V::DELAY_SLOTS as u8
}

/// Adds the block at an aligned `pc` to the code, and marks the pages that it was read from.
pub(super) fn translate<V: Engine>(code: &mut Code<V>, memory: &mut Memory, pc: u64) -> Entry {
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

struct Builder<'a, V: Engine> {
    code: &'a Code<V>,
    memory: &'a mut Memory,
    block: u64,
    /// Next instruction of the path.
    pc: u64,
    /// Instructions of the path before it.
    executed: u8,
    longest: u8,
    slots: Vec<Slot<V>>,
    origins: Vec<Origin>,
    parts: Vec<Part<V>>,
    asides: Vec<Aside>,
}

impl<V: Engine> Builder<'_, V> {
    /// Decodes the instruction at an address; left to the plain step is what cannot be decoded.
    fn lower(&mut self, pc: u64) -> Lowered<V> {
        // The last instruction of the decode cache too: no branch is in it while its delay slot is beyond.
        let decodable = pc & 3 == 0
            && pc < V::CODE_END
            && pc != V::CODE_CACHE_END - 4
            && self.code.is_worth_decoding(pc / PAGE_BYTES as u64);
        if !decodable {
            return Lowered::Plain;
        }
        self.memory.mark_code(pc);
        V::lower(self.memory.load_u32(pc), pc)
    }

    /// Code is followed on one side of the decode cache of the deployed machine only, and upwards only
    /// beyond it: so a block's steps tell its cache misses.
    fn may_follow(&self, target: u64) -> bool {
        self.block < V::CODE_CACHE_END && target < V::CODE_CACHE_END
    }

    /// Long code without branches is entered anywhere, after each context switch elsewhere. Its blocks
    /// go on in those that are there, lest there be one for every address.
    fn meets_other(&self) -> bool {
        self.executed > 0 && self.asides.is_empty() && self.code.has_block(self.pc)
    }

    fn follow(&mut self) {
        loop {
            let room = LONGEST_PATH as u8 - self.executed;
            let same_side = (self.pc < V::CODE_CACHE_END) == (self.block < V::CODE_CACHE_END);
            if room == 0 || !same_side || self.meets_other() {
                self.exit(self.here(OriginKind::Exit));
                break;
            }
            let goes_on = match self.lower(self.pc) {
                Lowered::Plain => self.stop(self.here(OriginKind::Instruction)),
                Lowered::Branch { .. } | Lowered::Fixed { .. } | Lowered::Through { .. }
                    if room < branch_steps::<V>() =>
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
        Origin { pc, next_pc: next::<V>(pc), block, executed, kind }
    }

    /// The next instruction of the path was dealt with.
    fn step(&mut self) -> bool {
        self.pc = next::<V>(self.pc);
        self.executed += 1;
        true
    }

    fn push(&mut self, handler: Handler<V>, [a, b]: [u8; 2], origin: Origin, part: Part<V>) {
        self.slots.push(Slot { handler, a, b, c: 0, d: 0, imm: 0 });
        self.parts.push(part);
        self.origins.push(origin);
        self.longest = self.longest.max(origin.executed);
    }

    fn exit(&mut self, origin: Origin) -> bool {
        let handler = match origin.kind {
            // Beyond the decode cache every exit returns to the driver, which counts the misses.
            OriginKind::ExitToTarget if self.block < V::CODE_CACHE_END => handlers::target_exit,
            _ => handlers::exit,
        };
        self.push(handler, [origin.executed, 0], origin, Part::End);
        false
    }

    fn stop(&mut self, origin: Origin) -> bool {
        self.push(handlers::stop, [0; 2], origin, Part::End);
        false
    }

    fn draft(&mut self, draft: Draft<V::Kind>, origin: Origin) {
        let Draft { kind, a, b, c, d, imm } = draft;
        let d = if kind == V::Kind::SET_WIDE { d } else { origin.executed };
        self.slots.push(Slot { handler: kind.handler(), a, b, c, d, imm });
        self.parts.push(Part::Work(kind));
        self.origins.push(origin);
    }

    /// Adds a straight instruction; answers whether it was one.
    fn work(&mut self, lowered: Lowered<V>, origin: Origin) -> bool {
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

    /// Adds the link of a jump at the current pc, if it has one; answers whether its value fits into a slot.
    fn link(&mut self, register: u8) -> bool {
        if register == 0 {
            return true;
        }
        let behind = if V::DELAY_SLOTS { 8 } else { 4 };
        let value = V::link(V::wrap(self.pc.wrapping_add(behind)));
        let draft = Draft::constant::<V>(register, value);
        if let Some(draft) = draft {
            self.draft(draft, self.here(OriginKind::Instruction));
        }
        draft.is_some()
    }

    fn branch(&mut self, test: V::Test, compared: [u8; 2], target: u64, link: u8) -> bool {
        if !self.link(link) {
            return self.stop(self.here(OriginKind::Instruction));
        }
        let origin = self.here(OriginKind::Instruction);
        let backward = target <= self.pc && self.may_follow(target);
        let behind = Origin {
            executed: self.executed + 1,
            kind: OriginKind::Exit,
            ..origin.at::<V>(next::<V>(self.pc))
        };
        let delay =
            V::DELAY_SLOTS.then_some(Delay { pc: behind.pc, target: Target::Fixed(target) });
        let taken =
            Origin { executed: self.executed + branch_steps::<V>(), ..behind.at::<V>(target) };
        let (test, exit, aside_delay) =
            if backward { (test.opposite(), behind, None) } else { (test, taken, delay) };
        self.asides.push(Aside { branch: self.slots.len(), exit, delay: aside_delay });
        self.push(test.handler(), compared, origin, Part::Branch(test));
        self.step();
        if backward { self.go(delay, target) } else { true }
    }

    fn fixed(&mut self, target: Option<u64>, link: u8) -> bool {
        if !self.link(link) {
            return self.stop(self.here(OriginKind::Instruction));
        }
        self.step();
        match target {
            // The branch was never there.
            None => true,
            Some(target) => {
                let delay = Delay { pc: self.pc, target: Target::Fixed(target) };
                self.go(V::DELAY_SLOTS.then_some(delay), target)
            }
        }
    }

    fn through(&mut self, to: Draft<V::Kind>, link: u8) -> bool {
        let origin = self.here(OriginKind::Instruction);
        self.draft(to, origin);
        if !self.link(link) {
            return self.stop(origin);
        }
        self.step();
        if V::DELAY_SLOTS {
            let exit = self.delay(Delay { pc: self.pc, target: Target::Register }, self.executed);
            return exit.is_some_and(|exit| self.exit(exit));
        }
        let executed = self.executed;
        self.exit(Origin { executed, kind: OriginKind::ExitToTarget, ..origin })
    }

    /// Executes a delay slot if there is one, then follows the jump or leaves the block.
    fn go(&mut self, delay: Option<Delay>, target: u64) -> bool {
        if let Some(delay) = delay {
            if self.delay(delay, self.executed).is_none() {
                return false;
            }
            self.executed += 1;
        }
        self.pc = target;
        if self.may_follow(target) { true } else { self.exit(self.here(OriginKind::Exit)) }
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
        Some(Origin { executed: executed + 1, kind: exit_kind, ..origin.at::<V>(next_pc) })
    }

    /// Fuses neighbours. Branches lead to what follows an end only, never into the middle of a group.
    fn fuse(&mut self) {
        let mut at = 0;
        while at < self.slots.len() {
            at += match V::fuse(&self.parts[at..]) {
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

/// The address behind an instruction.
fn next<V: Engine>(pc: u64) -> u64 {
    V::wrap(pc.wrapping_add(4))
}

impl Origin {
    fn at<V: Engine>(self, pc: u64) -> Self {
        Self { pc, next_pc: next::<V>(pc), ..self }
    }
}
