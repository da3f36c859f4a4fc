//! A machine with a program, started as often as a trace needs it.

use super::run::Oracle;
use alloy_primitives::B256;
use rebut_fpvm::{Machine, Silent, Snapshot, State, StepError, Version, Vm};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use std::sync::Arc;

/// Why a machine did not get where it should.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// The program did something that no machine executes: the trace ends in the middle.
    #[error("the program faults at step {step}: {source}")]
    Fault {
        /// The step that cannot be executed.
        step: u64,
        /// Why.
        source: StepError,
    },
    /// The oracle had no answer, which may pass.
    #[error("no preimage at step {step}: {source}")]
    Oracle {
        /// The step that needs it.
        step: u64,
        /// What the oracle says.
        source: OracleError,
    },
}

impl VmError {
    /// The failure of a step.
    pub(super) fn at(step: u64, error: StepError) -> Self {
        match error {
            StepError::Oracle(source) => Self::Oracle { step, source },
            source => Self::Fault { step, source },
        }
    }
}

/// A preimage that a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmRead {
    /// The key as the program asks for it.
    pub key: B256,
    /// The preimage, without the length in front.
    pub data: Vec<u8>,
    /// Where the part starts, the length in front included.
    pub offset: u64,
}

/// The absolute prestate of games, ready to run. Cheap to clone.
pub struct Loaded<V: Vm> {
    version: V::Version,
    prestate: Arc<Snapshot<V>>,
}

impl<V: Vm> Clone for Loaded<V> {
    fn clone(&self) -> Self {
        Self { version: self.version, prestate: Arc::clone(&self.prestate) }
    }
}

impl<V: Vm> std::fmt::Debug for Loaded<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("version", &self.version).finish_non_exhaustive()
    }
}

impl<V: Vm> Loaded<V> {
    /// Machines that start from `prestate`.
    pub fn new(prestate: State<V>) -> Self {
        let version = prestate.version;
        let mut machine = Machine::<V>::new(prestate, Unasked, Silent);
        Self { version, prestate: Arc::new(machine.snapshot()) }
    }

    /// A machine at the prestate.
    pub(super) fn boot<'o>(&self, oracle: &'o mut Oracle) -> Machine<'o, V>
    where
        V::Version: Version<Vm = V>,
    {
        let mut machine = Machine::<V>::new(State::at(self.version, 0), oracle, Silent);
        machine.restore(&self.prestate);
        machine
    }
}

/// The oracle of a machine that is not run.
struct Unasked;

impl PreimageOracle for Unasked {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        Err(OracleError::Missing { key })
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}
