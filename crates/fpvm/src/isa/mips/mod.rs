//! MIPS, from the rows of `mips_table.rs`: enum, decoder, encoder, disassembler, list, [`Visitor`].

mod disassemble;

use super::pattern::Pattern;
use super::table::{Decoder, Field, Width};
pub use disassemble::REGISTER_NAMES;
use disassemble::operands;

/// How an instruction is written in assembly, which also says which fields are its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `rd, rt, sa`
    RdRtSa,
    /// `rd, rt, rs`
    RdRtRs,
    /// `rd, rs, rt`
    RdRsRt,
    /// `rd, rs`
    RdRs,
    /// `rs, rt`
    RsRt,
    /// `rs`
    Rs,
    /// `rd`
    Rd,
    /// No operands.
    Bare,
    /// `rs, branch target`
    RsOff,
    /// `rs, rt, branch target`
    RsRtOff,
    /// `jump target`
    Jump,
    /// `rt, rs, signed immediate`
    RtRsImm,
    /// `rt, rs, unsigned immediate`
    RtRsUimm,
    /// `rt, unsigned immediate`
    RtUimm,
    /// `rt, offset(rs)`
    RtMem,
}

impl Word {
    /// Number of the register field rs.
    pub const fn rs(self) -> usize {
        (self.0 >> 21 & 31) as usize
    }
    /// Number of the register field rt.
    pub const fn rt(self) -> usize {
        (self.0 >> 16 & 31) as usize
    }
    /// Number of the register field rd.
    pub const fn rd(self) -> usize {
        (self.0 >> 11 & 31) as usize
    }
    /// The shift amount, 0 to 31.
    pub const fn sa(self) -> u32 {
        self.0 >> 6 & 31
    }
    /// The 16-bit immediate, sign-extended.
    pub const fn imm(self) -> u64 {
        self.0 as i16 as u64
    }
    /// The 16-bit immediate, zero-extended.
    pub const fn uimm(self) -> u64 {
        self.0 as u16 as u64
    }
    /// The jump target within its 256 MiB region, in bytes.
    pub const fn jump(self) -> u64 {
        ((self.0 & 0x03ff_ffff) << 2) as u64
    }
}

/// Operand fields for [`Op::encode`]. Fields that the instruction does not have are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    /// Register rs.
    pub rs: u8,
    /// Register rt.
    pub rt: u8,
    /// Register rd.
    pub rd: u8,
    /// Shift amount.
    pub sa: u8,
    /// Immediate.
    pub imm: u16,
    /// Jump target in words, 26 bits.
    pub target: u32,
}

for_each_mips_instruction!(define_instructions);

/// The decoder looks at the function field and at the opcode.
const FIELDS: [Field; 2] = [(0, 6), (26, 6)];
static DECODER: Decoder<{ 1 << 12 }, 4096> = Decoder::new(FIELDS, ROWS, Width::Wide);
static DECODER_NARROW: Decoder<{ 1 << 12 }, 4096> = Decoder::new(FIELDS, ROWS, Width::Both);

impl Op {
    /// The instruction that a word encodes on the 32-bit machine, or nothing where no row matches.
    #[inline]
    pub fn decode_narrow(word: Word) -> Option<Op> {
        DECODER_NARROW.find(ROWS, word.0)
    }

    /// The word of this instruction with the given operands; operands that it does not have are left
    /// out, and too large ones are cut to their field.
    pub fn encode(self, operands: Operands) -> Word {
        let Row { pattern, .. } = self.row();
        Word(
            pattern.value
                | pattern.insert(b's', operands.rs.into())
                | pattern.insert(b't', operands.rt.into())
                | pattern.insert(b'd', operands.rd.into())
                | pattern.insert(b'a', operands.sa.into())
                | pattern.insert(b'i', operands.imm.into())
                | pattern.insert(b'j', operands.target),
        )
    }

    /// True for jumps and branches, which have a delay slot and may not stand in one.
    pub fn has_delay_slot(self) -> bool {
        matches!(self.row().format, Format::RsOff | Format::RsRtOff | Format::Jump)
            || matches!(self, Op::jr | Op::jalr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_words_decode() {
        let check =
            |word: u32, want: Option<Op>| assert_eq!(Op::decode(Word(word)), want, "{word:08x}");
        check(0x0000_0000, Some(Op::sll));
        check(0x0000_000c, Some(Op::syscall));
        check(0x03e0_0008, Some(Op::jr));
        check(0x27bd_fff0, Some(Op::addiu));
        check(0x67bd_fff0, Some(Op::daddiu));
        check(0xdfbf_0008, Some(Op::ld));
        check(0x0411_0001, Some(Op::bgezal));
        check(0x0402_0001, Some(Op::bnever));
        check(0x7000_0024, Some(Op::dclz));
        check(0x0000_000d, None); // break
        check(0x0000_0034, None); // teq
        check(0xf800_0000, None); // opcode 0x3e
        check(0x7c03_e83b, None); // rdhwr
    }

    proptest! {
        #[test]
        fn decode_agrees_with_the_patterns(word: u32) {
            let find = |rest| ROWS.iter().find(|r| {
                r.rest == rest && word & r.pattern.mask == r.pattern.value
            });
            let (exact, rest) = (find(false), find(true));
            prop_assert_eq!(Op::decode(Word(word)), exact.or(rest).map(|r| r.op));
            let exact = exact.filter(|r| r.width == Width::Both);
            prop_assert_eq!(Op::decode_narrow(Word(word)), exact.or(rest).map(|r| r.op));
        }

        #[test]
        fn encode_then_decode(row in 0..ROWS.len(), rs in 0..32u8, rt in 0..32u8, rd in 0..32u8,
                              sa in 0..32u8, imm: u16, target in 0..1u32 << 26) {
            let row = &ROWS[row];
            prop_assume!(!row.rest);
            let word = row.op.encode(Operands { rs, rt, rd, sa, imm, target });
            prop_assert_eq!(Op::decode(word), Some(row.op));
            if row.pattern.field(b's') != 0 { prop_assert_eq!(word.rs(), usize::from(rs)); }
            if row.pattern.field(b't') != 0 { prop_assert_eq!(word.rt(), usize::from(rt)); }
            if row.pattern.field(b'd') != 0 { prop_assert_eq!(word.rd(), usize::from(rd)); }
            if row.pattern.field(b'a') != 0 { prop_assert_eq!(word.sa(), u32::from(sa)); }
            if row.pattern.field(b'i') != 0 { prop_assert_eq!(word.uimm(), u64::from(imm)); }
            if row.pattern.field(b'j') != 0 { prop_assert_eq!(word.jump(), u64::from(target) << 2); }
        }
    }
}
