//! What the commands need of a machine, so that they are written once for all of them.

use super::records::WitnessRecord;
use super::traceback::{Place, Transfer, place_of, transfer_of};
use rebut_fpvm::memory::Memory;
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

    /// The number of a version, where versions have numbers.
    fn number(version: Self::Version) -> Option<u8>;

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
    };
}

impl Tool for Mips32 {
    cannon!();

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
