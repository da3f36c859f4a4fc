//! The machines under test: what comparing their engines takes to know of each.

use crate::case::Case;
use crate::random::Random;
use crate::{program, riscv_program};
use rebut_contracts::{CallError, Revert, Verifier};
use rebut_fpvm::isa::riscv::Word as RiscvWord;
use rebut_fpvm::kernel::{self, Syscall};
use rebut_fpvm::mips::threads::QUANTUM;
use rebut_fpvm::riscv::{A0, A7};
use rebut_fpvm::witness::mips64::{PROOF_BYTES, THREAD_BYTES, thread_proof};
use rebut_fpvm::{
    Asterisc, AsteriscVersion, Fault, Mips64, State, StateVersion, StepError, StepProof, Target, Vm,
};
use rebut_preimage::OracleError;

/// A field of a packed state: its name, and where it ends.
pub type Field = (&'static str, usize);

/// Bytes of a memory proof in a tree of 59 levels.
pub const MEMORY_PROOF_BYTES: usize = 60 * 32;

/// A part of a step proof, and where in the packed state the root is that it is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What it proves.
    pub name: &'static str,
    /// Its first byte.
    pub begin: usize,
    /// The byte behind it.
    pub end: usize,
    /// Offset of the root.
    pub root: usize,
}

/// A machine under test.
pub trait Subject: Vm + Target {
    /// Folder of its prebuilt guests.
    const GUESTS: &'static str;
    /// Its versions, each with a contract of its own.
    const VERSIONS: &'static [Self::Version];
    /// The fields of its packed state, in order.
    const FIELDS: &'static [Field];

    /// Deploys its contract.
    ///
    /// # Errors
    /// The contract's refusal.
    fn deploy(version: Self::Version) -> Result<Verifier, CallError>;

    /// What the contract says where Rust says this; nothing for errors that are no faults.
    fn revert_of(error: &StepError) -> Option<Revert>;

    /// The proof of a step that will fail: everything that the contract looks at before it fails.
    fn proof_of_fault(state: &mut State<Self>) -> Vec<u8>;

    /// A random program in a random state. `keys` are preimage keys that the oracle of the run knows.
    fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case<Self>;

    /// The instruction that the next step executes, as its place in the table; nothing where it executes none.
    fn next_row(state: &State<Self>) -> Option<usize>;

    /// Names of all rows.
    fn row_names() -> Vec<&'static str>;

    /// The system call that the next step makes, if it makes one: its name and its first argument.
    fn next_call(state: &State<Self>) -> Option<(&'static str, u64)>;

    /// The parts of a proof that its step uses.
    fn used_parts(proof: &StepProof) -> Vec<Part>;
}

fn message(text: &str) -> Option<Revert> {
    Some(Revert::Message(text.to_owned()))
}

/// True where the oracle has nothing to read.
const fn lacks_preimage(error: &StepError) -> bool {
    matches!(
        error,
        StepError::PreimageEnd { .. }
            | StepError::Oracle(OracleError::Missing { .. } | OracleError::Illegal(_))
    )
}

impl Subject for Mips64 {
    const GUESTS: &'static str = "mips64";
    const VERSIONS: &'static [StateVersion] = &StateVersion::ALL;
    const FIELDS: &'static [Field] = &[
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

    /// The table of the Cannon facts: which cause gives which revert.
    fn revert_of(error: &StepError) -> Option<Revert> {
        match error {
            StepError::Fault(fault) => match fault {
                Fault::InvalidInstruction { .. } => message("MIPS64: invalid instruction"),
                Fault::BranchInDelaySlot { .. } => message("MIPS64: branch in delay slot"),
                Fault::JumpInDelaySlot { .. } => message("MIPS64: jump in delay slot"),
                Fault::DivisionByZero { .. } => message("MIPS64: division by zero"),
                Fault::UnknownSyscall { .. } => message("MIPS64: unimplemented syscall"),
                Fault::UnalignedPc { .. } => Some(Revert::Named("InvalidPC")),
                Fault::NoThread => message("MIPS64: active thread stack is empty"),
                Fault::NoThreadLeft => message("MIPS64: post-state active thread stack is empty"),
            },
            error if lacks_preimage(error) => message("pre-image must exist"),
            _ => None,
        }
    }

    fn proof_of_fault(state: &mut State) -> Vec<u8> {
        let mut proof = Vec::with_capacity(PROOF_BYTES);
        proof.extend_from_slice(&thread_proof(&state.registers.processor));
        let (mut pc, mut access) = (0, 0);
        if let Some(thread) = state.registers.processor.current_thread() {
            pc = thread.cpu.pc & !7;
            let word = state.memory.load_u32(thread.cpu.pc & !3);
            let r = &thread.cpu.registers;
            let base = r[(word >> 21 & 31) as usize].wrapping_add(word as u16 as i16 as u64);
            // A system call keeps its address in $5; only reading a preimage can fail behind one.
            access = if word & 0xfc00_003f == 0x0c { r[5] } else { base } & !7;
        }
        for address in [pc, access] {
            proof.extend_from_slice(&state.memory.prove(address));
        }
        proof.resize(PROOF_BYTES, 0);
        proof
    }

    fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case {
        program::random_case(random, keys)
    }

    fn next_row(state: &State) -> Option<usize> {
        let pc = state.registers.processor.current_thread()?.cpu.pc & !3;
        let word = rebut_fpvm::isa::Word(state.memory.load_u32(pc));
        rebut_fpvm::isa::Op::decode(word).map(|op| op as usize)
    }

    fn row_names() -> Vec<&'static str> {
        rebut_fpvm::isa::ROWS.iter().map(|row| row.name).collect()
    }

    fn next_call(state: &State) -> Option<(&'static str, u64)> {
        let registers = &state.registers;
        let cpu = &registers.processor.current_thread().filter(|_| !registers.exited)?.cpu;
        // Opcode and function, all else ignored.
        let is_call = state.memory.load_u32(cpu.pc) & 0xfc00_003f == 0x0000_000c;
        let call = is_call.then(|| Syscall::from_number(cpu.registers[2])).flatten()?;
        Some((call.name(), cpu.registers[4]))
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
            parts.extend(memory_parts(proof, thread_end));
        }
        parts
    }
}

/// The memory proofs from `begin` on that are not zero: what a step does not use is, and a proof never is.
fn memory_parts(proof: &StepProof, begin: usize) -> impl Iterator<Item = Part> {
    let names = ["instruction", "memory", "second memory"];
    names.into_iter().zip((begin..).step_by(MEMORY_PROOF_BYTES)).filter_map(|(name, begin)| {
        let end = begin + MEMORY_PROOF_BYTES;
        let used = proof.proof_data.get(begin..end)?.iter().any(|byte| *byte != 0);
        used.then_some(Part { name, begin, end, root: 0 })
    })
}

impl Subject for Asterisc {
    const GUESTS: &'static str = "riscv64";
    const VERSIONS: &'static [AsteriscVersion] = &[AsteriscVersion];
    const FIELDS: &'static [Field] = &[
        ("memory root", 32),
        ("preimage key", 64),
        ("preimage offset", 72),
        ("pc", 80),
        ("exit code", 81),
        ("exited", 82),
        ("step", 90),
        ("heap", 98),
        ("load reservation", 106),
        ("registers", 362),
    ];

    fn deploy(_: AsteriscVersion) -> Result<Verifier, CallError> {
        Verifier::riscv()
    }

    /// The numbers of the Asterisc facts.
    fn revert_of(error: &StepError) -> Option<Revert> {
        match error {
            StepError::Riscv(fault) => Some(Revert::Fault(fault.code())),
            error if lacks_preimage(error) => Some(Revert::Fault(0xbadf_00d0)),
            _ => None,
        }
    }

    /// An unknown atomic operation is found behind its access; the others look at the instruction alone.
    fn proof_of_fault(state: &mut State<Self>) -> Vec<u8> {
        let hart = &state.registers.processor;
        let (pc, registers) = (hart.pc, hart.registers);
        let word = fetch(state);
        let mut proof = state.memory.prove(pc);
        proof.extend(state.memory.prove(registers[word.rs1()]));
        proof
    }

    fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case<Self> {
        riscv_program::random_case(random, keys)
    }

    fn next_row(state: &State<Self>) -> Option<usize> {
        rebut_fpvm::isa::riscv::Op::decode(fetch(state)).map(|op| op as usize)
    }

    fn row_names() -> Vec<&'static str> {
        rebut_fpvm::isa::riscv::ROWS.iter().map(|row| row.name).collect()
    }

    fn next_call(state: &State<Self>) -> Option<(&'static str, u64)> {
        let registers = &state.registers.processor.registers;
        let is_call = !state.registers.exited && fetch(state).0 == 0x0000_0073;
        let call = is_call.then(|| kernel::riscv::Syscall::from_number(registers[A7])).flatten()?;
        Some((call.name(), registers[A0]))
    }

    fn used_parts(proof: &StepProof) -> Vec<Part> {
        memory_parts(proof, 0).collect()
    }
}

/// The instruction at pc.
fn fetch(state: &State<Asterisc>) -> RiscvWord {
    let mut bytes = [0; 4];
    state.memory.read_range(state.registers.processor.pc, &mut bytes);
    RiscvWord(u32::from_le_bytes(bytes))
}
