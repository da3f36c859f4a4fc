//! Layouts: the fields of a state in their order, written down once for all that is done with them. What reads
//! a file, what writes one and what packs a witness are three kinds of [`Fields`].
//!
//! All integers are big-endian, nothing is padded, a flag is one byte.

use crate::state_file::StateFileError;
use alloy_primitives::B256;
use std::convert::Infallible;
use std::io::{self, Read, Write};

/// Bytes that are set aside at once for a field whose length a file claims.
const CHUNK_BYTES: usize = 64 << 10;

/// Takes each field in turn: fills it, or keeps a copy of it.
pub(crate) trait Fields: Sized {
    /// Why it stops.
    type Error;

    /// Takes the bytes of a field.
    fn bytes(&mut self, what: &'static str, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// A field has a value that no state has.
    fn refuse(&mut self, error: StateFileError) -> Result<(), Self::Error>;

    fn byte(&mut self, what: &'static str, byte: &mut u8) -> Result<(), Self::Error> {
        self.bytes(what, std::slice::from_mut(byte))
    }

    fn hash(&mut self, what: &'static str, hash: &mut B256) -> Result<(), Self::Error> {
        self.bytes(what, &mut hash.0)
    }

    fn word(&mut self, what: &'static str, word: &mut u64) -> Result<(), Self::Error> {
        let mut bytes = word.to_be_bytes();
        self.bytes(what, &mut bytes)?;
        *word = u64::from_be_bytes(bytes);
        Ok(())
    }

    /// The low 4 bytes of a word; those above are zero.
    fn half(&mut self, what: &'static str, word: &mut u64) -> Result<(), Self::Error> {
        let mut bytes = (*word as u32).to_be_bytes();
        self.bytes(what, &mut bytes)?;
        *word = u32::from_be_bytes(bytes).into();
        Ok(())
    }

    /// A word of a machine with words of `word_bytes` bytes.
    fn native(
        &mut self,
        what: &'static str,
        word: &mut u64,
        word_bytes: usize,
    ) -> Result<(), Self::Error> {
        if word_bytes == 4 { self.half(what, word) } else { self.word(what, word) }
    }

    fn flag(&mut self, what: &'static str, flag: &mut bool) -> Result<(), Self::Error> {
        let mut value = u8::from(*flag);
        self.byte(what, &mut value)?;
        *flag = value != 0;
        if value > 1 { self.refuse(StateFileError::Flag { what, value }) } else { Ok(()) }
    }

    /// Items behind their number, 8 bytes. Nothing is set aside for it: a false one ends with the stream.
    fn list<T>(
        &mut self,
        what: &'static str,
        items: &mut Vec<T>,
        new: impl Fn() -> T,
        fields: impl Fn(&mut Self, &mut T) -> Result<(), Self::Error>,
    ) -> Result<(), Self::Error> {
        let mut count = items.len() as u64;
        self.word(what, &mut count)?;
        let mut taken = 0;
        while (taken as u64) < count {
            if taken == items.len() {
                items.push(new());
            }
            fields(self, &mut items[taken])?;
            taken += 1;
        }
        items.truncate(taken);
        Ok(())
    }

    /// Bytes behind their number, 4 bytes.
    fn counted(&mut self, what: &'static str, bytes: &mut Vec<u8>) -> Result<(), Self::Error> {
        if u32::try_from(bytes.len()).is_err() {
            return self.refuse(StateFileError::TooLong { what });
        }
        let mut length = bytes.len() as u64;
        self.half(what, &mut length)?;
        let length = length as usize;
        bytes.truncate(length);
        let mut taken = 0;
        while taken < length {
            let end = length.min(taken + CHUNK_BYTES);
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            self.bytes(what, &mut bytes[taken..end])?;
            taken = end;
        }
        Ok(())
    }
}

/// Fills fields from a stream.
pub(crate) struct Reader<R>(pub(crate) R);

impl<R: Read> Fields for Reader<R> {
    type Error = StateFileError;

    fn bytes(&mut self, what: &'static str, bytes: &mut [u8]) -> Result<(), StateFileError> {
        self.0.read_exact(bytes).map_err(|source| StateFileError::Read { what, source })
    }

    fn refuse(&mut self, error: StateFileError) -> Result<(), StateFileError> {
        Err(error)
    }
}

/// Writes fields to a stream.
pub(crate) struct Writer<W>(pub(crate) W);

impl<W: Write> Fields for Writer<W> {
    type Error = io::Error;

    fn bytes(&mut self, _: &'static str, bytes: &mut [u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn refuse(&mut self, error: StateFileError) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// Puts fields into a record of fixed length.
pub(crate) struct Packer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Packer<N> {
    /// The record of what `fields` takes.
    pub(crate) fn pack(fields: impl FnOnce(&mut Self) -> Result<(), Infallible>) -> [u8; N] {
        let mut packer = Self { bytes: [0; N], at: 0 };
        let Ok(()) = fields(&mut packer);
        debug_assert_eq!(packer.at, N, "a record is filled completely");
        packer.bytes
    }
}

impl<const N: usize> Fields for Packer<N> {
    type Error = Infallible;

    fn bytes(&mut self, _: &'static str, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
        Ok(())
    }

    /// What a machine holds is packed as it is.
    fn refuse(&mut self, _: StateFileError) -> Result<(), Infallible> {
        Ok(())
    }
}
