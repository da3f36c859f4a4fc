//! From instruction words to the work of slots: the second visitor of the instruction table.

use super::super::state::RA;
use super::code::{HI, LO, SINK};
use super::handlers::{Kind, Test};
use crate::isa::{Visitor, Word, semantics};

/// A slot without its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) a: u8,
    pub(super) b: u8,
    pub(super) c: u8,
    pub(super) d: u8,
    pub(super) imm: i32,
}

impl Draft {
    const fn new(kind: Kind, a: u8, b: u8, c: u8, imm: i32) -> Self {
        Self { kind, a, b, c, d: 0, imm }
    }

    /// Sets a register to a constant; `None` if it needs more than 56 bits.
    pub(super) fn constant(register: u8, value: u64) -> Option<Self> {
        if let Ok(imm) = i32::try_from(value as i64) {
            return Some(Self::new(Kind::Set, register, 0, 0, imm));
        }
        let [b0, b1, b2, b3, b, c, d, _] = value.to_le_bytes();
        let fits = (value as i64) << 8 >> 8 == value as i64;
        let imm = i32::from_le_bytes([b0, b1, b2, b3]);
        fits.then_some(Self { kind: Kind::SetWide, a: register, b, c, d, imm })
    }
}

/// What becomes of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lowered {
    /// No slot: it has no effect.
    Nothing,
    /// One slot.
    One(Draft),
    /// Two slots, of which the second cannot stop.
    Two(Draft, Draft),
    /// A branch to `target`. Links in `$31` if `link`.
    Branch { test: Test, a: u8, b: u8, target: u64, link: bool },
    /// A branch that is never taken, a jump, or a branch that always is.
    Fixed { target: Option<u64>, link: bool },
    /// A jump to the address in register `to`, with a link in `link` if that is not 0.
    Through { to: u8, link: u8 },
    /// Left to the plain step.
    Plain,
}

/// Lowers the instruction at `pc`.
pub(super) struct Lower {
    pub(super) pc: u64,
}

/// Work whose only effect is its register: without it, none.
fn one(kind: Kind, register: usize, b: usize, c: usize, imm: i32) -> Lowered {
    if register == 0 {
        return Lowered::Nothing;
    }
    Lowered::One(Draft::new(kind, register as u8, b as u8, c as u8, imm))
}

/// rd = rs op rt.
fn rd_rs_rt(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rd(), w.rs(), w.rt(), 0)
}

/// As [`rd_rs_rt`], where a zero operand leaves the other as it is.
fn sum(w: Word, kind: Kind) -> Lowered {
    match (w.rs(), w.rt()) {
        (rs, 0) => one(Kind::Move, w.rd(), rs, 0, 0),
        (0, rt) => one(Kind::Move, w.rd(), rt, 0, 0),
        (rs, rt) => one(kind, w.rd(), rs, rt, 0),
    }
}

fn rd_rt_rs(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rd(), w.rt(), w.rs(), 0)
}

fn rd_rt_sa(w: Word, kind: Kind, more: i32) -> Lowered {
    one(kind, w.rd(), w.rt(), 0, w.sa() as i32 + more)
}

fn rd_rs(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rd(), w.rs(), 0, 0)
}

fn rt_imm(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rt(), w.rs(), 0, w.imm() as i32)
}

fn rt_uimm(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rt(), w.rs(), 0, w.uimm() as i32)
}

/// rt = rs + immediate, where rs is often zero.
fn rt_sum(w: Word, kind: Kind, imm: i32) -> Lowered {
    match w.rs() {
        0 => one(Kind::Set, w.rt(), 0, 0, imm),
        rs => one(kind, w.rt(), rs, 0, imm),
    }
}

/// Writes HI and LO, and 0 to rd.
fn hi_lo(w: Word, kind: Kind) -> Lowered {
    let work = Draft::new(kind, SINK, w.rs() as u8, w.rt() as u8, 0);
    with_zero(w, work)
}

/// These instructions write 0 to an rd that is not zero.
fn with_zero(w: Word, work: Draft) -> Lowered {
    match w.rd() {
        0 => Lowered::One(work),
        rd => Lowered::Two(work, Draft::new(Kind::Set, rd as u8, 0, 0, 0)),
    }
}

fn load(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rt(), w.rs(), 0, w.imm() as i32)
}

fn load_part(w: Word, kind: Kind) -> Lowered {
    one(kind, w.rt(), w.rs(), w.rt(), w.imm() as i32)
}

fn store(w: Word, kind: Kind) -> Lowered {
    Lowered::One(Draft::new(kind, SINK, w.rs() as u8, w.rt() as u8, w.imm() as i32))
}

/// These work on the reservation, whatever their register.
fn linked(w: Word, kind: Kind) -> Lowered {
    let rt = if w.rt() == 0 { SINK } else { w.rt() as u8 };
    Lowered::One(Draft::new(kind, rt, w.rs() as u8, w.rt() as u8, w.imm() as i32))
}

impl Lower {
    const fn target(&self, w: Word) -> u64 {
        self.pc.wrapping_add(4).wrapping_add(w.imm() << 2)
    }

    /// A branch that compares rs with zero.
    fn sign(&self, w: Word, test: Test, link: bool) -> Lowered {
        let a = w.rs() as u8;
        // The link would change the condition's register before the condition is looked at.
        if link && w.rs() == RA {
            return Lowered::Plain;
        }
        Lowered::Branch { test, a, b: 0, target: self.target(w), link }
    }

    fn compare(&self, w: Word, test: Test) -> Lowered {
        let (a, b, target) = (w.rs() as u8, w.rt() as u8, self.target(w));
        match (test, a == b) {
            (Test::Eq, true) => Lowered::Fixed { target: Some(target), link: false },
            (Test::Ne, true) => Lowered::Fixed { target: None, link: false },
            _ => Lowered::Branch { test, a, b, target, link: false },
        }
    }

    fn jump(&self, w: Word, link: bool) -> Lowered {
        let target = self.pc.wrapping_add(4) & semantics::JUMP_REGION | w.jump();
        Lowered::Fixed { target: Some(target), link }
    }
}

/// `method: function(arguments)` for each row that is one call.
macro_rules! rows {
    ($($name:ident: $f:ident($($argument:expr),*);)*) => {
        $(fn $name(&mut self, w: Word) -> Lowered { $f(w, $($argument),*) })*
    };
}

impl Visitor for Lower {
    type Output = Lowered;

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

    fn addi(&mut self, w: Word) -> Lowered {
        rt_sum(w, Kind::Add32Imm, w.imm() as i32)
    }

    fn addiu(&mut self, w: Word) -> Lowered {
        rt_sum(w, Kind::Add32Imm, w.imm() as i32)
    }

    fn daddi(&mut self, w: Word) -> Lowered {
        rt_sum(w, Kind::Add64Imm, w.imm() as i32)
    }

    fn daddiu(&mut self, w: Word) -> Lowered {
        rt_sum(w, Kind::Add64Imm, w.imm() as i32)
    }

    fn ori(&mut self, w: Word) -> Lowered {
        rt_sum(w, Kind::OrImm, w.uimm() as i32)
    }

    fn lui(&mut self, w: Word) -> Lowered {
        one(Kind::Set, w.rt(), 0, 0, semantics::lui(w.uimm()) as i32)
    }

    fn mfhi(&mut self, w: Word) -> Lowered {
        one(Kind::Move, w.rd(), HI.into(), 0, 0)
    }

    fn mflo(&mut self, w: Word) -> Lowered {
        one(Kind::Move, w.rd(), LO.into(), 0, 0)
    }

    fn mthi(&mut self, w: Word) -> Lowered {
        with_zero(w, Draft::new(Kind::Move, HI, w.rs() as u8, 0, 0))
    }

    fn mtlo(&mut self, w: Word) -> Lowered {
        with_zero(w, Draft::new(Kind::Move, LO, w.rs() as u8, 0, 0))
    }

    fn beq(&mut self, w: Word) -> Lowered {
        self.compare(w, Test::Eq)
    }

    fn bne(&mut self, w: Word) -> Lowered {
        self.compare(w, Test::Ne)
    }

    fn blez(&mut self, w: Word) -> Lowered {
        self.sign(w, Test::Lez, false)
    }

    fn bgtz(&mut self, w: Word) -> Lowered {
        self.sign(w, Test::Gtz, false)
    }

    fn bltz(&mut self, w: Word) -> Lowered {
        self.sign(w, Test::Ltz, false)
    }

    fn bgez(&mut self, w: Word) -> Lowered {
        self.sign(w, Test::Gez, false)
    }

    fn bltzal(&mut self, w: Word) -> Lowered {
        self.sign(w, Test::Ltz, true)
    }

    fn bgezal(&mut self, w: Word) -> Lowered {
        self.sign(w, Test::Gez, true)
    }

    fn syscall(&mut self, _: Word) -> Lowered {
        Lowered::Plain
    }

    fn bnever(&mut self, _: Word) -> Lowered {
        Lowered::Fixed { target: None, link: false }
    }

    fn j(&mut self, w: Word) -> Lowered {
        self.jump(w, false)
    }

    fn jal(&mut self, w: Word) -> Lowered {
        self.jump(w, true)
    }

    fn jr(&mut self, w: Word) -> Lowered {
        Lowered::Through { to: w.rs() as u8, link: 0 }
    }

    fn jalr(&mut self, w: Word) -> Lowered {
        Lowered::Through { to: w.rs() as u8, link: w.rd() as u8 }
    }
}
