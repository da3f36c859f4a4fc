//! The plain step: the reference engine. One method per row of the instruction table, computing through
//! the semantics; it fetches from memory at every step and records what a proof needs.

use super::error::{Fault, undefined};
use super::{Asterisc, Hart};
use crate::isa::riscv::{Op, Visitor, Word, semantics as riscv};
use crate::isa::{rows, semantics as op};
use crate::machine::error::StepError;
use crate::machine::{Machine, Recorder};
use crate::memory::Memory;

/// Bytes of a leaf of the memory tree.
const LEAF_BYTES: u64 = 32;
const INSTRUCTION_BYTES: u64 = 4;

/// Fetches and executes the instruction at pc.
#[inline(always)]
pub(super) fn execute(machine: &mut Machine<'_, Asterisc>) -> Result<(), StepError> {
    let hart = &mut machine.state.registers.processor;
    let memory = &mut machine.state.memory;
    let pc = hart.pc;
    if room(pc) < INSTRUCTION_BYTES {
        return Err(Fault::Fetch { pc }.into());
    }
    let word = Word(memory.load_u32(pc).swap_bytes());
    match Op::decode(word) {
        None => Err(undefined(word, pc, hart.registers[word.rs1()]).into()),
        Some(Op::ecall) => machine.ecall(),
        Some(op) => {
            let mut step = Step { hart, memory, recorder: &mut machine.recorder };
            Ok(op.visit(word, &mut step)?)
        }
    }
}

/// Bytes from an address to the end of its leaf.
const fn room(address: u64) -> u64 {
    LEAF_BYTES - address % LEAF_BYTES
}

/// Writes bytes at any address, leaf by leaf, as the verifier does: the proof of the right leaf is taken
/// after the left one was written.
pub(crate) fn store(memory: &mut Memory, recorder: &mut Recorder, address: u64, bytes: &[u8]) {
    let (left, right) = bytes.split_at(bytes.len().min(room(address) as usize));
    recorder.record(memory, address);
    memory.write_range(address, left);
    if !right.is_empty() {
        let address = address.wrapping_add(left.len() as u64);
        recorder.record(memory, address);
        memory.write_range(address, right);
    }
}

/// One instruction at work on the state of the hart.
struct Step<'a> {
    hart: &'a mut Hart,
    memory: &'a mut Memory,
    recorder: &'a mut Recorder,
}

type Done = Result<(), Fault>;

impl Step<'_> {
    #[inline(always)]
    fn register(&self, n: usize) -> u64 {
        self.hart.registers[n]
    }

    #[inline(always)]
    fn write(&mut self, register: usize, value: u64) {
        if register != 0 {
            self.hart.registers[register] = value;
        }
    }

    /// Writes a result and goes on; register 0 stays zero.
    #[inline(always)]
    fn finish(&mut self, register: usize, value: u64) -> Done {
        self.write(register, value);
        self.hart.advance();
        Ok(())
    }

    #[inline(always)]
    fn rs1_rs2(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        self.finish(w.rd(), f(self.register(w.rs1()), self.register(w.rs2())))
    }

    #[inline(always)]
    fn rs1_imm(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        self.finish(w.rd(), f(self.register(w.rs1()), w.imm()))
    }

    #[inline(always)]
    fn rs1_shamt(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        self.finish(w.rd(), f(self.register(w.rs1()), w.shamt()))
    }

    /// The bytes at any address.
    #[inline(always)]
    fn bytes<const N: usize>(&mut self, address: u64) -> [u8; N] {
        self.recorder.record(self.memory, address);
        if room(address) < N as u64 {
            self.recorder.record(self.memory, address.wrapping_add(N as u64 - 1));
        }
        let mut bytes = [0; N];
        self.memory.read_range(address, &mut bytes);
        bytes
    }

    #[inline(always)]
    fn load<const N: usize>(&mut self, w: Word, f: impl Fn([u8; N]) -> u64) -> Done {
        let bytes = self.bytes(self.register(w.rs1()).wrapping_add(w.imm()));
        self.finish(w.rd(), f(bytes))
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, w: Word, f: impl Fn(u64) -> [u8; N]) -> Done {
        let address = self.register(w.rs1()).wrapping_add(w.store_offset());
        let bytes = f(self.register(w.rs2()));
        store(self.memory, self.recorder, address, &bytes);
        self.hart.advance();
        Ok(())
    }

    /// Goes to `target`, which must be aligned whatever led there.
    #[inline(always)]
    fn go(&mut self, target: u64) -> Done {
        if !target.is_multiple_of(INSTRUCTION_BYTES) {
            return Err(Fault::Alignment { address: target, pc: self.hart.pc });
        }
        self.hart.pc = target;
        Ok(())
    }

    #[inline(always)]
    fn branch(&mut self, w: Word, taken: impl Fn(u64, u64) -> bool) -> Done {
        let taken = taken(self.register(w.rs1()), self.register(w.rs2()));
        let offset = if taken { w.branch_offset() } else { INSTRUCTION_BYTES };
        self.go(self.hart.pc.wrapping_add(offset))
    }

    fn jump(&mut self, w: Word, target: u64) -> Done {
        let link = self.hart.pc.wrapping_add(INSTRUCTION_BYTES);
        self.go(target)?;
        self.write(w.rd(), link);
        Ok(())
    }

    /// The address of an atomic instruction.
    fn aligned<const N: usize>(&self, w: Word) -> Result<u64, Fault> {
        let address = self.register(w.rs1());
        if address.is_multiple_of(N as u64) {
            Ok(address)
        } else {
            Err(Fault::Alignment { address, pc: self.hart.pc })
        }
    }

    fn reserve<const N: usize>(&mut self, w: Word, f: impl Fn([u8; N]) -> u64) -> Done {
        let address = self.aligned::<N>(w)?;
        let value = f(self.bytes(address));
        self.hart.reservation = address;
        self.finish(w.rd(), value)
    }

    /// Neither the size nor writes in between matter to a reservation. It ends here in any case.
    fn store_conditional<const N: usize>(&mut self, w: Word, f: impl Fn(u64) -> [u8; N]) -> Done {
        let address = self.aligned::<N>(w)?;
        let holds = std::mem::take(&mut self.hart.reservation) == address;
        if holds {
            let bytes = f(self.register(w.rs2()));
            store(self.memory, self.recorder, address, &bytes);
        }
        self.finish(w.rd(), (!holds).into())
    }

    fn modify_word(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        let address = self.aligned::<4>(w)?;
        let old = word(self.bytes(address));
        let new = f(old, op::sext32(self.register(w.rs2())));
        self.memory.write_range(address, &(new as u32).to_le_bytes());
        self.finish(w.rd(), old)
    }

    fn modify_doubleword(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        let address = self.aligned::<8>(w)?;
        let old = u64::from_le_bytes(self.bytes(address));
        let new = f(old, self.register(w.rs2()));
        self.memory.write_range(address, &new.to_le_bytes());
        self.finish(w.rd(), old)
    }

    #[inline(always)]
    fn nothing(&mut self, _: Word) -> Done {
        self.hart.advance();
        Ok(())
    }

    fn no_register(&mut self, w: Word) -> Done {
        self.finish(w.rd(), 0)
    }
}

/// A word with its sign.
fn word(bytes: [u8; 4]) -> u64 {
    i32::from_le_bytes(bytes) as u64
}

impl Visitor for Step<'_> {
    type Output = Done;

    rows! {
        lb: load(|b| i8::from_le_bytes(b) as u64);
        lh: load(|b| i16::from_le_bytes(b) as u64);
        lw: load(word);
        ld: load(u64::from_le_bytes);
        lbu: load(|b| u8::from_le_bytes(b).into());
        lhu: load(|b| u16::from_le_bytes(b).into());
        lwu: load(|b| u32::from_le_bytes(b).into());
        fload: nothing();
        fence: nothing();
        addi: rs1_imm(op::add64);
        slli: rs1_shamt(op::sll64);
        slti: rs1_imm(op::slt);
        sltiu: rs1_imm(op::sltu);
        xori: rs1_imm(op::xor);
        srli: rs1_shamt(op::srl64);
        srai: rs1_shamt(op::sra64);
        ori: rs1_imm(op::or);
        andi: rs1_imm(op::and);
        addiw: rs1_imm(op::add32);
        slliw: rs1_shamt(op::sll32);
        srliw: rs1_shamt(op::srl32);
        sraiw: rs1_shamt(op::sra32);
        sb: store(|v| (v as u8).to_le_bytes());
        sh: store(|v| (v as u16).to_le_bytes());
        sw: store(|v| (v as u32).to_le_bytes());
        sd: store(u64::to_le_bytes);
        fstore: nothing();
        amoadd_w: modify_word(op::add64);
        amoswap_w: modify_word(riscv::second);
        lr_w: reserve(word);
        sc_w: store_conditional(|v| (v as u32).to_le_bytes());
        amoxor_w: modify_word(op::xor);
        amoor_w: modify_word(op::or);
        amoand_w: modify_word(op::and);
        amomin_w: modify_word(riscv::min);
        amomax_w: modify_word(riscv::max);
        amominu_w: modify_word(riscv::minu);
        amomaxu_w: modify_word(riscv::maxu);
        amoadd_d: modify_doubleword(op::add64);
        amoswap_d: modify_doubleword(riscv::second);
        lr_d: reserve(u64::from_le_bytes);
        sc_d: store_conditional(u64::to_le_bytes);
        amoxor_d: modify_doubleword(op::xor);
        amoor_d: modify_doubleword(op::or);
        amoand_d: modify_doubleword(op::and);
        amomin_d: modify_doubleword(riscv::min);
        amomax_d: modify_doubleword(riscv::max);
        amominu_d: modify_doubleword(riscv::minu);
        amomaxu_d: modify_doubleword(riscv::maxu);
        add: rs1_rs2(op::add64);
        sub: rs1_rs2(op::sub64);
        sll: rs1_rs2(op::sll64);
        slt: rs1_rs2(op::slt);
        sltu: rs1_rs2(op::sltu);
        xor: rs1_rs2(op::xor);
        srl: rs1_rs2(op::srl64);
        sra: rs1_rs2(op::sra64);
        or: rs1_rs2(op::or);
        and: rs1_rs2(op::and);
        mul: rs1_rs2(riscv::mul);
        mulh: rs1_rs2(riscv::mulh);
        mulhsu: rs1_rs2(riscv::mulhsu);
        mulhu: rs1_rs2(riscv::mulhu);
        div: rs1_rs2(riscv::div);
        divu: rs1_rs2(riscv::divu);
        rem: rs1_rs2(riscv::rem);
        remu: rs1_rs2(riscv::remu);
        addw: rs1_rs2(op::add32);
        subw: rs1_rs2(op::sub32);
        sllw: rs1_rs2(op::sll32);
        srlw: rs1_rs2(op::srl32);
        sraw: rs1_rs2(op::sra32);
        mulw: rs1_rs2(op::mul32);
        divw: rs1_rs2(riscv::divw);
        divuw: rs1_rs2(riscv::divuw);
        remw: rs1_rs2(riscv::remw);
        remuw: rs1_rs2(riscv::remuw);
        farith: nothing();
        beq: branch(op::eq);
        bne: branch(op::ne);
        bnever: branch(op::never);
        blt: branch(riscv::lt);
        bge: branch(riscv::ge);
        bltu: branch(riscv::ltu);
        bgeu: branch(riscv::geu);
        ebreak: nothing();
        wfi: nothing();
        csrrw: no_register();
        csrrs: no_register();
        csrrc: no_register();
        hlv: no_register();
        csrrwi: no_register();
        csrrsi: no_register();
        csrrci: no_register();
    }

    fn auipc(&mut self, w: Word) -> Done {
        self.finish(w.rd(), self.hart.pc.wrapping_add(w.upper()))
    }

    fn lui(&mut self, w: Word) -> Done {
        self.finish(w.rd(), w.upper())
    }

    fn jal(&mut self, w: Word) -> Done {
        self.jump(w, self.hart.pc.wrapping_add(w.jump_offset()))
    }

    fn jalr(&mut self, w: Word) -> Done {
        self.jump(w, self.register(w.rs1()).wrapping_add(w.imm()) & !1)
    }

    fn mulhw(&mut self, w: Word) -> Done {
        Err(Fault::Instruction { word: w.0, pc: self.hart.pc })
    }

    /// System calls reach beyond the hart: the machine hands them to the kernel before it comes here.
    fn ecall(&mut self, w: Word) -> Done {
        Err(Fault::Instruction { word: w.0, pc: self.hart.pc })
    }
}
