//! The instruction table, row by row.

use crate::{PC, executing, reservations};
use rebut_fpvm::isa::{Format, Op, Operands, ROWS, Row};
use rebut_fpvm::{Mips32, Mips64};
use rebut_tests::program::EDGES;
use rebut_tests::{Case, Engines, Mips};

const IMMEDIATES: [u16; 7] = [0, 1, 0x1234, 0x7fff, 0x8000, 0xfffe, 0xffff];
/// Registers rs, rt, rd: all different, each zero, and every way in which two or three are one.
const ALIASES: [[u8; 3]; 8] =
    [[4, 5, 6], [0, 5, 6], [4, 0, 6], [4, 5, 0], [4, 4, 6], [4, 5, 4], [4, 5, 5], [4, 4, 4]];

/// Shows cases of one row, and counts them.
struct Cases<'e, A: Mips> {
    engines: &'e mut Engines<A>,
    row: &'static Row,
    count: u64,
}

impl<A: Mips> Cases<'_, A> {
    fn check(&mut self, operands: Operands, set_up: impl Fn(&mut Case<A>)) {
        // Both versions, and both halves of a doubleword, in turn.
        let version = A::VERSIONS[(self.count % 2) as usize];
        let pc = PC + 4 * (self.count / 2 % 2);
        let mut case = executing(version, pc, self.row.op.encode(operands).0);
        set_up(&mut case);
        self.engines.check(&format!("{} {operands:?}", self.row.name), &case);
        self.count += 1;
    }

    /// Values in rs and rt, which may be one register or the zero register.
    fn with_values(&mut self, operands: Operands, rs: u64, rt: u64) {
        self.check(operands, |case| {
            set(case, operands.rs, rs);
            set(case, operands.rt, rt);
        });
    }
}

fn set<A: Mips>(case: &mut Case<A>, register: u8, value: u64) {
    if register != 0 {
        *case.register(usize::from(register)) = A::extend(value);
    }
}

fn registers([rs, rt, rd]: [u8; 3]) -> Operands {
    Operands { rs, rt, rd, ..Operands::default() }
}

/// Each edge beside another edge.
fn pairs() -> impl Iterator<Item = (u64, u64)> {
    EDGES.into_iter().enumerate().map(|(i, a)| (a, EDGES[(7 * i + 3) % EDGES.len()]))
}

fn three_registers<A: Mips>(cases: &mut Cases<'_, A>) {
    for rs in EDGES {
        for rt in EDGES {
            cases.with_values(registers(ALIASES[0]), rs, rt);
        }
    }
    for alias in ALIASES {
        for (rs, rt) in pairs() {
            cases.with_values(registers(alias), rs, rt);
        }
    }
}

fn shifts_by_amount<A: Mips>(cases: &mut Cases<'_, A>) {
    for sa in [0, 1, 15, 16, 31] {
        for alias in [[0, 5, 6], [0, 5, 5], [0, 5, 0], [0, 0, 6]] {
            for rt in EDGES {
                cases.with_values(Operands { sa, ..registers(alias) }, 0, rt);
            }
        }
    }
}

fn immediates<A: Mips>(cases: &mut Cases<'_, A>) {
    for imm in IMMEDIATES {
        for alias in [[4, 5, 0], [4, 4, 0], [4, 0, 0], [0, 5, 0]] {
            for rs in EDGES {
                cases.with_values(Operands { imm, ..registers(alias) }, rs, 0x55);
            }
        }
    }
}

fn branches<A: Mips>(cases: &mut Cases<'_, A>) {
    let two = cases.row.format == Format::RsRtOff;
    for rs in EDGES {
        for rt in EDGES.into_iter().take(if two { EDGES.len() } else { 1 }) {
            // The table of the group has rt as a part of the opcode.
            let operands =
                Operands { imm: 5, ..registers(if two { [4, 5, 0] } else { [4, 0, 0] }) };
            cases.with_values(operands, rs, rt);
        }
    }
    for imm in IMMEDIATES {
        for alias in [[4, 4, 0], [0, 0, 0], [31, 31, 0], [4, 5, 0]] {
            for (rs, rt) in pairs() {
                let operands = Operands { imm, ..registers(alias) };
                cases.with_values(operands, rs, rt);
            }
        }
    }
    delay_slots(cases, registers([4, 5, 0]));
}

/// A jump or branch in a delay slot faults, wherever the next pc is.
fn delay_slots<A: Mips>(cases: &mut Cases<'_, A>, operands: Operands) {
    for next in [0, 4, 8, 0x100, u64::MAX - 3] {
        cases.check(operands, |case| {
            let cpu = case.cpu();
            cpu.next_pc = A::wrap(cpu.pc.wrapping_add(next));
        });
    }
}

fn jumps<A: Mips>(cases: &mut Cases<'_, A>) {
    for target in [0, 1, 0x4000, 0x3ff_ffff, 0x200_0000] {
        // The last pc of a region jumps within the region of the delay slot.
        for pc in [PC, 0x0fff_fff8, 0x0fff_fffc, 0x7fff_ffff_fffc, 0xffff_ffff_ffff_fff8] {
            let (version, pc) = (A::VERSIONS[1], A::wrap(pc));
            let operands = Operands { target, ..Operands::default() };
            let case = executing(version, pc, cases.row.op.encode(operands).0);
            cases.engines.check(&format!("{} at {pc:#x}", cases.row.name), &case);
            cases.count += 1;
        }
    }
    delay_slots(cases, Operands::default());
}

fn jumps_to_register<A: Mips>(cases: &mut Cases<'_, A>) {
    for alias in [[4, 0, 6], [4, 0, 4], [4, 0, 0], [4, 0, 31], [0, 0, 31]] {
        for rs in EDGES.into_iter().chain([PC, PC + 8, A::DATA, 0xffff_ffff_ffff_fffc]) {
            cases.with_values(registers(alias), rs, 0);
        }
    }
    delay_slots(cases, registers([4, 0, 31]));
}

fn one_register<A: Mips>(cases: &mut Cases<'_, A>) {
    for alias in ALIASES {
        for (value, other) in pairs() {
            cases.check(registers(alias), |case| {
                set(case, alias[0], value);
                (case.cpu().lo, case.cpu().hi) = (A::extend(other), A::extend(value ^ other));
            });
        }
    }
}

fn memory_accesses<A: Mips>(cases: &mut Cases<'_, A>) {
    for offset in 0..16u16 {
        for alias in [[4, 5, 0], [4, 4, 0], [4, 0, 0]] {
            for rt in [0, 0x7172_7374_7576_7778, 0x8182_8384_8586_8788, 0x0000_0001_8000_0000] {
                // The base is reached from below and from above.
                for base in [A::DATA, A::DATA + 16] {
                    let imm = offset.wrapping_sub((base - A::DATA) as u16);
                    cases.check(Operands { imm, ..registers(alias) }, |case| {
                        set(case, 5, rt);
                        set(case, 4, base);
                    });
                }
            }
        }
        for reservation in reservations(A::DATA + u64::from(offset & 7)) {
            let imm = offset & 7;
            cases.check(Operands { imm, ..registers([4, 5, 0]) }, |case| {
                set(case, 4, A::DATA);
                set(case, 5, 0xa1a2_a3a4_b1b2_b3b4);
                A::hold(case, reservation);
            });
        }
    }
    memory_places(cases);
}

/// Absent pages, page and address ends, the code itself, sums that wrap.
fn memory_places<A: Mips>(cases: &mut Cases<'_, A>) {
    let places = [
        0,
        7,
        PC,
        PC + 12,
        PC + 0xff8,
        PC + 0xfff,
        0x0fff_ffff,
        0x7fff_ffff_ffff,
        0x8000_0000_0000,
        0xffff_ffff_8000_0000,
        i64::MAX as u64,
        i64::MIN as u64,
        u64::MAX - 7,
        u64::MAX,
    ];
    for place in places {
        for imm in [0, 1, 0x7fff, 0x8000, 0xffff] {
            cases.check(Operands { imm, ..registers([4, 5, 0]) }, |case| {
                set(case, 4, place);
                // As an instruction, where a store meets the code: sll $0, $0, 1.
                set(case, 5, 0x0000_0040_0000_0040);
            });
        }
    }
}

fn show<A: Mips>(cases: &mut Cases<'_, A>) {
    match (cases.row.op, cases.row.format) {
        (Op::syscall, _) => {} // the module `syscalls`
        (Op::jr | Op::jalr, _) => jumps_to_register(cases),
        (_, Format::RdRtSa) => shifts_by_amount(cases),
        (_, Format::RdRtRs | Format::RdRsRt | Format::RsRt) => three_registers(cases),
        (_, Format::RdRs | Format::Rs | Format::Rd | Format::Bare) => one_register(cases),
        (_, Format::RsOff | Format::RsRtOff) => branches(cases),
        (_, Format::Jump) => jumps(cases),
        (_, Format::RtRsImm | Format::RtRsUimm | Format::RtUimm) => immediates(cases),
        (_, Format::RtMem) => memory_accesses(cases),
    }
}

fn check_rows<A: Mips>(rows: &'static [Row]) {
    let mut engines = Engines::<A>::new();
    for row in rows.iter().filter(|row| A::has(row)) {
        let mut cases = Cases { engines: &mut engines, row, count: 0 };
        show(&mut cases);
        assert!(cases.count >= 30 || row.op == Op::syscall, "{}: few cases", row.name);
    }
    println!("{} rows: {} taken, {} refused", rows.len(), engines.taken, engines.refused);
}

// Two tests, for two cores. The rows at the end, which access memory, have the most cases.
const MIDDLE: usize = ROWS.len() * 7 / 10;

#[test]
fn every_row_of_the_first_part_agrees_at_all_edges() {
    check_rows::<Mips64>(&ROWS[..MIDDLE]);
}

#[test]
fn every_other_row_agrees_at_all_edges() {
    check_rows::<Mips64>(&ROWS[MIDDLE..]);
}

#[test]
fn every_row_of_32_bits_agrees_at_all_edges() {
    check_rows::<Mips32>(ROWS);
}
