//! What the tests have to know of a machine, so that one body tests all of them.

use crate::case::Case;
use crate::program;
use crate::random::Random;
use rebut_contracts::{CallError, Verifier};
use rebut_fpvm::kernel::{Syscall, Syscall32};
use rebut_fpvm::mips::threads::{Reservation, ReservationStatus};
use rebut_fpvm::{Arch, Mips32, Mips64, StateVersion, StateVersion32};

/// A machine with a contract.
pub trait Tested: Arch {
    /// Its two versions.
    const VERSIONS: [Self::Version; 2];
    /// What the contract's messages begin with.
    const NAME: &'static str;
    /// Names and ends of the fields of a packed state.
    const FIELDS: &'static [(&'static str, usize)];
    /// Where the data of a case is: the middle of a page, 8-aligned, last doubleword of a leaf.
    const DATA: u64;
    /// Where programs stand: low, at the end of a page, above the code cache, in heaps, below the stack, and at
    /// the very top.
    const PLACES: [u64; 8];
    /// Number of a call that exists and only answers.
    const HARMLESS_CALL: u64;
    /// Number of the call that reads.
    const READ: u64;
    /// Number of the call that hands out memory.
    const MMAP: u64;

    /// Deploys the contract.
    ///
    /// # Errors
    /// As [`Verifier::new`].
    fn deploy(version: Self::Version) -> Result<Verifier, CallError>;

    /// Gives a case what only this machine has, none of it zero.
    fn fill(case: &mut Case<Self>);

    /// Counts a step where a machine counts more than all of them.
    fn count_step(case: &mut Case<Self>);

    /// Sets the reservation, where there is one.
    fn hold(case: &mut Case<Self>, reservation: Reservation);

    /// Puts a random case into the midst of whatever this machine does beside executing instructions. Its program
    /// is at `code`, its data at `data`.
    fn unsettle(case: &mut Case<Self>, random: &mut Random, code: u64, data: u64);

    /// Writes a random system call.
    fn write_call(writer: &mut program::Writer<'_, Self>);
}

impl Tested for Mips64 {
    const VERSIONS: [StateVersion; 2] = StateVersion::ALL;
    const NAME: &'static str = "MIPS64";
    const FIELDS: &'static [(&'static str, usize)] = &[
        ("memory root", 32),
        ("preimage key", 64),
        ("preimage offset", 72),
        ("heap", 80),
        ("reservation status", 81),
        ("reservation address", 89),
        ("reservation owner", 97),
        ("exit code", 98),
        ("exited", 99),
        ("step", 107),
        ("steps since switch", 115),
        ("traverse right", 116),
        ("left root", 148),
        ("right root", 180),
        ("next thread id", 188),
    ];
    const DATA: u64 = 0x00c0_0000_0118;
    const PLACES: [u64; 8] = [
        0x1_0000,
        0x2_0ff0,
        0x0800_0ff0,
        0x00c0_0001_0000,
        Self::HEAP_START + 0xff8,
        0x7fff_ffff_0ff8,
        0x1234_5678_9abc_0000,
        0xffff_ffff_ffff_8000,
    ];
    const HARMLESS_CALL: u64 = 5178;
    const READ: u64 = 5000;
    const MMAP: u64 = 5009;

    fn deploy(version: StateVersion) -> Result<Verifier, CallError> {
        Verifier::new(version.number())
    }

    fn fill(case: &mut Case) {
        let threads = &mut case.registers.processor;
        threads.steps_since_switch = 77;
        threads.next_thread_id = 9;
        threads.reservation =
            Reservation { status: ReservationStatus::Word, address: 0x2000, owner: 5 };
    }

    fn count_step(case: &mut Case) {
        case.registers.processor.steps_since_switch += 1;
    }

    fn hold(case: &mut Case, reservation: Reservation) {
        case.registers.processor.reservation = reservation;
    }

    fn unsettle(case: &mut Case, random: &mut Random, code: u64, data: u64) {
        program::unsettle_threads(case, random, code, data);
    }

    fn write_call(writer: &mut program::Writer<'_, Self>) {
        writer.call_of(Syscall::ALL);
    }
}

impl Tested for Mips32 {
    const VERSIONS: [StateVersion32; 2] = StateVersion32::ALL;
    const NAME: &'static str = "MIPS";
    const FIELDS: &'static [(&'static str, usize)] = &[
        ("memory root", 32),
        ("preimage key", 64),
        ("preimage offset", 68),
        ("pc", 72),
        ("next pc", 76),
        ("lo", 80),
        ("hi", 84),
        ("heap", 88),
        ("exit code", 89),
        ("exited", 90),
        ("step", 98),
        ("registers", 226),
    ];
    const DATA: u64 = 0x00c0_0118;
    const PLACES: [u64; 8] = [
        0x1_0000,
        0x2_0ff0,
        0x0800_0ff0,
        0x00c0_1000,
        Self::HEAP_START + 0xff8,
        0x7fff_0ff8,
        0x8000_0000,
        0xffff_8000,
    ];
    const HARMLESS_CALL: u64 = 4045;
    const READ: u64 = 4003;
    const MMAP: u64 = 4090;

    fn deploy(version: StateVersion32) -> Result<Verifier, CallError> {
        Verifier::mips32(version.number())
    }

    fn fill(_: &mut Case<Self>) {}

    fn count_step(_: &mut Case<Self>) {}

    fn hold(_: &mut Case<Self>, _: Reservation) {}

    fn unsettle(_: &mut Case<Self>, _: &mut Random, _: u64, _: u64) {}

    fn write_call(writer: &mut program::Writer<'_, Self>) {
        writer.call_of_32_bits(Syscall32::ALL);
    }
}
