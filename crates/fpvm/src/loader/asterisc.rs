//! What Asterisc asks of programs and how it prepares them: patches for Go's runtime, and a fixed stack.

use super::symbols::Symbols;
use super::{AT_NULL, AT_PAGESZ, AT_RANDOM, Rules, Target, go, touch};
use crate::isa::riscv::{Op, Operands};
use crate::machine::state::State;
use crate::memory::{Memory, PAGE_BYTES};
use crate::riscv::{Asterisc, SP};

const EM_RISCV: u16 = 243;
const PT_RISCV_ATTRIBUTES: u32 = 0x7000_0003;
/// First address that `mmap` hands out.
const HEAP_START: u64 = 0x7f00_0000_0000;
/// Number of the register of return addresses.
const RA: u8 = 1;
/// Stack pointer of a new program.
const STACK: u64 = 0x1000_0000_0000_0000;

/// A variable that is set to 0: no memory profile.
const PROFILE_RATE: &str = "runtime.MemProfileRate";

/// Words from the stack pointer up to what the guest takes for random bytes.
const WORDS: u64 = 9;
/// The first two are left over in the deployed machine and are part of its prestates; the argument count
/// below them is 0.
const FIRST_STACK: [u64; WORDS as usize - 1] =
    [0x42, 0x35, 0, AT_PAGESZ, PAGE_BYTES as u64, AT_RANDOM, STACK + 8 * WORDS, AT_NULL];
const RANDOM: &[u8] = b"rand protolambda";

impl Target for Asterisc {
    const RULES: Rules = Rules {
        machine: EM_RISCV,
        machine_name: "RISC-V (243)",
        ignored: PT_RISCV_ATTRIBUTES,
        bounds: None,
        page_behind: true,
    };

    fn prepare(state: &mut State<Self>, symbols: &Symbols) {
        state.registers.heap = HEAP_START;
        let code = Op::jalr.encode(Operands { rs1: RA, ..Operands::default() }).0.to_le_bytes();
        for symbol in symbols.all() {
            if go::is_taken_out(&symbol.name) {
                patch(&mut state.memory, symbol.start, &code);
            } else if symbol.name == PROFILE_RATE {
                patch(&mut state.memory, symbol.start, &[0; 8]);
            }
        }
        for (address, word) in (STACK + 8..).step_by(8).zip(FIRST_STACK) {
            state.memory.write_range(address, &word.to_le_bytes());
        }
        state.memory.write_range(STACK + 8 * WORDS, RANDOM);
        state.registers.processor.registers[SP] = STACK;
    }
}

/// Overwrites a part of the program. The byte behind it is touched, as behind a segment.
fn patch(memory: &mut Memory, address: u64, bytes: &[u8]) {
    memory.write_range(address, bytes);
    touch(memory, address.wrapping_add(bytes.len() as u64));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::symbols::Symbol;
    use crate::riscv::AsteriscVersion;

    #[test]
    fn first_stack() {
        let mut state = State::<Asterisc>::at(AsteriscVersion, 0);
        Asterisc::prepare(&mut state, &Symbols::default());
        assert_eq!(state.registers.heap, 0x7f00_0000_0000);
        assert_eq!(state.registers.processor.registers[2], 0x1000_0000_0000_0000);
        let words: [u64; 11] = std::array::from_fn(|i| {
            let mut bytes = [0; 8];
            state.memory.read_range(0x1000_0000_0000_0000 + 8 * i as u64, &mut bytes);
            u64::from_le_bytes(bytes)
        });
        let random = [0x6f72_7020_646e_6172, 0x6164_626d_616c_6f74];
        let place = 0x1000_0000_0000_0048;
        assert_eq!(words, [0, 0x42, 0x35, 0, 6, 4096, 25, place, 0, random[0], random[1]]);
        // The leaf of the stack pointer, as a recorded proof has it.
        let leaf: [u8; 32] = alloy_primitives::hex!(
            "0000000000000000420000000000000035000000000000000000000000000000"
        );
        let mut got = [0; 32];
        state.memory.read_range(0x1000_0000_0000_0000, &mut got);
        assert_eq!(got, leaf);
    }

    #[test]
    fn patches() {
        let symbol = |name: &str, start| Symbol { name: name.into(), start, size: 8 };
        let symbols = Symbols::new(vec![
            symbol("runtime.check", 0x1ffc),
            symbol("runtime.MemProfileRate", 0x5004),
            symbol("runtime.other", 0x3000),
        ]);
        let mut state = State::<Asterisc>::at(AsteriscVersion, 0);
        state.memory.write_range(0x5000, &[0xff; 16]);
        Asterisc::prepare(&mut state, &symbols);
        let mut bytes = [0; 16];
        state.memory.read_range(0x1ffc, &mut bytes[..4]);
        assert_eq!(bytes[..4], [0x67, 0x80, 0, 0]);
        state.memory.read_range(0x5000, &mut bytes);
        assert_eq!(bytes, *b"\xff\xff\xff\xff\0\0\0\0\0\0\0\0\xff\xff\xff\xff");
        // The patch ends on the end of a page, so the next page exists.
        let pages: Vec<u64> = state.memory.pages().map(|(index, _)| index).collect();
        assert_eq!(pages, [1, 2, 5, 0x1_0000_0000_0000]);
    }
}
