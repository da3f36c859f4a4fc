//! Words that are no instruction, places that are no instruction address, divisors that are zero.

use crate::{DATA, PC, executing};
use rebut_fpvm::StateVersion;
use rebut_fpvm::isa::{Op, Word};
use rebut_tests::Engines;
use rebut_tests::verdict::Step;

/// Every opcode, and every second opcode of the groups that have one.
fn words() -> impl Iterator<Item = u32> {
    // Operands: rs = $4, which holds an address, rt = $5, rd = $6; shift amount 3 for the groups.
    (0..64u32).flat_map(|major| {
        (0..64u32).map(move |minor| match major {
            0x01 => major << 26 | 4 << 21 | (minor & 31) << 16 | 0x0010,
            _ => major << 26 | 4 << 21 | 5 << 16 | 6 << 11 | 3 << 6 | minor,
        })
    })
}

#[test]
fn every_opcode_is_an_instruction_for_all_or_for_none() {
    let mut engines = Engines::new();
    for (i, word) in words().enumerate() {
        let version = StateVersion::ALL[i % 2];
        let mut case = executing(version, PC, word);
        *case.register(4) = DATA;
        // A system call that exists.
        *case.register(2) = 5178;
        let want = if Op::decode(Word(word)).is_some() { Step::Taken } else { Step::Refused };
        engines.expect(&format!("{word:08x}"), &case, want);
    }
    println!("{} words are instructions, {} are not", engines.taken, engines.refused);
    assert!(engines.taken > 0 && engines.refused > 0);
}

#[test]
fn an_unaligned_pc_faults() {
    let mut engines = Engines::new();
    for low in 1..8 {
        let mut case = executing(StateVersion::ALL[low as usize % 2], PC, 0);
        case.thread().cpu.pc = PC + low;
        let want = if low == 4 { Step::Taken } else { Step::Refused };
        engines.expect(&format!("pc {low}"), &case, want);
    }
}

#[test]
fn division_by_zero_faults() {
    let mut engines = Engines::new();
    for op in [Op::div, Op::divu, Op::ddiv, Op::ddivu] {
        let narrow = matches!(op, Op::div | Op::divu);
        for divisor in [0, 1 << 32, u64::MAX << 32, 1] {
            let operands = rebut_fpvm::isa::Operands { rs: 4, rt: 5, ..Default::default() };
            let mut case = executing(StateVersion::V8, PC, op.encode(operands).0);
            *case.register(5) = divisor;
            let zero = if narrow { divisor as u32 == 0 } else { divisor == 0 };
            let want = if zero { Step::Refused } else { Step::Taken };
            engines.expect(&format!("{op:?} by {divisor:#x}"), &case, want);
        }
    }
}
