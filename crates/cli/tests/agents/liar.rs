//! A liar who is consistent: right up to some block and some instruction, wrong from there on.

use alloy_primitives::{B256, keccak256};
use rebut_challenger::agent::{BoxedTrace, TraceFailure, Traces, game_setup};
use rebut_challenger::chain::Facts;
use rebut_challenger::trace::{GameTrace, Setup, TraceError};
use rebut_dispute::{ClaimIndex, Game, L2BlockChallenge, Position, StepData, Trace};
use std::sync::Arc;

/// Status bytes that contracts look at.
const INVALID: u8 = 1;
const UNFINISHED: u8 = 3;

/// Traces as a liar has them.
pub struct Lies {
    pub truth: Arc<Setup>,
    /// The first block whose output is another.
    pub from_block: u64,
    /// The first instruction of each trace after which the state is another.
    pub from_instruction: u64,
}

struct Liar {
    truth: GameTrace,
    from_block: u64,
    from_instruction: u64,
}

impl Traces for Lies {
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        let Self { from_block, from_instruction, .. } = *self;
        let truth = self.truth.open(&game_setup(facts, l1_head))?;
        Ok(BoxedTrace::new(Liar { truth, from_block, from_instruction }))
    }
}

impl Trace for Liar {
    type Error = TraceError;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, TraceError> {
        let truth = self.truth.claim(game, reference, position)?;
        let parameters = game.parameters();
        if position.depth() <= parameters.split_depth() {
            let lies = game.l2_block_at(position)? >= self.from_block;
            return Ok(if lies { keccak256(truth) } else { truth });
        }
        let below = position.relative_to(parameters.split_depth().below())?;
        let index = below.trace_index(parameters.execution_depth())?;
        if index.0 < self.from_instruction.into() {
            return Ok(truth);
        }
        let mut lie = keccak256(truth);
        lie[0] = if below == Position::ROOT { INVALID } else { UNFINISHED };
        Ok(lie)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, TraceError> {
        // There is no proof of a lie; the true one is the best that a liar can try.
        self.truth.step_data(game, reference, position)
    }

    fn l2_block_challenge(&mut self, _: &Game) -> Result<Option<L2BlockChallenge>, TraceError> {
        Ok(None)
    }
}
