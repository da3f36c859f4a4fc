//! The plain step: the reference engine. One method per row of the instruction table, computing through
//! [`semantics`]; it fetches from memory at every step and records what a proof needs.

use super::state::{Cpu, RA};
use super::threads::ReservationStatus;
use super::{Arch, Atomics};
use crate::isa::{Op, Visitor, Word, rows, semantics as op};
use crate::machine::error::{Fault, StepError};
use crate::machine::{Machine, Recorder};
use crate::memory::Memory;

/// The address `offset` bytes behind `pc`.
#[inline(always)]
fn behind<A: Arch>(pc: u64, offset: u64) -> u64 {
    A::wrap(pc.wrapping_add(offset))
}

impl Cpu {
    /// Goes on behind an instruction that is no jump.
    #[inline(always)]
    pub(crate) fn advance<A: Arch>(&mut self) {
        self.pc = self.next_pc;
        self.next_pc = behind::<A>(self.next_pc, 4);
    }

    #[inline(always)]
    fn in_delay_slot<A: Arch>(&self) -> bool {
        self.next_pc != behind::<A>(self.pc, 4)
    }
}

/// Where blocks may take over from plain steps. A state file may hold a register 0 that is not zero; decoded
/// code relies on it.
pub(crate) fn block_entry<A: Arch>(cpu: &Cpu) -> Option<u64> {
    let ordinary = !cpu.in_delay_slot::<A>() && cpu.pc & 3 == 0 && cpu.registers[0] == 0;
    ordinary.then_some(cpu.pc)
}

/// Fetches and executes the instruction at pc.
#[inline(always)]
pub(crate) fn execute<A: Arch>(machine: &mut Machine<'_, A>) -> Result<(), StepError> {
    let r = &mut machine.state.registers;
    let memory = &mut machine.state.memory;
    let pc = A::cpu(&r.processor).ok_or(Fault::NoThread)?.pc;
    if pc & 3 != 0 {
        return Err(Fault::UnalignedPc { pc }.into());
    }
    let word = Word(memory.load_u32(pc));
    machine.stats.fetched(pc, A::CODE_CACHE_END);
    let op = A::decode(word).ok_or(Fault::InvalidInstruction { word: word.0, pc })?;
    if op == Op::syscall {
        return A::syscall(machine);
    }
    let (cpu, atomics) =
        A::cpu_and_atomics(&mut r.processor, &mut machine.stats, r.step).ok_or(Fault::NoThread)?;
    let mut step = Step::<A> { cpu, memory, atomics, recorder: &mut machine.recorder };
    Ok(op.visit(word, &mut step)?)
}

/// One instruction at work on the state of its thread.
struct Step<'a, A: Arch> {
    cpu: &'a mut Cpu,
    memory: &'a mut Memory,
    atomics: A::Atomics<'a>,
    recorder: &'a mut Recorder,
}

type Done = Result<(), Fault>;

impl<A: Arch> Step<'_, A> {
    #[inline(always)]
    fn register(&self, n: usize) -> u64 {
        self.cpu.registers[n]
    }

    /// Writes a result and goes on; register 0 stays zero.
    #[inline(always)]
    fn finish(&mut self, register: usize, value: u64) -> Done {
        if register != 0 {
            self.cpu.registers[register] = value;
        }
        self.cpu.advance::<A>();
        Ok(())
    }

    #[inline(always)]
    fn rd_rs_rt(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        self.finish(w.rd(), f(self.register(w.rs()), self.register(w.rt())))
    }

    #[inline(always)]
    fn rd_rt_sa(&mut self, w: Word, f: impl Fn(u64, u64) -> u64, more: u32) -> Done {
        self.finish(w.rd(), f(self.register(w.rt()), (w.sa() + more).into()))
    }

    #[inline(always)]
    fn rd_rt_rs(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        self.finish(w.rd(), f(self.register(w.rt()), self.register(w.rs())))
    }

    #[inline(always)]
    fn rd_rs(&mut self, w: Word, f: impl Fn(u64) -> u64) -> Done {
        self.finish(w.rd(), f(self.register(w.rs())))
    }

    #[inline(always)]
    fn rt_imm(&mut self, w: Word, imm: fn(Word) -> u64, f: impl Fn(u64, u64) -> u64) -> Done {
        self.finish(w.rt(), f(self.register(w.rs()), imm(w)))
    }

    #[inline(always)]
    fn hi_lo(&mut self, w: Word, (hi, lo): op::HiLo) -> Done {
        self.cpu.hi = hi;
        self.cpu.lo = lo;
        self.finish(w.rd(), 0)
    }

    #[inline(always)]
    fn product(&mut self, w: Word, f: impl Fn(u64, u64) -> op::HiLo) -> Done {
        self.hi_lo(w, f(self.register(w.rs()), self.register(w.rt())))
    }

    #[inline(always)]
    fn quotient(&mut self, w: Word, f: impl Fn(u64, u64) -> Option<op::HiLo>) -> Done {
        let result = f(self.register(w.rs()), self.register(w.rt()));
        self.hi_lo(w, result.ok_or(Fault::DivisionByZero { pc: self.cpu.pc })?)
    }

    fn jump(&mut self, link: usize, target: u64) -> Done {
        if self.cpu.in_delay_slot::<A>() {
            return Err(Fault::JumpInDelaySlot { pc: self.cpu.pc });
        }
        if link != 0 {
            self.cpu.registers[link] = A::link(behind::<A>(self.cpu.pc, 8));
        }
        self.cpu.pc = self.cpu.next_pc;
        self.cpu.next_pc = target;
        Ok(())
    }

    #[inline(always)]
    fn jump_target(&self, w: Word) -> u64 {
        self.cpu.next_pc & op::JUMP_REGION | w.jump()
    }

    #[inline(always)]
    fn branch(&mut self, w: Word, taken: impl Fn(u64, u64) -> bool, link: bool) -> Done {
        let taken = taken(self.register(w.rs()), self.register(w.rt()));
        if self.cpu.in_delay_slot::<A>() {
            return Err(Fault::BranchInDelaySlot { pc: self.cpu.pc });
        }
        if link {
            self.cpu.registers[RA] = A::link(behind::<A>(self.cpu.pc, 8));
        }
        let target = behind::<A>(self.cpu.next_pc, w.imm() << 2);
        self.cpu.advance::<A>();
        if taken {
            self.cpu.next_pc = target;
        }
        Ok(())
    }

    #[inline(always)]
    fn address(&self, w: Word) -> u64 {
        A::wrap(self.register(w.rs()).wrapping_add(w.imm()))
    }

    /// The doubleword that holds the accessed byte.
    #[inline(always)]
    fn dword(&mut self, address: u64) -> u64 {
        self.recorder.record(self.memory, address);
        self.memory.load_u64(address & !7)
    }

    #[inline(always)]
    fn load(&mut self, w: Word, f: impl Fn(u64, u64) -> u64) -> Done {
        let address = self.address(w);
        let dword = self.dword(address);
        self.finish(w.rt(), f(address, dword))
    }

    #[inline(always)]
    fn load_part(&mut self, w: Word, f: impl Fn(u64, u64, u64) -> u64) -> Done {
        let address = self.address(w);
        let dword = self.dword(address);
        self.finish(w.rt(), f(address, dword, self.register(w.rt())))
    }

    #[inline(always)]
    fn store(&mut self, w: Word, f: impl Fn(u64, u64, u64) -> u64) -> Done {
        let address = self.address(w);
        let dword = self.dword(address);
        self.memory.store_u64(address & !7, f(address, dword, self.register(w.rt())));
        self.atomics.stored(address & !7);
        self.cpu.advance::<A>();
        Ok(())
    }

    fn load_linked(
        &mut self,
        w: Word,
        status: ReservationStatus,
        f: impl Fn(u64, u64) -> u64,
    ) -> Done {
        let address = self.address(w);
        self.atomics.reserve(status, address);
        self.load(w, f)
    }

    /// Stores only under the reservation.
    fn store_conditional(
        &mut self,
        w: Word,
        status: ReservationStatus,
        f: impl Fn(u64, u64, u64) -> u64,
    ) -> Done {
        let address = self.address(w);
        let holds = self.atomics.take(status, address);
        if holds {
            let dword = self.dword(address);
            self.memory.store_u64(address & !7, f(address, dword, self.register(w.rt())));
        }
        self.finish(w.rt(), holds.into())
    }
}

impl<A: Arch> Visitor for Step<'_, A> {
    type Output = Done;

    rows! {
        sll: rd_rt_sa(op::sll32, 0);
        srl: rd_rt_sa(op::srl32, 0);
        sra: rd_rt_sa(op::sra32, 0);
        dsll: rd_rt_sa(op::sll64, 0);
        dsrl: rd_rt_sa(op::srl64, 0);
        dsra: rd_rt_sa(op::sra64, 0);
        dsll32: rd_rt_sa(op::sll64, 32);
        dsrl32: rd_rt_sa(op::srl64, 32);
        dsra32: rd_rt_sa(op::sra64, 32);
        sllv: rd_rt_rs(op::sll32);
        srlv: rd_rt_rs(op::srl32);
        srav: rd_rt_rs(op::sra32);
        dsllv: rd_rt_rs(op::sll64);
        dsrlv: rd_rt_rs(op::srl64);
        dsrav: rd_rt_rs(op::sra64);
        add: rd_rs_rt(op::add32);
        addu: rd_rs_rt(op::add32);
        sub: rd_rs_rt(op::sub32);
        subu: rd_rs_rt(op::sub32);
        dadd: rd_rs_rt(op::add64);
        daddu: rd_rs_rt(op::add64);
        dsub: rd_rs_rt(op::sub64);
        dsubu: rd_rs_rt(op::sub64);
        and: rd_rs_rt(op::and);
        or: rd_rs_rt(op::or);
        xor: rd_rs_rt(op::xor);
        nor: rd_rs_rt(op::nor);
        slt: rd_rs_rt(op::slt);
        sltu: rd_rs_rt(op::sltu);
        mul: rd_rs_rt(op::mul32);
        clz: rd_rs(op::clz32);
        clo: rd_rs(op::clo32);
        dclz: rd_rs(op::clz64);
        dclo: rd_rs(op::clo64);
        mult: product(op::mult);
        multu: product(op::multu);
        dmult: product(op::dmult);
        dmultu: product(op::dmultu);
        div: quotient(op::div);
        divu: quotient(op::divu);
        ddiv: quotient(op::ddiv);
        ddivu: quotient(op::ddivu);
        addi: rt_imm(Word::imm, op::add32);
        addiu: rt_imm(Word::imm, op::add32);
        daddi: rt_imm(Word::imm, op::add64);
        daddiu: rt_imm(Word::imm, op::add64);
        slti: rt_imm(Word::imm, op::slt);
        sltiu: rt_imm(Word::imm, op::sltu);
        andi: rt_imm(Word::uimm, op::and);
        ori: rt_imm(Word::uimm, op::or);
        xori: rt_imm(Word::uimm, op::xor);
        lb: load(op::lb);
        lbu: load(op::lbu);
        lh: load(op::lh);
        lhu: load(op::lhu);
        lw: load(op::lw);
        lwu: load(op::lwu);
        ld: load(|_, dword| dword);
        lwl: load_part(op::lwl);
        lwr: load_part(op::lwr);
        ldl: load_part(op::ldl);
        ldr: load_part(op::ldr);
        sb: store(op::sb);
        sh: store(op::sh);
        sw: store(op::sw);
        sd: store(|_, _, rt| rt);
        swl: store(op::swl);
        swr: store(op::swr);
        sdl: store(op::sdl);
        sdr: store(op::sdr);
        ll: load_linked(ReservationStatus::Word, op::lw);
        lld: load_linked(ReservationStatus::Doubleword, |_, dword| dword);
        sc: store_conditional(ReservationStatus::Word, op::sw);
        scd: store_conditional(ReservationStatus::Doubleword, |_, _, rt| rt);
        beq: branch(op::eq, false);
        bne: branch(op::ne, false);
        blez: branch(op::lez, false);
        bgtz: branch(op::gtz, false);
        bltz: branch(op::ltz, false);
        bgez: branch(op::gez, false);
        bltzal: branch(op::ltz, true);
        bgezal: branch(op::gez, true);
        bnever: branch(op::never, false);
    }

    fn lui(&mut self, w: Word) -> Done {
        self.finish(w.rt(), op::lui(w.uimm()))
    }

    fn movz(&mut self, w: Word) -> Done {
        let moves = self.register(w.rt()) == 0;
        self.finish(if moves { w.rd() } else { 0 }, self.register(w.rs()))
    }

    fn movn(&mut self, w: Word) -> Done {
        let moves = self.register(w.rt()) != 0;
        self.finish(if moves { w.rd() } else { 0 }, self.register(w.rs()))
    }

    fn sync(&mut self, w: Word) -> Done {
        self.finish(w.rd(), self.register(w.rs()))
    }

    fn mfhi(&mut self, w: Word) -> Done {
        self.finish(w.rd(), self.cpu.hi)
    }

    fn mflo(&mut self, w: Word) -> Done {
        self.finish(w.rd(), self.cpu.lo)
    }

    fn mthi(&mut self, w: Word) -> Done {
        self.cpu.hi = self.register(w.rs());
        self.finish(w.rd(), 0)
    }

    fn mtlo(&mut self, w: Word) -> Done {
        self.cpu.lo = self.register(w.rs());
        self.finish(w.rd(), 0)
    }

    fn j(&mut self, w: Word) -> Done {
        self.jump(0, self.jump_target(w))
    }

    fn jal(&mut self, w: Word) -> Done {
        self.jump(RA, self.jump_target(w))
    }

    fn jr(&mut self, w: Word) -> Done {
        self.jump(0, A::wrap(self.register(w.rs())))
    }

    fn jalr(&mut self, w: Word) -> Done {
        self.jump(w.rd(), A::wrap(self.register(w.rs())))
    }

    /// System calls reach beyond one thread: the machine hands them to the kernel before it comes here.
    fn syscall(&mut self, w: Word) -> Done {
        Err(Fault::InvalidInstruction { word: w.0, pc: self.cpu.pc })
    }
}
