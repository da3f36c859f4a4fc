//! Asterisc's state files: binary and JSON, without a version.
//!
//! ```text
//! memory:  page count 8, then for each page, in any order: index 8, content 4096
//! preimage key 32 | preimage offset 8 | pc 8 | exit code 1 | exited 1 | step 8 | heap 8
//! load reservation 8 | registers 32 x 8
//! hint length 4, hint | witness length 4, witness | state hash 32
//! ```
//!
//! Witness and state hash are for tools that do not compute them, and stand only in files that a command
//! ends with. They are never believed: what is read is the state.

use super::{Form, StateFileError, check_new_page, read, write};
use crate::layout::{Fields, Reader, Writer};
use crate::machine::state::{Registers, State};
use crate::machine::vm::Vm;
use crate::memory::{Memory, PAGE_BYTES, Page};
use crate::riscv::{Asterisc, AsteriscVersion, Hart};
use crate::witness;
use alloy_primitives::{B256, Bytes, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

impl Form for Asterisc {
    const WORD_BYTES: usize = 8;

    fn fields<F: Fields>(f: &mut F, r: &mut Registers<Hart>) -> Result<(), F::Error> {
        witness::riscv::fields(f, r)
    }
}

impl State<Asterisc> {
    /// Reads a state in its binary form, not compressed.
    ///
    /// # Errors
    /// The stream ends early or holds what no state can hold.
    pub fn from_binary(mut stream: impl Read) -> Result<Self, StateFileError> {
        let state = read(AsteriscVersion, &mut stream)?;
        Seal::default().fields(&mut Reader(stream))?;
        Ok(state)
    }

    /// Writes the binary form, not compressed. Give it a buffered writer. The seal stands behind
    /// the state.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_binary(&self, mut out: impl Write, seal: &Seal) -> io::Result<()> {
        write(self, &mut out)?;
        seal.clone().fields(&mut Writer(out))
    }

    /// Witness and state hash of this state.
    pub fn seal(&mut self) -> Seal {
        let witness = self.witness();
        let state_hash = self.hash_of(&witness);
        Seal { witness: witness.0, state_hash }
    }

    /// Writes the JSON form with the seal in it.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json(&self, mut out: impl Write, seal: &Seal) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, &self.to_json(seal))?;
        out.write_all(b"\n\n")
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// It is no such document, or holds what no state can hold.
    pub fn read_json(stream: impl Read) -> Result<Self, StateFileError> {
        Self::from_json(serde_json::from_reader(stream).map_err(StateFileError::Json)?)
    }

    fn to_json(&self, seal: &Seal) -> JsonState {
        let page = |(index, data): (u64, &Page)| JsonPage { index, data: hex::encode(data) };
        let r = &self.registers;
        JsonState {
            memory: self.memory.pages().map(page).collect(),
            preimage_key: r.preimage_key,
            preimage_offset: r.preimage_offset,
            pc: r.processor.pc,
            exit: r.exit_code,
            exited: r.exited,
            step: r.step,
            heap: r.heap,
            load_reservation: r.processor.reservation,
            registers: r.processor.registers,
            last_hint: r.last_hint.clone().into(),
            witness: STANDARD.encode(&seal.witness),
            state_hash: seal.state_hash,
        }
    }

    fn from_json(json: JsonState) -> Result<Self, StateFileError> {
        let mut memory = Memory::of(Asterisc::ADDRESSES);
        for JsonPage { index, data } in json.memory {
            check_new_page(&memory, index)?;
            let content: Page =
                hex::decode_to_array(&data).map_err(|_| StateFileError::PageContent { index })?;
            memory.set_page(index, &content);
        }
        let processor =
            Hart { pc: json.pc, reservation: json.load_reservation, registers: json.registers };
        let registers = Registers {
            preimage_key: json.preimage_key,
            preimage_offset: json.preimage_offset,
            heap: json.heap,
            exit_code: json.exit,
            exited: json.exited,
            step: json.step,
            processor,
            last_hint: json.last_hint.into(),
        };
        Ok(Self { version: AsteriscVersion, registers, memory })
    }
}

/// What stands in files beside the state: its own in files that a command ends with, the empty one of
/// [`Seal::default`] in snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    witness: Vec<u8>,
    state_hash: B256,
}

impl Seal {
    fn fields<F: Fields>(&mut self, f: &mut F) -> Result<(), F::Error> {
        f.counted("witness", &mut self.witness)?;
        f.hash("state hash", &mut self.state_hash)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonState {
    memory: Vec<JsonPage>,
    preimage_key: B256,
    preimage_offset: u64,
    pc: u64,
    exit: u8,
    exited: bool,
    step: u64,
    heap: u64,
    load_reservation: u64,
    registers: [u64; 32],
    #[serde(default, skip_serializing_if = "is_empty")]
    last_hint: Bytes,
    /// In base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    witness: String,
    #[serde(default)]
    state_hash: B256,
}

fn is_empty(bytes: &Bytes) -> bool {
    bytes.is_empty()
}

/// A page of memory as JSON.
#[derive(Serialize, Deserialize)]
struct JsonPage {
    index: u64,
    /// Twice as many hexadecimal digits as a page has bytes.
    data: String,
}

const _: () = assert!(PAGE_BYTES == 4096, "the file form holds pages of 4096 bytes");

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> State<Asterisc> {
        let mut state = State::<Asterisc>::at(AsteriscVersion, 0x1234);
        state.memory.write_range(0x10008, &[1, 2, 3]);
        state.memory.touch_page(3);
        state.registers.last_hint = b"\0\0\0\x09unfin".to_vec();
        state.registers.processor.reservation = 0x10008;
        state.registers.processor.registers[31] = u64::MAX;
        state.registers.step = 77;
        state
    }

    fn seal(state: &mut State<Asterisc>, sealed: bool) -> Seal {
        if sealed { state.seal() } else { Seal::default() }
    }

    fn bytes(state: &mut State<Asterisc>, sealed: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let seal = seal(state, sealed);
        state.write_binary(&mut out, &seal).unwrap();
        out
    }

    #[test]
    fn reads_what_it_wrote() {
        for sealed in [false, true] {
            let mut state = example();
            let mut back =
                State::<Asterisc>::from_binary(bytes(&mut state, sealed).as_slice()).unwrap();
            assert_eq!(back.registers, state.registers);
            assert_eq!(back.hash(), state.hash());
            assert_eq!(back.memory.page_count(), 2);

            let seal = seal(&mut state, sealed);
            let text = serde_json::to_string(&state.to_json(&seal)).unwrap();
            let mut back =
                State::<Asterisc>::from_json(serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(back.registers, state.registers);
            assert_eq!(back.hash(), state.hash());
            assert_eq!(back.memory.page_count(), 2);
        }
    }

    #[test]
    fn fields_stand_where_the_layout_says() {
        let mut state = example();
        let file = bytes(&mut state, true);
        let pages = 8 + 2 * (8 + 4096);
        assert_eq!(file[..8], 2u64.to_be_bytes());
        assert_eq!(file[8..16], 3u64.to_be_bytes());
        assert_eq!(file[pages + 40..pages + 48], 0x1234u64.to_be_bytes(), "pc");
        assert_eq!(file[pages + 50..pages + 58], 77u64.to_be_bytes(), "step");
        assert_eq!(file[pages + 66..pages + 74], 0x10008u64.to_be_bytes(), "reservation");
        let hint = pages + 74 + 256;
        assert_eq!(file[hint..hint + 13], *b"\0\0\0\x09\0\0\0\x09unfin");
        assert_eq!(file[hint + 13..hint + 17], 362u32.to_be_bytes(), "witness length");
        assert_eq!(file[hint + 17 + 362..], state.hash()[..]);
        let open = bytes(&mut state, false);
        assert_eq!(open[hint + 13..], [0; 36]);
    }

    #[test]
    fn pages_may_come_in_any_order() {
        let mut state = example();
        let mut file = bytes(&mut state, false);
        let (first, second) = (8..8 + 4104, 8 + 4104..8 + 2 * 4104);
        let swapped = [&file[second], &file[first]].concat();
        file[8..8 + 2 * 4104].copy_from_slice(&swapped);
        assert_eq!(State::<Asterisc>::from_binary(file.as_slice()).unwrap().hash(), state.hash());
    }

    #[test]
    fn every_cut_is_an_error() {
        let file = bytes(&mut example(), true);
        for cut in (0..file.len()).step_by(97).chain(file.len() - 60..file.len()) {
            let read = State::<Asterisc>::from_binary(&file[..cut]);
            assert!(matches!(read, Err(StateFileError::Read { .. })), "{cut}");
        }
    }

    #[test]
    fn json_has_the_deployed_keys() {
        let mut state = example();
        let seal = state.seal();
        let json = serde_json::to_value(state.to_json(&seal)).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut want = [
            "memory",
            "preimageKey",
            "preimageOffset",
            "pc",
            "exit",
            "exited",
            "step",
            "heap",
            "loadReservation",
            "registers",
            "lastHint",
            "witness",
            "stateHash",
        ];
        want.sort_unstable();
        let mut keys = keys;
        keys.sort_unstable();
        assert_eq!(keys, want);
        assert_eq!(json["registers"][31], u64::MAX);
        assert_eq!(json["lastHint"], "0x00000009756e66696e");
        assert_eq!(json["memory"][1]["data"].as_str().unwrap()[16..22], *"010203");
        let empty = State::<Asterisc>::at(AsteriscVersion, 0);
        let open = serde_json::to_value(empty.to_json(&Seal::default()));
        let open = open.unwrap();
        assert!(open.get("witness").is_none() && open.get("lastHint").is_none());
    }
}
