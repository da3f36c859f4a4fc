//! Words that are no instruction, places that are no instruction address, divisors that are zero.

use crate::{PC, executing};
use rebut_fpvm::isa::{Op, Operands, Word};
use rebut_fpvm::{Mips32, Mips64};
use rebut_tests::verdict::Step;
use rebut_tests::{Engines, Mips};

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

fn opcodes<A: Mips>() {
    let mut engines = Engines::<A>::new();
    for (i, word) in words().enumerate() {
        let mut case = executing(A::VERSIONS[i % 2], PC, word);
        *case.register(4) = A::DATA;
        *case.register(2) = A::HARMLESS_CALL;
        let want = if A::decode(Word(word)).is_some() { Step::Taken } else { Step::Refused };
        engines.expect(&format!("{word:08x}"), &case, want);
    }
    println!("{} words are instructions, {} are not", engines.taken, engines.refused);
    assert!(engines.taken > 0 && engines.refused > 0);
}

#[test]
fn every_opcode_is_an_instruction_for_all_or_for_none() {
    opcodes::<Mips64>();
    opcodes::<Mips32>();
}

fn unaligned<A: Mips>() {
    let mut engines = Engines::<A>::new();
    for low in 1..8 {
        let mut case = executing(A::VERSIONS[low as usize % 2], PC, 0);
        case.cpu().pc = PC + low;
        let want = if low == 4 { Step::Taken } else { Step::Refused };
        engines.expect(&format!("pc {low}"), &case, want);
    }
}

#[test]
fn an_unaligned_pc_faults() {
    unaligned::<Mips64>();
    unaligned::<Mips32>();
}

fn divisions<A: Mips>(ops: &[Op]) {
    let mut engines = Engines::<A>::new();
    for op in ops {
        let narrow = matches!(op, Op::div | Op::divu);
        for divisor in [0, 1 << 32, u64::MAX << 32, 1] {
            let operands = Operands { rs: 4, rt: 5, ..Default::default() };
            let mut case = executing(A::VERSIONS[1], PC, op.encode(operands).0);
            *case.register(5) = A::extend(divisor);
            let zero = if narrow { divisor as u32 == 0 } else { divisor == 0 };
            let want = if zero { Step::Refused } else { Step::Taken };
            engines.expect(&format!("{op:?} by {divisor:#x}"), &case, want);
        }
    }
}

#[test]
fn division_by_zero_faults() {
    divisions::<Mips64>(&[Op::div, Op::divu, Op::ddiv, Op::ddivu]);
    divisions::<Mips32>(&[Op::div, Op::divu]);
}
