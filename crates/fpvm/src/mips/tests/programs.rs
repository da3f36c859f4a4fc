//! Random programs in lockstep.

use super::{Pair, Random, asm, place};
use crate::isa::{Format, Op, Operands, ROWS};
use crate::mips::state::StateVersion;
use crate::mips::threads::{Reservation, ReservationStatus};
use crate::{State, Until};
use alloy_primitives::B256;

const PROGRAMS: u64 = 700;
const STEPS_PER_PROGRAM: u64 = 2500;
const WORDS: u64 = 256;

/// Where programs are placed: below the end of the decode cache, across it, above it in a window and
/// outside, at addresses that need more than 32 and 56 bits, and around the end of the address space.
const BASES: [u64; 9] = [
    0x1_0000,
    0x1_0000,
    0x1_0000,
    0x1_0e80,
    0x07ff_fe00,
    0x0000_1000_0000_0f00,
    0x0000_2000_0000_0f00,
    0x7f00_0000_0000_0f00,
    u64::MAX - 0x1ff,
];

/// Registers that hold addresses of data and of code; others hold anything.
const DATA_REGISTERS: [u8; 8] = [16, 17, 18, 19, 20, 21, 22, 23];
const CODE_REGISTERS: [u8; 4] = [24, 25, 26, 27];

/// What real programs consist of; groups of these are fused.
const FREQUENT: [Op; 12] = [
    Op::daddu,
    Op::daddiu,
    Op::addu,
    Op::or,
    Op::xor,
    Op::and,
    Op::nor,
    Op::sltu,
    Op::dsll,
    Op::dsrl32,
    Op::movz,
    Op::lui,
];

struct Generator {
    random: Random,
    base: u64,
    /// Rows that read and write registers only.
    straight: Vec<Op>,
    memory: Vec<Op>,
    branches: Vec<Op>,
}

impl Generator {
    fn new(seed: u64) -> Self {
        let of = |wanted: &[Format]| -> Vec<Op> {
            ROWS.iter().filter(|row| wanted.contains(&row.format)).map(|row| row.op).collect()
        };
        let mut random = Random(seed << 32);
        let base = random.pick(&BASES);
        Self {
            random,
            base,
            straight: ROWS
                .iter()
                .map(|row| row.op)
                .filter(|op| {
                    !op.has_delay_slot() && *op != Op::syscall && op.row().format != Format::RtMem
                })
                .collect(),
            memory: of(&[Format::RtMem]),
            branches: of(&[Format::RsOff, Format::RsRtOff, Format::Fallback]),
        }
    }

    /// A register to write: seldom one that holds an address.
    fn written(&mut self) -> u8 {
        if self.random.once_in(60) {
            self.random.below(32) as u8
        } else {
            self.random.below(16) as u8
        }
    }

    fn read(&mut self) -> u8 {
        self.random.below(32) as u8
    }

    fn straight(&mut self) -> u32 {
        let op = if self.random.once_in(2) {
            self.random.pick(&FREQUENT)
        } else {
            self.random.pick(&self.straight)
        };
        // Divisors that are zero end a program: leave them to registers that seldom are.
        let rt = match op.row().format {
            Format::RsRt => self.random.pick(&DATA_REGISTERS),
            Format::RtRsImm | Format::RtRsUimm | Format::RtUimm => self.written(),
            _ => self.read(),
        };
        let (rs, rd, imm) = (self.read(), self.written(), self.random.next() as u16);
        op.encode(Operands { rs, rt, rd, sa: imm as u8 & 31, imm, target: 0 }).0
    }

    fn memory(&mut self) -> u32 {
        let op = if self.random.once_in(2) {
            self.random.pick(&[Op::ld, Op::sd, Op::lw, Op::sw, Op::lbu, Op::sb])
        } else {
            self.random.pick(&self.memory)
        };
        let rt = self.written();
        asm(op, self.random.pick(&DATA_REGISTERS), rt, 0, self.random.below(48) as i32 - 24)
    }

    /// A load-linked and its store-conditional; mostly they fit together.
    fn atomic(&mut self, words: &mut Vec<u32>) {
        let [load, store] = self.random.pick(&[[Op::ll, Op::sc], [Op::lld, Op::scd]]);
        let (base, offset) = (self.random.pick(&DATA_REGISTERS), self.random.below(32) as i32);
        words.push(asm(load, base, self.random.below(16) as u8, 0, offset));
        for _ in 0..self.random.below(3) {
            words.push(if self.random.once_in(4) { self.memory() } else { self.straight() });
        }
        let offset = if self.random.once_in(8) { offset ^ 4 } else { offset };
        words.push(asm(store, base, self.random.below(16) as u8, 0, offset));
    }

    /// Mostly near, mostly within the program.
    fn branch(&mut self, at: u64) -> u32 {
        let reach = if self.random.once_in(3) { WORDS } else { 12 };
        let to = (at + self.random.below(2 * reach)).saturating_sub(reach).min(WORDS - 1);
        let offset = to as i32 - at as i32 - 1;
        match self.random.below(8) {
            0 => {
                let op = self.random.pick(&[Op::j, Op::jal]);
                let target = (self.base.wrapping_add(4 * to) >> 2) as u32;
                op.encode(Operands { target, ..Operands::default() }).0
            }
            1 => {
                let rd = self.random.pick(&[0, 31, 5]);
                let op = self.random.pick(&[Op::jr, Op::jalr]);
                asm(op, self.random.pick(&CODE_REGISTERS), 0, rd, 0)
            }
            _ => {
                let op = self.random.pick(&self.branches);
                let rt = if op == Op::bnever { 2 } else { self.read() };
                asm(op, self.read(), rt, 0, offset)
            }
        }
    }

    /// Sets the number and some arguments, then calls.
    fn syscall(&mut self, words: &mut Vec<u32>) {
        let number = self.random.pick(&[
            5000, 5001, 5009, 5023, 5023, 5055, 5055, 5058, 5070, 5178, 5194, 5194, 5222, 5313,
        ]);
        let set = |register, value| asm(Op::ori, 0, register, 0, value);
        if number == 5055 {
            words.extend([asm(Op::lui, 0, 4, 0, 5), asm(Op::ori, 4, 4, 0, 0xf00)]);
        } else {
            words.push(set(4, self.random.pick(&[0, 1, 3, 5])));
        }
        if number == 5194 {
            words.push(set(5, self.random.pick(&[128, 129])));
        } else {
            let pointer = self.random.pick(&DATA_REGISTERS);
            words.push(asm(Op::or, pointer, 0, 5, 0));
        }
        words.push(set(6, self.random.pick(&[0, 3, 8])));
        words.extend([set(2, number), asm(Op::syscall, 0, 0, 0, 0)]);
    }

    fn program(&mut self) -> Vec<u32> {
        let mut words = Vec::new();
        let mut after_branch = false;
        while (words.len() as u64) < WORDS {
            let branch_allowed = !after_branch || self.random.once_in(200);
            after_branch = false;
            match self.random.below(40) {
                0..8 if branch_allowed => {
                    words.push(self.branch(words.len() as u64));
                    after_branch = true;
                }
                8..19 => words.push(self.memory()),
                19 => self.atomic(&mut words),
                20 if branch_allowed && self.random.once_in(3) => self.syscall(&mut words),
                21 if self.random.once_in(60) => words.push(self.random.next() as u32),
                _ => words.push(self.straight()),
            }
        }
        words
    }

    /// Addresses of data: ordinary, at borders, in the program itself, around nothing reserved.
    fn data_address(&mut self) -> u64 {
        let near = self.random.below(64);
        match self.random.below(10) {
            0 => self.base.wrapping_add(4 * self.random.below(WORDS)),
            1 => near,
            2 => (1 << 36) - 32 + near,
            3 => 0x7fff_ffff_e000 + near,
            4 => 0x2345_0000_0fe0 + near,
            5 => (u64::MAX - 31).wrapping_add(near),
            6 => self.random.next(),
            _ => 0x5_0fe0 + near,
        }
    }

    /// The same state each time.
    fn state(&self, words: &[u32]) -> State {
        let mut own = Self { random: Random(self.random.0), base: self.base, ..Self::new(0) };
        let mut state = State::at(own.random.pick(&StateVersion::ALL), self.base);
        place(&mut state, self.base, words);
        let r = &mut state.registers;
        r.step = own.random.below(1 << 40);
        r.processor.steps_since_switch =
            own.random.pick(&[0, 64, 64, 99_000, 99_950, 100_000, 100_007]);
        r.preimage_key = B256::repeat_byte(2);
        if own.random.once_in(2) {
            let address = own.data_address();
            r.processor.reservation =
                Reservation { status: ReservationStatus::Doubleword, address, owner: 0 };
        }
        let cpu = &mut r.processor.left[0].cpu;
        (cpu.hi, cpu.lo) = (own.random.next(), own.random.next());
        for register in 1..16 {
            let value = own.random.next();
            cpu.registers[register] = value >> own.random.pick(&[0, 32, 60]);
        }
        for register in DATA_REGISTERS {
            cpu.registers[usize::from(register)] = own.data_address();
        }
        for register in CODE_REGISTERS {
            let address = own.base.wrapping_add(4 * own.random.below(WORDS));
            let stray = if own.random.once_in(50) { 2 } else { 0 };
            cpu.registers[usize::from(register)] = address + stray;
        }
        if own.random.once_in(10) {
            cpu.next_pc = own.base.wrapping_add(4 * own.random.below(WORDS));
        }
        if own.random.once_in(30) {
            cpu.registers[0] = own.random.next();
        }
        state
    }
}

/// Runs one program with random stops, and now and then back to an earlier state.
fn lockstep(seed: u64) -> (u64, u64, u64) {
    let mut generator = Generator::new(seed);
    let words = generator.program();
    let mut pair = Pair::new(|| generator.state(&words));
    let random = &mut generator.random;
    let mut saved = None;
    let mut executed = 0;
    while executed < STEPS_PER_PROGRAM {
        let from = pair.plain.registers().step;
        let steps = match random.below(5) {
            0 => random.below(8),
            1 => 60 + random.below(10),
            _ => random.below(1000),
        };
        let until = Until { step: from + steps, preimage_read: random.once_in(3) };
        let result = pair.run(until, &format!("seed {seed} step {from} until {until:?}"));
        executed += pair.plain.registers().step - from;
        match result {
            Ok(crate::Stop::Exited(_)) | Err(_) => break,
            Ok(_) => {}
        }
        if random.once_in(8) {
            saved = Some((pair.blocks.snapshot(), pair.plain.snapshot()));
        } else if random.once_in(8)
            && let Some((blocks, plain)) = &saved
        {
            pair.blocks.restore(blocks);
            pair.plain.restore(plain);
        }
    }
    pair.compare_hashes(&format!("seed {seed}"));
    (executed, pair.blocks.blocks.executed, pair.plain.stats().rmw_successes)
}

#[test]
fn random_programs_in_lockstep() {
    let (mut executed, mut in_blocks, mut atomics) = (0, 0, 0);
    let mut seed = 0;
    while seed < PROGRAMS || executed < 1_000_000 {
        let (steps, blocks, stored) = lockstep(seed);
        executed += steps;
        in_blocks += blocks;
        atomics += stored;
        seed += 1;
    }
    println!(
        "{seed} programs, {executed} steps, {in_blocks} of them in blocks, {atomics} atomic stores"
    );
    assert!(atomics > 10_000);
    assert!(in_blocks > executed / 3, "{in_blocks} of {executed} steps in blocks");
}
