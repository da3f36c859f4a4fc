//! RISC-V, from the rows of `riscv_table.rs`: enum, decoder, encoder, disassembler, list, [`Visitor`].

mod disassemble;
pub mod semantics;

use super::pattern::Pattern;
use super::table::{Decoder, Width};
pub use disassemble::REGISTER_NAMES;
use disassemble::operands;

/// How an instruction is written in assembly, which also says which fields are its operands and in which
/// order the bits of its immediate stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `rd, rs1, rs2`
    RdRs1Rs2,
    /// `rd, rs1, immediate`
    RdRs1Imm,
    /// `rd, rs1, shift amount`
    RdRs1Sh,
    /// `rd, upper immediate`
    RdUpper,
    /// `rd, offset(rs1)`
    Load,
    /// `rs2, offset(rs1)`
    Store,
    /// `rd, rs2, (rs1)`
    Amo,
    /// `rd, (rs1)`
    Reserve,
    /// `rs1, rs2, branch target`
    Branch,
    /// `rd, jump target`
    Jump,
    /// `rd, offset(rs1)` of a jump.
    Through,
    /// `rd, control register, rs1`
    Control,
    /// `immediate`
    System,
    /// No operands.
    Bare,
}

impl Format {
    /// Which bits of the immediate stand in its field: the runs from the left, each with its highest and
    /// its lowest bit.
    pub const fn immediate(self) -> &'static [(u32, u32)] {
        match self {
            Self::RdRs1Imm | Self::Load | Self::Through | Self::Control | Self::System => {
                &[(11, 0)]
            }
            Self::RdUpper => &[(31, 12)],
            Self::Store => &[(11, 5), (4, 0)],
            Self::Branch => &[(12, 12), (10, 5), (4, 1), (11, 11)],
            Self::Jump => &[(20, 20), (10, 1), (11, 11), (19, 12)],
            Self::RdRs1Rs2 | Self::RdRs1Sh | Self::Amo | Self::Reserve | Self::Bare => &[],
        }
    }
}

impl Word {
    /// Number of the register field rd.
    pub const fn rd(self) -> usize {
        (self.0 >> 7 & 31) as usize
    }
    /// Number of the register field rs1.
    pub const fn rs1(self) -> usize {
        (self.0 >> 15 & 31) as usize
    }
    /// Number of the register field rs2.
    pub const fn rs2(self) -> usize {
        (self.0 >> 20 & 31) as usize
    }
    /// The shift amount of 64-bit shifts, 0 to 63. For words its low 5 bits count.
    pub const fn shamt(self) -> u64 {
        (self.0 >> 20 & 63) as u64
    }
    /// The immediate of computations, loads and `jalr`, sign-extended.
    pub const fn imm(self) -> u64 {
        (self.0 as i32 >> 20) as u64
    }
    /// The offset of stores, sign-extended.
    pub const fn store_offset(self) -> u64 {
        (self.0 as i32 >> 25 << 5) as u64 | (self.0 >> 7 & 31) as u64
    }
    /// The offset of branches in bytes, sign-extended.
    pub const fn branch_offset(self) -> u64 {
        (self.0 as i32 >> 31 << 12) as u64
            | (self.0 << 4 & 0x800) as u64
            | (self.0 >> 20 & 0x7e0) as u64
            | (self.0 >> 7 & 0x1e) as u64
    }
    /// The offset of `jal` in bytes, sign-extended.
    pub const fn jump_offset(self) -> u64 {
        (self.0 as i32 >> 31 << 20) as u64
            | (self.0 & 0xf_f000) as u64
            | (self.0 >> 9 & 0x800) as u64
            | (self.0 >> 20 & 0x7fe) as u64
    }
    /// The immediate of `lui` and `auipc` in place, sign-extended.
    pub const fn upper(self) -> u64 {
        (self.0 & 0xffff_f000) as i32 as u64
    }
}

/// Operand fields for [`Op::encode`]. Fields that the instruction does not have are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    /// Register rd.
    pub rd: u8,
    /// Register rs1.
    pub rs1: u8,
    /// Register rs2.
    pub rs2: u8,
    /// Shift amount.
    pub shamt: u8,
    /// Immediate or offset in bytes; bits that the format has no place for are left out.
    pub imm: i32,
}

for_each_riscv_instruction!(define_instructions);

/// The decoder looks at the opcode and at `funct3`.
static DECODER: Decoder<{ 1 << 10 }, 512> = Decoder::new([(0, 7), (12, 3)], ROWS, Width::Wide);

impl Op {
    /// The word of this instruction with the given operands; operands that it does not have are left
    /// out, and too large ones are cut to their field.
    pub fn encode(self, operands: Operands) -> Word {
        let Row { pattern, format, .. } = self.row();
        let imm = format.immediate().iter().fold(0, |field, &(high, low)| {
            let width = high - low + 1;
            field << width | (operands.imm as u32 >> low & ((1 << width) - 1))
        });
        Word(
            pattern.value
                | pattern.insert(b'd', operands.rd.into())
                | pattern.insert(b's', operands.rs1.into())
                | pattern.insert(b't', operands.rs2.into())
                | pattern.insert(b'a', operands.shamt.into())
                | pattern.insert(b'i', imm),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // Words of the architecture's manual and of a compiler.
    #[test]
    fn known_words_decode() {
        let check =
            |word: u32, want: Option<Op>| assert_eq!(Op::decode(Word(word)), want, "{word:08x}");
        check(0x0001_3503, Some(Op::ld)); // ld a0, 0(sp)
        check(0x0000_8067, Some(Op::jalr)); // ret
        check(0x0000_0073, Some(Op::ecall));
        check(0x0010_0073, Some(Op::ebreak));
        check(0x3020_0073, Some(Op::wfi)); // mret
        check(0xc000_2573, Some(Op::csrrs)); // rdcycle a0
        check(0x02b5_0533, Some(Op::mul)); // mul a0, a0, a1
        check(0x1005_252f, Some(Op::lr_w)); // lr.w a0, (a0)
        check(0x00b5_3533, Some(Op::sltu));
        check(0xfeb5_3533, Some(Op::sltu)); // funct7 does not count
        check(0x02b5_3533, Some(Op::mulhu));
        check(0x4005_5513, Some(Op::srai));
        check(0x8005_5513, None);
        check(0x02b5_153b, Some(Op::mulhw));
        check(0x0000_2063, Some(Op::bnever));
        check(0x0000_4023, None); // a store of 16 bytes
        check(0x0000_7003, None); // a load of no kind
        check(0x0000_0043, None); // fmadd
        check(0x0000_4501, None); // c.li a0, 0
        check(0, None);
    }

    proptest! {
        #[test]
        fn decode_agrees_with_the_patterns(word: u32, narrow: bool) {
            // Half of the words have an opcode of the set's.
            let word = if narrow { word | 0b11 } else { word };
            let find = |rest| ROWS.iter().find(|r| {
                r.rest == rest && word & r.pattern.mask == r.pattern.value
            });
            prop_assert_eq!(Op::decode(Word(word)), find(false).or(find(true)).map(|r| r.op));
        }

        #[test]
        fn encode_then_decode(row in 0..ROWS.len(), rd in 0..32u8, rs1 in 0..32u8, rs2 in 0..32u8,
                              shamt in 0..64u8, imm: i32) {
            let row = &ROWS[row];
            let word = row.op.encode(Operands { rd, rs1, rs2, shamt, imm });
            let decoded = Op::decode(word);
            if decoded != Some(row.op) {
                // Some operands of such a row belong to another one.
                prop_assert!(row.rest && decoded.is_some_and(|op| !op.row().rest));
                return Ok(());
            }
            let has = |letter| row.pattern.field(letter) != 0;
            if has(b'd') { prop_assert_eq!(word.rd(), usize::from(rd)); }
            if has(b's') { prop_assert_eq!(word.rs1(), usize::from(rs1)); }
            if has(b't') { prop_assert_eq!(word.rs2(), usize::from(rs2)); }
            if has(b'a') {
                let mask = if row.pattern.field(b'a').count_ones() == 6 { 63 } else { 31 };
                prop_assert_eq!(word.shamt(), u64::from(shamt) & mask);
            }
            let extended = |bits: u32| (imm << (32 - bits) >> (32 - bits)) as u64;
            match row.format {
                Format::RdRs1Imm | Format::Load | Format::Through | Format::Control
                | Format::System => {
                    prop_assert_eq!(word.imm(), extended(12));
                }
                Format::Store => prop_assert_eq!(word.store_offset(), extended(12)),
                Format::Branch => prop_assert_eq!(word.branch_offset(), extended(13) & !1),
                Format::Jump => prop_assert_eq!(word.jump_offset(), extended(21) & !1),
                Format::RdUpper => prop_assert_eq!(word.upper(), (imm & !0xfff) as u64),
                _ => prop_assert!(!has(b'i')),
            }
        }
    }
}
