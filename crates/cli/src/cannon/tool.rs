//! What the commands need of a machine, so that they are written once for all of them.

use super::records::WitnessRecord;
use super::traceback::{Place, Transfer, place_of, transfer_of};
use rebut_contracts::{CallError, Verifier};
use rebut_fpvm::isa::{Format, Op, Word};
use rebut_fpvm::kernel::{Syscall, Syscall32};
use rebut_fpvm::memory::Memory;
use rebut_fpvm::mips::state::VERSION_NAMES;
use rebut_fpvm::witness::ShownInstruction;
use rebut_fpvm::{
    Arch, Mips32, Mips64, State, StateVersion, StateVersion32, StateWitness, Target, Vm,
};
use serde::Serialize;
use std::io::{self, Write};

/// A machine that a command of its own loads, runs and shows.
pub trait Tool: Target {
    /// What stands in a state file beside the state. The default is that of snapshots.
    type Seal: Default;
    /// What `witness` prints.
    type Record: Serialize;

    /// Whether there are steps that execute no instruction, because a scheduler takes them for itself.
    const SWITCHES: bool;

    /// Its versions; nothing where it has one only, which has neither number nor name.
    const VERSIONS: &'static [Self::Version];

    /// The number of a version, where versions have numbers.
    fn number(version: Self::Version) -> Option<u8>;

    /// The name that `--type` takes for a version, where versions have names.
    fn type_name(version: Self::Version) -> Option<&'static str> {
        VERSION_NAMES.get(usize::from(Self::number(version)?)).copied()
    }

    /// Whether states of a version have a JSON form.
    fn has_json(version: Self::Version) -> bool;

    /// The word of the instruction at an address.
    fn instruction(memory: &Memory, pc: u64) -> u32;

    /// Where the machine is, if its calls can be followed.
    fn place(processor: &Self::Processor) -> Option<Place>;

    /// What the instruction of a word does to the calls.
    fn transfer(word: u32) -> Option<Transfer>;

    /// The seal of a state that a command ends with.
    fn seal(state: &mut State<Self>) -> Self::Seal;

    /// Writes the binary form of a state.
    fn write(state: &State<Self>, seal: &Self::Seal, out: &mut dyn Write) -> io::Result<()>;

    /// Writes the JSON form of a state, which is an error where there is none.
    fn write_json(state: &State<Self>, seal: &Self::Seal, out: &mut dyn Write) -> io::Result<()>;

    /// The record of a state and its witness.
    fn record(state: &State<Self>, witness: StateWitness) -> Self::Record;

    /// Deploys the contract that verifies its steps.
    ///
    /// # Errors
    /// None that input could cause.
    fn deploy(version: Self::Version) -> Result<Verifier, CallError>;

    /// Assembly text of an instruction.
    fn disassemble(shown: ShownInstruction) -> String;

    /// The Linux name of the system call that an instruction makes, if it makes one that the machine knows.
    fn call(shown: ShownInstruction) -> Option<&'static str>;

    /// Whether an instruction stores to memory, whatever the state.
    fn stores(shown: ShownInstruction) -> bool;
}

/// Assembly text of an instruction, with the name of its system call.
pub fn in_words<V: Tool>(shown: ShownInstruction) -> String {
    let text = V::disassemble(shown);
    match V::call(shown) {
        Some(call) => format!("{text} {call}"),
        None => text,
    }
}

/// What both machines of Cannon have in common.
macro_rules! cannon {
    () => {
        type Seal = ();
        type Record = WitnessRecord;

        fn number(version: Self::Version) -> Option<u8> {
            Some(version.number())
        }

        fn instruction(memory: &Memory, pc: u64) -> u32 {
            memory.load_u32(pc & !3)
        }

        fn transfer(word: u32) -> Option<Transfer> {
            transfer_of::<Self>(word)
        }

        fn seal(_: &mut State<Self>) {}

        fn write(state: &State<Self>, (): &(), out: &mut dyn Write) -> io::Result<()> {
            state.write(out)
        }

        fn record(state: &State<Self>, witness: StateWitness) -> WitnessRecord {
            WitnessRecord::new(state.version.number(), state, witness)
        }

        fn disassemble(shown: ShownInstruction) -> String {
            Word(shown.word).disassemble(shown.pc).to_string()
        }

        fn stores(shown: ShownInstruction) -> bool {
            stores::<Self>(Word(shown.word))
        }
    };
}

/// Among the instructions with a memory operand, mnemonics of stores begin with an s, and only the conditional
/// ones go on with a c.
fn stores<A: Arch>(word: Word) -> bool {
    let row = A::decode(word).map(Op::row);
    row.is_some_and(|row| {
        row.format == Format::RtMem && row.name.starts_with('s') && !row.name.starts_with("sc")
    })
}

fn is_syscall<A: Arch>(shown: ShownInstruction) -> bool {
    A::decode(Word(shown.word)) == Some(Op::syscall)
}

impl Tool for Mips32 {
    cannon!();

    const SWITCHES: bool = false;
    const VERSIONS: &'static [StateVersion32] = &StateVersion32::ALL;

    fn deploy(version: StateVersion32) -> Result<Verifier, CallError> {
        Verifier::mips32(version.number())
    }

    fn call(shown: ShownInstruction) -> Option<&'static str> {
        let call = Syscall32::from_number(shown.call_number)?;
        is_syscall::<Self>(shown).then(|| call.name())
    }

    fn has_json(version: StateVersion32) -> bool {
        version == StateVersion32::V0
    }

    fn place(cpu: &<Self as Vm>::Processor) -> Option<Place> {
        Some(place_of(0, cpu))
    }

    fn write_json(state: &State<Self>, (): &(), out: &mut dyn Write) -> io::Result<()> {
        state.write_json(out)
    }
}

impl Tool for Mips64 {
    cannon!();

    const SWITCHES: bool = true;
    const VERSIONS: &'static [StateVersion] = &StateVersion::ALL;

    fn deploy(version: StateVersion) -> Result<Verifier, CallError> {
        Verifier::new(version.number())
    }

    fn call(shown: ShownInstruction) -> Option<&'static str> {
        let call = Syscall::from_number(shown.call_number)?;
        is_syscall::<Self>(shown).then(|| call.name())
    }

    fn has_json(_: StateVersion) -> bool {
        false
    }

    fn place(threads: &<Self as Vm>::Processor) -> Option<Place> {
        let thread = threads.current_thread().filter(|thread| !thread.exited)?;
        Some(place_of(thread.id, Self::cpu(threads)?))
    }

    fn write_json(_: &State<Self>, (): &(), _: &mut dyn Write) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
