//! The operands of an instruction as text.

use super::{Format, Word};
use std::fmt;

/// Register names of the calling convention, by number.
pub const REGISTER_NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];

/// Writes the operands of `word` at `pc` behind its mnemonic.
pub(super) fn operands(
    f: &mut fmt::Formatter<'_>,
    format: Format,
    word: Word,
    pc: u64,
) -> fmt::Result {
    let [rd, rs1, rs2] = [word.rd(), word.rs1(), word.rs2()].map(|r| REGISTER_NAMES[r]);
    let imm = word.imm() as i64;
    match format {
        Format::RdRs1Rs2 => write!(f, " {rd}, {rs1}, {rs2}"),
        Format::RdRs1Imm => write!(f, " {rd}, {rs1}, {imm}"),
        Format::RdRs1Sh => write!(f, " {rd}, {rs1}, {}", word.shamt()),
        Format::RdUpper => write!(f, " {rd}, {:#x}", word.0 >> 12),
        Format::Load | Format::Through => write!(f, " {rd}, {imm}({rs1})"),
        Format::Store => write!(f, " {rs2}, {}({rs1})", word.store_offset() as i64),
        Format::Amo => write!(f, " {rd}, {rs2}, ({rs1})"),
        Format::Reserve => write!(f, " {rd}, ({rs1})"),
        Format::Branch => {
            write!(f, " {rs1}, {rs2}, {:#x}", pc.wrapping_add(word.branch_offset()))
        }
        Format::Jump => write!(f, " {rd}, {:#x}", pc.wrapping_add(word.jump_offset())),
        Format::Control => write!(f, " {rd}, {:#x}, {rs1}", word.0 >> 20),
        Format::System => write!(f, " {:#x}", word.0 >> 20),
        Format::Bare => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Texts of another disassembler.
    #[test]
    fn text_of_known_words() {
        let check = |word: u32, want: &str| {
            assert_eq!(Word(word).disassemble(0x1000).to_string(), want, "{word:08x}")
        };
        check(0xff01_0113, "addi sp, sp, -16");
        check(0x0081_3083, "ld ra, 8(sp)");
        check(0x0011_3423, "sd ra, 8(sp)");
        check(0x0000_8067, "jalr zero, 0(ra)");
        check(0xfe05_1ee3, "bne a0, zero, 0xffc");
        check(0x0080_00ef, "jal ra, 0x1008");
        check(0x0035_1513, "slli a0, a0, 3");
        check(0x1234_5537, "lui a0, 0x12345");
        check(0x00b5_352f, "amoadd.d a0, a1, (a0)");
        check(0x1005_352f, "lr.d a0, (a0)");
        check(0x0000_0073, "ecall");
        check(0xffff_ffff, "invalid 0xffffffff");
    }
}
