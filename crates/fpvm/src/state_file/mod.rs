//! State files: the binary form of a whole state, memory included. Version 0 has a JSON form too.
//!
//! The fields are those of the witness, read and written through [`layout`](crate::layout). `w` is 4 on the 32-bit machine and 8
//! on the 64-bit one:
//!
//! ```text
//! version 1
//! memory:  page count w, then for each page in ascending order: index w, content 4096
//! preimage key 32 | preimage offset w
//!
//! versions 0 and 2                          versions 7 and 8
//! pc, next pc, lo, hi, heap 4 each          heap 8
//! exit code 1 | exited 1 | step 8           reservation status 1, address 8, owner 8
//! registers 4 each                          exit code 1 | exited 1 | step 8 | steps since switch 8
//!                                           traverse right 1 | next thread id 8
//!                                           left count 8, left threads 298 each, bottom first
//!                                           right count 8, right threads
//! hint length 4, hint
//! ```
//!
//! Bytes behind the hint are ignored. Other versions belong to other machines and are refused by name.

mod any;
pub mod asterisc;
mod json;

pub use any::{AnyState, AnyVersion};

use crate::layout::{Fields, Reader, Writer};
use crate::machine::state::{Registers, State};
use crate::machine::vm::Vm;
use crate::memory::{Memory, PAGE_BYTES};
use crate::mips::state::Cpu;
use crate::mips::threads::{Thread, Threads};
use crate::mips::{Arch, Mips32, Mips64};
use crate::witness;
use std::io::{self, Read, Write};

/// What every error message about versions ends with.
const SUPPORTED: &str = "supported are 0 (singlethreaded), 2 (singlethreaded-2), 7 (multithreaded64-4) and 8 (multithreaded64-5)";

/// Why a state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// The file ends early, or could not be read.
    #[error("cannot read {what}: {source}")]
    Read {
        /// The field that was being read.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// A version that belongs to another machine.
    #[error("state version {number} ({name}) is not supported; {SUPPORTED}")]
    UnsupportedVersion {
        /// The version byte.
        number: u8,
        /// Its name.
        name: &'static str,
    },
    /// A version that never was.
    #[error("unknown state version {number}; {SUPPORTED}")]
    UnknownVersion {
        /// The version byte.
        number: u8,
    },
    /// A version of another machine than the one that is needed.
    #[error("state version {number} ({name}) is not one of the {machine} machine")]
    OtherMachine {
        /// The version byte.
        number: u8,
        /// Its name.
        name: &'static str,
        /// The machine that is needed.
        machine: &'static str,
    },
    /// Not the JSON form of a state.
    #[error("not the JSON form of a state: {0}")]
    Json(serde_json::Error),
    /// A JSON field that is not hexadecimal, or of the wrong length.
    #[error("{what} is not hexadecimal")]
    Hexadecimal {
        /// The field.
        what: &'static str,
    },
    /// A page that is no packed page.
    #[error("page 0x{index:x} is not {PAGE_BYTES} bytes, packed with zlib, as base64")]
    PageData {
        /// The index.
        index: u64,
    },
    /// A byte that should be 0 or 1.
    #[error("{what} is {value}, not 0 or 1")]
    Flag {
        /// The field.
        what: &'static str,
        /// Its value.
        value: u8,
    },
    /// A reservation of unknown width.
    #[error("the reservation status is {value}, not 0, 1 or 2")]
    ReservationStatus {
        /// Its value.
        value: u8,
    },
    /// A page that is no page of the address space.
    #[error("page index 0x{index:x} is beyond the address space")]
    PageIndex {
        /// The index.
        index: u64,
    },
    /// A page that is not 8192 hexadecimal digits.
    #[error("page 0x{index:x} is not 4096 bytes in hexadecimal")]
    PageContent {
        /// The index.
        index: u64,
    },
    /// A field whose length does not fit into its 4 bytes.
    #[error("{what} is too long")]
    TooLong {
        /// The field.
        what: &'static str,
    },
    /// A page that is there twice.
    #[error("page 0x{index:x} is there twice")]
    DuplicatePage {
        /// The index.
        index: u64,
    },
}

/// A machine whose states have a binary form: memory, fields, hint.
pub(crate) trait Form: Vm {
    /// Bytes of the number of pages and of their indexes.
    const WORD_BYTES: usize;

    /// The fields between memory and hint.
    fn fields<F: Fields>(f: &mut F, r: &mut Registers<Self::Processor>) -> Result<(), F::Error>;
}

impl Form for Mips32 {
    const WORD_BYTES: usize = <Self as Arch>::WORD_BYTES;

    fn fields<F: Fields>(f: &mut F, r: &mut Registers<Cpu>) -> Result<(), F::Error> {
        witness::mips32::fields(f, r)
    }
}

impl Form for Mips64 {
    const WORD_BYTES: usize = <Self as Arch>::WORD_BYTES;

    fn fields<F: Fields>(f: &mut F, r: &mut Registers<Threads>) -> Result<(), F::Error> {
        witness::mips64::fields(f, r)?;
        let threads = &mut r.processor;
        f.word("next thread id", &mut threads.next_thread_id)?;
        let new = || Thread::at(0, 0);
        f.list("left thread count", &mut threads.left, new, witness::mips64::thread_fields)?;
        f.list("right thread count", &mut threads.right, new, witness::mips64::thread_fields)
    }
}

/// Reads memory, fields and hint.
fn read<V: Form>(version: V::Version, stream: impl Read) -> Result<State<V>, StateFileError> {
    let f = &mut Reader(stream);
    let mut memory = Memory::of(V::ADDRESSES);
    let mut count = 0;
    f.native("page count", &mut count, V::WORD_BYTES)?;
    for _ in 0..count {
        let (mut index, mut page) = (0, [0; PAGE_BYTES]);
        f.native("page index", &mut index, V::WORD_BYTES)?;
        check_new_page(&memory, index)?;
        f.bytes("page content", &mut page)?;
        memory.set_page(index, &page);
    }
    let mut registers = Registers::new(V::processor(0));
    V::fields(f, &mut registers)?;
    f.counted("hint", &mut registers.last_hint)?;
    Ok(State { version, registers, memory })
}

/// Writes what [`read`] reads.
fn write<V: Form>(state: &State<V>, out: impl Write) -> io::Result<()> {
    let f = &mut Writer(out);
    let pages = state.memory.pages();
    f.native("page count", &mut (pages.len() as u64), V::WORD_BYTES)?;
    for (mut index, page) in pages {
        f.native("page index", &mut index, V::WORD_BYTES)?;
        f.0.write_all(page)?;
    }
    let mut registers = state.registers.clone();
    V::fields(f, &mut registers)?;
    f.counted("hint", &mut registers.last_hint)
}

/// A page that a file has must be one of the address space, and be there once.
fn check_new_page(memory: &Memory, index: u64) -> Result<(), StateFileError> {
    if index >= memory.space().page_index_end() {
        return Err(StateFileError::PageIndex { index });
    }
    if memory.page(index).is_some() {
        return Err(StateFileError::DuplicatePage { index });
    }
    Ok(())
}

impl State<Mips64> {
    /// Reads a state of the 64-bit machine in its binary form, not compressed.
    ///
    /// # Errors
    /// The stream ends early or holds what no state of versions 7 and 8 can hold.
    pub fn read(stream: impl Read) -> Result<Self, StateFileError> {
        AnyState::read(stream)?.wide()
    }

    /// Writes the binary form, not compressed. Give it a buffered writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        out.write_all(&[self.version.number()])?;
        write(self, out)
    }
}

impl State<Mips32> {
    /// Writes the binary form, not compressed. Give it a buffered writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        out.write_all(&[self.version.number()])?;
        write(self, out)
    }
}

const _: () = assert!(PAGE_BYTES == 4096, "the file form holds pages of 4096 bytes");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::semantics::sext32;
    use crate::mips::state::{StateVersion, StateVersion32};
    use crate::mips::threads::{Reservation, ReservationStatus};

    fn example() -> State<Mips64> {
        let mut state = State::at(StateVersion::V8, 0x1234);
        state.memory.store_u64(0x10008, 0x0102_0304_0506_0708);
        state.memory.touch_page(3);
        state.registers.last_hint = b"\0\0\0\x09unfin".to_vec();
        state.registers.processor.reservation =
            Reservation { status: ReservationStatus::Doubleword, address: 0x10008, owner: 0 };
        state.registers.step = 77;
        state
    }

    fn bytes(state: &State<Mips64>) -> Vec<u8> {
        let mut out = Vec::new();
        state.write(&mut out).unwrap();
        out
    }

    #[test]
    fn an_empty_state_has_the_published_size() {
        assert_eq!(bytes(&State::at(StateVersion::V7, 0)).len(), 419);
        let mut file = Vec::new();
        State::at(StateVersion32::V0, 0).write(&mut file).unwrap();
        assert_eq!(file.len(), 203);
    }

    #[test]
    fn reads_what_it_wrote_of_32_bits() {
        let mut state = State::at(StateVersion32::V2, 0x1_0000);
        state.memory.store_u32(0x1_0004, 0x0102_0304);
        state.memory.touch_page(0xf_ffff);
        let r = &mut state.registers;
        (r.heap, r.step, r.exit_code, r.preimage_offset) = (0x0500_0000, 1 << 40, 3, 9);
        r.last_hint = b"\0\0\0\x09unfin".to_vec();
        (r.processor.hi, r.processor.lo) = (u64::MAX, 5);
        r.processor.registers[31] = sext32(0x8000_0000);
        let mut file = Vec::new();
        state.write(&mut file).unwrap();
        assert_eq!(file.len(), 203 + 2 * (4 + 4096) + 9);
        let AnyState::Mips32(mut back) = AnyState::read(file.as_slice()).unwrap() else {
            panic!("another machine")
        };
        assert_eq!(back.registers, state.registers);
        assert_eq!((back.version, back.hash()), (state.version, state.hash()));
        let error = State::<Mips64>::read(file.as_slice()).unwrap_err().to_string();
        assert!(error.contains("singlethreaded-2"), "{error}");
        for cut in (0..file.len()).step_by(97).chain(file.len() - 60..file.len()) {
            assert!(matches!(AnyState::read(&file[..cut]), Err(StateFileError::Read { .. })));
        }
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut state = example();
        let mut back = State::read(bytes(&state).as_slice()).unwrap();
        assert_eq!(back.registers, state.registers);
        assert_eq!(back.version, state.version);
        assert_eq!(back.hash(), state.hash());
        assert_eq!(back.memory.page_count(), 2);
    }

    #[test]
    fn fields_stand_where_the_layout_says() {
        let file = bytes(&example());
        let pages = 1 + 8 + 2 * (8 + 4096);
        assert_eq!(file[0], 8);
        assert_eq!(file[1..9], 2u64.to_be_bytes());
        assert_eq!(file[9..17], 3u64.to_be_bytes());
        assert_eq!(file[pages + 48], 2, "reservation status");
        assert_eq!(file[pages + 67..pages + 75], 77u64.to_be_bytes(), "step");
        assert_eq!(file[pages + 84..pages + 92], 1u64.to_be_bytes(), "next thread id");
        assert_eq!(file[pages + 92..pages + 100], 1u64.to_be_bytes(), "left count");
        assert!(file.ends_with(b"\0\0\0\x09\0\0\0\x09unfin"));
    }

    #[test]
    fn every_cut_is_an_error() {
        let file = bytes(&example());
        for cut in (0..file.len()).step_by(97).chain(file.len() - 60..file.len()) {
            assert!(matches!(State::read(&file[..cut]), Err(StateFileError::Read { .. })), "{cut}");
        }
    }

    #[test]
    fn false_counts_set_nothing_aside() {
        let mut file = bytes(&State::at(StateVersion::V8, 0));
        let left_count = 9 + 32 + 8 + 8 + 17 + 2 + 16 + 1 + 8;
        file[left_count..left_count + 8].fill(0xff);
        assert!(matches!(State::read(&file[..]), Err(StateFileError::Read { .. })));
    }

    #[test]
    fn other_machines_are_refused_by_name() {
        let message = |first: u8| State::read([first].as_slice()).unwrap_err().to_string();
        assert!(message(1).contains("(multithreaded) is not supported"));
        assert!(message(5).contains("multithreaded-2"));
        assert!(message(6).contains("multithreaded64-3"));
        assert!(message(9).contains("unknown state version 9"));
    }
}
