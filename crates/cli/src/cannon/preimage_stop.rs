//! At which read of a preimage a run stops.

use super::arguments::Run;
use super::error::CannonError;
use alloy_primitives::B256;
use rebut_preimage::KeyType;
use std::str::FromStr;

/// What `--stop-at-preimage` says: the first bytes of a key, an offset, and the first step that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStop {
    prefix: Vec<u8>,
    offset: u64,
    from_step: u64,
}

/// Why a text is no key condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStopError {
    /// The prefix is not hexadecimal.
    #[error("the key prefix is not hexadecimal")]
    Hex,
    /// The prefix is longer than a key.
    #[error("the key prefix is longer than a key (32 bytes)")]
    Long,
    /// No number behind an `@`.
    #[error("the {0} is not a decimal number of 64 bits")]
    Number(&'static str),
    /// A third `@`.
    #[error("there is more than HEXPREFIX@OFFSET@STEP")]
    TooMany,
}

impl FromStr for KeyStop {
    type Err = KeyStopError;

    fn from_str(text: &str) -> Result<Self, KeyStopError> {
        let mut parts = text.split('@');
        let prefix = parse_prefix(parts.next().unwrap_or_default())?;
        let mut number = |what| match parts.next() {
            None => Ok(0),
            Some(digits) if digits.starts_with('+') => Err(KeyStopError::Number(what)),
            Some(digits) => digits.parse().map_err(|_| KeyStopError::Number(what)),
        };
        let (offset, from_step) = (number("offset")?, number("step")?);
        match parts.next() {
            None => Ok(Self { prefix, offset, from_step }),
            Some(_) => Err(KeyStopError::TooMany),
        }
    }
}

/// Hexadecimal with or without `0x`; a missing first digit is 0.
fn parse_prefix(text: &str) -> Result<Vec<u8>, KeyStopError> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    // The decoder would take a second prefix.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(KeyStopError::Hex);
    }
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
    let prefix = alloy_primitives::hex::decode(padded).map_err(|_| KeyStopError::Hex)?;
    if prefix.len() > B256::len_bytes() { Err(KeyStopError::Long) } else { Ok(prefix) }
}

/// One read of a preimage by the guest.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The key.
    pub key: B256,
    /// Bytes of the preimage, its prefix included.
    pub length: u64,
    /// Offset of the read, the prefix included.
    pub offset: u64,
    /// The step that read.
    pub step: u64,
}

/// The conditions of all three options together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreimageStop {
    /// No read stops the run.
    Never,
    /// The first read does.
    Any,
    /// A key without a size: the offset and the first step count too.
    Key(KeyStop),
    /// A size, and a key if its prefix is not empty; neither offset nor step count.
    Size { prefix: Vec<u8>, larger_than: u64 },
}

impl PreimageStop {
    /// Puts the options together. A key makes the type meaningless.
    ///
    /// # Errors
    /// The type is none.
    pub fn new(arguments: &Run) -> Result<Self, CannonError> {
        let key = match (&arguments.stop_at_preimage, arguments.stop_at_preimage_type.as_str()) {
            (Some(key), _) => key.clone(),
            (None, "any") => return Ok(Self::Any),
            (None, name) => KeyStop { prefix: type_prefix(name)?, offset: 0, from_step: 0 },
        };
        Ok(match (arguments.stop_at_preimage_larger_than, key.prefix.is_empty()) {
            (0, true) => Self::Never,
            (0, false) => Self::Key(key),
            (larger_than, _) => Self::Size { prefix: key.prefix, larger_than },
        })
    }

    /// Whether this read stops the run.
    pub fn matches(&self, read: Read) -> bool {
        match self {
            Self::Never => false,
            Self::Any => true,
            Self::Key(key) => {
                read.key.starts_with(&key.prefix)
                    && read.offset == key.offset
                    && read.step >= key.from_step
            }
            Self::Size { prefix, larger_than } => {
                read.key.starts_with(prefix) && read.length > *larger_than
            }
        }
    }
}

/// The prefix that all keys of a type share; empty for the empty name.
fn type_prefix(name: &str) -> Result<Vec<u8>, CannonError> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let found = KeyType::ALL.into_iter().find(|t| t.name() == name);
    found.map(|t| vec![t as u8]).ok_or_else(|| CannonError::PreimageType { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_key_conditions() {
        let check = |text: &str, prefix: &[u8], offset, from_step| {
            let want = KeyStop { prefix: prefix.to_vec(), offset, from_step };
            assert_eq!(text.parse(), Ok(want), "{text:?}");
        };
        check("0x02ab", &[2, 0xab], 0, 0);
        check("2AB", &[2, 0xab], 0, 0);
        check("02@8", &[2], 8, 0);
        check("02@8@99", &[2], 8, 99);
        check("", &[], 0, 0);
        check("@16", &[], 16, 0);
    }

    #[test]
    fn other_texts_are_refused() {
        let check = |text: &str, want| assert_eq!(text.parse::<KeyStop>(), Err(want), "{text:?}");
        check("0xzz", KeyStopError::Hex);
        check("é", KeyStopError::Hex);
        check("0x0x02", KeyStopError::Hex);
        check(&"00".repeat(33), KeyStopError::Long);
        check("02@", KeyStopError::Number("offset"));
        check("02@+1", KeyStopError::Number("offset"));
        check("02@8@x", KeyStopError::Number("step"));
        check("02@8@9@", KeyStopError::TooMany);
    }

    #[test]
    fn a_size_makes_offset_and_step_meaningless() {
        let read = Read { key: B256::repeat_byte(2), length: 40, offset: 8, step: 5 };
        let key = |offset, from_step| {
            PreimageStop::Key(KeyStop { prefix: vec![2, 2], offset, from_step }).matches(read)
        };
        assert!(key(8, 5));
        assert!(!key(0, 5));
        assert!(!key(8, 6));
        let size = |prefix: &[u8], larger_than| {
            PreimageStop::Size { prefix: prefix.to_vec(), larger_than }.matches(read)
        };
        assert!(size(&[], 39));
        assert!(size(&[2], 39));
        assert!(!size(&[2], 40));
        assert!(!size(&[1], 39));
    }
}
