//! Execution traces: the states of a virtual machine from the absolute prestate to its exit.
//!
//! ```text
//!   Executions ── what a trace starts from ──► StateTrace ── state hash after n instructions
//!                                                        └── proof of one instruction
//!
//!     InProcess      one pass by a machine of this process, snapshots on the way     run, machine
//!     External       a program that is called like the deployed `cannon`             external
//!     CrossChecked   both, which have to agree                                       cross_check
//!     Measured       any of them, with what they take shown to the outside           measured
//!     Alphabets      six steps without a machine, for games of tests                 alphabet
//! ```
//!
//! A trace is as long as the tree of a game is wide: past the exit every state is the last one.

mod alphabet;
mod cross_check;
mod evidence;
mod external;
mod machine;
mod measured;
mod run;

pub use alphabet::{Alphabet, Alphabets};
pub use cross_check::CrossChecked;
pub use evidence::EvidenceError;
pub use external::{Dialect, External, ExternalError, ExternalOptions, ServerCommand};
pub use machine::{Loaded, VmError, VmRead};
pub use measured::{Measured, is_note, noted};
pub use run::{InProcess, Limits, Oracle, Progress, Run};

use super::TraceError;
use alloy_primitives::B256;
use rebut_dispute::StepData;
use rebut_program::Boot;
use std::time::Duration;

/// What one execution trace is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunInputs {
    /// What the program is told.
    pub boot: Boot,
    /// The L2 block that the agreed output is of.
    pub agreed_l2_head: B256,
    /// What ties local data to this trace.
    pub context: B256,
}

/// What it took to know a trace so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Instructions of the whole trace, once it has been run to its end.
    pub length: Option<u64>,
    /// Instructions executed, those that were executed again included.
    pub executed: u64,
    /// Time spent on executing, hashing and proving.
    pub time: Duration,
    /// Memory of the guest at the end of the trace, in bytes, where that is known.
    pub memory_bytes: Option<u64>,
    /// Snapshots that are kept.
    pub snapshots: usize,
    /// Memory that they hold, at most, in bytes.
    pub snapshot_bytes: u64,
}

/// An execution trace. Calls may take as long as the program runs; they are for threads that can wait.
pub trait StateTrace: Send {
    /// The state hash after `steps` instructions. After none it is the absolute prestate.
    ///
    /// # Errors
    /// [`TraceError`]; another call tries again.
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError>;

    /// What a step needs that executes the instruction behind the first `steps` ones.
    ///
    /// # Errors
    /// As [`state_hash`](Self::state_hash).
    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError>;

    /// What it took so far.
    fn report(&self) -> Report;
}

/// Where execution traces come from.
pub trait Executions: Send {
    /// The trace of these inputs. Nothing is executed yet.
    ///
    /// # Errors
    /// [`TraceError`] where it cannot be prepared.
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError>;
}

#[cfg(test)]
mod tests;
