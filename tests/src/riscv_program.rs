//! Random RISC-V programs, made as [`program`](crate::program) makes those of Cannon: endless loops over a few
//! places of memory, whose addresses two registers keep.

use crate::case::Case;
use crate::program::value;
use crate::random::Random;
use rebut_fpvm::isa::riscv::{Format, Op, Operands, ROWS};
use rebut_fpvm::kernel::riscv::Syscall;
use rebut_fpvm::riscv::{A0, A7};
use rebut_fpvm::{Asterisc, AsteriscVersion};

/// Register that holds the address of the data.
const DATA: u8 = 28;
/// Register that holds the address of the code.
const CODE: u8 = 30;
/// Register for an address that an instruction is about to use.
const ADDRESS: u8 = 27;
/// Registers below this one are written without losing an address.
const WRITABLE: u64 = 27;
/// Where programs stand: low, at the end of a page, in the heaps of Go and of `mmap`, around the first
/// stack, where no window is, and at the very top.
const PLACES: [u64; 8] = [
    0x1_0000,
    0x2_0ff0,
    0x00c0_0001_0000,
    0x7f00_0000_0ff8,
    0x0fff_ffff_ffff_fe00,
    0x1000_0000_0000_0ff8,
    0x1234_5678_9abc_0000,
    0xffff_ffff_ffff_8000,
];
/// Bytes of data around the data register, before and after it.
const DATA_BYTES: u64 = 0x7c0;

/// A random program in a random state, ready to run.
///
/// `keys` are preimage keys that the oracle of the run knows.
pub fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case<Asterisc> {
    let code = random.pick(&PLACES);
    // Sometimes code and data share a page or even words.
    let data = match random.below(4) {
        0 => code.wrapping_add(0x400) & !7,
        1 => code.wrapping_sub(0x800) & !7,
        _ => random.pick(&PLACES).wrapping_add(0x5_0000) & !7,
    };
    let mut case = Case::<Asterisc>::at(AsteriscVersion, code);
    let limit = 24 + random.below(200) as usize;
    let mut writer = Writer { random, words: Vec::new(), limit };
    writer.fill();
    let words = writer.words;
    let noise = (0..256).map(|_| random.word() as u8).collect();
    case.memory.push((data.wrapping_sub(64), noise));
    if !keys.is_empty() {
        case.memory.push((data.wrapping_add(512), random.pick(keys).to_vec()));
        case.registers.preimage_key.0 = random.pick(keys);
        case.registers.preimage_offset = random.below(40);
    }
    case.memory.push((code, words.iter().flat_map(|w| w.to_le_bytes()).collect()));

    let r = &mut case.registers;
    r.heap = random.pick(&[0x7f00_0000_0000, u64::MAX - 0x1000]);
    r.step = random.below(1 << 40);
    let hart = &mut r.processor;
    hart.reservation = random.pick(&[0, data, data.wrapping_add(8)]);
    for register in hart.registers.iter_mut().skip(1) {
        *register = value(random);
    }
    hart.registers[usize::from(DATA)] = data;
    hart.registers[usize::from(CODE)] = code;
    case
}

/// Writes instructions, one idea after the other, and the jump back to the beginning.
struct Writer<'r> {
    random: &'r mut Random,
    words: Vec<u32>,
    limit: usize,
}

impl Writer<'_> {
    fn fill(&mut self) {
        while self.words.len() < self.limit {
            match self.random.below(32) {
                0..=14 => self.compute(),
                15..=20 => self.access(),
                21..=24 => self.branch(),
                25 => self.jump(),
                26 | 27 => self.atomic(),
                28 => self.patch_code(),
                29 | 30 => self.system_call(),
                _ => self.anything(),
            }
        }
        self.put(Op::jalr, Operands { rs1: CODE, ..Operands::default() });
    }

    fn put(&mut self, op: Op, operands: Operands) {
        self.words.push(op.encode(operands).0);
    }

    /// A register that may be written without losing an address, mostly.
    fn target(&mut self) -> u8 {
        let end = if self.random.one_in(200) { 32 } else { WRITABLE };
        self.random.below(end) as u8
    }

    fn any_operands(&mut self) -> Operands {
        let rd = self.target();
        let r = &mut *self.random;
        let imm = match r.below(3) {
            0 => r.word() as i32,
            1 => r.pick(&[0, 1, 2047, -2048, -1]),
            _ => r.below(64) as i32,
        };
        let (rs1, rs2) = (r.below(32) as u8, r.below(32) as u8);
        Operands { rd, rs1, rs2, shamt: r.below(64) as u8, imm }
    }

    /// Any instruction that neither goes elsewhere nor touches memory, and rarely one that faults.
    fn compute(&mut self) {
        loop {
            let row = self.random.pick(ROWS);
            let elsewhere = matches!(
                row.format,
                Format::Load
                    | Format::Store
                    | Format::Amo
                    | Format::Reserve
                    | Format::Branch
                    | Format::Jump
                    | Format::Through
            );
            let rare = matches!(row.op, Op::ecall)
                || (row.op == Op::mulhw || row.op == Op::wfi) && !self.random.one_in(20);
            if !elsewhere && !rare {
                let operands = self.any_operands();
                return self.put(row.op, operands);
            }
        }
    }

    fn offset(&mut self) -> i32 {
        match self.random.below(4) {
            0 => self.random.below(2 * DATA_BYTES) as i32 - DATA_BYTES as i32,
            _ => self.random.below(128) as i32 - 40,
        }
    }

    /// A load or a store of any alignment, rarely through whatever a register holds.
    fn access(&mut self) {
        loop {
            let row = self.random.pick(ROWS);
            if matches!(row.format, Format::Load | Format::Store) {
                let any = self.any_operands();
                let rs1 = if self.random.one_in(24) { any.rs1 } else { DATA };
                let operands = Operands { rs1, imm: self.offset(), ..any };
                return self.put(row.op, operands);
            }
        }
    }

    /// A branch to a place nearby. Mostly forward, so that a program does not stay in a small loop.
    fn branch(&mut self) {
        loop {
            let row = self.random.pick(ROWS);
            if row.format == Format::Branch {
                let here = self.words.len() as u64;
                let words = match self.random.below(6) {
                    0 => -(self.random.below(here + 1) as i32),
                    _ => self.random.below(12) as i32 + 1,
                };
                // Half an instruction too far, which faults where it is taken.
                let odd = if self.random.one_in(200) { 2 } else { 0 };
                let operands = Operands { imm: 4 * words + odd, ..self.any_operands() };
                return self.put(row.op, operands);
            }
        }
    }

    /// Back to the start with some words skipped: by an offset, or to the address in a register.
    fn jump(&mut self) {
        let here = self.words.len() as u64;
        let rd = self.target();
        if self.random.one_in(2) {
            let imm = -4 * (self.random.below(here + 1) as i32);
            return self.put(Op::jal, Operands { rd, imm, ..Operands::default() });
        }
        let odd = if self.random.one_in(40) { 2 } else { self.random.below(2) as i32 };
        let imm = 4 * self.random.below(here + 1) as i32 + odd;
        self.put(Op::jalr, Operands { rd, rs1: CODE, imm, ..Operands::default() });
    }

    /// An atomic instruction, or a load-reserved with the store that belongs to it.
    fn atomic(&mut self) {
        let odd = if self.random.one_in(30) { 2 } else { 0 };
        let imm = 8 * self.random.below(8) as i32 + odd;
        self.put(Op::addi, Operands { rd: ADDRESS, rs1: DATA, imm, ..Operands::default() });
        let at = |any: Operands| Operands { rs1: ADDRESS, ..any };
        if self.random.one_in(3) {
            let (load, store) = self.random.pick(&[(Op::lr_w, Op::sc_w), (Op::lr_d, Op::sc_d)]);
            let any = self.any_operands();
            self.put(load, at(any));
            match self.random.below(4) {
                0 => self.access(),
                1 => self.compute(),
                _ => {}
            }
            let any = self.any_operands();
            return self.put(store, at(any));
        }
        loop {
            let row = self.random.pick(ROWS);
            if row.format == Format::Amo {
                let any = self.any_operands();
                return self.put(row.op, at(any));
            }
        }
    }

    /// Replaces one instruction of the program by another harmless one.
    fn patch_code(&mut self) {
        let place = 4 * self.random.below(self.limit as u64) as i32;
        let imm = self.random.word() as i32;
        let word = Op::xori.encode(Operands { rd: 4, rs1: 3, imm, ..Operands::default() }).0;
        self.constant(5, word as i32);
        self.put(Op::sw, Operands { rs1: CODE, rs2: 5, imm: place, ..Operands::default() });
    }

    /// Sets a register to 32 bits, sign-extended: the upper ones first, made up for the sign of the lower.
    fn constant(&mut self, rd: u8, value: i32) {
        let upper = value.wrapping_add(0x800);
        self.put(Op::lui, Operands { rd, imm: upper, ..Operands::default() });
        self.put(Op::addiw, Operands { rd, rs1: rd, imm: value, ..Operands::default() });
    }

    fn set(&mut self, register: usize, value: i32) {
        self.put(Op::addi, Operands { rd: register as u8, imm: value, ..Operands::default() });
    }

    fn data_address(&mut self, register: usize) {
        let imm = self.random.below(96) as i32;
        let rd = register as u8;
        self.put(Op::addi, Operands { rd, rs1: DATA, imm, ..Operands::default() });
    }

    /// Number and arguments are set, then the call.
    fn system_call(&mut self) {
        let (syscall, number) = self.random.pick(Syscall::ALL);
        // The calls that end the machine or fault would end the program too soon.
        let ends = matches!(
            syscall,
            Syscall::exit
                | Syscall::exit_group
                | Syscall::futex
                | Syscall::nanosleep
                | Syscall::prlimit64
        );
        if ends && !self.random.one_in(8) {
            return self.compute();
        }
        match syscall {
            Syscall::read | Syscall::write => self.transfer(),
            Syscall::clock_gettime => self.data_address(A0 + 1),
            Syscall::getrlimit => {
                let resource = if self.random.one_in(20) { 6 } else { 7 };
                self.set(A0, resource);
                self.data_address(A0 + 1);
            }
            Syscall::fcntl => {
                let (fd, command) = (self.random.below(9) as i32, self.random.below(5) as i32);
                self.set(A0, fd);
                self.set(A0 + 1, command);
            }
            Syscall::mmap => {
                let address = if self.random.one_in(2) { 0 } else { 0x400 };
                self.set(A0, address);
                let flags = self.random.pick(&[0x22, 0x22, 0x22, 2]);
                self.set(A0 + 3, flags);
                let fd = self.random.pick(&[-1, -1, -1, 3]);
                self.set(A0 + 4, fd);
            }
            _ => {}
        }
        let number = if self.random.one_in(30) { 1 } else { number };
        self.set(A7, number as i32);
        self.put(Op::ecall, Operands::default());
    }

    /// Arguments of a read or a write: a short transfer, or a whole key.
    fn transfer(&mut self) {
        let fd = self.random.pick(&[0, 1, 2, 3, 4, 5, 5, 5, 6, 6, 7, 100]);
        self.set(A0, fd);
        self.data_address(A0 + 1);
        let count = self.random.below(40) as i32;
        self.set(A0 + 2, count);
        if fd == 6 && self.random.one_in(2) {
            // A whole key, leaf by leaf.
            for (place, count) in [(512, 32), (544, 32)] {
                self.set(A0, 6);
                let rd = A0 as u8 + 1;
                self.put(Op::addi, Operands { rd, rs1: DATA, imm: place, ..Operands::default() });
                self.set(A0 + 2, count);
                self.set(A7, 64);
                self.put(Op::ecall, Operands::default());
            }
            self.set(A0, 5);
        }
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
