//! Cannon's machines under test, and what the tests of Cannon have to know of each beyond that.

use super::{Part, Subject, lacks_preimage, memory_parts, message};
use crate::case::Case;
use crate::program;
use crate::random::Random;
use rebut_contracts::{CallError, Revert, Verifier};
use rebut_fpvm::isa::{ROWS, Row, Width, Word};
use rebut_fpvm::kernel::{Syscall, Syscall32};
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::{QUANTUM, Reservation, ReservationStatus};
use rebut_fpvm::witness::mips64::THREAD_BYTES;
use rebut_fpvm::{
    Arch, Fault, Mips32, Mips64, State, StateVersion, StateVersion32, StepError, StepProof,
};

/// A machine of Cannon.
pub trait Mips: Subject + Arch {
    /// What the contract's messages begin with.
    const NAME: &'static str;
    /// Where the data of a case is: the middle of a page, 8-aligned, last doubleword of a leaf.
    const DATA: u64;
    /// Where programs stand: low, at the end of a page, above the code cache, in heaps, below the stack, and at
    /// the very top.
    const PLACES: [u64; 8];
    /// Number of a call that exists and only answers.
    const HARMLESS_CALL: u64;
    /// Number of the call that reads.
    const READ: u64;
    /// Number of the call that writes.
    const WRITE: u64;
    /// Number of the call that hands out memory.
    const MMAP: u64;

    /// Name of the system call of a number, if there is one.
    fn call_name(number: u64) -> Option<&'static str>;

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

    /// Whether the machine has the instruction of a row.
    fn has(row: &Row) -> bool {
        Self::WORD_BYTES == 8 || row.width == Width::Both
    }
}

/// The running processor.
///
/// # Panics
/// When there is none.
pub(crate) fn running<A: Mips>(processor: &mut A::Processor) -> &mut Cpu {
    A::cpu_mut(processor).unwrap_or_else(|| panic!("the case has no running processor"))
}

/// The table of the Cannon facts: which cause gives which revert.
fn revert_of<A: Mips>(error: &StepError) -> Option<Revert> {
    let message_of = |text| message(&format!("{}: {text}", A::NAME));
    match error {
        StepError::Fault(fault) => match fault {
            Fault::InvalidInstruction { .. } => message_of("invalid instruction"),
            Fault::BranchInDelaySlot { .. } => message_of("branch in delay slot"),
            Fault::JumpInDelaySlot { .. } => message_of("jump in delay slot"),
            Fault::DivisionByZero { .. } => message_of("division by zero"),
            Fault::UnknownSyscall { .. } => message_of("unimplemented syscall"),
            Fault::UnalignedPc { .. } => Some(Revert::Named("InvalidPC")),
            Fault::NoThread => message_of("active thread stack is empty"),
            Fault::NoThreadLeft => message_of("post-state active thread stack is empty"),
        },
        error if lacks_preimage(error) => message("pre-image must exist"),
        _ => None,
    }
}

fn proof_of_fault<A: Mips>(state: &mut State<A>) -> Vec<u8> {
    let mut proof = A::proof_head(&state.registers.processor);
    let (mut pc, mut access) = (0, 0);
    if let Some(cpu) = A::cpu(&state.registers.processor) {
        pc = cpu.pc & !7;
        let word = state.memory.load_u32(cpu.pc & !3);
        let r = &cpu.registers;
        let base = r[(word >> 21 & 31) as usize].wrapping_add(word as u16 as i16 as u64);
        // A system call keeps its address in $5; only reading a preimage can fail behind one.
        access = A::wrap(if word & 0xfc00_003f == 0x0c { r[5] } else { base }) & !7;
    }
    for address in [pc, access] {
        proof.extend_from_slice(&state.memory.prove(address));
    }
    proof.resize(A::PROOF_BYTES, 0);
    proof
}

fn next_row<A: Mips>(state: &State<A>) -> Option<usize> {
    let pc = A::pc(&state.registers.processor)? & !3;
    A::decode(Word(state.memory.load_u32(pc))).map(|op| op as usize)
}

fn rows<A: Mips>() -> Vec<(usize, &'static str)> {
    ROWS.iter().filter(|row| A::has(row)).map(|row| (row.op as usize, row.name)).collect()
}

fn next_call<A: Mips>(state: &State<A>) -> Option<(&'static str, u64)> {
    let registers = &state.registers;
    let cpu = A::cpu(&registers.processor).filter(|_| !registers.exited)?;
    // Opcode and function, all else ignored.
    let is_call = state.memory.load_u32(cpu.pc) & 0xfc00_003f == 0x0000_000c;
    let name = is_call.then(|| A::call_name(A::wrap(cpu.registers[2]))).flatten()?;
    Some((name, A::wrap(cpu.registers[4])))
}

/// What both machines have from the functions above.
macro_rules! shared {
    () => {
        const BIG_ENDIAN: bool = true;
        // jr $31, and nothing in its delay slot.
        const RETURN: &'static [u8] = &[0x03, 0xe0, 0, 0x08, 0, 0, 0, 0];

        fn registers(processor: &mut Self::Processor) -> &mut [u64] {
            &mut running::<Self>(processor).registers
        }

        fn revert_of(error: &StepError) -> Option<Revert> {
            revert_of::<Self>(error)
        }

        fn proof_of_fault(state: &mut State<Self>) -> Vec<u8> {
            proof_of_fault(state)
        }

        fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case<Self> {
            program::random_case(random, keys)
        }

        fn next_row(state: &State<Self>) -> Option<usize> {
            next_row(state)
        }

        fn rows() -> Vec<(usize, &'static str)> {
            rows::<Self>()
        }

        fn next_call(state: &State<Self>) -> Option<(&'static str, u64)> {
            next_call(state)
        }
    };
}

impl Subject for Mips64 {
    shared!();

    const GUESTS: &'static str = "mips64";
    const ARCHITECTURE: &'static str = "mips64";
    const VERSIONS: &'static [StateVersion] = &StateVersion::ALL;
    const FIELDS: &'static [super::Field] = &[
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

    fn deploy(version: StateVersion) -> Result<Verifier, CallError> {
        Verifier::new(version.number())
    }

    fn used_parts(proof: &StepProof) -> Vec<Part> {
        if proof.proof_data.is_empty() {
            return Vec::new();
        }
        let state = &proof.state_data.0;
        let stack = if state[115] == 0 { 116 } else { 148 };
        let thread_end = THREAD_BYTES + 32;
        let mut parts = vec![
            Part { name: "thread", begin: 0, end: THREAD_BYTES, root: stack },
            Part { name: "stack below", begin: THREAD_BYTES, end: thread_end, root: stack },
        ];
        // Preemption and leaving threads look at no memory; real blocks have one thread, which may be
        // preempted. The contract then ignores the instruction.
        let preempts = state[107..115].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        if preempts < QUANTUM {
            parts.extend(memory_parts::<Self>(proof, thread_end));
        }
        parts
    }
}

impl Mips for Mips64 {
    const NAME: &'static str = "MIPS64";
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
    const WRITE: u64 = 5001;
    const MMAP: u64 = 5009;

    fn call_name(number: u64) -> Option<&'static str> {
        Syscall::from_number(number).map(Syscall::name)
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

impl Subject for Mips32 {
    shared!();

    const GUESTS: &'static str = "mips32";
    const ARCHITECTURE: &'static str = "mips";
    const VERSIONS: &'static [StateVersion32] = &StateVersion32::ALL;
    const FIELDS: &'static [super::Field] = &[
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

    fn deploy(version: StateVersion32) -> Result<Verifier, CallError> {
        Verifier::mips32(version.number())
    }

    fn used_parts(proof: &StepProof) -> Vec<Part> {
        memory_parts::<Self>(proof, 0).collect()
    }
}

impl Mips for Mips32 {
    const NAME: &'static str = "MIPS";
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
    const WRITE: u64 = 4004;
    const MMAP: u64 = 4090;

    fn call_name(number: u64) -> Option<&'static str> {
        Syscall32::from_number(number).map(Syscall32::name)
    }

    fn fill(_: &mut Case<Self>) {}

    fn count_step(_: &mut Case<Self>) {}

    fn hold(_: &mut Case<Self>, _: Reservation) {}

    fn unsettle(_: &mut Case<Self>, _: &mut Random, _: u64, _: u64) {}

    fn write_call(writer: &mut program::Writer<'_, Self>) {
        writer.call_of_32_bits(Syscall32::ALL);
    }
}
