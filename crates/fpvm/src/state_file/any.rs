//! A state of whichever machine: what a file holds is known only once it was opened.

use super::{StateFileError, read};
use crate::layout::{Fields, Reader};
use crate::machine::state::State;
use crate::mips::state::{StateVersion, StateVersion32, VERSION_NAMES};
use crate::mips::{Mips32, Mips64};
use std::io::{self, Read, Write};

/// The version of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyVersion {
    /// Of the single-threaded 32-bit machine.
    Mips32(StateVersion32),
    /// Of the multithreaded 64-bit machine.
    Mips64(StateVersion),
}

impl AnyVersion {
    /// All versions of all machines, oldest first.
    pub const ALL: [Self; 4] = [
        Self::Mips32(StateVersion32::V0),
        Self::Mips32(StateVersion32::V2),
        Self::Mips64(StateVersion::V7),
        Self::Mips64(StateVersion::V8),
    ];

    /// The number in the first byte of a state file.
    pub const fn number(self) -> u8 {
        match self {
            Self::Mips32(version) => version.number(),
            Self::Mips64(version) => version.number(),
        }
    }

    /// The name that `--type` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mips32(version) => version.name(),
            Self::Mips64(version) => version.name(),
        }
    }

    /// The version behind a number.
    ///
    /// # Errors
    /// Versions of machines that are not here are refused by their name.
    pub fn from_number(number: u8) -> Result<Self, StateFileError> {
        let known = Self::ALL.into_iter().find(|version| version.number() == number);
        known.ok_or_else(|| match VERSION_NAMES.get(usize::from(number)) {
            Some(name) => StateFileError::UnsupportedVersion { number, name },
            None => StateFileError::UnknownVersion { number },
        })
    }
}

/// A state of either machine.
#[derive(Debug)]
pub enum AnyState {
    /// Of the single-threaded 32-bit machine.
    Mips32(State<Mips32>),
    /// Of the multithreaded 64-bit machine.
    Mips64(State<Mips64>),
}

impl AnyState {
    /// Its version.
    pub const fn version(&self) -> AnyVersion {
        match self {
            Self::Mips32(state) => AnyVersion::Mips32(state.version),
            Self::Mips64(state) => AnyVersion::Mips64(state.version),
        }
    }

    /// The state, if it is one of the 64-bit machine.
    ///
    /// # Errors
    /// It is one of another machine.
    pub fn wide(self) -> Result<State<Mips64>, StateFileError> {
        match self {
            Self::Mips64(state) => Ok(state),
            Self::Mips32(state) => Err(StateFileError::OtherMachine {
                number: state.version.number(),
                name: state.version.name(),
                machine: "64-bit",
            }),
        }
    }

    /// Reads a state in its binary form, not compressed.
    ///
    /// # Errors
    /// The stream ends early or holds what no state of a supported version can hold.
    pub fn read(mut stream: impl Read) -> Result<Self, StateFileError> {
        let mut number = 0;
        Reader(&mut stream).byte("version", &mut number)?;
        Ok(match AnyVersion::from_number(number)? {
            AnyVersion::Mips32(version) => Self::Mips32(read(version, stream)?),
            AnyVersion::Mips64(version) => Self::Mips64(read(version, stream)?),
        })
    }

    /// Writes the binary form, not compressed. Give it a buffered writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        match self {
            Self::Mips32(state) => state.write(out),
            Self::Mips64(state) => state.write(out),
        }
    }
}
