//! Bit patterns of 32-bit instruction words, drawn as text.
//!
//! A pattern spells out all 32 bits, most significant first; blanks only group them. `0` and `1` are
//! fixed, a letter names the operand field that the bit belongs to, and `-` is a bit that the decoder
//! ignores. Parsing happens at compile time, so a pattern of a wrong length does not build.

/// The fixed bits of an instruction: a word matches when `word & mask == value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// One for each bit that is fixed.
    pub mask: u32,
    /// The fixed bits.
    pub value: u32,
    text: &'static str,
}

impl Pattern {
    /// Parses the drawing of a pattern. Fails the build where it has not exactly 32 bits.
    pub const fn parse(text: &'static str) -> Self {
        let bytes = text.as_bytes();
        let (mut mask, mut value, mut bits, mut i) = (0u32, 0u32, 0, 0);
        while i < bytes.len() {
            let b = bytes[i];
            i += 1;
            if b == b' ' {
                continue;
            }
            mask <<= 1;
            value <<= 1;
            match b {
                b'0' => mask |= 1,
                b'1' => {
                    mask |= 1;
                    value |= 1;
                }
                b'-' | b'a'..=b'z' => {}
                _ => panic!("a pattern holds 0, 1, -, letters and blanks"),
            }
            bits += 1;
        }
        assert!(bits == 32, "a pattern has 32 bits");
        Self { mask, value, text }
    }

    /// True when some word matches both patterns.
    pub const fn overlaps(&self, other: &Self) -> bool {
        let both = self.mask & other.mask;
        self.value & both == other.value & both
    }

    /// The mask of the field that is drawn with `letter`; zero where the pattern has no such field.
    pub const fn field(&self, letter: u8) -> u32 {
        let bytes = self.text.as_bytes();
        let (mut mask, mut i) = (0u32, 0);
        while i < bytes.len() {
            if bytes[i] != b' ' {
                mask <<= 1;
                if bytes[i] == letter {
                    mask |= 1;
                }
            }
            i += 1;
        }
        mask
    }

    /// The bits of `value` in the field that is drawn with `letter`, the lowest at the right. Too large a
    /// value is cut to the field; nothing remains of it where the pattern has no such field.
    pub const fn insert(&self, letter: u8, mut value: u32) -> u32 {
        let (mut field, mut word) = (self.field(letter), 0);
        while field != 0 {
            let lowest = field & field.wrapping_neg();
            if value & 1 != 0 {
                word |= lowest;
            }
            value >>= 1;
            field ^= lowest;
        }
        word
    }

    /// The drawing that this pattern was parsed from.
    pub const fn text(&self) -> &'static str {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fixed_bits_and_fields() {
        let p = Pattern::parse("000001 sssss 10001 iiiiiiiiiiiiiiii");
        assert_eq!(p.mask, 0xfc1f_0000);
        assert_eq!(p.value, 0x0411_0000);
        assert_eq!(p.field(b's'), 0x03e0_0000);
        assert_eq!(p.field(b'i'), 0xffff);
        assert_eq!(p.field(b'd'), 0);
    }

    #[test]
    fn values_are_put_into_fields() {
        let check = |drawing, value, want| {
            assert_eq!(Pattern::parse(drawing).insert(b'i', value), want, "{drawing} {value:x}");
        };
        check("000001 sssss 10001 iiiiiiiiiiiiiiii", 0x1_2345, 0x2345);
        check("iiii 0000 0000 0000 0000 0000 0000 ii11", 0b10_1101, 0xb000_0004);
        check("000001 sssss 10001 ----------------", 0xffff, 0);
    }

    #[test]
    fn overlap_needs_a_word_that_matches_both() {
        let add = Pattern::parse("000000 sssss ttttt ddddd ----- 100000");
        let sub = Pattern::parse("000000 sssss ttttt ddddd ----- 100010");
        let special = Pattern::parse("000000 ssssssssssssssssssssssssss");
        assert!(!add.overlaps(&sub));
        assert!(add.overlaps(&special) && special.overlaps(&sub));
    }
}
