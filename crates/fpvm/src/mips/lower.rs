//! From instruction words to the work of slots: the second visitor of the instruction table.

use super::Arch;
use super::state::RA;
use super::works::{HI, Kind, LO, Test};
use crate::blocks::{self, SINK, TARGET, or_sink};
use crate::isa::{Visitor, Word, rows, semantics};
use std::marker::PhantomData;

type Draft = blocks::Draft<Kind>;
type Lowered<A> = blocks::Lowered<A>;

/// Lowers the instruction at `pc`.
struct Lower<A> {
    pc: u64,
    arch: PhantomData<A>,
}

/// What becomes of the instruction `word` at `pc`.
pub fn lower<A: Arch>(word: u32, pc: u64) -> Lowered<A> {
    let word = Word(word);
    match A::decode(word) {
        Some(op) => op.visit(word, &mut Lower { pc, arch: PhantomData }),
        None => Lowered::Plain,
    }
}

impl<A: Arch> Lower<A> {
    /// rd = rs op rt.
    fn rd_rs_rt(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::one(kind, w.rd(), w.rs(), w.rt(), 0)
    }

    /// As [`rd_rs_rt`](Self::rd_rs_rt), where a zero operand leaves the other as it is.
    fn sum(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::sum(kind, w.rd(), w.rs(), w.rt())
    }

    fn rd_rt_rs(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::one(kind, w.rd(), w.rt(), w.rs(), 0)
    }

    fn rd_rt_sa(&self, w: Word, kind: Kind, more: i32) -> Lowered<A> {
        Lowered::one(kind, w.rd(), w.rt(), 0, w.sa() as i32 + more)
    }

    fn rd_rs(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::one(kind, w.rd(), w.rs(), 0, 0)
    }

    fn rt_imm(&self, w: Word, kind: Kind, imm: fn(Word) -> u64) -> Lowered<A> {
        Lowered::one(kind, w.rt(), w.rs(), 0, imm(w) as i32)
    }

    fn rt_sum(&self, w: Word, kind: Kind, imm: fn(Word) -> u64) -> Lowered<A> {
        Lowered::sum_imm(kind, w.rt(), w.rs(), imm(w) as i32)
    }

    /// A sum of words. Of a register and zero it is the register's low word, so not always the register.
    fn rt_word(&self, w: Word) -> Lowered<A> {
        match w.rs() {
            0 => self.rt_sum(w, Kind::Add32Imm, Word::imm),
            _ => self.rt_imm(w, Kind::Add32Imm, Word::imm),
        }
    }

    /// What writes HI and LO, and zero to rd.
    fn hi_lo(&self, w: Word, kind: Kind) -> Lowered<A> {
        with_zero(w, Draft::new(kind, SINK, w.rs() as u8, w.rt() as u8, 0))
    }

    fn from(&self, w: Word, register: u8) -> Lowered<A> {
        Lowered::one(Kind::Move, w.rd(), register.into(), 0, 0)
    }

    fn to(&self, w: Word, register: u8) -> Lowered<A> {
        with_zero(w, Draft::new(Kind::Move, register, w.rs() as u8, 0, 0))
    }

    fn load(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::one(kind, w.rt(), w.rs(), 0, w.imm() as i32)
    }

    fn load_part(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::one(kind, w.rt(), w.rs(), w.rt(), w.imm() as i32)
    }

    fn store(&self, w: Word, kind: Kind) -> Lowered<A> {
        Lowered::One(Draft::new(kind, SINK, w.rs() as u8, w.rt() as u8, w.imm() as i32))
    }

    /// These work on the reservation, whatever their register.
    fn linked(&self, w: Word, kind: Kind) -> Lowered<A> {
        let (rs, rt) = (w.rs() as u8, w.rt() as u8);
        Lowered::One(Draft::new(kind, or_sink(w.rt()), rs, rt, w.imm() as i32))
    }

    fn branch(&self, w: Word, test: Test, compared: [usize; 2], link: usize) -> Lowered<A> {
        let target = A::wrap(self.pc.wrapping_add(4).wrapping_add(w.imm() << 2));
        Lowered::branch(test, compared, target, link)
    }

    /// A branch that compares rs with zero.
    fn sign(&self, w: Word, test: Test, link: usize) -> Lowered<A> {
        // The link would change the condition's register before the condition is looked at.
        if link != 0 && link == w.rs() {
            return Lowered::Plain;
        }
        self.branch(w, test, [w.rs(), 0], link)
    }

    fn compare(&self, w: Word, test: Test) -> Lowered<A> {
        self.branch(w, test, [w.rs(), w.rt()], 0)
    }

    fn jump(&self, w: Word, link: usize) -> Lowered<A> {
        let target = self.pc.wrapping_add(4) & semantics::JUMP_REGION | w.jump();
        Lowered::Fixed { target: Some(target), link: link as u8 }
    }

    /// A jump to the address in rs.
    fn through(&self, w: Word, link: usize) -> Lowered<A> {
        let to = Draft::new(Kind::Target, TARGET, w.rs() as u8, 0, 0);
        Lowered::Through { to, link: link as u8 }
    }

    fn plain(&self, _: Word) -> Lowered<A> {
        Lowered::Plain
    }
}

/// Work that writes zero to rd as well.
fn with_zero<A: Arch>(w: Word, work: Draft) -> Lowered<A> {
    match w.rd() {
        0 => Lowered::One(work),
        rd => Lowered::Two(work, Draft::new(Kind::Set, rd as u8, 0, 0, 0)),
    }
}

impl<A: Arch> Visitor for Lower<A> {
    type Output = Lowered<A>;

    rows! {
        sll: rd_rt_sa(Kind::Sll32Imm, 0);
        srl: rd_rt_sa(Kind::Srl32Imm, 0);
        sra: rd_rt_sa(Kind::Sra32Imm, 0);
        dsll: rd_rt_sa(Kind::Sll64Imm, 0);
        dsrl: rd_rt_sa(Kind::Srl64Imm, 0);
        dsra: rd_rt_sa(Kind::Sra64Imm, 0);
        dsll32: rd_rt_sa(Kind::Sll64Imm, 32);
        dsrl32: rd_rt_sa(Kind::Srl64Imm, 32);
        dsra32: rd_rt_sa(Kind::Sra64Imm, 32);
        sllv: rd_rt_rs(Kind::Sll32);
        srlv: rd_rt_rs(Kind::Srl32);
        srav: rd_rt_rs(Kind::Sra32);
        dsllv: rd_rt_rs(Kind::Sll64);
        dsrlv: rd_rt_rs(Kind::Srl64);
        dsrav: rd_rt_rs(Kind::Sra64);
        add: rd_rs_rt(Kind::Add32);
        addu: rd_rs_rt(Kind::Add32);
        sub: rd_rs_rt(Kind::Sub32);
        subu: rd_rs_rt(Kind::Sub32);
        dadd: sum(Kind::Add64);
        daddu: sum(Kind::Add64);
        dsub: rd_rs_rt(Kind::Sub64);
        dsubu: rd_rs_rt(Kind::Sub64);
        and: rd_rs_rt(Kind::And);
        or: sum(Kind::Or);
        xor: sum(Kind::Xor);
        nor: rd_rs_rt(Kind::Nor);
        slt: rd_rs_rt(Kind::Slt);
        sltu: rd_rs_rt(Kind::Sltu);
        mul: rd_rs_rt(Kind::Mul32);
        clz: rd_rs(Kind::Clz32);
        clo: rd_rs(Kind::Clo32);
        dclz: rd_rs(Kind::Clz64);
        dclo: rd_rs(Kind::Clo64);
        sync: rd_rs(Kind::Move);
        movz: rd_rs_rt(Kind::MoveIfZero);
        movn: rd_rs_rt(Kind::MoveIfNot);
        mult: hi_lo(Kind::Mult);
        multu: hi_lo(Kind::Multu);
        dmult: hi_lo(Kind::Dmult);
        dmultu: hi_lo(Kind::Dmultu);
        div: hi_lo(Kind::Div);
        divu: hi_lo(Kind::Divu);
        ddiv: hi_lo(Kind::Ddiv);
        ddivu: hi_lo(Kind::Ddivu);
        slti: rt_imm(Kind::SltImm, Word::imm);
        sltiu: rt_imm(Kind::SltuImm, Word::imm);
        andi: rt_imm(Kind::AndImm, Word::uimm);
        xori: rt_sum(Kind::XorImm, Word::uimm);
        lb: load(Kind::Lb);
        lbu: load(Kind::Lbu);
        lh: load(Kind::Lh);
        lhu: load(Kind::Lhu);
        lw: load(Kind::Lw);
        lwu: load(Kind::Lwu);
        ld: load(Kind::Ld);
        lwl: load_part(Kind::Lwl);
        lwr: load_part(Kind::Lwr);
        ldl: load_part(Kind::Ldl);
        ldr: load_part(Kind::Ldr);
        sb: store(Kind::Sb);
        sh: store(Kind::Sh);
        sw: store(Kind::Sw);
        sd: store(Kind::Sd);
        swl: store(Kind::Swl);
        swr: store(Kind::Swr);
        sdl: store(Kind::Sdl);
        sdr: store(Kind::Sdr);
        ll: linked(Kind::Ll);
        lld: linked(Kind::Lld);
        sc: linked(Kind::Sc);
        scd: linked(Kind::Scd);
        addi: rt_word();
        addiu: rt_word();
        daddi: rt_sum(Kind::Add64Imm, Word::imm);
        daddiu: rt_sum(Kind::Add64Imm, Word::imm);
        ori: rt_sum(Kind::OrImm, Word::uimm);
        mfhi: from(HI);
        mflo: from(LO);
        mthi: to(HI);
        mtlo: to(LO);
        beq: compare(Test::Eq);
        bne: compare(Test::Ne);
        blez: sign(Test::Lez, 0);
        bgtz: sign(Test::Gtz, 0);
        bltz: sign(Test::Ltz, 0);
        bgez: sign(Test::Gez, 0);
        bltzal: sign(Test::Ltz, RA);
        bgezal: sign(Test::Gez, RA);
        syscall: plain();
        j: jump(0);
        jal: jump(RA);
        jr: through(0);
    }

    fn lui(&mut self, w: Word) -> Lowered<A> {
        Lowered::one(Kind::Set, w.rt(), 0, 0, semantics::lui(w.uimm()) as i32)
    }

    fn bnever(&mut self, _: Word) -> Lowered<A> {
        Lowered::Fixed { target: None, link: 0 }
    }

    fn jalr(&mut self, w: Word) -> Lowered<A> {
        self.through(w, w.rd())
    }
}
