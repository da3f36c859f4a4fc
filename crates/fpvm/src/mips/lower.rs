//! From instruction words to the work of slots: the second visitor of the instruction table.

use super::Arch;
use super::state::RA;
use super::works::{HI, Kind, LO, Test};
use crate::blocks::{self, SINK, TARGET};
use crate::isa::{Visitor, Word, semantics};
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

/// Work whose only effect is its register: without it, none.
fn one<A: Arch>(kind: Kind, register: usize, b: usize, c: usize, imm: i32) -> Lowered<A> {
    if register == 0 {
        return Lowered::Nothing;
    }
    Lowered::One(Draft::new(kind, register as u8, b as u8, c as u8, imm))
}

/// rd = rs op rt.
fn rd_rs_rt<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rd(), w.rs(), w.rt(), 0)
}

/// As [`rd_rs_rt`], where a zero operand leaves the other as it is.
fn sum<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    match (w.rs(), w.rt()) {
        (rs, 0) => one(Kind::Move, w.rd(), rs, 0, 0),
        (0, rt) => one(Kind::Move, w.rd(), rt, 0, 0),
        (rs, rt) => one(kind, w.rd(), rs, rt, 0),
    }
}

fn rd_rt_rs<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rd(), w.rt(), w.rs(), 0)
}

fn rd_rt_sa<A: Arch>(w: Word, kind: Kind, more: i32) -> Lowered<A> {
    one(kind, w.rd(), w.rt(), 0, w.sa() as i32 + more)
}

fn rd_rs<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rd(), w.rs(), 0, 0)
}

fn rt_imm<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rt(), w.rs(), 0, w.imm() as i32)
}

fn rt_uimm<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rt(), w.rs(), 0, w.uimm() as i32)
}

/// rt = rs + immediate, where rs is often zero.
fn rt_sum<A: Arch>(w: Word, kind: Kind, imm: i32) -> Lowered<A> {
    match w.rs() {
        0 => one(Kind::Set, w.rt(), 0, 0, imm),
        rs => one(kind, w.rt(), rs, 0, imm),
    }
}

/// Writes HI and LO, and 0 to rd.
fn hi_lo<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    let work = Draft::new(kind, SINK, w.rs() as u8, w.rt() as u8, 0);
    with_zero(w, work)
}

/// These instructions write 0 to an rd that is not zero.
fn with_zero<A: Arch>(w: Word, work: Draft) -> Lowered<A> {
    match w.rd() {
        0 => Lowered::One(work),
        rd => Lowered::Two(work, Draft::new(Kind::Set, rd as u8, 0, 0, 0)),
    }
}

fn load<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rt(), w.rs(), 0, w.imm() as i32)
}

fn load_part<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    one(kind, w.rt(), w.rs(), w.rt(), w.imm() as i32)
}

fn store<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    Lowered::One(Draft::new(kind, SINK, w.rs() as u8, w.rt() as u8, w.imm() as i32))
}

/// These work on the reservation, whatever their register.
fn linked<A: Arch>(w: Word, kind: Kind) -> Lowered<A> {
    let rt = if w.rt() == 0 { SINK } else { w.rt() as u8 };
    Lowered::One(Draft::new(kind, rt, w.rs() as u8, w.rt() as u8, w.imm() as i32))
}

/// A jump to the address in rs.
fn through<A: Arch>(w: Word, link: usize) -> Lowered<A> {
    let to = Draft::new(Kind::Target, TARGET, w.rs() as u8, 0, 0);
    Lowered::Through { to, link: link as u8 }
}

impl<A: Arch> Lower<A> {
    fn target(&self, w: Word) -> u64 {
        A::wrap(self.pc.wrapping_add(4).wrapping_add(w.imm() << 2))
    }

    /// A branch that compares rs with zero.
    fn sign(&self, w: Word, test: Test, link: usize) -> Lowered<A> {
        let a = w.rs() as u8;
        // The link would change the condition's register before the condition is looked at.
        if link != 0 && link == w.rs() {
            return Lowered::Plain;
        }
        Lowered::Branch { test, a, b: 0, target: self.target(w), link: link as u8 }
    }

    fn compare(&self, w: Word, test: Test) -> Lowered<A> {
        let (a, b, target) = (w.rs() as u8, w.rt() as u8, self.target(w));
        match (test, a == b) {
            (Test::Eq, true) => Lowered::Fixed { target: Some(target), link: 0 },
            (Test::Ne, true) => Lowered::Fixed { target: None, link: 0 },
            _ => Lowered::Branch { test, a, b, target, link: 0 },
        }
    }

    fn jump(&self, w: Word, link: usize) -> Lowered<A> {
        let target = self.pc.wrapping_add(4) & semantics::JUMP_REGION | w.jump();
        Lowered::Fixed { target: Some(target), link: link as u8 }
    }
}

/// `method: function(arguments)` for each row that is one call.
macro_rules! rows {
    ($($name:ident: $f:ident($($argument:expr),*);)*) => {
        $(fn $name(&mut self, w: Word) -> Lowered<A> { $f(w, $($argument),*) })*
    };
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
        slti: rt_imm(Kind::SltImm);
        sltiu: rt_imm(Kind::SltuImm);
        andi: rt_uimm(Kind::AndImm);
        xori: rt_uimm(Kind::XorImm);
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
    }

    fn addi(&mut self, w: Word) -> Lowered<A> {
        rt_sum(w, Kind::Add32Imm, w.imm() as i32)
    }

    fn addiu(&mut self, w: Word) -> Lowered<A> {
        rt_sum(w, Kind::Add32Imm, w.imm() as i32)
    }

    fn daddi(&mut self, w: Word) -> Lowered<A> {
        rt_sum(w, Kind::Add64Imm, w.imm() as i32)
    }

    fn daddiu(&mut self, w: Word) -> Lowered<A> {
        rt_sum(w, Kind::Add64Imm, w.imm() as i32)
    }

    fn ori(&mut self, w: Word) -> Lowered<A> {
        rt_sum(w, Kind::OrImm, w.uimm() as i32)
    }

    fn lui(&mut self, w: Word) -> Lowered<A> {
        one(Kind::Set, w.rt(), 0, 0, semantics::lui(w.uimm()) as i32)
    }

    fn mfhi(&mut self, w: Word) -> Lowered<A> {
        one(Kind::Move, w.rd(), HI.into(), 0, 0)
    }

    fn mflo(&mut self, w: Word) -> Lowered<A> {
        one(Kind::Move, w.rd(), LO.into(), 0, 0)
    }

    fn mthi(&mut self, w: Word) -> Lowered<A> {
        with_zero(w, Draft::new(Kind::Move, HI, w.rs() as u8, 0, 0))
    }

    fn mtlo(&mut self, w: Word) -> Lowered<A> {
        with_zero(w, Draft::new(Kind::Move, LO, w.rs() as u8, 0, 0))
    }

    fn beq(&mut self, w: Word) -> Lowered<A> {
        self.compare(w, Test::Eq)
    }

    fn bne(&mut self, w: Word) -> Lowered<A> {
        self.compare(w, Test::Ne)
    }

    fn blez(&mut self, w: Word) -> Lowered<A> {
        self.sign(w, Test::Lez, 0)
    }

    fn bgtz(&mut self, w: Word) -> Lowered<A> {
        self.sign(w, Test::Gtz, 0)
    }

    fn bltz(&mut self, w: Word) -> Lowered<A> {
        self.sign(w, Test::Ltz, 0)
    }

    fn bgez(&mut self, w: Word) -> Lowered<A> {
        self.sign(w, Test::Gez, 0)
    }

    fn bltzal(&mut self, w: Word) -> Lowered<A> {
        self.sign(w, Test::Ltz, RA)
    }

    fn bgezal(&mut self, w: Word) -> Lowered<A> {
        self.sign(w, Test::Gez, RA)
    }

    fn syscall(&mut self, _: Word) -> Lowered<A> {
        Lowered::Plain
    }

    fn bnever(&mut self, _: Word) -> Lowered<A> {
        Lowered::Fixed { target: None, link: 0 }
    }

    fn j(&mut self, w: Word) -> Lowered<A> {
        self.jump(w, 0)
    }

    fn jal(&mut self, w: Word) -> Lowered<A> {
        self.jump(w, RA)
    }

    fn jr(&mut self, w: Word) -> Lowered<A> {
        through(w, 0)
    }

    fn jalr(&mut self, w: Word) -> Lowered<A> {
        through(w, w.rd())
    }
}
