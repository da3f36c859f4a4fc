//! Assembly text of an instruction, from its row.

use super::{Format, Op, Word};
use std::fmt;

/// Register names of the n64 calling convention, by number.
pub const REGISTER_NAMES: [&str; 32] = [
    "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2",
    "t3", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1", "gp", "sp", "s8",
    "ra",
];

/// An instruction word at an address, printable as assembly.
#[derive(Clone, Copy, Debug)]
pub struct Disassembly {
    pc: u64,
    word: Word,
}

impl Word {
    /// The text of this word when it stands at `pc`; branch targets are absolute.
    pub fn disassemble(self, pc: u64) -> Disassembly {
        Disassembly { pc, word: self }
    }
}

impl fmt::Display for Disassembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pc, word } = *self;
        let Some(op) = Op::decode(word) else {
            return write!(f, "invalid 0x{:08x}", word.0);
        };
        let row = op.row();
        let [rs, rt, rd] = [word.rs(), word.rt(), word.rd()].map(|r| REGISTER_NAMES[r]);
        let (sa, imm, uimm) = (word.sa(), word.imm() as i64, word.uimm());
        let target = pc.wrapping_add(4).wrapping_add(word.imm() << 2);
        let n = row.name;
        match row.format {
            Format::RdRtSa => write!(f, "{n} {rd}, {rt}, {sa}"),
            Format::RdRtRs => write!(f, "{n} {rd}, {rt}, {rs}"),
            Format::RdRsRt => write!(f, "{n} {rd}, {rs}, {rt}"),
            Format::RdRs => write!(f, "{n} {rd}, {rs}"),
            Format::RsRt => write!(f, "{n} {rs}, {rt}"),
            Format::Rs => write!(f, "{n} {rs}"),
            Format::Rd => write!(f, "{n} {rd}"),
            Format::Bare => f.write_str(n),
            Format::RsOff | Format::Fallback => write!(f, "{n} {rs}, {target:#x}"),
            Format::RsRtOff => write!(f, "{n} {rs}, {rt}, {target:#x}"),
            Format::Jump => {
                write!(
                    f,
                    "{n} {:#x}",
                    pc.wrapping_add(4) & super::semantics::JUMP_REGION | word.jump()
                )
            }
            Format::RtRsImm => write!(f, "{n} {rt}, {rs}, {imm}"),
            Format::RtRsUimm => write!(f, "{n} {rt}, {rs}, {uimm:#x}"),
            Format::RtUimm => write!(f, "{n} {rt}, {uimm:#x}"),
            Format::RtMem => write!(f, "{n} {rt}, {imm}({rs})"),
        }
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
