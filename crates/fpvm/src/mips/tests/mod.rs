//! Both engines side by side: after every stop they must agree on everything that can be observed.

mod edges;
mod programs;
mod surroundings;

use crate::blocks::LONGEST_PATH;
use crate::isa::{Op, Operands, ROWS, Row, Width};
use crate::mips::state::{Cpu, StateVersion, StateVersion32};
use crate::mips::threads::{Reservation, ReservationStatus};
use crate::mips::{Arch, Mips32, Mips64};
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

/// What the tests have to know of a machine.
trait Tested: Arch {
    /// Its versions.
    const VERSIONS: &'static [Self::Version];
    /// Where random programs are placed.
    const BASES: [u64; 9];
    /// Numbers of system calls, the more useful ones more than once.
    const SYSCALLS: &'static [i32];

    /// Makes blocks run from here on, as in the midst of a quantum: right behind a switch, steps are plain.
    fn settle(state: &mut State<Self>);

    /// Puts something in the way.
    fn unsettle(state: &mut State<Self>, random: &mut Random, address: u64);

    /// Sets the reservation, where there is one.
    fn hold(state: &mut State<Self>, reservation: Reservation);
}

impl Tested for Mips64 {
    const VERSIONS: &'static [StateVersion] = &StateVersion::ALL;
    /// Below the end of the decode cache, across it, above it in a window and outside, at addresses that
    /// need more than 32 and 56 bits, and around the end of the address space.
    const BASES: [u64; 9] = [
        0x1_0000,
        0x1_0000,
        0x1_0000,
        0x1_0e80,
        0x07ff_fe00,
        0x0000_1000_0000_0f00,
        0x0000_2000_0000_0f00,
        0x7f00_0000_0000_0f00,
        u64::MAX - 0x1ff,
    ];
    const SYSCALLS: &'static [i32] =
        &[5000, 5001, 5009, 5023, 5023, 5055, 5055, 5058, 5070, 5178, 5194, 5194, 5222, 5313];

    fn settle(state: &mut State) {
        state.registers.processor.steps_since_switch = LONGEST_PATH;
    }

    fn unsettle(state: &mut State, random: &mut Random, address: u64) {
        let threads = &mut state.registers.processor;
        threads.steps_since_switch = random.pick(&[0, 64, 64, 99_000, 99_950, 100_000, 100_007]);
        if random.once_in(2) {
            let status = ReservationStatus::Doubleword;
            threads.reservation = Reservation { status, address, owner: 0 };
        }
    }

    fn hold(state: &mut State, reservation: Reservation) {
        state.registers.processor.reservation = reservation;
    }
}

impl Tested for Mips32 {
    const VERSIONS: &'static [StateVersion32] = &StateVersion32::ALL;
    /// As on the 64-bit machine, as far as addresses go.
    const BASES: [u64; 9] = [
        0x1_0000,
        0x1_0000,
        0x1_0000,
        0x1_0e80,
        0x07ff_fe00,
        0x0800_0f00,
        0x7fff_ff00,
        0xffff_e000,
        0xffff_fe00,
    ];
    const SYSCALLS: &'static [i32] = &[4003, 4003, 4004, 4004, 4045, 4055, 4090, 4120, 4001, 0];

    fn settle(_: &mut State<Self>) {}

    fn unsettle(_: &mut State<Self>, _: &mut Random, _: u64) {}

    fn hold(_: &mut State<Self>, _: Reservation) {}
}

/// The rows that a machine has.
fn rows<A: Arch>() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| A::WORD_BYTES == 8 || row.width == Width::Both)
}

/// Two machines in the same state; one runs blocks, the other plain steps.
struct Both<A: Arch> {
    blocks: Machine<'static, A>,
    plain: Machine<'static, A>,
}

type Pair = Both<Mips64>;

impl<A: Tested> Both<A> {
    fn new(state: impl Fn() -> State<A>) -> Self {
        Self {
            blocks: Machine::new(state(), Echo, Silent),
            plain: Machine::new(state(), Echo, Silent),
        }
    }

    /// Code at [`CODE`], nothing else.
    fn of_code(code: &[u32]) -> Self {
        Self::new(|| {
            let mut state = State::<A>::at(newest::<A>(), CODE);
            place(&mut state, CODE, code);
            A::settle(&mut state);
            state
        })
    }

    /// Applies the same change to both.
    fn each(&mut self, change: impl Fn(&mut Machine<'static, A>)) {
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

fn newest<A: Tested>() -> A::Version {
    A::VERSIONS[A::VERSIONS.len() - 1]
}

fn place<A: Arch>(state: &mut State<A>, address: u64, words: &[u32]) {
    for (i, word) in words.iter().enumerate() {
        state.memory.store_u32(A::wrap(address.wrapping_add(4 * i as u64)), *word);
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
