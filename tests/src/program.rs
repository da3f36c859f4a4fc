//! Random guest programs: endless loops of random instructions over a few places of memory.
//!
//! A program is made to go on for long rather than to be likely: a few registers keep addresses, and
//! nothing writes them but rarely, so that loads, stores and jumps mostly go somewhere. What remains,
//! faults included, every engine has to answer in the same way.

use crate::case::Case;
use crate::random::Random;
use crate::subject::Mips;
use rebut_fpvm::Mips64;
use rebut_fpvm::isa::{Format, Op, Operands, ROWS, Row};
use rebut_fpvm::kernel::{CLONE_FLAGS, Syscall, Syscall32};
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::{QUANTUM, Reservation, ReservationStatus, Thread};
use std::marker::PhantomData;

/// Register values at which results change their kind.
pub const EDGES: [u64; 20] = [
    0,
    1,
    2,
    31,
    32,
    63,
    64,
    0x7f,
    0x80,
    0x7fff,
    0x8000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_7fff_ffff,
    i64::MAX as u64,
    i64::MIN as u64,
    u64::MAX,
];

/// Register that holds the address of the data.
const DATA: u8 = 28;
/// Register that holds the address of the code.
const CODE: u8 = 30;
/// Bytes of data around the data register, before and after it.
const DATA_BYTES: u64 = 0x1000;

/// A random program in a random state, ready to run.
///
/// `keys` are preimage keys that the oracle of the run knows.
pub fn random_case<A: Mips>(random: &mut Random, keys: &[[u8; 32]]) -> Case<A> {
    let code = random.pick(&A::PLACES);
    // Sometimes code and data share a page or even words.
    let data = match random.below(4) {
        0 => code.wrapping_add(0x400),
        1 => code.wrapping_sub(0x800) & !7,
        _ => random.pick(&A::PLACES).wrapping_add(0x5_0000),
    };
    let data = A::wrap(data);
    let version = random.pick(A::VERSIONS);
    let mut case = Case::<A>::at(version, code);
    let words = 24 + random.below(200);
    let mut writer = Writer::<A> {
        random,
        words: Vec::new(),
        limit: words as usize,
        code,
        machine: PhantomData,
    };
    writer.fill();
    let words = writer.words;
    case.memory.push((A::wrap(data.wrapping_sub(64)), random_bytes(random, 256)));
    if !keys.is_empty() {
        let key = random.pick(keys);
        case.memory.push((A::wrap(data.wrapping_add(512)), key.to_vec()));
        case.registers.preimage_key.0 = random.pick(keys);
        case.registers.preimage_offset = random.below(24);
    }
    case.memory.push((code, words.iter().flat_map(|w| w.to_be_bytes()).collect()));

    let r = &mut case.registers;
    r.heap = random.pick(&[A::HEAP_START, A::HEAP_END - 0x1000, A::HEAP_END]);
    r.step = random.below(1 << 40);
    *case.cpu() = cpu::<A>(random, code, data);
    A::unsettle(&mut case, random, code, data);
    case
}

/// Threads on both stacks, a quantum near its end, a reservation. The first thread begins at the beginning, with its
/// addresses in place.
pub fn unsettle_threads(case: &mut Case, random: &mut Random, code: u64, data: u64) {
    let first = case.thread().clone();
    let r = &mut case.registers;
    let left_of_quantum = random.below(500);
    r.processor.steps_since_switch = random.pick(&[0, 0, QUANTUM - 1, QUANTUM - left_of_quantum]);
    r.processor.next_thread_id = 8;
    r.processor.reservation = Reservation {
        status: random.pick(&[
            ReservationStatus::None,
            ReservationStatus::Word,
            ReservationStatus::Doubleword,
        ]),
        address: data.wrapping_add(random.below(16)),
        owner: random.below(3),
    };
    r.processor.left = threads(random, code, data, 0);
    r.processor.right = threads(random, code, data, 4);
    r.processor.traverse_right = random.one_in(2);
    if r.processor.active_stack().is_empty() {
        r.processor.traverse_right = !r.processor.traverse_right;
    }
    if r.processor.active_stack().is_empty() {
        r.processor.left.push(thread(random, code, data, 7));
        r.processor.traverse_right = false;
    }
    *case.thread() = first;
}

fn threads(random: &mut Random, code: u64, data: u64, first_id: u64) -> Vec<Thread> {
    let count = random.pick(&[0, 1, 1, 2, 3]);
    (0..count)
        .map(|i| {
            let mut thread = thread(random, code, data, first_id + i);
            thread.exited = random.one_in(6);
            thread
        })
        .collect()
}

fn thread(random: &mut Random, code: u64, data: u64, id: u64) -> Thread {
    Thread { id, exit_code: 0, exited: false, cpu: cpu::<Mips64>(random, code, data) }
}

/// A processor at the beginning of the program, with its addresses in place and anything else in other registers.
fn cpu<A: Mips>(random: &mut Random, code: u64, data: u64) -> Cpu {
    let mut cpu = Cpu::at(code);
    for register in cpu.registers.iter_mut().skip(1) {
        *register = A::extend(value(random));
    }
    cpu.registers[usize::from(DATA)] = A::extend(data);
    cpu.registers[usize::from(CODE)] = A::extend(code);
    (cpu.lo, cpu.hi) = (A::extend(value(random)), A::extend(value(random)));
    cpu
}

/// An edge, something near an edge, or anything.
pub fn value(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => random.word(),
        1 => random.pick(&EDGES).wrapping_add(random.below(5)).wrapping_sub(2),
        _ => random.pick(&EDGES),
    }
}

fn random_bytes(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).map(|_| random.word() as u8).collect()
}

/// Writes instructions, one idea after the other, and the jump back to the beginning.
#[derive(Debug)]
pub struct Writer<'r, A> {
    random: &'r mut Random,
    words: Vec<u32>,
    limit: usize,
    /// Where the program will stand.
    code: u64,
    machine: PhantomData<A>,
}

impl<A: Mips> Writer<'_, A> {
    /// A row of the machine.
    fn row(&mut self) -> &'static Row {
        loop {
            let i = self.random.below(ROWS.len() as u64) as usize;
            if A::has(&ROWS[i]) {
                return &ROWS[i];
            }
        }
    }

    /// The instruction that adds to an address, and whichever of two the machine has.
    fn native(wide: Op, narrow: Op) -> Op {
        if A::WORD_BYTES == 8 { wide } else { narrow }
    }

    fn fill(&mut self) {
        while self.words.len() < self.limit {
            match self.random.below(32) {
                0..=15 => self.compute(),
                16..=21 => self.access(),
                22..=24 => self.branch(),
                25 => self.jump(),
                26 => self.read_modify_write(),
                27 => self.divide(),
                28 => self.patch_code(),
                29 | 30 => self.system_call(),
                _ => self.anything(),
            }
        }
        self.put(Op::jr, Operands { rs: CODE, ..Operands::default() });
        self.put(Op::sll, Operands::default());
    }

    fn put(&mut self, op: Op, operands: Operands) {
        self.words.push(op.encode(operands).0);
    }

    /// A register that may be written without losing an address, mostly.
    fn target(&mut self) -> u8 {
        if self.random.one_in(200) {
            self.random.below(32) as u8
        } else {
            self.random.below(28) as u8
        }
    }

    fn any_operands(&mut self) -> Operands {
        let (rt, rd) = (self.target(), self.target());
        let r = &mut *self.random;
        let imm = match r.below(3) {
            0 => r.word() as u16,
            1 => r.pick(&[0, 1, 0x7fff, 0x8000, 0xffff]),
            _ => r.below(64) as u16,
        };
        let (rs, sa) = (r.below(32) as u8, r.below(32) as u8);
        Operands { rs, rt, rd, sa, imm, target: r.word() as u32 }
    }

    /// Any instruction that neither goes elsewhere nor touches memory nor can fault.
    fn compute(&mut self) {
        loop {
            let row = self.row();
            let plain = !row.op.has_delay_slot()
                && row.format != Format::RtMem
                && !matches!(row.op, Op::syscall | Op::div | Op::divu | Op::ddiv | Op::ddivu);
            if plain {
                let operands = self.any_operands();
                return self.put(row.op, operands);
            }
        }
    }

    fn memory_operands(&mut self) -> Operands {
        let offset = match self.random.below(4) {
            0 => self.random.below(2 * DATA_BYTES).wrapping_sub(DATA_BYTES) as u16,
            _ => self.random.below(96).wrapping_sub(32) as u16,
        };
        // Rarely through whatever a register holds.
        let rs = if self.random.one_in(24) { self.random.below(32) as u8 } else { DATA };
        Operands { rs, rt: self.target(), imm: offset, ..Operands::default() }
    }

    fn access(&mut self) {
        loop {
            let row = self.row();
            if row.format == Format::RtMem {
                let operands = self.memory_operands();
                return self.put(row.op, operands);
            }
        }
    }

    /// A branch to a place nearby. Mostly forward, so that a program does not stay in a small loop.
    fn branch(&mut self) {
        loop {
            let row = self.row();
            if matches!(row.format, Format::RsOff | Format::RsRtOff) {
                let here = self.words.len() as u64;
                let offset = match self.random.below(6) {
                    0 => self.random.below(here + 1).wrapping_neg(),
                    _ => self.random.below(12) + 1,
                } as u16;
                let operands = Operands { imm: offset, ..self.any_operands() };
                self.put(row.op, operands);
                return self.delay_slot();
            }
        }
    }

    /// Mostly an innocent instruction; now and then a branch, which faults.
    fn delay_slot(&mut self) {
        match self.random.below(40) {
            0 => self.branch(),
            1 => self.system_call(),
            2..=9 => self.access(),
            _ => self.compute(),
        }
    }

    /// Back to the start with some words skipped: to the address in a register, or within the region.
    fn jump(&mut self) {
        if self.random.one_in(3) {
            let op = self.random.pick(&[Op::j, Op::jal]);
            let skipped = self.random.below(self.words.len() as u64 + 1);
            let target = (self.code >> 2).wrapping_add(skipped) as u32;
            self.put(op, Operands { target, ..Operands::default() });
            return self.delay_slot();
        }
        let by = 4 * self.random.below(self.words.len() as u64 + 1) as u16;
        let by = if self.random.one_in(60) { by | 2 } else { by };
        self.put(
            Self::native(Op::daddiu, Op::addiu),
            Operands { rs: CODE, rt: 27, imm: by, ..Operands::default() },
        );
        let rd = self.target();
        let op = self.random.pick(&[Op::jr, Op::jalr]);
        self.put(op, Operands { rs: 27, rd, ..Operands::default() });
        self.delay_slot();
    }

    fn read_modify_write(&mut self) {
        let wide = A::WORD_BYTES == 8 && self.random.one_in(2);
        let (load, store) = if wide { (Op::lld, Op::scd) } else { (Op::ll, Op::sc) };
        let operands = self.memory_operands();
        self.put(load, operands);
        match self.random.below(4) {
            0 => self.access(),
            1 => self.system_call(),
            _ => self.compute(),
        }
        let store = if self.random.one_in(8) { Op::sc } else { store };
        self.put(store, operands);
    }

    /// By a divisor that is odd, but for once in a while.
    fn divide(&mut self) {
        let rt = 26;
        if !self.random.one_in(16) {
            self.put(Op::ori, Operands { rs: rt, rt, imm: 1, ..Operands::default() });
        }
        let ops = [Op::div, Op::divu, Op::ddiv, Op::ddivu];
        let op = self.random.pick(&ops[..A::WORD_BYTES / 2]);
        let rd = if self.random.one_in(8) { self.target() } else { 0 };
        let rs = self.random.below(32) as u8;
        self.put(op, Operands { rs, rt, rd, ..Operands::default() });
    }

    /// Replaces one instruction of the program by another harmless one.
    fn patch_code(&mut self) {
        let place = 4 * self.random.below(self.limit as u64) as u16;
        let word = Op::xori
            .encode(Operands {
                rs: 3,
                rt: 4,
                imm: self.random.word() as u16,
                ..Operands::default()
            })
            .0;
        self.put(Op::lui, Operands { rt: 5, imm: (word >> 16) as u16, ..Operands::default() });
        self.put(Op::ori, Operands { rs: 5, rt: 5, imm: word as u16, ..Operands::default() });
        self.put(Op::sw, Operands { rs: CODE, rt: 5, imm: place, ..Operands::default() });
    }

    fn set(&mut self, register: u8, value: u16) {
        self.put(Op::ori, Operands { rs: 0, rt: register, imm: value, ..Operands::default() });
    }

    fn system_call(&mut self) {
        A::write_call(self);
    }

    /// A call of the 64-bit machine: number and arguments are set, then the call.
    pub fn call_of(&mut self, all: &[(Syscall, u64)]) {
        let (syscall, number) = self.random.pick(all);
        // The calls that end the machine or fault would end the program too soon.
        let rare = matches!(syscall, Syscall::exit_group | Syscall::exit) && !self.random.one_in(4);
        if rare {
            return self.compute();
        }
        match syscall {
            Syscall::read | Syscall::write => self.transfer(),
            Syscall::clone => {
                let flags = CLONE_FLAGS as u32;
                let odd = u16::from(self.random.one_in(12));
                self.put(
                    Op::lui,
                    Operands { rt: 4, imm: (flags >> 16) as u16, ..Operands::default() },
                );
                self.put(
                    Op::ori,
                    Operands { rs: 4, rt: 4, imm: flags as u16 | odd, ..Operands::default() },
                );
            }
            Syscall::futex => {
                self.data_address(4);
                let op = self.random.pick(&[128, 128, 129, 130, 0]);
                self.set(5, op);
                self.put(Op::lw, Operands { rs: 4, rt: 6, ..Operands::default() });
            }
            Syscall::clock_gettime => {
                let id = self.random.below(3) as u16;
                self.set(4, id);
                self.data_address(5);
            }
            Syscall::getrandom => {
                self.data_address(4);
                let count = self.random.below(12) as u16;
                self.set(5, count);
            }
            Syscall::fcntl => {
                let (fd, command) = (self.random.below(9) as u16, self.random.below(5) as u16);
                self.set(4, fd);
                self.set(5, command);
            }
            Syscall::mmap => {
                let address = if self.random.one_in(2) { 0 } else { 0x4000 };
                self.set(4, address);
            }
            _ => {}
        }
        let number = if self.random.one_in(150) { 4999 } else { number };
        self.set(2, number as u16);
        self.put(Op::syscall, Operands::default());
    }

    /// A call of the 32-bit machine: number and arguments are set, then the call.
    pub fn call_of_32_bits(&mut self, all: &[(Syscall32, u64)]) {
        let (syscall, number) = self.random.pick(all);
        if syscall == Syscall32::exit_group && !self.random.one_in(4) {
            return self.compute();
        }
        match syscall {
            Syscall32::read | Syscall32::write => self.transfer(),
            Syscall32::fcntl => {
                let (fd, command) = (self.random.below(9) as u16, self.random.below(5) as u16);
                self.set(4, fd);
                self.set(5, command);
            }
            Syscall32::mmap => {
                let address = if self.random.one_in(2) { 0 } else { 0x4000 };
                self.set(4, address);
            }
            _ => {}
        }
        let number = if self.random.one_in(20) { 4001 } else { number };
        self.set(2, number as u16);
        self.put(Op::syscall, Operands::default());
    }

    fn data_address(&mut self, register: u8) {
        let imm = self.random.below(48) as u16;
        self.put(
            Self::native(Op::daddiu, Op::addiu),
            Operands { rs: DATA, rt: register, imm, ..Operands::default() },
        );
    }

    /// Arguments of a read or a write: a short transfer, or the next part of a key.
    fn transfer(&mut self) {
        let fd = self.random.pick(&[0, 1, 2, 3, 4, 5, 5, 5, 6, 6, 7, 100]);
        if fd == 6 && self.random.one_in(2) {
            // A whole key, by writes of one word each.
            let word_bytes = A::WORD_BYTES as u16;
            let write = A::WRITE as u16;
            for part in 0..32 / word_bytes {
                self.set(4, 6);
                let imm = 512 + word_bytes * part;
                self.put(
                    Self::native(Op::daddiu, Op::addiu),
                    Operands { rs: DATA, rt: 5, imm, ..Operands::default() },
                );
                self.set(6, word_bytes);
                self.set(2, write);
                self.put(Op::syscall, Operands::default());
            }
        }
        self.set(4, fd);
        self.data_address(5);
        let count = self.random.below(12) as u16;
        self.set(6, count);
    }

    /// Any word at all.
    fn anything(&mut self) {
        if self.random.one_in(6) {
            let word = self.random.word() as u32;
            self.words.push(word);
        } else {
            self.compute();
        }
    }
}
