//! Frequent neighbours as one slot: fewer jumps between handlers, whose targets the host's processor
//! has to guess.
//!
//! A fused handler stands in the slot of its first instruction and does the work of the slots behind
//! it as well; those stay as they are. Where one of them cannot do its work, it stops before that one,
//! so that fusing is invisible.

use super::code::{Code, Core, Slot};
use super::{Condition, Engine, Work};
use crate::memory::Memory;

/// What stands in a slot, as far as it can be fused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<V: Engine> {
    Work(V::Kind),
    Branch(V::Test),
    End,
}

/// Two slots of straight instructions.
pub fn two<V: Engine, A: Work<V>, B: Work<V>>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
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

/// Three slots of straight instructions.
pub fn three<V: Engine, A: Work<V>, B: Work<V>, C: Work<V>>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
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

/// A straight instruction and a branch.
pub fn then_branch<V: Engine, A: Work<V>, C: Condition<V>>(
    core: &mut Core<V>,
    memory: &mut Memory,
    code: &Code<V>,
    slots: &[Slot<V>],
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

/// Defines `fn fuse`, which a machine's [`Engine`] answers with: which kinds are fused with which.
///
/// `pairs` go with one another in twos and with a branch behind them, `triples` in threes.
macro_rules! fused {
    ($machine:ty; pairs: $($pair:ident)*; triples: $($triple:ident)*; branches: $($branch:ident)*;) => {
        pub fn fuse(parts: &[Part<$machine>]) -> Option<(Handler<$machine>, usize)> {
            use Part::{Branch, Work};
            let (handler, covered) = match parts {
                [Work(a), Work(b), Work(c), ..] if let Some(handler) = triple(*a, *b, *c) => {
                    (handler, 3)
                }
                [Work(a), Work(b), ..] => (pair(*a, *b)?, 2),
                [Work(a), Branch(b), ..] => (work_and_branch(*a, *b)?, 2),
                _ => return None,
            };
            Some((handler, covered))
        }

        fn pair(a: Kind, b: Kind) -> Option<Handler<$machine>> {
            match a { $(Kind::$pair => second::<work::$pair>(b),)* _ => None }
        }

        fn work_and_branch(a: Kind, b: Test) -> Option<Handler<$machine>> {
            match a { $(Kind::$pair => branch_after::<work::$pair>(b),)* _ => None }
        }

        fn triple(a: Kind, b: Kind, c: Kind) -> Option<Handler<$machine>> {
            match a { $(Kind::$triple => triple_after::<work::$triple>(b, c),)* _ => None }
        }

        fn second<A: Work<$machine>>(b: Kind) -> Option<Handler<$machine>> {
            match b {
                $(Kind::$pair => Some(fuse::two::<$machine, A, work::$pair>),)*
                _ => None,
            }
        }

        fn branch_after<A: Work<$machine>>(b: Test) -> Option<Handler<$machine>> {
            match b {
                $(Test::$branch => Some(fuse::then_branch::<$machine, A, test::$branch>),)*
            }
        }

        fn triple_after<A: Work<$machine>>(b: Kind, c: Kind) -> Option<Handler<$machine>> {
            match b { $(Kind::$triple => third::<A, work::$triple>(c),)* _ => None }
        }

        fn third<A: Work<$machine>, B: Work<$machine>>(c: Kind) -> Option<Handler<$machine>> {
            match c {
                $(Kind::$triple => Some(fuse::three::<$machine, A, B, work::$triple>),)*
                _ => None,
            }
        }
    };
}

pub(crate) use fused;
