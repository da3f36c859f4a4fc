//! From instruction words to the work of slots: the second visitor of the instruction table.

use super::Asterisc;
use super::works::{Kind, Test};
use crate::blocks::{self, SINK, TARGET, or_sink};
use crate::isa::riscv::{Op, Visitor, Word};
use crate::isa::rows;

type Draft = blocks::Draft<Kind>;
type Lowered = blocks::Lowered<Asterisc>;

/// Lowers the instruction at `pc`.
struct Lower {
    pc: u64,
}

/// What becomes of the instruction `word` at `pc`.
pub(super) fn lower(word: u32, pc: u64) -> Lowered {
    let word = Word(word);
    match Op::decode(word) {
        Some(op) => op.visit(word, &mut Lower { pc }),
        None => Lowered::Plain,
    }
}

impl Lower {
    fn rs1_rs2(&self, w: Word, kind: Kind) -> Lowered {
        Lowered::one(kind, w.rd(), w.rs1(), w.rs2(), 0)
    }

    /// As [`rs1_rs2`](Self::rs1_rs2), where a zero operand leaves the other as it is.
    fn sum(&self, w: Word, kind: Kind) -> Lowered {
        Lowered::sum(kind, w.rd(), w.rs1(), w.rs2())
    }

    fn rs1_imm(&self, w: Word, kind: Kind) -> Lowered {
        Lowered::one(kind, w.rd(), w.rs1(), 0, w.imm() as i32)
    }

    /// rs1 and an immediate, where one of them is often zero.
    fn sum_imm(&self, w: Word, kind: Kind) -> Lowered {
        Lowered::sum_imm(kind, w.rd(), w.rs1(), w.imm() as i32)
    }

    fn rs1_shamt(&self, w: Word, kind: Kind) -> Lowered {
        Lowered::one(kind, w.rd(), w.rs1(), 0, w.shamt() as i32)
    }

    fn store(&self, w: Word, kind: Kind) -> Lowered {
        let offset = w.store_offset() as i32;
        Lowered::One(Draft::new(kind, SINK, w.rs1() as u8, w.rs2() as u8, offset))
    }

    /// These work on memory or on the reservation, whatever their register.
    fn atomic(&self, w: Word, kind: Kind) -> Lowered {
        Lowered::One(Draft::new(kind, or_sink(w.rd()), w.rs1() as u8, w.rs2() as u8, 0))
    }

    fn branch(&self, w: Word, test: Test) -> Lowered {
        let target = self.pc.wrapping_add(w.branch_offset());
        if target & 3 != 0 {
            return Lowered::Plain;
        }
        Lowered::branch(test, [w.rs1(), w.rs2()], target, 0)
    }

    fn nothing(&self, _: Word) -> Lowered {
        Lowered::Nothing
    }

    fn no_register(&self, w: Word) -> Lowered {
        Lowered::one(Kind::Set, w.rd(), 0, 0, 0)
    }

    fn plain(&self, _: Word) -> Lowered {
        Lowered::Plain
    }
}

impl Visitor for Lower {
    type Output = Lowered;

    rows! {
        lb: rs1_imm(Kind::Lb);
        lh: rs1_imm(Kind::Lh);
        lw: rs1_imm(Kind::Lw);
        ld: rs1_imm(Kind::Ld);
        lbu: rs1_imm(Kind::Lbu);
        lhu: rs1_imm(Kind::Lhu);
        lwu: rs1_imm(Kind::Lwu);
        fload: nothing();
        fence: nothing();
        addi: sum_imm(Kind::Add64Imm);
        slli: rs1_shamt(Kind::Sll64Imm);
        slti: rs1_imm(Kind::SltImm);
        sltiu: rs1_imm(Kind::SltuImm);
        xori: sum_imm(Kind::XorImm);
        srli: rs1_shamt(Kind::Srl64Imm);
        srai: rs1_shamt(Kind::Sra64Imm);
        ori: sum_imm(Kind::OrImm);
        andi: rs1_imm(Kind::AndImm);
        addiw: rs1_imm(Kind::Add32Imm);
        slliw: rs1_shamt(Kind::Sll32Imm);
        srliw: rs1_shamt(Kind::Srl32Imm);
        sraiw: rs1_shamt(Kind::Sra32Imm);
        sb: store(Kind::Sb);
        sh: store(Kind::Sh);
        sw: store(Kind::Sw);
        sd: store(Kind::Sd);
        fstore: nothing();
        amoadd_w: atomic(Kind::AddW);
        amoswap_w: atomic(Kind::SwapW);
        lr_w: atomic(Kind::LrW);
        sc_w: atomic(Kind::ScW);
        amoxor_w: atomic(Kind::XorW);
        amoor_w: atomic(Kind::OrW);
        amoand_w: atomic(Kind::AndW);
        amomin_w: atomic(Kind::MinW);
        amomax_w: atomic(Kind::MaxW);
        amominu_w: atomic(Kind::MinuW);
        amomaxu_w: atomic(Kind::MaxuW);
        amoadd_d: atomic(Kind::AddD);
        amoswap_d: atomic(Kind::SwapD);
        lr_d: atomic(Kind::LrD);
        sc_d: atomic(Kind::ScD);
        amoxor_d: atomic(Kind::XorD);
        amoor_d: atomic(Kind::OrD);
        amoand_d: atomic(Kind::AndD);
        amomin_d: atomic(Kind::MinD);
        amomax_d: atomic(Kind::MaxD);
        amominu_d: atomic(Kind::MinuD);
        amomaxu_d: atomic(Kind::MaxuD);
        add: sum(Kind::Add64);
        sub: rs1_rs2(Kind::Sub64);
        sll: rs1_rs2(Kind::Sll64);
        slt: rs1_rs2(Kind::Slt);
        sltu: rs1_rs2(Kind::Sltu);
        xor: sum(Kind::Xor);
        srl: rs1_rs2(Kind::Srl64);
        sra: rs1_rs2(Kind::Sra64);
        or: sum(Kind::Or);
        and: rs1_rs2(Kind::And);
        mul: rs1_rs2(Kind::Mul);
        mulh: rs1_rs2(Kind::Mulh);
        mulhsu: rs1_rs2(Kind::Mulhsu);
        mulhu: rs1_rs2(Kind::Mulhu);
        div: rs1_rs2(Kind::Div);
        divu: rs1_rs2(Kind::Divu);
        rem: rs1_rs2(Kind::Rem);
        remu: rs1_rs2(Kind::Remu);
        addw: rs1_rs2(Kind::Add32);
        subw: rs1_rs2(Kind::Sub32);
        sllw: rs1_rs2(Kind::Sll32);
        srlw: rs1_rs2(Kind::Srl32);
        sraw: rs1_rs2(Kind::Sra32);
        mulw: rs1_rs2(Kind::Mul32);
        mulhw: plain();
        divw: rs1_rs2(Kind::Divw);
        divuw: rs1_rs2(Kind::Divuw);
        remw: rs1_rs2(Kind::Remw);
        remuw: rs1_rs2(Kind::Remuw);
        farith: nothing();
        ecall: plain();
        ebreak: nothing();
        wfi: nothing();
        csrrw: no_register();
        csrrs: no_register();
        csrrc: no_register();
        hlv: no_register();
        csrrwi: no_register();
        csrrsi: no_register();
        csrrci: no_register();
        beq: branch(Test::Eq);
        bne: branch(Test::Ne);
        blt: branch(Test::Lt);
        bge: branch(Test::Ge);
        bltu: branch(Test::Ltu);
        bgeu: branch(Test::Geu);
        bnever: nothing();
    }

    fn lui(&mut self, w: Word) -> Lowered {
        Lowered::one(Kind::Set, w.rd(), 0, 0, w.upper() as i32)
    }

    fn auipc(&mut self, w: Word) -> Lowered {
        if w.rd() == 0 {
            return Lowered::Nothing;
        }
        let value = self.pc.wrapping_add(w.upper());
        Draft::constant::<Asterisc>(w.rd() as u8, value).map_or(Lowered::Plain, Lowered::One)
    }

    fn jal(&mut self, w: Word) -> Lowered {
        let target = self.pc.wrapping_add(w.jump_offset());
        if target & 3 != 0 {
            return Lowered::Plain;
        }
        Lowered::Fixed { target: Some(target), link: w.rd() as u8 }
    }

    fn jalr(&mut self, w: Word) -> Lowered {
        let to = Draft::new(Kind::Target, TARGET, w.rs1() as u8, 0, w.imm() as i32);
        Lowered::Through { to, link: w.rd() as u8 }
    }
}
