//! A liar who is consistent: right up to some block and some instruction, wrong from there on.

use alloy_primitives::{B256, keccak256};
use rebut_dispute::{
    ClaimIndex, Game, GameError, L2BlockChallenge, Position, PositionError, StepData, Trace,
};

/// Status bytes that contracts look at.
const INVALID: u8 = 1;
const UNFINISHED: u8 = 3;

/// A trace as a liar has it.
#[derive(Debug)]
pub struct Lying<T> {
    /// The truth.
    pub truth: T,
    /// The first block whose output is another.
    pub from_block: u64,
    /// The first instruction of each execution after which the state is another.
    pub from_instruction: u64,
}

impl<T> Trace for Lying<T>
where
    T: Trace,
    T::Error: From<GameError> + From<PositionError>,
{
    type Error = T::Error;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, T::Error> {
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
    ) -> Result<StepData, T::Error> {
        // There is no proof of a lie; the true one is the best that a liar can try.
        self.truth.step_data(game, reference, position)
    }

    fn l2_block_challenge(&mut self, _: &Game) -> Result<Option<L2BlockChallenge>, T::Error> {
        Ok(None)
    }
}
