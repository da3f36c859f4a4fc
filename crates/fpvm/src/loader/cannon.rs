//! What Cannon asks of programs, and their first stack: arguments, environment and auxiliary vector.

use super::symbols::Symbols;
use super::{AT_NULL, AT_PAGESZ, AT_RANDOM, Bounds, Rules, Target, go};
use crate::isa::{Op, Operands};
use crate::machine::state::State;
use crate::memory::PAGE_BYTES;
use crate::mips::state::{RA, SP};
use crate::mips::{Arch, Mips32, Mips64};
use object::elf::{EM_MIPS, PT_MIPS_ABIFLAGS};

/// Pages that exist below the stack pointer from the start.
const STACK_PAGES: u64 = 4;
const ARGUMENT: &[u8] = b"op-program\0";
const ENVIRONMENT: &[u8] = b"GODEBUG=memprofilerate=0\0";
/// What the guest takes for random bytes.
const RANDOM: &[u8] = b"4;byfairdiceroll";
const WORDS: u64 = 10;

impl Target for Mips64 {
    const RULES: Rules = rules::<Self>();

    fn prepare(state: &mut State<Self>, symbols: &Symbols) {
        prepare(state, symbols);
    }
}

impl Target for Mips32 {
    const RULES: Rules = rules::<Self>();

    fn prepare(state: &mut State<Self>, symbols: &Symbols) {
        prepare(state, symbols);
    }
}

const fn rules<A: Arch>() -> Rules {
    // 48 bits at most, whatever the machine has.
    let (machine_end, limit) = (A::ADDRESSES.last_address(), (1 << 48) - 1);
    let last_address = if machine_end < limit { machine_end } else { limit };
    Rules {
        machine: EM_MIPS,
        machine_name: "MIPS (8)",
        ignored: PT_MIPS_ABIFLAGS,
        bounds: Some(Bounds { last_address, heap_start: A::HEAP_START }),
        page_behind: false,
    }
}

fn prepare<A: Arch>(state: &mut State<A>, symbols: &Symbols) {
    state.registers.heap = A::HEAP_START;
    if A::PATCHES_GO {
        // A return, and its delay slot.
        let jump = Op::jr.encode(Operands { rs: RA as u8, ..Operands::default() }).0;
        let code = [jump.to_be_bytes(), [0; 4]].concat();
        for symbol in symbols.all().iter().filter(|s| go::is_taken_out(&s.name)) {
            state.memory.write_range(A::wrap(symbol.start), &code);
        }
    }
    write(state);
}

/// Writes the stack and sets the stack pointer to it.
fn write<A: Arch>(state: &mut State<A>) {
    let word_bytes = A::WORD_BYTES as u64;
    for page in 0..=STACK_PAGES {
        let bottom = A::STACK_TOP - STACK_PAGES * PAGE_BYTES as u64;
        state.memory.touch_page(bottom / PAGE_BYTES as u64 + page);
    }
    let mut at = A::STACK_TOP + word_bytes * WORDS;
    let [random, environment, argument] = [RANDOM, ENVIRONMENT, ARGUMENT].map(|text| {
        let start = at;
        state.memory.write_range(start, text);
        at += (text.len() as u64).next_multiple_of(word_bytes);
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
        let bytes = word.to_be_bytes();
        state.memory.write_range(A::STACK_TOP + word_bytes * i, &bytes[8 - A::WORD_BYTES..]);
    }
    if let Some(cpu) = A::cpu_mut(&mut state.registers.processor) {
        cpu.registers[SP] = A::STACK_TOP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mips::state::{StateVersion, StateVersion32};
    use crate::mips::{Mips32, Mips64};

    #[test]
    fn layout() {
        const STACK_TOP: u64 = Mips64::STACK_TOP;
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

    #[test]
    fn layout_of_32_bits() {
        const STACK_TOP: u64 = Mips32::STACK_TOP;
        let mut state = State::at(StateVersion32::V2, 0);
        write(&mut state);
        let word = |offset| u64::from(state.memory.load_u32(STACK_TOP + offset));
        assert_eq!((word(0), word(4), word(12)), (1, STACK_TOP + 84, STACK_TOP + 56));
        assert_eq!((word(20), word(24), word(28)), (6, 4096, 25));
        assert_eq!((word(32), word(36)), (STACK_TOP + 40, 0));
        let mut text = [0; 56];
        state.memory.read_range(STACK_TOP + 40, &mut text);
        assert_eq!(&text, b"4;byfairdicerollGODEBUG=memprofilerate=0\0\0\0\0op-program\0\0");
        let pages: Vec<u64> = state.memory.pages().map(|(index, _)| index).collect();
        assert_eq!(pages, (0x7_fff9..=0x7_fffd).collect::<Vec<_>>());
        assert_eq!(state.registers.processor.registers[29], 0x7fff_d000);
    }
}
