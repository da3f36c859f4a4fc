//! What Cannon asks of programs, and their first stack: arguments, environment and auxiliary vector.

use super::symbols::Symbols;
use super::{Bounds, Rules, Target};
use crate::machine::state::State;
use crate::memory::PAGE_BYTES;
use crate::mips::state::SP;
use crate::mips::{Arch, Mips64};
use object::elf::{EM_MIPS, PT_MIPS_ABIFLAGS};

const STACK_TOP: u64 = Mips64::STACK_TOP;

/// Pages that exist below the stack pointer from the start.
const STACK_PAGES: u64 = 4;
const ARGUMENT: &[u8] = b"op-program\0";
const ENVIRONMENT: &[u8] = b"GODEBUG=memprofilerate=0\0";
/// What the guest takes for random bytes.
const RANDOM: &[u8] = b"4;byfairdiceroll";
const AT_PAGESZ: u64 = 6;
const AT_RANDOM: u64 = 25;
const AT_NULL: u64 = 0;
const WORDS: u64 = 10;

impl Target for Mips64 {
    const RULES: Rules = Rules {
        machine: EM_MIPS,
        machine_name: "MIPS (8)",
        ignored: PT_MIPS_ABIFLAGS,
        bounds: Some(Bounds { last_address: (1 << 48) - 1, heap_start: Mips64::HEAP_START }),
        page_behind: false,
    };

    fn prepare(state: &mut State<Self>, _: &Symbols) {
        state.registers.heap = Self::HEAP_START;
        write(state);
    }
}

/// Writes the stack and sets the stack pointer to it.
fn write(state: &mut State<Mips64>) {
    for page in 0..=STACK_PAGES {
        let bottom = STACK_TOP - STACK_PAGES * PAGE_BYTES as u64;
        state.memory.touch_page(bottom / PAGE_BYTES as u64 + page);
    }
    let mut at = STACK_TOP + 8 * WORDS;
    let [random, environment, argument] = [RANDOM, ENVIRONMENT, ARGUMENT].map(|text| {
        let start = at;
        state.memory.write_range(start, text);
        at += (text.len() as u64).next_multiple_of(8);
        start
    });
    let words: [u64; WORDS as usize] = [
        1, // argument count
        argument,
        0,
        environment,
        0,
        AT_PAGESZ,
        PAGE_BYTES as u64,
        AT_RANDOM,
        random,
        AT_NULL,
    ];
    for (i, word) in (0..).zip(words) {
        state.memory.store_u64(STACK_TOP + 8 * i, word);
    }
    for thread in &mut state.registers.processor.left {
        thread.cpu.registers[SP] = STACK_TOP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mips::state::StateVersion;

    #[test]
    fn layout() {
        let mut state = State::at(StateVersion::V8, 0);
        write(&mut state);
        let word = |offset| state.memory.load_u64(STACK_TOP + offset);
        assert_eq!((word(0), word(8), word(24)), (1, STACK_TOP + 128, STACK_TOP + 96));
        assert_eq!((word(40), word(48), word(56)), (6, 4096, 25));
        assert_eq!((word(64), word(72)), (STACK_TOP + 80, 0));
        let mut text = [0; 64];
        state.memory.read_range(STACK_TOP + 80, &mut text);
        assert_eq!(
            &text,
            b"4;byfairdicerollGODEBUG=memprofilerate=0\0\0\0\0\0\0\0\0op-program\0\0\0\0\0\0"
        );
        let pages: Vec<u64> = state.memory.pages().map(|(index, _)| index).collect();
        assert_eq!(pages, (0x7_ffff_fffb..=0x7_ffff_ffff).collect::<Vec<_>>());
        assert_eq!(state.registers.processor.left[0].cpu.registers[29], 0x7fff_ffff_f000);
    }
}
