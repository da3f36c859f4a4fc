//! What slots do: safe functions that end in a call of the next slot's handler.
//!
//! The calls are in tail position with the same arguments in the same registers, so that optimised
//! builds jump. A slot that cannot do its work, be it for a fault or for anything out of the ordinary,
//! stops before any effect; the plain step then executes that instruction.

use super::super::state::{Reservation, ReservationStatus};
use super::code::{Code, Core, Entry, HI, LO, Slot, TARGET};
use crate::isa::semantics as op;
use crate::memory::Memory;

/// The work of a slot.
pub(super) trait Work {
    /// Does it. The answer is false, and nothing was done, where a plain step must do it instead.
    fn run(core: &mut Core, memory: &mut Memory, slot: &Slot) -> bool;
}

/// The condition of a branch.
pub(super) trait Condition {
    /// Whether the path is left.
    fn holds(core: &Core, slot: &Slot) -> bool;
}

/// One slot.
pub(super) fn single<A: Work>(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
) -> usize {
    let [a, rest @ ..] = slots else { return slots.len() };
    let [next, ..] = rest else { return slots.len() };
    if !A::run(core, memory, a) {
        return slots.len();
    }
    (next.handler)(core, memory, code, rest)
}

/// Leaves the path for the aside that begins `imm` slots further on, or goes on.
pub(super) fn branch<C: Condition>(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
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
pub(super) fn stop(_: &mut Core, _: &mut Memory, _: &Code, slots: &[Slot]) -> usize {
    slots.len()
}

/// The end of a path whose next block is not known yet. The driver finds it and links it.
pub(super) fn exit(_: &mut Core, _: &mut Memory, _: &Code, slots: &[Slot]) -> usize {
    slots.len()
}

/// The end of a path of `a` steps. The next block begins at slot `imm` and has at most `b` steps.
pub(super) fn linked_exit(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
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
pub(super) fn target_exit(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
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

#[inline(always)]
fn three(core: &mut Core, _: &mut Memory, s: &Slot, f: impl Fn(u64, u64) -> u64) -> bool {
    core.set(s.a, f(core.get(s.b), core.get(s.c)));
    true
}

#[inline(always)]
fn immediate(core: &mut Core, _: &mut Memory, s: &Slot, f: impl Fn(u64, u64) -> u64) -> bool {
    core.set(s.a, f(core.get(s.b), s.value()));
    true
}

#[inline(always)]
fn two(core: &mut Core, _: &mut Memory, s: &Slot, f: impl Fn(u64) -> u64) -> bool {
    core.set(s.a, f(core.get(s.b)));
    true
}

#[inline(always)]
fn constant(core: &mut Core, _: &mut Memory, s: &Slot, f: impl Fn(&Slot) -> u64) -> bool {
    core.set(s.a, f(s));
    true
}

/// Moves b to a where c is as wanted.
#[inline(always)]
fn select(core: &mut Core, _: &mut Memory, s: &Slot, wanted: impl Fn(u64) -> bool) -> bool {
    core.set(s.a, core.get(if wanted(core.get(s.c)) { s.b } else { s.a }));
    true
}

#[inline(always)]
fn product(core: &mut Core, _: &mut Memory, s: &Slot, f: impl Fn(u64, u64) -> op::HiLo) -> bool {
    let (hi, lo) = f(core.get(s.b), core.get(s.c));
    core.set(HI, hi);
    core.set(LO, lo);
    true
}

#[inline(always)]
fn quotient(
    core: &mut Core,
    _: &mut Memory,
    s: &Slot,
    f: impl Fn(u64, u64) -> Option<op::HiLo>,
) -> bool {
    let Some((hi, lo)) = f(core.get(s.b), core.get(s.c)) else { return false };
    core.set(HI, hi);
    core.set(LO, lo);
    true
}

#[inline(always)]
fn address(core: &Core, s: &Slot) -> u64 {
    core.get(s.b).wrapping_add(s.value())
}

#[inline(always)]
fn load(core: &mut Core, memory: &mut Memory, s: &Slot, f: impl Fn(&Memory, u64) -> u64) -> bool {
    core.set(s.a, f(memory, address(core, s)));
    true
}

/// Loads that keep a part of their register c.
#[inline(always)]
fn load_part(
    core: &mut Core,
    memory: &mut Memory,
    s: &Slot,
    f: impl Fn(u64, u64, u64) -> u64,
) -> bool {
    let address = address(core, s);
    core.set(s.a, f(address, memory.load_u64(address & !7), core.get(s.c)));
    true
}

/// Stores of register c, but not into a code page or the reserved doubleword.
#[inline(always)]
fn store(
    core: &mut Core,
    memory: &mut Memory,
    s: &Slot,
    f: impl Fn(&mut Memory, u64, u64) -> bool,
) -> bool {
    let address = address(core, s);
    address & !7 != core.reserved && f(memory, address, core.get(s.c))
}

#[inline(always)]
fn store_part(
    core: &mut Core,
    memory: &mut Memory,
    s: &Slot,
    f: impl Fn(u64, u64, u64) -> u64,
) -> bool {
    store(core, memory, s, |memory, address, value| {
        let aligned = address & !7;
        memory.try_store_u64(aligned, f(address, memory.load_u64(aligned), value))
    })
}

/// The width of a reservation, and what is loaded or stored under it.
type Linked<F> = (ReservationStatus, F);

#[inline(always)]
fn load_linked(
    core: &mut Core,
    memory: &mut Memory,
    s: &Slot,
    (status, f): Linked<impl Fn(u64, u64) -> u64>,
) -> bool {
    let address = address(core, s);
    core.reserve(Reservation { status, address, owner: core.thread });
    core.stats.load_linked(core.thread, core.step(s.d));
    core.set(s.a, f(address, memory.load_u64(address & !7)));
    true
}

#[inline(always)]
fn store_conditional(
    core: &mut Core,
    memory: &mut Memory,
    s: &Slot,
    (status, f): Linked<impl Fn(u64, u64, u64) -> u64>,
) -> bool {
    let address = address(core, s);
    let holds = core.reservation() == Reservation { status, address, owner: core.thread };
    if holds {
        let aligned = address & !7;
        let value = f(address, memory.load_u64(aligned), core.get(s.c));
        if !memory.try_store_u64(aligned, value) {
            return false;
        }
        core.reserve(Reservation::default());
    }
    core.stats.store_conditional(core.thread, core.step(s.d), holds);
    core.set(s.a, holds.into());
    true
}

/// A constant of 56 bits, sign-extended, in the fields behind a.
const fn wide(s: &Slot) -> u64 {
    let upper = u32::from_le_bytes([0, s.b, s.c, s.d]) as i32 as i64 as u64;
    upper << 24 & !0xffff_ffff | s.imm as u32 as u64
}

macro_rules! works {
    ($($name:ident: $shape:ident($f:expr);)*) => {
        /// What the slot of a straight instruction does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind { $($name,)* }

        /// One type for each [`Kind`], to build handlers from.
        pub(super) mod work {
            use super::*;
            $(pub(in super::super) struct $name;
            impl Work for $name {
                #[inline(always)]
                fn run(core: &mut Core, memory: &mut Memory, slot: &Slot) -> bool {
                    $shape(core, memory, slot, $f)
                }
            })*
        }

        impl Kind {
            /// The handler of this alone.
            pub(super) const fn handler(self) -> super::code::Handler {
                match self { $(Self::$name => single::<work::$name>,)* }
            }
        }
    };
}

works! {
    Add32: three(op::add32);
    Sub32: three(op::sub32);
    Add64: three(op::add64);
    Sub64: three(op::sub64);
    Mul32: three(op::mul32);
    And: three(op::and);
    Or: three(op::or);
    Xor: three(op::xor);
    Nor: three(op::nor);
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
    Clz32: two(op::clz32);
    Clo32: two(op::clo32);
    Clz64: two(op::clz64);
    Clo64: two(op::clo64);
    Move: two(|v| v);
    Set: constant(|s| s.value());
    SetWide: constant(wide);
    MoveIfZero: select(|v| v == 0);
    MoveIfNot: select(|v| v != 0);
    Mult: product(op::mult);
    Multu: product(op::multu);
    Dmult: product(op::dmult);
    Dmultu: product(op::dmultu);
    Div: quotient(op::div);
    Divu: quotient(op::divu);
    Ddiv: quotient(op::ddiv);
    Ddivu: quotient(op::ddivu);
    Lb: load(|m, a| m.load_u8(a) as i8 as u64);
    Lbu: load(|m, a| m.load_u8(a).into());
    Lh: load(|m, a| m.load_u16(a & !1) as i16 as u64);
    Lhu: load(|m, a| m.load_u16(a & !1).into());
    Lw: load(|m, a| m.load_u32(a & !3) as i32 as u64);
    Lwu: load(|m, a| m.load_u32(a & !3).into());
    Ld: load(|m, a| m.load_u64(a & !7));
    Lwl: load_part(op::lwl);
    Lwr: load_part(op::lwr);
    Ldl: load_part(op::ldl);
    Ldr: load_part(op::ldr);
    Sb: store(|m, a, v| m.try_store_u8(a, v as u8));
    Sh: store(|m, a, v| m.try_store_u16(a & !1, v as u16));
    Sw: store(|m, a, v| m.try_store_u32(a & !3, v as u32));
    Sd: store(|m, a, v| m.try_store_u64(a & !7, v));
    Swl: store_part(op::swl);
    Swr: store_part(op::swr);
    Sdl: store_part(op::sdl);
    Sdr: store_part(op::sdr);
    Ll: load_linked((ReservationStatus::Word, op::lw));
    Lld: load_linked((ReservationStatus::Doubleword, |_, dword| dword));
    Sc: store_conditional((ReservationStatus::Word, op::sw));
    Scd: store_conditional((ReservationStatus::Doubleword, |_, _, rt| rt));
}

macro_rules! conditions {
    ($($name:ident: $f:expr, not $opposite:ident;)*) => {
        /// When a branch is taken. Compares registers a and b.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Test { $($name,)* }

        /// One type for each [`Test`].
        pub(super) mod test {
            use super::*;
            $(pub(in super::super) struct $name;
            impl Condition for $name {
                #[inline(always)]
                fn holds(core: &Core, slot: &Slot) -> bool {
                    $f(core.get(slot.a), core.get(slot.b))
                }
            })*
        }

        impl Test {
            /// True exactly when this is not.
            pub(super) const fn opposite(self) -> Self {
                match self { $(Self::$name => Self::$opposite,)* }
            }

            /// The handler of the branch alone.
            pub(super) const fn handler(self) -> super::code::Handler {
                match self { $(Self::$name => branch::<test::$name>,)* }
            }
        }
    };
}

conditions! {
    Eq: op::eq, not Ne;
    Ne: op::ne, not Eq;
    Lez: op::lez, not Gtz;
    Gtz: op::gtz, not Lez;
    Ltz: op::ltz, not Gez;
    Gez: op::gez, not Ltz;
}
