//! Rows of instructions that compute or jump.

use crate::row::Row;
use crate::{After, Scenario, advanced, executing, sign_extended};
use rebut_fpvm::{Arch, Fault, StateVersion, StepError, Version, Vm};
use rebut_tests::{Case, Mips};

fn scenario<A: Mips>(before: Case<A>, change: impl FnOnce(&mut Case<A>)) -> Vec<Scenario<A>> {
    let mut after = advanced(&before);
    change(&mut after);
    vec![Scenario { before, after: After::State(Box::new(after)) }]
}

/// An operation on rs = $17 and rt = $8 to rd = $18, or on rs and an immediate to rt.
fn operation<N: Version<Vm: Mips>>(row: &Row, version: N, narrow: bool) -> Vec<Scenario<N::Vm>> {
    let extend = if narrow { sign_extended } else { |value| value };
    let immediate = row.is("isImm");
    let word = if immediate {
        row.bits("opcode") << 26 | 17 << 21 | 8 << 16 | row.bits("imm")
    } else {
        17 << 21 | 8 << 16 | 18 << 11 | row.bits("funct")
    };
    let mut before = executing(version, 0, word);
    *before.register(17) = extend(row.word("rs"));
    *before.register(8) = extend(row.word("rt"));
    let result = extend(row.word("expectRes"));
    scenario(before, |after| *after.register(if immediate { 8 } else { 18 }) = result)
}

pub fn operators(row: &Row, version: StateVersion) -> Vec<Scenario> {
    operation(row, version, false)
}

/// Rows of the 32-bit machine: operands and results are sign-extended words here.
pub fn operators32<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    operation(row, version, true)
}

pub fn shifts(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let word = 18 << 16 | 8 << 11 | row.bits("sa") << 6 | row.bits("funct");
    let mut before = executing(version, 0, word);
    *before.register(8) = row.word("rd");
    *before.register(18) = row.word("rt");
    scenario(before, |after| *after.register(8) = row.word("expectRes"))
}

/// Products and quotients of rs = $9 and rt = $10; `mul` has a result in a register.
pub fn products<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    let register = row.word_or_zero("rdReg") as usize;
    let word =
        row.bits("opcode") << 26 | 9 << 21 | 10 << 16 | (register as u32) << 11 | row.bits("funct");
    let mut before = executing(version, 0, word);
    let extend = N::Vm::extend;
    *before.register(9) = extend(row.word("rs"));
    *before.register(10) = extend(row.word("rt"));
    if row.has("expectPanic") || row.has("expectRevert") {
        let by_zero =
            |error: &StepError| matches!(error, StepError::Fault(Fault::DivisionByZero { .. }));
        return vec![Scenario { before, after: After::Fault(by_zero) }];
    }
    scenario(before, |after| {
        if row.has("expectRes") {
            *after.register(register) = extend(row.word("expectRes"));
        } else {
            let cpu = after.cpu();
            (cpu.lo, cpu.hi) = (extend(row.word("expectLo")), extend(row.word("expectHi")));
        }
    })
}

fn branch<N: Version<Vm: Mips>>(row: &Row, version: N, narrow: bool) -> Vec<Scenario<N::Vm>> {
    let extend = if narrow { sign_extended } else { |value| value };
    let word = row.bits("opcode") << 26 | 8 << 21 | row.bits("regimm") << 16 | row.bits("offset");
    let pc = row.word("pc");
    let mut before = executing(version, pc, word);
    let only_sign = [
        ("testutil.ToSignedInteger(0x80_00_00_00_00_00_00_00)", 1 << 63),
        ("testutil.ToSignedInteger(0x80_00_00_00)", 1 << 31),
    ];
    *before.register(8) = extend(row.word_or("rs", &only_sign));
    scenario(before, |after| {
        after.cpu().next_pc = extend(row.word("expectNextPC")) & N::Vm::ADDRESSES.last_address();
        if row.is("expectLink") {
            *after.register(31) = pc + 8;
        }
    })
}

pub fn branches(row: &Row, version: StateVersion) -> Vec<Scenario> {
    branch(row, version, false)
}

pub fn branches32<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    branch(row, version, true)
}

pub fn jumps<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    let mut before = executing(version, row.word("pc"), row.bits("insn"));
    before.cpu().next_pc = row.word("nextPC");
    scenario(before, |after| {
        after.cpu().next_pc = row.word("expectNextPC");
        if row.is("expectLink") {
            *after.register(31) = row.word("pc") + 8;
        }
    })
}

/// `movz` and `movn`, which differ in when they move.
pub fn moves<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    let word = 9 << 21 | 10 << 16 | 8 << 11 | row.bits("funct");
    let on_zero = row.bits("funct") == 0x0a;
    let test_values = [0, 1, 2, u64::MAX];
    let of = |test: u64| {
        let mut before = executing(version, 0, word);
        *before.register(8) = 0xa;
        *before.register(9) = 0xb;
        *before.register(10) = test;
        scenario(before, |after| {
            if (test == 0) == on_zero {
                *after.register(8) = 0xb;
            }
        })
    };
    test_values.into_iter().flat_map(of).collect()
}

/// `mfhi` and `mflo`: the row sets the one that is read and leaves the other zero.
pub fn from_hi_lo(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let mut before = executing(version, 0, 8 << 11 | row.bits("funct"));
    let cpu = before.cpu();
    (cpu.lo, cpu.hi) = (row.word("lo"), row.word("hi"));
    scenario(before, |after| *after.register(8) = 0xdead_beef)
}

pub fn to_hi_lo(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let mut before = executing(version, 0, 8 << 21 | row.bits("funct"));
    *before.register(8) = 0xdead_beef;
    scenario(before, |after| {
        let cpu = after.cpu();
        match row.text("name") {
            Some("mtlo") => cpu.lo = 0xdead_beef,
            Some("mthi") => cpu.hi = 0xdead_beef,
            name => panic!("{name:?}"),
        }
    })
}
