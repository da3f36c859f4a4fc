//! What is true in games of the alphabet machine: the output root of block `n` is the number `n`. The machine's
//! program and its states are described at the contract AlphabetVM.

use alloy_primitives::{B256, U256, keccak256};
use rebut_dispute::{
    ClaimIndex, Evidence, Game, GameError, L2BlockChallenge, Position, PreimagePart, Span,
    StepData, Trace,
};

const LENGTH: u64 = 6;
const UNFINISHED: u8 = 3;

/// The truth, or with `lie_from` what a consistent liar says: roots from that block on are others.
#[derive(Clone, Debug, Default)]
pub struct Alphabet {
    pub lie_from: Option<u64>,
    /// States from this index of a trace on are others.
    pub lie_from_step: Option<u64>,
    /// The last block that can be derived, and the proof of its root.
    pub derivable: Option<(u64, B256, L2BlockChallenge)>,
    /// How often values were asked for.
    pub asked: usize,
}

/// The state that every trace starts from.
pub fn absolute_prestate() -> B256 {
    let mut hash = keccak256([0; 128]);
    hash[0] = UNFINISHED;
    hash
}

pub fn root_of(block: u64) -> B256 {
    B256::from(U256::from(block))
}

struct Inputs {
    agreed: B256,
    disputed: B256,
    number: u64,
}

impl Inputs {
    fn of(game: &Game, span: Span) -> Result<Self, GameError> {
        let agreed = match span.starting {
            Some(claim) => game.claim(claim)?.value,
            None => game.starting().root,
        };
        let disputed = game.claim(span.disputed)?;
        let number = game.l2_block_at(disputed.position)?;
        Ok(Self { agreed, disputed: disputed.value, number })
    }

    /// The packed state after that many steps.
    fn state(&self, steps: u64) -> Vec<u8> {
        let steps = steps.min(LENGTH);
        let word = |read: bool, word: B256| if read { word } else { B256::ZERO };
        [
            B256::from(U256::from(steps)),
            word(steps > 0, self.agreed),
            word(steps > 1, self.disputed),
            word(steps > 2, B256::from(U256::from(self.number))),
        ]
        .concat()
    }

    fn verdict(&self) -> u8 {
        let agreed = U256::from_be_bytes(self.agreed.0);
        let more = u64::from(agreed < U256::from(self.number));
        u8::from(B256::from(agreed + U256::from(more)) != self.disputed)
    }

    fn hash(&self, steps: u64) -> B256 {
        let mut hash = keccak256(self.state(steps));
        hash[0] = if steps < LENGTH { UNFINISHED } else { self.verdict() };
        hash
    }
}

/// Index of an instruction in its trace.
fn index(game: &Game, position: Position) -> Result<u64, GameError> {
    let parameters = game.parameters();
    let within = position.relative_to(parameters.split_depth().below())?;
    let index = within.trace_index(parameters.execution_depth())?.0;
    Ok(u64::try_from(index).unwrap_or(u64::MAX))
}

impl Trace for Alphabet {
    type Error = GameError;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, GameError> {
        self.asked += 1;
        if position.depth() <= game.parameters().split_depth() {
            let block = game.l2_block_at(position)?;
            if let Some((last, root, _)) = &self.derivable
                && block >= *last
            {
                return Ok(*root);
            }
            let lie = self.lie_from.is_some_and(|from| block >= from);
            return Ok(root_of(if lie { block + 1000 } else { block }));
        }
        let inputs = Inputs::of(game, game.span(reference, position)?)?;
        let index = index(game, position)?;
        let mut hash = inputs.hash(index.saturating_add(1));
        if self.lie_from_step.is_some_and(|from| index >= from) {
            hash = keccak256(hash);
            hash[0] = UNFINISHED;
        }
        // A liar says of his own output that it is right, and of another that it is not.
        if self.lie_from.is_some() && position.depth() == game.parameters().split_depth().below() {
            hash[0] = u8::from(!defends_own(game, reference, position)?);
        }
        Ok(hash)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, GameError> {
        let inputs = Inputs::of(game, game.span(reference, position)?)?;
        let index = index(game, position)?;
        let local = |identifier: u8, data: Vec<u8>| {
            let mut key = B256::with_last_byte(identifier);
            key[0] = 1;
            PreimagePart { key, data, offset: 8, evidence: Evidence::Data }
        };
        let preimage = match index {
            0 => Some(local(2, inputs.agreed.to_vec())),
            1 => Some(local(3, inputs.disputed.to_vec())),
            2 => Some(local(4, inputs.number.to_be_bytes().to_vec())),
            _ => None,
        };
        Ok(StepData { prestate: inputs.state(index), proof: Vec::new(), preimage })
    }

    fn l2_block_challenge(&mut self, game: &Game) -> Result<Option<L2BlockChallenge>, GameError> {
        let late = |(last, ..): &&(u64, B256, L2BlockChallenge)| game.l2_sequence_number() > *last;
        Ok(self.derivable.as_ref().filter(late).map(|(.., challenge)| challenge.clone()))
    }
}

/// Whether the root of an execution trace has to say that its output is right.
fn defends_own(game: &Game, reference: ClaimIndex, position: Position) -> Result<bool, GameError> {
    let span = game.span(reference, position)?;
    let disputed = game.claim(span.disputed)?.position.depth();
    Ok(!disputed.same_side(game.parameters().split_depth()))
}
