//! Every RISC-V instruction and every system call of Asterisc, with operands at all edges, and words that
//! are no instruction, on every engine: plain step, block interpreter, Solidity.

use rebut_fpvm::isa::riscv::{Format, Op, Operands, ROWS, Row};
use rebut_fpvm::kernel::riscv::Syscall;
use rebut_fpvm::riscv::{A0, A7};
use rebut_fpvm::{Asterisc, AsteriscVersion};
use rebut_tests::preimages::Preimages;
use rebut_tests::program::EDGES;
use rebut_tests::random::{Random, seed};
use rebut_tests::verdict::Step;
use rebut_tests::{Case, Engines};

/// Where the instruction of a case stands.
const PC: u64 = 0x1_0000;
/// Where its data is: the start of the last leaf of a page.
const DATA: u64 = 0x00c0_0000_0fe0;
const IMMEDIATES: [i32; 9] = [0, 1, 2, 0x123, 2047, -2048, -1, -2, -4];
/// Registers rd, rs1, rs2: all different, each zero, and every way in which two or three are one.
const ALIASES: [[u8; 3]; 8] =
    [[6, 4, 5], [6, 0, 5], [6, 4, 0], [0, 4, 5], [6, 4, 4], [4, 4, 5], [5, 4, 5], [4, 4, 4]];

/// A case that executes `word` in a state where nothing is zero that could be something.
fn executing(word: u32) -> Case<Asterisc> {
    let mut case = Case::<Asterisc>::at(AsteriscVersion, PC);
    case.instruction(PC, word);
    let r = &mut case.registers;
    r.step = 12_345_678;
    r.heap = 0x7f00_0000_5000;
    r.processor.reservation = 0x2000;
    for (i, register) in r.processor.registers.iter_mut().enumerate().skip(1) {
        *register = 0x0101_0101_8101_0101 * i as u64;
    }
    let data: Vec<u8> = (0..96u8).map(|i| i.wrapping_mul(0x35) ^ 0x80).collect();
    case.memory.push((DATA - 32, data));
    case
}

/// Shows cases of one row, and counts them.
struct Cases<'e> {
    engines: &'e mut Engines<Asterisc>,
    row: &'static Row,
    count: u64,
}

impl Cases<'_> {
    fn check(&mut self, operands: Operands, set_up: impl Fn(&mut Case<Asterisc>)) {
        let mut case = executing(self.row.op.encode(operands).0);
        set_up(&mut case);
        self.engines.check(&format!("{} {operands:?}", self.row.name), &case);
        self.count += 1;
    }

    /// Values in rs1 and rs2, which may be one register or the zero register.
    fn with_values(&mut self, operands: Operands, rs1: u64, rs2: u64) {
        self.check(operands, |case| {
            set(case, operands.rs1, rs1);
            set(case, operands.rs2, rs2);
        });
    }
}

fn set(case: &mut Case<Asterisc>, register: u8, value: u64) {
    if register != 0 {
        *case.register(usize::from(register)) = value;
    }
}

fn registers([rd, rs1, rs2]: [u8; 3]) -> Operands {
    Operands { rd, rs1, rs2, ..Operands::default() }
}

/// Each edge beside another edge.
fn pairs() -> impl Iterator<Item = (u64, u64)> {
    EDGES.into_iter().enumerate().map(|(i, a)| (a, EDGES[(7 * i + 3) % EDGES.len()]))
}

fn computations(cases: &mut Cases<'_>) {
    for rs1 in EDGES {
        for rs2 in EDGES {
            cases.with_values(registers(ALIASES[0]), rs1, rs2);
        }
    }
    for alias in ALIASES {
        for (rs1, rs2) in pairs() {
            cases.with_values(registers(alias), rs1, rs2);
        }
    }
}

fn immediates(cases: &mut Cases<'_>) {
    for imm in IMMEDIATES.into_iter().chain([0x1000, 0x7fff_f000, i32::MIN]) {
        for alias in [[6, 4, 0], [4, 4, 0], [6, 0, 0], [0, 4, 0]] {
            for rs1 in EDGES {
                cases.with_values(Operands { imm, ..registers(alias) }, rs1, 0);
            }
        }
    }
}

fn shifts(cases: &mut Cases<'_>) {
    for shamt in [0, 1, 15, 16, 31, 32, 63] {
        for alias in [[6, 4, 0], [4, 4, 0], [6, 0, 0], [0, 4, 0]] {
            for rs1 in EDGES {
                cases.with_values(Operands { shamt, ..registers(alias) }, rs1, 0);
            }
        }
    }
}

fn branches(cases: &mut Cases<'_>) {
    for rs1 in EDGES {
        for rs2 in EDGES {
            cases.with_values(Operands { imm: 20, ..registers([0, 4, 5]) }, rs1, rs2);
        }
    }
    for imm in [4, -4, 0, 2, 6, 4092, -4096] {
        for alias in [[0, 4, 4], [0, 0, 0], [0, 4, 5]] {
            for (rs1, rs2) in pairs() {
                cases.with_values(Operands { imm, ..registers(alias) }, rs1, rs2);
            }
        }
    }
}

fn jumps(cases: &mut Cases<'_>) {
    for imm in [0, 4, -4, 2, 6, 0xf_fffe, 0xf_fffc, -0x10_0000] {
        for rd in [0, 1, 5] {
            for pc in [PC, 0, 0x1000_0000_0000_0000, 0xffff_ffff_ffff_fffc] {
                let word = cases.row.op.encode(Operands { rd, imm, ..Operands::default() }).0;
                let mut case = executing(word);
                case.registers.processor.pc = pc;
                case.instruction(pc, word);
                cases.engines.check(&format!("{} at {pc:#x}", cases.row.name), &case);
                cases.count += 1;
            }
        }
    }
}

fn jumps_through(cases: &mut Cases<'_>) {
    for imm in IMMEDIATES {
        for alias in [[1, 4, 0], [4, 4, 0], [0, 4, 0], [5, 0, 0]] {
            for rs1 in EDGES.into_iter().chain([PC, PC + 8, DATA, u64::MAX - 3]) {
                cases.with_values(Operands { imm, ..registers(alias) }, rs1, 0);
            }
        }
    }
}

/// Every alignment, within a leaf, across its end, and across the end of a page.
fn accesses(cases: &mut Cases<'_>) {
    for place in -8..=40 {
        for alias in [[6, 4, 5], [4, 4, 4], [0, 4, 0]] {
            for rs2 in [0x8182_8384_8586_8788, 0x0000_0001_8000_0000] {
                let imm = place - 3;
                let operands = Operands { imm, ..registers(alias) };
                cases.check(operands, |case| {
                    set(case, 5, rs2);
                    set(case, 4, DATA + 3);
                });
            }
        }
    }
    // Absent pages, page and address ends, windows' ends, the code itself, sums that wrap.
    let places = [
        0,
        7,
        PC,
        PC + 12,
        PC + 0xfff,
        0x0fff_ffff,
        0x0fff_ffff_ffff_fffd,
        0x1000_0000_0000_0000,
        0x8000_0000_0000,
        i64::MAX as u64,
        u64::MAX - 7,
        u64::MAX - 2,
        u64::MAX,
    ];
    for place in places {
        for imm in [0, 1, 2047, -2048, -1] {
            cases.check(Operands { imm, ..registers([6, 4, 5]) }, |case| {
                set(case, 4, place);
                // As an instruction, where a store meets the code: addi x0, x0, 0.
                set(case, 5, 0x0000_0013_0000_0013);
            });
        }
    }
}

fn atomics(cases: &mut Cases<'_>) {
    for place in (0..16).chain([u64::MAX - 7 - DATA, PC.wrapping_sub(DATA)]) {
        let address = DATA.wrapping_add(place);
        for reservation in [0, address, address ^ 4, address.wrapping_add(8)] {
            for alias in [[6, 4, 5], [4, 4, 5], [5, 4, 5], [0, 4, 5], [6, 4, 4]] {
                cases.check(registers(alias), |case| {
                    set(case, 5, 0xa1a2_a3a4_b1b2_b3b4);
                    set(case, 4, address);
                    case.registers.processor.reservation = reservation;
                });
            }
        }
    }
    for old in EDGES {
        for rs2 in EDGES {
            cases.check(registers([6, 4, 5]), |case| {
                case.dword(DATA, old);
                set(case, 4, DATA);
                set(case, 5, rs2);
                case.registers.processor.reservation = DATA;
            });
        }
    }
}

fn show(cases: &mut Cases<'_>) {
    match (cases.row.op, cases.row.format) {
        (Op::ecall, _) => {} // the test below
        (_, Format::RdRs1Rs2) => computations(cases),
        (_, Format::RdRs1Sh) => shifts(cases),
        (_, Format::Load | Format::Store) => accesses(cases),
        (_, Format::Amo | Format::Reserve) => atomics(cases),
        (_, Format::Branch) => branches(cases),
        (_, Format::Jump) => jumps(cases),
        (_, Format::Through) => jumps_through(cases),
        (
            _,
            Format::RdRs1Imm | Format::RdUpper | Format::Control | Format::System | Format::Bare,
        ) => {
            immediates(cases);
        }
    }
}

fn check_rows(rows: &'static [Row]) {
    let mut engines = Engines::<Asterisc>::new();
    for row in rows {
        let mut cases = Cases { engines: &mut engines, row, count: 0 };
        show(&mut cases);
        assert!(cases.count >= 60 || row.op == Op::ecall, "{}: few cases", row.name);
    }
    println!("{} rows: {} taken, {} refused", rows.len(), engines.taken, engines.refused);
}

// Two tests, for two cores.
const MIDDLE: usize = ROWS.len() / 2;

#[test]
fn every_row_of_the_first_part_agrees_at_all_edges() {
    check_rows(&ROWS[..MIDDLE]);
}

#[test]
fn every_other_row_agrees_at_all_edges() {
    check_rows(&ROWS[MIDDLE..]);
}

/// Bits that the table ignores, and words that it does not know.
#[test]
fn words_of_every_group_agree() {
    let mut engines = Engines::<Asterisc>::new();
    let random = &mut Random::new(seed(3));
    for opcode in 0..128 {
        for funct3 in 0..8 {
            for funct7 in [0, 1, 2, 0x20, 0x7f, random.below(128) as u32] {
                let fields = funct7 << 25 | 5 << 20 | 4 << 15 | funct3 << 12 | 6 << 7;
                let mut case = executing(fields | opcode);
                set(&mut case, 4, DATA + 8);
                engines.check(&format!("{:08x}", fields | opcode), &case);
            }
        }
    }
    assert!(engines.taken > 500 && engines.refused > 3_000, "{engines:?}");
}

/// A case that makes a system call.
fn calling(number: u64, arguments: &[u64]) -> Case<Asterisc> {
    let mut case = executing(Op::ecall.encode(Operands::default()).0);
    *case.register(A7) = number;
    for (register, argument) in (A0..).zip(arguments) {
        *case.register(register) = *argument;
    }
    case
}

#[test]
fn every_system_call_agrees() {
    let mut engines = Engines::<Asterisc>::new();
    let others = [0, 20, 21, 29, 98, 123, 134, 178, 233, 278, 421, 5000, u64::MAX];
    let numbers = Syscall::ALL.iter().map(|(_, number)| *number).chain(others);
    for number in numbers {
        for first in (0..9).chain([100, u64::MAX, 0x101]) {
            for second in [0, 1, 2, 3, DATA, DATA + 17, DATA + 31, u64::MAX - 9] {
                for third in [0, 1, 40] {
                    let case = calling(number, &[first, second, third]);
                    let mut oddity = case.clone();
                    engines.check(&format!("call {number}"), &case);
                    // As mmap wants it, with a heap that is about to wrap.
                    (*oddity.register(A0 + 3), *oddity.register(A0 + 4)) = (0x22, u64::MAX);
                    oddity.registers.heap = u64::MAX - 0xfff;
                    engines.check(&format!("call {number}"), &oddity);
                }
            }
        }
    }
    println!("{} taken, {} refused", engines.taken, engines.refused);
    assert!(engines.taken > 1_000 && engines.refused > 100);
}

/// Reads from every offset of every preimage, to every place of a leaf, and writes of keys in parts.
#[test]
fn preimage_transfers_agree() {
    let mut engines = Engines::<Asterisc>::new();
    let preimages = Preimages::new();
    for (i, key) in (0u64..).zip(preimages.keys()) {
        let length = preimages.value(key).map_or(0, <[u8]>::len) as u64 + 8;
        for offset in (0..length + 2).step_by(if length > 40 { 13 } else { 3 }) {
            for count in [0, 1, 8, 31, 32, 100] {
                let mut case = calling(63, &[5, DATA + (offset * 5 + i + count) % 40, count]);
                case.registers.preimage_key = key;
                case.registers.preimage_offset = offset;
                let want = if offset < length { Step::Taken } else { Step::Refused };
                engines.expect("read", &case, want);
            }
        }
        for place in 0..33 {
            let mut case = calling(64, &[6, DATA + place, 1 + (place * 7 + i) % 40]);
            case.registers.preimage_key = key;
            case.registers.preimage_offset = 9;
            engines.expect("write", &case, Step::Taken);
        }
    }
}

/// At addresses that no jump leads to, instructions within one leaf are executed all the same.
#[test]
fn unaligned_instructions_agree() {
    let mut engines = Engines::<Asterisc>::new();
    for start in 0..64 {
        let word = Op::addi.encode(Operands { rd: 5, rs1: 4, imm: 7, ..Operands::default() }).0;
        let mut case = executing(word);
        case.registers.processor.pc = PC + start;
        case.instruction(PC + start, word);
        let want = if start % 32 > 28 { Step::Refused } else { Step::Taken };
        engines.expect("addi", &case, want);
    }
}
