//! Hints: requests to the host to make preimages available, as text.
//!
//! A hint is a name, one space and the payload in hexadecimal. It never changes a result: a
//! program works the same on a host that already has everything and ignores every hint.

use alloc::{string::String, vec::Vec};
use alloy_primitives::{Address, hex};

/// A hint that cannot be understood or is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HintError {
    /// Not a name, one space and a payload in hexadecimal.
    #[error("a hint of {length_bytes} bytes that is not a name, a space and hexadecimal digits")]
    Text {
        /// Length of the hint's text.
        length_bytes: usize,
    },
    /// A name this host has no route for.
    #[error("hint {name:?} is not known")]
    Name {
        /// The name as sent.
        name: String,
    },
    /// A payload too short for its name.
    #[error(
        "hint {name:?} has a payload of {length_bytes} bytes, at least {expected_bytes} needed"
    )]
    Payload {
        /// The name as sent.
        name: String,
        /// Length of the payload.
        length_bytes: usize,
        /// What the name asks for.
        expected_bytes: usize,
    },
    /// A payload of a length that no program sends under its name.
    #[error("hint {name:?} has a payload of {length_bytes} bytes instead of {allowed_bytes:?}")]
    Length {
        /// The name as sent.
        name: String,
        /// Length of the payload.
        length_bytes: usize,
        /// The lengths the name asks for.
        allowed_bytes: &'static [usize],
    },
    /// A payload of possible length that cannot be read.
    #[error("hint {name:?} has a payload that is no {what}")]
    Content {
        /// The name as sent.
        name: String,
        /// What it should be.
        what: &'static str,
    },
    /// A name of programs that this host does not serve.
    #[error("hint {name:?} belongs to {program}, which this host does not serve")]
    Unserved {
        /// The name as sent.
        name: String,
        /// Whose hint it is.
        program: &'static str,
    },
    /// A hint at another chain than the host's.
    #[error("hint {name:?} is for chain {found}, this host serves chain {expected}")]
    Chain {
        /// The name as sent.
        name: String,
        /// The host's chain.
        expected: u64,
        /// The hint's chain.
        found: u64,
    },
    /// A precompile that is not answered through the oracle.
    #[error("hint {name:?} asks for the precompile {address}, which is not answered by the oracle")]
    Precompile {
        /// The name as sent.
        name: String,
        /// The precompile asked for.
        address: Address,
    },
    /// A precompile call that runs out of the gas in its hint.
    #[error("hint {name:?} gives the precompile {address} {gas} gas, which is not enough")]
    Gas {
        /// The name as sent.
        name: String,
        /// The precompile asked for.
        address: Address,
        /// The gas in the hint.
        gas: u64,
    },
}

/// A hint in its two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The route, such as `l2-state-node`.
    pub name: String,
    /// The bytes behind the name.
    pub payload: Vec<u8>,
}

impl Hint {
    /// The text of a hint: `name 0x…`.
    pub fn encode(name: &str, payload: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(name.len() + 3 + 2 * payload.len());
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b" 0x");
        let (words, rest) = payload.as_chunks();
        for word in words {
            text.extend_from_slice(&digits(u32::from_be_bytes(*word)));
        }
        for byte in rest {
            text.extend_from_slice(&digits(u32::from(*byte))[6..]);
        }
        text
    }

    /// Reads a hint's text, with or without `0x` before the payload.
    ///
    /// # Errors
    /// [`HintError::Text`] when it does not consist of exactly two parts or the second is not
    /// hexadecimal.
    pub fn parse(text: &[u8]) -> Result<Self, HintError> {
        let malformed = HintError::Text { length_bytes: text.len() };
        let Ok(text) = core::str::from_utf8(text) else { return Err(malformed) };
        match text.split_once(' ') {
            Some((name, digits)) if !name.is_empty() => {
                let digits = digits.strip_prefix("0x").unwrap_or(digits);
                // The decoder would swallow a second prefix.
                if !hex::check_raw(digits) {
                    return Err(malformed);
                }
                let payload = hex::decode(digits).map_err(|_| malformed)?;
                Ok(Self { name: name.into(), payload })
            }
            _ => Err(malformed),
        }
    }
}

/// The hexadecimal digits of a word, all at once: a guest encodes thousands of hints.
fn digits(word: u32) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Each digit in a byte of its own.
    let mut digits = u64::from(word);
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // Above 9 a carry gets into the upper half of the byte.
    let letters = ((digits + 6 * ONES) >> 4) & ONES;
    let to_letter = u64::from(b'a' - b'0' - 10);
    (digits + u64::from(b'0') * ONES + letters * to_letter).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn text_of_a_hint() {
        assert_eq!(Hint::encode("l2-code", &[0xab, 0x01]), b"l2-code 0xab01");
        assert_eq!(Hint::encode("l2-code", &[]), b"l2-code 0x");
    }

    #[test]
    fn the_prefix_of_the_payload_is_optional() {
        let expected = Hint { name: "l1-blob".into(), payload: vec![0xab] };
        for text in ["l1-blob 0xab", "l1-blob ab", "l1-blob 0xAB"] {
            assert_eq!(Hint::parse(text.as_bytes()), Ok(expected.clone()), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_hints() {
        for text in [
            &b""[..],
            b"l2-code",
            b" ab",
            b"l2-code abc",
            b"l2-code  ab",
            b"l2-code ab cd",
            b"l2-code 0x0xab",
            b"l2-code 0Xab",
            b"l2-code 0x0Xab",
            b"\xff ab",
        ] {
            let error = HintError::Text { length_bytes: text.len() };
            assert_eq!(Hint::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn hints_survive_their_text(name in "[a-z0-9-]{1,30}", payload: Vec<u8>) {
            let text = Hint::encode(&name, &payload);
            prop_assert_eq!(Hint::parse(&text), Ok(Hint { name, payload }));
        }
    }
}
