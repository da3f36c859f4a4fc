//! What slots do: safe functions that end in a call of the next slot's handler.
//!
//! The calls are in tail position with the same arguments in the same registers, so that optimised
//! builds jump. A slot that cannot do its work, be it for a fault or for anything out of the ordinary,
//! stops before any effect; the plain step then executes that instruction.

use super::Engine;
use super::code::{Code, Core, Entry, Handler, Slot, TARGET};
use crate::memory::Memory;
use std::fmt::Debug;

/// The work of a slot.
pub trait Work<V: Engine> {
    /// Does it. The answer is false, and nothing was done, where a plain step must do it instead.
    fn run(core: &mut Core<V>, memory: &mut Memory, slot: &Slot<V>) -> bool;
}

/// The condition of a branch.
pub trait Condition<V: Engine> {
    /// Whether the path is left.
    fn holds(core: &Core<V>, slot: &Slot<V>) -> bool;
}

/// What slots of straight instructions do, one value each.
pub trait Kinds<V: Engine>: Copy + Debug + Eq {
    /// Sets register a to the immediate.
    const SET: Self;
    /// Sets register a to a [`wide`] constant.
    const SET_WIDE: Self;
    /// Moves register b to a.
    const MOVE: Self;

    /// The handler of this alone.
    fn handler(self) -> Handler<V>;
}

/// What branches test, one value each.
pub trait Tests<V: Engine>: Copy + Debug + Eq {
    /// True exactly when this is not.
    fn opposite(self) -> Self;

    /// What this comes to where both registers are the same. A test of one register has the zero register for
    /// the other.
    fn of_same(self) -> bool;

    /// The handler of the branch alone.
    fn handler(self) -> Handler<V>;
}

/// One slot.
pub fn single<V: Engine, A: Work<V>>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
) -> usize {
    let [a, rest @ ..] = slots else { return slots.len() };
    let [next, ..] = rest else { return slots.len() };
    if !A::run(core, memory, a) {
        return slots.len();
    }
    (next.handler)(core, memory, code, rest)
}

/// Leaves the path for the aside that begins `imm` slots further on, or goes on.
pub fn branch<V: Engine, C: Condition<V>>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
) -> usize {
    let [own, rest @ ..] = slots else { return slots.len() };
    if C::holds(core, own) {
        let aside = slots.get(own.imm as usize..).unwrap_or_default();
        let [first, ..] = aside else { return slots.len() };
        return (first.handler)(core, memory, code, aside);
    }
    let [next, ..] = rest else { return slots.len() };
    (next.handler)(core, memory, code, rest)
}

/// Stops: a plain step goes on from here.
pub fn stop<V: Engine>(_: &mut Core<V>, _: &mut Memory, _: &Code<V>, slots: &[Slot<V>]) -> usize {
    slots.len()
}

/// The end of a path whose next block is not known yet. The driver finds it and links it.
pub fn exit<V: Engine>(_: &mut Core<V>, _: &mut Memory, _: &Code<V>, slots: &[Slot<V>]) -> usize {
    slots.len()
}

/// The end of a path of `a` steps. The next block begins at slot `imm` and has at most `b` steps.
pub fn linked_exit<V: Engine>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
) -> usize {
    let [own, ..] = slots else { return slots.len() };
    let left = core.budget.wrapping_sub(own.a.into());
    if left < own.b.into() {
        return slots.len();
    }
    let block = code.slots.get(own.imm as usize..).unwrap_or_default();
    let [first, ..] = block else { return slots.len() };
    core.budget = left;
    (first.handler)(core, memory, code, block)
}

/// The end of a path of `a` steps. The next block is the one at the address in `TARGET`.
pub fn target_exit<V: Engine>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
) -> usize {
    let [own, ..] = slots else { return slots.len() };
    let left = core.budget.wrapping_sub(own.a.into());
    let Some(Entry { start, longest, .. }) = code.jump(core.get(TARGET)) else {
        return slots.len();
    };
    if left < longest.into() {
        return slots.len();
    }
    let block = code.slots.get(start as usize..).unwrap_or_default();
    let [first, ..] = block else { return slots.len() };
    core.budget = left;
    (first.handler)(core, memory, code, block)
}

/// Puts f of registers b and c into a.
#[inline(always)]
pub fn three<V: Engine>(
    core: &mut Core<V>,
    _: &mut Memory,
    s: &Slot<V>,
    f: impl Fn(u64, u64) -> u64,
) -> bool {
    core.set(s.a, f(core.get(s.b), core.get(s.c)));
    true
}

/// Puts f of register b and the immediate into a.
#[inline(always)]
pub fn immediate<V: Engine>(
    core: &mut Core<V>,
    _: &mut Memory,
    s: &Slot<V>,
    f: impl Fn(u64, u64) -> u64,
) -> bool {
    core.set(s.a, f(core.get(s.b), s.value()));
    true
}

/// Puts f of register b into a.
#[inline(always)]
pub fn two<V: Engine>(
    core: &mut Core<V>,
    _: &mut Memory,
    s: &Slot<V>,
    f: impl Fn(u64) -> u64,
) -> bool {
    core.set(s.a, f(core.get(s.b)));
    true
}

/// Puts a constant into register a.
#[inline(always)]
pub fn constant<V: Engine>(
    core: &mut Core<V>,
    _: &mut Memory,
    s: &Slot<V>,
    f: impl Fn(&Slot<V>) -> u64,
) -> bool {
    core.set(s.a, f(s));
    true
}

/// Moves b to a where c is as wanted.
#[inline(always)]
pub fn select<V: Engine>(
    core: &mut Core<V>,
    _: &mut Memory,
    s: &Slot<V>,
    wanted: impl Fn(u64) -> bool,
) -> bool {
    core.set(s.a, core.get(if wanted(core.get(s.c)) { s.b } else { s.a }));
    true
}

/// A constant of 56 bits, sign-extended, in the fields behind a.
pub const fn wide<V: Engine>(s: &Slot<V>) -> u64 {
    let upper = u32::from_le_bytes([0, s.b, s.c, s.d]) as i32 as i64 as u64;
    upper << 24 & !0xffff_ffff | s.imm as u32 as u64
}

/// Defines `Kind` and the module `work` with a type for each kind, to build handlers from: a name, the
/// shape of the work, and what it computes. Besides a machine's own there are those that all machines have.
macro_rules! works {
    (for $v:ident: $bound:path; $($own:tt)*) => {
        $crate::blocks::handlers::define_works! {
            for $v: $bound;
            Add32: three(op::add32);
            Sub32: three(op::sub32);
            Add64: three(op::add64);
            Sub64: three(op::sub64);
            Mul32: three(op::mul32);
            And: three(op::and);
            Or: three(op::or);
            Xor: three(op::xor);
            Slt: three(op::slt);
            Sltu: three(op::sltu);
            Sll32: three(op::sll32);
            Srl32: three(op::srl32);
            Sra32: three(op::sra32);
            Sll64: three(op::sll64);
            Srl64: three(op::srl64);
            Sra64: three(op::sra64);
            Add32Imm: immediate(op::add32);
            Add64Imm: immediate(op::add64);
            SltImm: immediate(op::slt);
            SltuImm: immediate(op::sltu);
            AndImm: immediate(op::and);
            OrImm: immediate(op::or);
            XorImm: immediate(op::xor);
            Sll32Imm: immediate(op::sll32);
            Srl32Imm: immediate(op::srl32);
            Sra32Imm: immediate(op::sra32);
            Sll64Imm: immediate(op::sll64);
            Srl64Imm: immediate(op::srl64);
            Sra64Imm: immediate(op::sra64);
            Move: two(|v| v);
            Set: constant(|s| s.value());
            SetWide: constant(wide);
            $($own)*
        }
    };
}

macro_rules! define_works {
    (for $v:ident: $bound:path; $($name:ident: $shape:ident($f:expr);)*) => {
        /// What the slot of a straight instruction does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($name,)* }

        /// One type for each [`Kind`].
        pub mod work {
            use super::*;
            use $crate::blocks::handlers::{constant, immediate, three, two, wide};
            use $crate::isa::semantics as op;
            $(pub struct $name;
            impl<$v: $bound> Work<$v> for $name {
                #[inline(always)]
                fn run(core: &mut Core<$v>, memory: &mut Memory, slot: &Slot<$v>) -> bool {
                    $shape(core, memory, slot, $f)
                }
            })*
        }

        impl<$v: $bound> Kinds<$v> for Kind {
            const SET: Self = Self::Set;
            const SET_WIDE: Self = Self::SetWide;
            const MOVE: Self = Self::Move;

            fn handler(self) -> Handler<$v> {
                match self { $(Self::$name => handlers::single::<$v, work::$name>,)* }
            }
        }
    };
}

/// Defines `Test` and the module `test` with a type for each test of registers a and b.
macro_rules! tests {
    (for $v:ident: $bound:path; $($name:ident: $f:expr, not $opposite:ident;)*) => {
        /// When a branch is taken. Compares registers a and b.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Test { $($name,)* }

        /// One type for each [`Test`].
        pub mod test {
            use super::*;
            $(pub struct $name;
            impl<$v: $bound> Condition<$v> for $name {
                #[inline(always)]
                fn holds(core: &Core<$v>, slot: &Slot<$v>) -> bool {
                    $f(core.get(slot.a), core.get(slot.b))
                }
            })*
        }

        impl<$v: $bound> Tests<$v> for Test {
            fn opposite(self) -> Self {
                match self { $(Self::$name => Self::$opposite,)* }
            }

            fn of_same(self) -> bool {
                match self { $(Self::$name => $f(0, 0),)* }
            }

            fn handler(self) -> Handler<$v> {
                match self { $(Self::$name => handlers::branch::<$v, test::$name>,)* }
            }
        }
    };
}

pub(crate) use {define_works, tests, works};
