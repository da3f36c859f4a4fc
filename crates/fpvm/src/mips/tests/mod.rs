//! Both engines side by side: after every stop they must agree on everything that can be observed.

mod edges;
mod programs;
mod surroundings;

use crate::blocks::LONGEST_PATH;
use crate::isa::{Op, Operands};
use crate::mips::state::{Cpu, StateVersion};
use crate::{Machine, Silent, State, Stop, Until};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};

/// Start of the test code.
const CODE: u64 = 0x1_0000;

/// Answers every key with the same bytes.
struct Echo;

impl PreimageOracle for Echo {
    fn get(&mut self, _: PreimageKey) -> Result<Vec<u8>, OracleError> {
        Ok((0..40_000u32).flat_map(u32::to_le_bytes).collect())
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

/// Two machines in the same state; one runs blocks, the other plain steps.
struct Pair {
    blocks: Machine<'static>,
    plain: Machine<'static>,
}

impl Pair {
    fn new(state: impl Fn() -> State) -> Self {
        Self {
            blocks: Machine::new(state(), Echo, Silent),
            plain: Machine::new(state(), Echo, Silent),
        }
    }

    /// Code at [`CODE`], nothing else, in the midst of a quantum: right behind a switch, steps are
    /// plain.
    fn of_code(code: &[u32]) -> Self {
        Self::new(|| {
            let mut state = State::at(StateVersion::V8, CODE);
            place(&mut state, CODE, code);
            state.registers.processor.steps_since_switch = LONGEST_PATH;
            state
        })
    }

    /// Applies the same change to both.
    fn each(&mut self, change: impl Fn(&mut Machine<'static>)) {
        change(&mut self.blocks);
        change(&mut self.plain);
    }

    /// Runs both and compares; the error's text where they failed.
    fn run(&mut self, until: Until, context: &str) -> Result<Stop, String> {
        let got = self.blocks.run(until).map_err(|e| e.to_string());
        let want = self.plain.run_plain(until).map_err(|e| e.to_string());
        assert_eq!(got, want, "{context}");
        assert_eq!(self.blocks.registers(), self.plain.registers(), "{context}");
        assert_eq!(self.blocks.stats(), self.plain.stats(), "{context}");
        assert_eq!(self.blocks.host.read_offset, self.plain.host.read_offset, "{context}");
        got
    }

    /// Runs both for some steps.
    fn advance(&mut self, steps: u64, context: &str) -> Result<Stop, String> {
        let step = self.plain.registers().step.saturating_add(steps);
        self.run(Until::step(step), context)
    }

    fn compare_hashes(&mut self, context: &str) {
        assert_eq!(self.blocks.state_hash(), self.plain.state_hash(), "{context}");
    }

    fn cpu(&self) -> &Cpu {
        self.plain.cpu().unwrap()
    }
}

fn place(state: &mut State, address: u64, words: &[u32]) {
    for (i, word) in words.iter().enumerate() {
        state.memory.store_u32(address.wrapping_add(4 * i as u64), *word);
    }
}

/// The word of an instruction with registers rs, rt, rd and an immediate (or shift amount).
fn asm(op: Op, rs: u8, rt: u8, rd: u8, imm: i32) -> u32 {
    let (imm, sa) = (imm as u16, imm as u8);
    op.encode(Operands { rs, rt, rd, sa, imm, target: 0 }).0
}

/// A fixed sequence of random numbers.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        crate::kernel::splitmix64(self.0)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
