//! The first inputs of each target: one that the parser takes, where chance would not find one.

use crate::many::noise;
use alloy_primitives::keccak256;
use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};
use rebut_fpvm::state_file::asterisc::Seal;
use rebut_fpvm::witness::mips64::{PROOF_BYTES, STATE_BYTES};
use rebut_fpvm::{Asterisc, AsteriscVersion, Mips32, State, StateVersion, StateVersion32};
use rebut_preimage::PreimageKey;
use std::io;

/// Seeds with the name of their target.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let key = PreimageKey::keccak256(keccak256(b"value"));
    let record = [key.as_bytes(), &5u64.to_be_bytes()[..], b"value"].concat();
    let packed = zstd::bulk::compress(&record, 0).expect("a vector takes everything");
    let text = key.to_string();
    let plain_hash = keccak256(b"value");
    let mut seeds = vec![
        ("elf", program(Architecture::Mips64, Endianness::Big)),
        ("elf", program(Architecture::Mips, Endianness::Big)),
        ("elf", program(Architecture::Riscv64, Endianness::Little)),
        ("symbols", br#"{"symbols":[{"name":"main","start":16,"size":8}]}"#.to_vec()),
        ("symbols", br#"{"symbols":null}"#.to_vec()),
        ("state_file", state(StateVersion::V7)),
        ("state_file", state(StateVersion::V8)),
        ("state_file", narrow_state(|state, file| state.write(file))),
        ("state_file", narrow_state(|state, file| state.write_json(file))),
        (
            "asterisc_state",
            asterisc_state(|state, file| state.write_binary(file, &Seal::default())),
        ),
        ("asterisc_state", asterisc_state(|state, file| state.write_json(file, &Seal::default()))),
        ("shown_instruction", proof()),
        ("preimage_key", text.clone().into_bytes()),
        ("preimage_key", [&key.as_bytes()[..], b"value"].concat()),
        ("hint", b"l2-state-node 0x00ff".to_vec()),
        ("store_kv", record),
        ("store_packed", packed),
        ("store_json", format!(r#"{{"preimages":{{"{text}":"0x76616c7565"}}}}"#).into_bytes()),
        (
            "store_json",
            format!(r#"{{"preimages":{{"{plain_hash}":"0x76616c7565"}}}}"#).into_bytes(),
        ),
        ("store_directory", b"\x0276616c7565".to_vec()),
        ("store_directory", b"\x01directory".to_vec()),
    ];
    for text in ["", "never", "always", "=0x1_f", "=017", "%0b101", "%1_000_000", "%0", "=1__0"] {
        seeds.push(("step_pattern", [&7u64.to_be_bytes()[..], text.as_bytes()].concat()));
    }
    for number in 0..32 {
        seeds.push(("lockstep", noise(number, 2048)));
        seeds.push(("wire_client", noise(number, 512)));
        seeds.push(("wire_server", noise(number, 512)));
    }
    seeds
}

/// A program header and a symbol, by a writer of ELF files that knows nothing of this loader.
fn program(architecture: Architecture, endianness: Endianness) -> Vec<u8> {
    let mut file = Object::new(BinaryFormat::Elf, architecture, endianness);
    let text = file.add_section(vec![], b".text".to_vec(), SectionKind::Text);
    file.append_section_data(text, &[0; 32], 8);
    file.add_symbol(Symbol {
        name: b"main".to_vec(),
        value: 0,
        size: 32,
        kind: SymbolKind::Text,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    });
    let mut bytes = file.write().expect("the file is valid");
    add_segment(&mut bytes, architecture != Architecture::Mips, endianness);
    bytes
}

/// Object files have no program headers: puts one that loads the start of the file behind the end.
fn add_segment(file: &mut Vec<u8>, wide: bool, endianness: Endianness) {
    let table = file.len().next_multiple_of(8);
    file.resize(table, 0);
    let (offset_field, size_field, header_bytes) =
        if wide { (0x20, 0x36, 56) } else { (0x1c, 0x2a, 32) };
    let number = |value: u64, bytes: usize| match endianness {
        Endianness::Big => value.to_be_bytes()[8 - bytes..].to_vec(),
        Endianness::Little => value.to_le_bytes()[..bytes].to_vec(),
    };
    let word = |value| number(value, if wide { 8 } else { 4 });
    file.splice(offset_field..offset_field + word(0).len(), word(table as u64));
    file.splice(size_field..size_field + 2, number(header_bytes, 2));
    file.splice(size_field + 2..size_field + 4, number(1, 2));
    let (load, flags) = (number(1, 4), number(5, 4));
    // Type, flags, offset, two addresses, size in the file and in memory, alignment; the 32-bit
    // form has the flags one place before the alignment.
    let fields = [word(0), word(0x10000), word(0x10000), word(64), word(0x2000)].concat();
    file.extend(match wide {
        true => [load, flags, fields, word(8)].concat(),
        false => [load, fields, flags, word(8)].concat(),
    });
}

fn state(version: StateVersion) -> Vec<u8> {
    let mut state = State::at(version, 0x1000);
    // Load a constant, call the system, jump back.
    for (at, word) in [(0x1000, 0x3402_1388_0000_000c), (0x1008, 0x1000_fffd_0000_0000)] {
        state.memory.store_u64(at, word);
    }
    state.registers.last_hint = b"\0\0\0\x09unfin".to_vec();
    let mut file = vec![];
    state.write(&mut file).expect("a vector takes everything");
    file
}

/// The same program on the 32-bit machine, in one of its forms.
fn narrow_state(write: impl Fn(&State<Mips32>, &mut Vec<u8>) -> io::Result<()>) -> Vec<u8> {
    let mut state = State::<Mips32>::at(StateVersion32::V0, 0x1000);
    for (at, word) in [(0x1000, 0x3402_0fad), (0x1004, 0xc), (0x1008, 0x1000_fffd)] {
        state.memory.store_u32(at, word);
    }
    let mut file = vec![];
    write(&state, &mut file).expect("a vector takes everything");
    file
}

/// The same on Asterisc.
fn asterisc_state(write: impl Fn(&State<Asterisc>, &mut Vec<u8>) -> io::Result<()>) -> Vec<u8> {
    let mut state = State::<Asterisc>::at(AsteriscVersion, 0x1000);
    // li a7, 214; ecall; j -8
    for (at, word) in [(0x1000, 0x0d60_0893_u32), (0x1004, 0x73), (0x1008, 0xff9f_f06f)] {
        state.memory.write_range(at, &word.to_le_bytes());
    }
    let mut file = vec![];
    write(&state, &mut file).expect("a vector takes everything");
    file
}

/// A packed state of the 64-bit Cannon, and a proof of a system call at 0x1234_5678 behind it.
fn proof() -> Vec<u8> {
    let mut proof = vec![0; PROOF_BYTES];
    proof[10..18].copy_from_slice(&0x1234_5678_u64.to_be_bytes());
    proof[330 + 0x18 + 3] = 0x0c;
    [vec![0; STATE_BYTES], proof].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_fpvm::{AnyState, load_elf};
    use rebut_fpvm::{Mips64, Vm};
    use rebut_preimage::MemoryStore;

    #[test]
    fn parsers_take_their_seeds() {
        let of = |target: &str| -> Vec<Vec<u8>> {
            all().into_iter().filter(|(name, _)| *name == target).map(|(_, seed)| seed).collect()
        };
        let [mips64, mips32, riscv] = of("elf").try_into().unwrap();
        for file in [&mips64, &mips32] {
            let program = load_elf(StateVersion::V8, file).unwrap();
            assert_eq!(program.symbols.find("main").map(|symbol| symbol.size), Some(32));
            assert_eq!(program.state.memory.page_count(), 5 + 2);
        }
        let program = load_elf(AsteriscVersion, &riscv).unwrap();
        assert_eq!(program.symbols.find("main").map(|symbol| symbol.size), Some(32));
        // One of the stack, and one behind the segment.
        assert_eq!(program.state.memory.page_count(), 1 + 2 + 1);
        for file in of("state_file") {
            let pages = match file[0] {
                b'{' => State::<Mips32>::read_json(file.as_slice()).unwrap().memory.page_count(),
                0 => match AnyState::read(file.as_slice()).unwrap() {
                    AnyState::Mips32(state) => state.memory.page_count(),
                    AnyState::Mips64(_) => panic!("another machine"),
                },
                _ => State::read(file.as_slice()).unwrap().memory.page_count(),
            };
            assert_eq!(pages, 1);
        }
        for file in of("asterisc_state") {
            let state = match file[0] {
                b'{' => State::<Asterisc>::read_json(file.as_slice()),
                _ => State::<Asterisc>::from_binary(file.as_slice()),
            };
            assert_eq!(state.unwrap().memory.page_count(), 1);
        }
        for bytes in of("shown_instruction") {
            let (state, proof) = bytes.split_at(STATE_BYTES);
            let shown = Mips64::shown_instruction(state, proof);
            assert!(shown.is_some_and(|shown| (shown.pc, shown.word) == (0x1234_5678, 0x0c)));
        }
        let mut store = MemoryStore::new();
        let key: PreimageKey =
            String::from_utf8(of("preimage_key").remove(0)).unwrap().parse().unwrap();
        store.insert(key, b"value".to_vec()).unwrap();
    }
}
