//! Games as a liar sees them.

use rebut_challenger::agent::{BoxedTrace, TraceFailure, Traces, game_setup};
use rebut_challenger::chain::Facts;
use rebut_challenger::trace::Setup;
use rebut_table::Lying;
use std::sync::Arc;

/// Traces as a liar has them.
pub struct Lies {
    pub truth: Arc<Setup>,
    /// The first block whose output is another.
    pub from_block: u64,
    /// The first instruction of each execution after which the state is another.
    pub from_instruction: u64,
}

impl Traces for Lies {
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        let Self { from_block, from_instruction, .. } = *self;
        let truth = self.truth.open(&game_setup(facts, l1_head))?;
        Ok(BoxedTrace::new(Lying { truth, from_block, from_instruction }))
    }
}
