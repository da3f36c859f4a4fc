//! Two engines on one trace, which have to say the same.
//!
//! An engine with a fault of its own would make this side claim a wrong state, and lose the bond. Two that were written
//! apart are hardly wrong in the same place: where they differ, nothing is claimed.

use super::{Executions, Report, RunInputs, StateTrace};
use crate::trace::TraceError;
use alloy_primitives::{B256, keccak256};
use rebut_dispute::StepData;

/// Traces by one engine, each confirmed by another.
pub struct CrossChecked {
    /// The engine whose proofs are used.
    one: Box<dyn Executions>,
    /// The engine that has to agree.
    other: Box<dyn Executions>,
}

impl std::fmt::Debug for CrossChecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrossChecked").finish_non_exhaustive()
    }
}

impl CrossChecked {
    /// Traces by `one` as far as `other` has the same.
    pub fn new(one: Box<dyn Executions>, other: Box<dyn Executions>) -> Self {
        Self { one, other }
    }
}

impl Executions for CrossChecked {
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        Ok(Box::new(Pair { one: self.one.open(inputs)?, other: self.other.open(inputs)? }))
    }
}

struct Pair {
    one: Box<dyn StateTrace>,
    other: Box<dyn StateTrace>,
}

fn agreed(what: String, said: B256, but: B256) -> Result<B256, TraceError> {
    if said == but {
        return Ok(said);
    }
    let (one, other) = ("the machine of this process".into(), "the other program".into());
    let (said, but) = (said.to_string().into(), but.to_string().into());
    Err(TraceError::Disagreement { what, one, said, other, but })
}

impl StateTrace for Pair {
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError> {
        let (one, other) = (self.one.state_hash(steps)?, self.other.state_hash(steps)?);
        agreed(format!("the state after {steps} steps"), one, other)
    }

    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError> {
        let (one, other) = (self.one.step_data(steps)?, self.other.step_data(steps)?);
        let packed = |data: &StepData| keccak256(&data.prestate);
        agreed(format!("the packed state after {steps} steps"), packed(&one), packed(&other))?;
        Ok(one)
    }

    fn report(&self) -> Report {
        let (one, other) = (self.one.report(), self.other.report());
        Report {
            executed: one.executed.saturating_add(other.executed),
            time: one.time.saturating_add(other.time),
            ..one
        }
    }
}
