//! The JSON form of a state of version 0: numbers are decimal, pages are packed with zlib and encoded as
//! base64, hashes and bytes are hexadecimal.

use super::{StateFileError, check_new_page};
use crate::isa::semantics::sext32;
use crate::machine::state::{Registers, State};
use crate::memory::{AddressSpace, Memory, PAGE_BYTES, Page};
use crate::mips::Mips32;
use crate::mips::state::{Cpu, StateVersion32};
use alloy_primitives::{B256, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

#[derive(Serialize, Deserialize)]
struct Document {
    memory: Vec<PackedPage>,
    #[serde(rename = "preimageKey")]
    preimage_key: String,
    #[serde(rename = "preimageOffset")]
    preimage_offset: u32,
    pc: u32,
    #[serde(rename = "nextPC")]
    next_pc: u32,
    lo: u32,
    hi: u32,
    heap: u32,
    exit: u8,
    exited: bool,
    step: u64,
    registers: [u32; 32],
    #[serde(rename = "lastHint", default, skip_serializing_if = "String::is_empty")]
    last_hint: String,
}

#[derive(Serialize, Deserialize)]
struct PackedPage {
    index: u32,
    data: String,
}

/// One byte more than a page shows that there is too much.
fn unpack(data: &str) -> Option<Page> {
    let packed = STANDARD.decode(data).ok()?;
    let mut page = Vec::with_capacity(PAGE_BYTES + 1);
    ZlibDecoder::new(&packed[..]).take(PAGE_BYTES as u64 + 1).read_to_end(&mut page).ok()?;
    page.try_into().ok()
}

fn pack(page: &Page) -> io::Result<String> {
    let mut packed = Vec::new();
    ZlibEncoder::new(&page[..], Compression::fast()).read_to_end(&mut packed)?;
    Ok(STANDARD.encode(packed))
}

impl State<Mips32> {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// It is no such document, or holds what no state can hold.
    pub fn read_json(stream: impl Read) -> Result<Self, StateFileError> {
        let document: Document = serde_json::from_reader(stream).map_err(StateFileError::Json)?;
        let mut memory = Memory::of(AddressSpace::Bits32);
        for PackedPage { index, data } in &document.memory {
            let index = u64::from(*index);
            check_new_page(&memory, index)?;
            memory.set_page(index, &unpack(data).ok_or(StateFileError::PageData { index })?);
        }
        let what = "preimageKey";
        let key: B256 =
            document.preimage_key.parse().map_err(|_| StateFileError::Hexadecimal { what })?;
        let what = "lastHint";
        let last_hint =
            hex::decode(&document.last_hint).map_err(|_| StateFileError::Hexadecimal { what })?;
        let processor = Cpu {
            pc: document.pc.into(),
            next_pc: document.next_pc.into(),
            lo: sext32(document.lo.into()),
            hi: sext32(document.hi.into()),
            registers: document.registers.map(|register| sext32(register.into())),
        };
        let registers = Registers {
            preimage_key: key,
            preimage_offset: document.preimage_offset.into(),
            heap: document.heap.into(),
            exit_code: document.exit,
            exited: document.exited,
            step: document.step,
            processor,
            last_hint,
        };
        Ok(Self { version: StateVersion32::V0, registers, memory })
    }

    /// Writes the JSON form.
    ///
    /// # Errors
    /// The state is not of version 0, which alone has this form; or the writer's.
    pub fn write_json(&self, out: impl Write) -> io::Result<()> {
        if self.version != StateVersion32::V0 {
            let text = "only a state of version 0 (singlethreaded) has a JSON form";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let pages = self.memory.pages();
        let memory =
            pages.map(|(index, page)| Ok(PackedPage { index: index as u32, data: pack(page)? }));
        let r = &self.registers;
        let cpu = &r.processor;
        let last_hint =
            if r.last_hint.is_empty() { String::new() } else { hex::encode_prefixed(&r.last_hint) };
        let document = Document {
            memory: memory.collect::<io::Result<_>>()?,
            preimage_key: r.preimage_key.to_string(),
            preimage_offset: r.preimage_offset as u32,
            pc: cpu.pc as u32,
            next_pc: cpu.next_pc as u32,
            lo: cpu.lo as u32,
            hi: cpu.hi as u32,
            heap: r.heap as u32,
            exit: r.exit_code,
            exited: r.exited,
            step: r.step,
            registers: cpu.registers.map(|register| register as u32),
            last_hint,
        };
        Ok(serde_json::to_writer(out, &document)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by hand after the published layout; the page is `zlib.compress(b"\x01" + bytes(4095))` of
    /// another implementation.
    const DOCUMENT: &str = r#"{"memory":[{"index":16,"data":"eJztwQEJAAAAAqD6f7ofoTYAAADAuwEgAAAC"}],
        "preimageKey":"0x0200000000000000000000000000000000000000000000000000000000000000",
        "preimageOffset":3,"pc":65536,"nextPC":65540,"lo":1,"hi":4294967295,"heap":83886080,
        "exit":0,"exited":false,"step":7,"registers":[0,4294967295,2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,
        0,0,0,0,0,0,0,0,0,0,2147471360,0,0],"lastHint":"0x000000"}"#;

    #[test]
    fn fields_are_what_their_names_say() {
        let state = State::<Mips32>::read_json(DOCUMENT.as_bytes()).unwrap();
        assert_eq!(state.memory.load_u32(0x1_0000), 0x0100_0000);
        assert_eq!(state.memory.page_count(), 1);
        let r = &state.registers;
        assert_eq!((r.preimage_key[0], r.preimage_offset, r.step, r.heap), (2, 3, 7, 0x0500_0000));
        let cpu = &r.processor;
        assert_eq!((cpu.pc, cpu.next_pc, cpu.lo, cpu.hi), (0x10000, 0x10004, 1, u64::MAX));
        assert_eq!((cpu.registers[1], cpu.registers[29]), (u64::MAX, 0x7fff_d000));
        assert_eq!(r.last_hint, [0; 3]);
    }

    #[test]
    fn reads_what_it_wrote() {
        let mut state = State::at(StateVersion32::V0, 0x1_0000);
        state.memory.store_u32(0x1_0004, 0x0102_0304);
        state.memory.touch_page(3);
        state.registers.processor.registers[4] = u64::MAX;
        let mut file = Vec::new();
        state.write_json(&mut file).unwrap();
        let mut back = State::<Mips32>::read_json(file.as_slice()).unwrap();
        assert_eq!(back.hash(), state.hash());
        assert_eq!(back.registers, state.registers);
        assert_eq!(back.memory.page_count(), 2);
    }

    #[test]
    fn what_no_state_can_hold_is_refused() {
        let check = |from: &str, to: &str, want: &str| {
            let error =
                State::<Mips32>::read_json(DOCUMENT.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(want), "{to}: {error}");
        };
        check("\"index\":16", "\"index\":1048576", "beyond the address space");
        check("eJzt", "!!!!", "page 0x10 is not");
        check("0x0200", "0x02zz", "preimageKey");
        check("\"step\":7", "\"step\":-7", "JSON");
        check("0x000000\"", "0x00000\"", "lastHint");
    }

    #[test]
    fn no_other_version_is_written() {
        let state = State::at(StateVersion32::V2, 0);
        assert!(state.write_json(Vec::new()).is_err());
    }
}
