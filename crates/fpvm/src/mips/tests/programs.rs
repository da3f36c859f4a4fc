//! Random programs in lockstep.

use super::{Both, Random, Tested, asm, place, rows};
use crate::isa::{Format, Op, Operands};
use crate::mips::{Mips32, Mips64};
use crate::{State, Until};
use alloy_primitives::B256;

const PROGRAMS: u64 = 700;
const STEPS_PER_PROGRAM: u64 = 2500;
const WORDS: u64 = 256;

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
    syscalls: &'static [i32],
    frequent: Vec<Op>,
    /// Rows that read and write registers only.
    straight: Vec<Op>,
    memory: Vec<Op>,
    branches: Vec<Op>,
}

impl Generator {
    fn new<A: Tested>(seed: u64) -> Self {
        let of = |wanted: &[Format]| -> Vec<Op> {
            rows::<A>().filter(|row| wanted.contains(&row.format)).map(|row| row.op).collect()
        };
        let mut random = Random(seed << 32);
        let base = random.pick(&A::BASES);
        let mut frequent: Vec<Op> = rows::<A>().map(|row| row.op).collect();
        frequent.retain(|op| FREQUENT.contains(op));
        Self {
            random,
            base,
            syscalls: A::SYSCALLS,
            frequent,
            straight: rows::<A>()
                .map(|row| row.op)
                .filter(|op| {
                    !op.has_delay_slot() && *op != Op::syscall && op.row().format != Format::RtMem
                })
                .collect(),
            memory: of(&[Format::RtMem]),
            branches: of(&[Format::RsOff, Format::RsRtOff]),
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
            self.random.pick(&self.frequent)
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
        let pairs = [[Op::ll, Op::sc], [Op::lld, Op::scd]];
        let wide = self.memory.contains(&Op::lld);
        let [load, store] = self.random.pick(&pairs[..1 + usize::from(wide)]);
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
        let number = self.random.pick(self.syscalls);
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
    fn state<A: Tested>(&self, words: &[u32]) -> State<A> {
        let mut own = Self { random: Random(self.random.0), base: self.base, ..Self::new::<A>(0) };
        let mut state = State::<A>::at(own.random.pick(A::VERSIONS), self.base);
        place(&mut state, self.base, words);
        let address = own.data_address();
        A::unsettle(&mut state, &mut own.random, address);
        let r = &mut state.registers;
        r.step = own.random.below(1 << 40);
        r.preimage_key = B256::repeat_byte(2);
        let Some(cpu) = A::cpu_mut(&mut r.processor) else { return state };
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
        for value in cpu.registers.iter_mut().chain([&mut cpu.hi, &mut cpu.lo]) {
            *value = A::extend(*value);
        }
        cpu.next_pc = A::wrap(cpu.next_pc);
        state
    }
}

/// Runs one program with random stops, and now and then back to an earlier state.
fn lockstep<A: Tested>(seed: u64) -> (u64, u64, u64) {
    let mut generator = Generator::new::<A>(seed);
    let words = generator.program();
    let mut pair = Both::<A>::new(|| generator.state(&words));
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
    let atomics = run_programs::<Mips64>();
    assert!(atomics > 10_000);
}

#[test]
fn random_programs_of_32_bits_in_lockstep() {
    run_programs::<Mips32>();
}

/// Runs many; answers how many store-conditionals were counted.
fn run_programs<A: Tested>() -> u64 {
    let (mut executed, mut in_blocks, mut atomics) = (0, 0, 0);
    let mut seed = 0;
    while seed < PROGRAMS || executed < 1_000_000 {
        let (steps, blocks, stored) = lockstep::<A>(seed);
        executed += steps;
        in_blocks += blocks;
        atomics += stored;
        seed += 1;
    }
    println!(
        "{seed} programs, {executed} steps, {in_blocks} of them in blocks, {atomics} atomic stores"
    );
    assert!(in_blocks > executed / 3, "{in_blocks} of {executed} steps in blocks");
    atomics
}
