//! Instruction sets as tables.
//!
//! `mips_table.rs` holds one row per MIPS instruction; this module turns the rows into the [`Op`] enum,
//! its decoder, encoder and disassembler, the list of all instructions, and the [`Visitor`] that every
//! engine implements. [`riscv`] does the same with `riscv_table.rs`. Nothing else in the crate knows an
//! opcode number.

#[macro_use]
mod table;
mod disassemble;
mod pattern;
pub mod riscv;
pub mod semantics;

pub use pattern::Pattern;

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
    /// What remains of a group when no other row matches; may overlap the rows of its group.
    Fallback,
}

/// On which machines an instruction exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32-bit and 64-bit machines.
    Both,
    /// 64-bit machines only.
    Wide,
}

/// One instruction word, read by its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u32);

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

/// What the table knows of one instruction.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The instruction.
    pub op: Op,
    /// Its mnemonic.
    pub name: &'static str,
    /// How it is written.
    pub format: Format,
    /// Its bits.
    pub pattern: Pattern,
    /// The machines it exists on.
    pub width: Width,
    /// What it does.
    pub doc: &'static str,
}

impl Row {
    const fn new(
        op: Op,
        [name, doc]: [&'static str; 2],
        format: Format,
        pattern: Pattern,
        width: Width,
    ) -> Self {
        Self { op, name, format, pattern, width, doc }
    }

    /// True where the row stands for what remains when no other one matches.
    const fn is_fallback(&self) -> bool {
        matches!(self.format, Format::Fallback)
    }
}

/// The last column of a row.
macro_rules! column {
    (both) => {
        Width::Both
    };
    (wide) => {
        Width::Wide
    };
}
for_each_mips_instruction!(define_instructions);

const OPCODE_SHIFT: u32 = 26;
const SPECIAL: usize = 0x00;
const REGIMM: usize = 0x01;
const SPECIAL2: usize = 0x1c;

/// The decoder's look-up: the major opcode, and for three of its values a second field.
struct DecodeTable {
    major: [Option<Op>; 64],
    special: [Option<Op>; 64],
    special2: [Option<Op>; 64],
    regimm: [Option<Op>; 32],
}

/// The table of a machine: of all rows, or of those that the 32-bit machine has.
const fn build_decode_table(wide: bool) -> DecodeTable {
    let mut t = DecodeTable {
        major: [None; 64],
        special: [None; 64],
        special2: [None; 64],
        regimm: [None; 32],
    };
    let mut i = 0;
    while i < ROWS.len() {
        let row = &ROWS[i];
        i += 1;
        if !wide && matches!(row.width, Width::Wide) {
            continue;
        }
        let (value, op) = (row.pattern.value, Some(row.op));
        match (value >> OPCODE_SHIFT) as usize {
            SPECIAL => t.special[(value & 63) as usize] = op,
            SPECIAL2 => t.special2[(value & 63) as usize] = op,
            REGIMM => {
                if matches!(row.format, Format::Fallback) {
                    let mut rt = 0;
                    while rt < 32 {
                        if t.regimm[rt].is_none() {
                            t.regimm[rt] = op;
                        }
                        rt += 1;
                    }
                } else {
                    t.regimm[(value >> 16 & 31) as usize] = op;
                }
            }
            major => t.major[major] = op,
        }
    }
    t
}

static DECODE: DecodeTable = build_decode_table(true);
static DECODE_NARROW: DecodeTable = build_decode_table(false);

impl DecodeTable {
    #[inline(always)]
    fn find(&self, word: Word) -> Option<Op> {
        match (word.0 >> OPCODE_SHIFT) as usize {
            SPECIAL => self.special[(word.0 & 63) as usize],
            REGIMM => self.regimm[word.rt()],
            SPECIAL2 => self.special2[(word.0 & 63) as usize],
            major => self.major[major],
        }
    }
}

impl Op {
    /// The instruction that a word encodes on the 64-bit machine, or nothing where no row matches.
    #[inline]
    pub fn decode(word: Word) -> Option<Op> {
        DECODE.find(word)
    }

    /// The instruction that a word encodes on the 32-bit machine, or nothing where no row matches.
    #[inline]
    pub fn decode_narrow(word: Word) -> Option<Op> {
        DECODE_NARROW.find(word)
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
        matches!(
            self.row().format,
            Format::RsOff | Format::RsRtOff | Format::Jump | Format::Fallback
        ) || matches!(self, Op::jr | Op::jalr)
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
            let exact = ROWS.iter().find(|r| {
                r.format != Format::Fallback && word & r.pattern.mask == r.pattern.value
            });
            let fallback = ROWS.iter().find(|r| {
                r.format == Format::Fallback && word & r.pattern.mask == r.pattern.value
            });
            prop_assert_eq!(Op::decode(Word(word)), exact.or(fallback).map(|r| r.op));
            let exact = exact.filter(|r| r.width == Width::Both);
            prop_assert_eq!(Op::decode_narrow(Word(word)), exact.or(fallback).map(|r| r.op));
        }

        #[test]
        fn encode_then_decode(row in 0..ROWS.len(), rs in 0..32u8, rt in 0..32u8, rd in 0..32u8,
                              sa in 0..32u8, imm: u16, target in 0..1u32 << 26) {
            let row = &ROWS[row];
            prop_assume!(row.format != Format::Fallback);
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
