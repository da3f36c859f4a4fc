//! What the commands need of a machine, so that they are written once for all of them.

use rebut_fpvm::{Arch, Mips32, Mips64, State, StateVersion, StateVersion32, Vm};
use std::io::{self, Write};

/// A machine that `cannon` runs.
pub trait Cannon: Arch {
    /// The number of a version.
    fn number(version: Self::Version) -> u8;

    /// Whether states of a version have a JSON form.
    fn has_json(version: Self::Version) -> bool;

    /// Id of the running thread, if one runs.
    fn thread(processor: &Self::Processor) -> Option<u64>;

    /// Writes the binary form of a state.
    fn write(state: &State<Self>, out: &mut dyn Write) -> io::Result<()>;

    /// Writes the JSON form of a state, which is an error where there is none.
    fn write_json(state: &State<Self>, out: &mut dyn Write) -> io::Result<()>;
}

impl Cannon for Mips32 {
    fn number(version: StateVersion32) -> u8 {
        version.number()
    }

    fn has_json(version: StateVersion32) -> bool {
        version == StateVersion32::V0
    }

    fn thread(_: &<Self as Vm>::Processor) -> Option<u64> {
        Some(0)
    }

    fn write(state: &State<Self>, out: &mut dyn Write) -> io::Result<()> {
        state.write(out)
    }

    fn write_json(state: &State<Self>, out: &mut dyn Write) -> io::Result<()> {
        state.write_json(out)
    }
}

impl Cannon for Mips64 {
    fn number(version: StateVersion) -> u8 {
        version.number()
    }

    fn has_json(_: StateVersion) -> bool {
        false
    }

    fn thread(threads: &<Self as Vm>::Processor) -> Option<u64> {
        threads.current_thread().filter(|thread| !thread.exited).map(|thread| thread.id)
    }

    fn write(state: &State<Self>, out: &mut dyn Write) -> io::Result<()> {
        state.write(out)
    }

    fn write_json(_: &State<Self>, _: &mut dyn Write) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
