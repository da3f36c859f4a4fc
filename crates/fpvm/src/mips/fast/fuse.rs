//! Frequent neighbours as one slot: fewer jumps between handlers, whose targets the host's processor
//! has to guess.
//!
//! A fused handler stands in the slot of its first instruction and does the work of the slots behind
//! it as well; those stay as they are. Where one of them cannot do its work, it stops before that one,
//! so that fusing is invisible.

use super::code::{Code, Core, Handler, Slot};
use super::handlers::{Condition, Kind, Test, Work, test, work};
use crate::memory::Memory;

/// What stands in a slot, as far as it can be fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Work(Kind),
    Branch(Test),
    End,
}

/// The handler for the first of `parts` fused with those behind it, and how many it covers.
pub(super) fn fuse(parts: &[Part]) -> Option<(Handler, usize)> {
    use Part::{Branch, Work};
    let (handler, covered) = match parts {
        [Work(a), Work(b), Work(c), ..] if let Some(handler) = triple(*a, *b, *c) => (handler, 3),
        [Work(a), Work(b), ..] => (pair(*a, *b)?, 2),
        [Work(a), Branch(b), ..] => (work_and_branch(*a, *b)?, 2),
        _ => return None,
    };
    Some((handler, covered))
}

fn two<A: Work, B: Work>(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
) -> usize {
    let [a, b, rest @ ..] = slots else { return slots.len() };
    let [next, ..] = rest else { return slots.len() };
    if !A::run(core, memory, a) {
        return slots.len();
    }
    if !B::run(core, memory, b) {
        return slots.len() - 1;
    }
    (next.handler)(core, memory, code, rest)
}

fn three<A: Work, B: Work, C: Work>(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
) -> usize {
    let [a, b, c, rest @ ..] = slots else { return slots.len() };
    let [next, ..] = rest else { return slots.len() };
    if !A::run(core, memory, a) {
        return slots.len();
    }
    if !B::run(core, memory, b) {
        return slots.len() - 1;
    }
    if !C::run(core, memory, c) {
        return slots.len() - 2;
    }
    (next.handler)(core, memory, code, rest)
}

fn then_branch<A: Work, C: Condition>(
    core: &mut Core,
    memory: &mut Memory,
    code: &Code,
    slots: &[Slot],
) -> usize {
    let [a, branch, rest @ ..] = slots else { return slots.len() };
    if !A::run(core, memory, a) {
        return slots.len();
    }
    let after = if C::holds(core, branch) {
        slots.get(1 + branch.imm as usize..).unwrap_or_default()
    } else {
        rest
    };
    let [next, ..] = after else { return slots.len() - 1 };
    (next.handler)(core, memory, code, after)
}

macro_rules! fused_in_pairs {
    ($($kind:ident)*) => {
        fn pair(a: Kind, b: Kind) -> Option<Handler> {
            match a { $(Kind::$kind => second::<work::$kind>(b),)* _ => None }
        }

        fn second<A: Work>(b: Kind) -> Option<Handler> {
            match b { $(Kind::$kind => Some(two::<A, work::$kind>),)* _ => None }
        }

        fn work_and_branch(a: Kind, b: Test) -> Option<Handler> {
            match a { $(Kind::$kind => Some(branch_after::<work::$kind>(b)),)* _ => None }
        }
    };
}

macro_rules! fused_in_triples {
    ($($kind:ident)*) => {
        fn triple(a: Kind, b: Kind, c: Kind) -> Option<Handler> {
            match a { $(Kind::$kind => triple_after::<work::$kind>(b, c),)* _ => None }
        }

        fn triple_after<A: Work>(b: Kind, c: Kind) -> Option<Handler> {
            match b { $(Kind::$kind => third::<A, work::$kind>(c),)* _ => None }
        }

        fn third<A: Work, B: Work>(c: Kind) -> Option<Handler> {
            match c { $(Kind::$kind => Some(three::<A, B, work::$kind>),)* _ => None }
        }
    };
}

macro_rules! fused_branches {
    ($($test:ident)*) => {
        fn branch_after<A: Work>(b: Test) -> Handler {
            match b { $(Test::$test => then_branch::<A, test::$test>,)* }
        }
    };
}

fused_in_pairs! {
    Add32 Add64 Sub64 And Or Xor Nor Sltu Add32Imm Add64Imm AndImm SltuImm Sll32Imm Sll64Imm Srl64Imm
    Move Set MoveIfZero Lbu Lw Lwu Ld Sb Sw Sd
}
fused_in_triples! { Add64 And Or Xor Nor Sll64Imm Srl64Imm Ld Sd }
fused_branches! { Eq Ne Lez Gtz Ltz Gez }
