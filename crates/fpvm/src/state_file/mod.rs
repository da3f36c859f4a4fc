//! State files: the binary form of a whole state, memory included. Version 0 has a JSON form too.
//!
//! All integers are big-endian, nothing is padded, a flag is one byte. `w` is 4 on the 32-bit machine and 8
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

use crate::isa::semantics::sext32;
use crate::machine::state::{Registers, State};
use crate::machine::vm::Vm;
use crate::memory::{Memory, PAGE_BYTES, Page};
use crate::mips::state::{Cpu, StateVersion, StateVersion32};
use crate::mips::threads::{Reservation, ReservationStatus, Thread, Threads};
use crate::mips::{Arch, Mips32, Mips64};
use alloy_primitives::B256;
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
    /// A page that is there twice.
    #[error("page 0x{index:x} is there twice")]
    DuplicatePage {
        /// The index.
        index: u64,
    },
}

/// Big-endian fields from a stream.
struct Fields<R>(R);

impl<R: Read> Fields<R> {
    fn bytes<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], StateFileError> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(|source| StateFileError::Read { what, source })?;
        Ok(bytes)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, StateFileError> {
        self.bytes::<1>(what).map(|[byte]| byte)
    }

    fn word(&mut self, what: &'static str) -> Result<u64, StateFileError> {
        self.bytes(what).map(u64::from_be_bytes)
    }

    fn flag(&mut self, what: &'static str) -> Result<bool, StateFileError> {
        match self.byte(what)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(StateFileError::Flag { what, value }),
        }
    }

    /// A word of 4 bytes.
    fn half(&mut self, what: &'static str) -> Result<u64, StateFileError> {
        self.bytes(what).map(|bytes| u32::from_be_bytes(bytes).into())
    }

    /// A word of a machine with words of `word_bytes` bytes.
    fn native(&mut self, what: &'static str, word_bytes: usize) -> Result<u64, StateFileError> {
        if word_bytes == 4 { self.half(what) } else { self.word(what) }
    }

    fn memory<V: Vm>(&mut self, word_bytes: usize) -> Result<Memory, StateFileError> {
        let mut memory = Memory::of(V::ADDRESSES);
        for _ in 0..self.native("page count", word_bytes)? {
            let index = self.native("page index", word_bytes)?;
            if index >= V::ADDRESSES.page_index_end() {
                return Err(StateFileError::PageIndex { index });
            }
            if memory.page(index).is_some() {
                return Err(StateFileError::DuplicatePage { index });
            }
            let content: Page = self.bytes("page content")?;
            memory.set_page(index, &content);
        }
        Ok(memory)
    }

    fn reservation(&mut self) -> Result<Reservation, StateFileError> {
        let value = self.byte("reservation status")?;
        Ok(Reservation {
            status: ReservationStatus::from_byte(value)
                .ok_or(StateFileError::ReservationStatus { value })?,
            address: self.word("reservation address")?,
            owner: self.word("reservation owner")?,
        })
    }

    fn threads(&mut self, what: &'static str) -> Result<Vec<Thread>, StateFileError> {
        // Nothing is set aside for the count: a false one ends with the stream.
        (0..self.word(what)?).map(|_| self.thread()).collect()
    }

    /// A thread as the witness packs it; any non-zero byte means exited.
    fn thread(&mut self) -> Result<Thread, StateFileError> {
        let id = self.word("thread id")?;
        let [exit_code, exited] = self.bytes("thread exit")?;
        let mut cpu = Cpu::at(self.word("thread pc")?);
        cpu.next_pc = self.word("thread next pc")?;
        cpu.lo = self.word("thread lo")?;
        cpu.hi = self.word("thread hi")?;
        for register in &mut cpu.registers {
            *register = self.word("thread registers")?;
        }
        Ok(Thread { id, exit_code, exited: exited != 0, cpu })
    }

    /// Bytes behind their number.
    fn counted(&mut self, what: &'static str) -> Result<Vec<u8>, StateFileError> {
        let length = u32::from_be_bytes(self.bytes(what)?);
        let mut bytes = Vec::new();
        let read = self.0.by_ref().take(length.into()).read_to_end(&mut bytes);
        let read = read.and_then(|n| {
            if n == length as usize { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
        });
        read.map_err(|source| StateFileError::Read { what, source })?;
        Ok(bytes)
    }

    /// The state of the 64-bit machine behind its version byte.
    fn mips64(&mut self, version: StateVersion) -> Result<State<Mips64>, StateFileError> {
        let memory = self.memory::<Mips64>(Mips64::WORD_BYTES)?;
        let preimage_key = B256::from(self.bytes("preimage key")?);
        let preimage_offset = self.word("preimage offset")?;
        let heap = self.word("heap")?;
        let reservation = self.reservation()?;
        let exit_code = self.byte("exit code")?;
        let exited = self.flag("exited")?;
        let step = self.word("step")?;
        let processor = Threads {
            reservation,
            steps_since_switch: self.word("steps since switch")?,
            traverse_right: self.flag("traverse right")?,
            next_thread_id: self.word("next thread id")?,
            left: self.threads("left thread count")?,
            right: self.threads("right thread count")?,
        };
        let last_hint = self.counted("hint")?;
        let registers = Registers {
            preimage_key,
            preimage_offset,
            heap,
            exit_code,
            exited,
            step,
            processor,
            last_hint,
        };
        Ok(State { version, registers, memory })
    }

    /// The state of the 32-bit machine behind its version byte.
    fn mips32(&mut self, version: StateVersion32) -> Result<State<Mips32>, StateFileError> {
        let memory = self.memory::<Mips32>(Mips32::WORD_BYTES)?;
        let preimage_key = B256::from(self.bytes("preimage key")?);
        let preimage_offset = self.half("preimage offset")?;
        let mut processor = Cpu::at(self.half("pc")?);
        processor.next_pc = self.half("next pc")?;
        processor.lo = sext32(self.half("lo")?);
        processor.hi = sext32(self.half("hi")?);
        let heap = self.half("heap")?;
        let exit_code = self.byte("exit code")?;
        let exited = self.flag("exited")?;
        let step = self.word("step")?;
        for register in &mut processor.registers {
            *register = sext32(self.half("registers")?);
        }
        let last_hint = self.counted("hint")?;
        let registers = Registers {
            preimage_key,
            preimage_offset,
            heap,
            exit_code,
            exited,
            step,
            processor,
            last_hint,
        };
        Ok(State { version, registers, memory })
    }
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
        write_head(self, self.version.number(), &mut out)?;
        let r = &self.registers;
        out.write_all(&r.heap.to_be_bytes())?;
        let threads = &r.processor;
        out.write_all(&[threads.reservation.status as u8])?;
        out.write_all(&threads.reservation.address.to_be_bytes())?;
        out.write_all(&threads.reservation.owner.to_be_bytes())?;
        out.write_all(&[r.exit_code, r.exited.into()])?;
        out.write_all(&r.step.to_be_bytes())?;
        out.write_all(&threads.steps_since_switch.to_be_bytes())?;
        out.write_all(&[threads.traverse_right.into()])?;
        out.write_all(&threads.next_thread_id.to_be_bytes())?;
        for stack in [&threads.left, &threads.right] {
            out.write_all(&(stack.len() as u64).to_be_bytes())?;
            stack.iter().try_for_each(|thread| out.write_all(&thread.pack()))?;
        }
        write_counted(&r.last_hint, &mut out)
    }
}

impl State<Mips32> {
    /// Writes the binary form, not compressed. Give it a buffered writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        write_head(self, self.version.number(), &mut out)?;
        let r = &self.registers;
        let cpu = &r.processor;
        for word in [cpu.pc, cpu.next_pc, cpu.lo, cpu.hi, r.heap] {
            out.write_all(native(&word.to_be_bytes(), Mips32::WORD_BYTES))?;
        }
        out.write_all(&[r.exit_code, r.exited.into()])?;
        out.write_all(&r.step.to_be_bytes())?;
        for register in cpu.registers {
            out.write_all(native(&register.to_be_bytes(), Mips32::WORD_BYTES))?;
        }
        write_counted(&r.last_hint, &mut out)
    }
}

/// The bytes of a word that a machine writes: its low ones.
fn native(bytes: &[u8; 8], word_bytes: usize) -> &[u8] {
    &bytes[8 - word_bytes..]
}

/// What all states of Cannon begin with: version, memory, and what is being read.
fn write_head<A: Arch>(state: &State<A>, version: u8, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[version])?;
    write_memory(&state.memory, A::WORD_BYTES, out)?;
    out.write_all(state.registers.preimage_key.as_slice())?;
    out.write_all(native(&state.registers.preimage_offset.to_be_bytes(), A::WORD_BYTES))
}

/// Writes the pages of a memory behind their number.
fn write_memory(memory: &Memory, word_bytes: usize, out: &mut impl Write) -> io::Result<()> {
    out.write_all(native(&(memory.page_count() as u64).to_be_bytes(), word_bytes))?;
    for (index, page) in memory.pages() {
        out.write_all(native(&index.to_be_bytes(), word_bytes))?;
        out.write_all(page)?;
    }
    Ok(())
}

/// Writes bytes behind their number.
fn write_counted(bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the hint is too long"))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

const _: () = assert!(PAGE_BYTES == 4096, "the file form holds pages of 4096 bytes");

#[cfg(test)]
mod tests {
    use super::*;

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
