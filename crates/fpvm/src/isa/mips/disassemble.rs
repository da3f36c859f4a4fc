//! The operands of an instruction as text.

use super::{Format, Word};
use crate::isa::semantics::JUMP_REGION;
use std::fmt;

/// Register names of the n64 calling convention, by number.
pub const REGISTER_NAMES: [&str; 32] = [
    "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2",
    "t3", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1", "gp", "sp", "s8",
    "ra",
];

/// Writes the operands of `word` at `pc` behind its mnemonic.
pub(super) fn operands(
    f: &mut fmt::Formatter<'_>,
    format: Format,
    word: Word,
    pc: u64,
) -> fmt::Result {
    let [rs, rt, rd] = [word.rs(), word.rt(), word.rd()].map(|r| REGISTER_NAMES[r]);
    let (sa, imm, uimm) = (word.sa(), word.imm() as i64, word.uimm());
    let behind = pc.wrapping_add(4);
    let target = behind.wrapping_add(word.imm() << 2);
    match format {
        Format::RdRtSa => write!(f, " {rd}, {rt}, {sa}"),
        Format::RdRtRs => write!(f, " {rd}, {rt}, {rs}"),
        Format::RdRsRt => write!(f, " {rd}, {rs}, {rt}"),
        Format::RdRs => write!(f, " {rd}, {rs}"),
        Format::RsRt => write!(f, " {rs}, {rt}"),
        Format::Rs => write!(f, " {rs}"),
        Format::Rd => write!(f, " {rd}"),
        Format::Bare => Ok(()),
        Format::RsOff => write!(f, " {rs}, {target:#x}"),
        Format::RsRtOff => write!(f, " {rs}, {rt}, {target:#x}"),
        Format::Jump => write!(f, " {:#x}", behind & JUMP_REGION | word.jump()),
        Format::RtRsImm => write!(f, " {rt}, {rs}, {imm}"),
        Format::RtRsUimm => write!(f, " {rt}, {rs}, {uimm:#x}"),
        Format::RtUimm => write!(f, " {rt}, {uimm:#x}"),
        Format::RtMem => write!(f, " {rt}, {imm}({rs})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_known_words() {
        let check = |word: u32, want: &str| {
            assert_eq!(Word(word).disassemble(0x1000).to_string(), want, "{word:08x}")
        };
        check(0x67bd_fff0, "daddiu sp, sp, -16");
        check(0xdfbf_0008, "ld ra, 8(sp)");
        check(0x03e0_0008, "jr ra");
        check(0x1000_ffff, "beq zero, zero, 0x1000");
        check(0x0c00_0400, "jal 0x1000");
        check(0x0002_1080, "sll v0, v0, 2");
        check(0x3442_ffff, "ori v0, v0, 0xffff");
        check(0x0000_000c, "syscall");
        check(0x0000_000d, "invalid 0x0000000d");
    }
}
