//! What can be done in a game, and why the honest answer to a claim is what it is.

use crate::{Bond, ClaimIndex, L2BlockChallenge, Position, Seconds, Side, StepData};
use alloy_primitives::{Address, B256};

/// A call of the game's contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answers a claim with another.
    Move(Move),
    /// Counters a claim at the largest depth by executing one instruction.
    Step(Step),
    /// Shows that the root claim is that of another block than the game says.
    ChallengeL2Block(L2BlockChallenge),
}

/// Arguments of `attack` and `defend`, and what must come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The claim to answer.
    pub parent: ClaimIndex,
    /// Its value. The contract refuses the move where another claim has come to stand there, as after a
    /// reorganisation of L1.
    pub disputed: B256,
    /// Attack or defend.
    pub side: Side,
    /// Where the new claim will stand.
    pub position: Position,
    /// What it will claim.
    pub value: B256,
    /// What it must bring, to the wei.
    pub bond: Bond,
}

/// Arguments of `step`, and what the oracle must hold before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The claim to counter, at the largest depth.
    pub claim: ClaimIndex,
    /// Attack: the instruction before the claimed state. Defend: the one after it.
    pub side: Side,
    /// The instruction.
    pub position: Position,
    /// State, proof and preimage.
    pub data: StepData,
}

/// What honest play makes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The claim.
    pub claim: ClaimIndex,
    /// Why it is countered, or left alone.
    pub reason: Reason,
    /// What honest players claim at its position; none where nobody has to know.
    pub honest_value: Option<B256>,
    /// What is done about it.
    pub response: Response,
}

/// Why a claim is countered, or left alone: the rule that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The root claim is right.
    RightRoot,
    /// The root claim is wrong: countered.
    WrongRoot,
    /// The root claim is right for an earlier block, and its own block is beyond what L1 holds: no bisection
    /// could find a wrong instruction.
    WrongBlock,
    /// The root's block number is challenged already. The challenger has won, whatever else happens.
    BlockChallenged,
    /// It is an answer that honest players give. Countering it would be against themselves.
    Honest,
    /// It answers an honest claim: countered.
    AnswersHonest,
    /// It answers a claim that honest players answer too, and stands as far left as their answer or further:
    /// countered, or it would be paid in their place.
    Freeloader {
        /// Where their answer stands.
        beside: Position,
    },
    /// It answers a claim that honest players answer too, right of their answer. Theirs is paid, and this one may
    /// be right and impossible to counter: left alone.
    RightOfHonest {
        /// Where their answer stands.
        beside: Position,
    },
    /// It answers a claim that is left alone. Whatever becomes of it changes nothing.
    BelowIgnored,
    /// It answers a claim that honest players can no longer answer in time. To counter it could only save a
    /// wrong claim.
    BelowLate,
}

/// What is done about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Nothing.
    LetStand,
    /// `challengeRootL2Block`.
    ChallengeL2Block,
    /// An answer that is not on chain yet.
    Move(Move),
    /// The answer is on chain.
    Given(ClaimIndex),
    /// A step.
    Step {
        /// Attack or defend.
        side: Side,
        /// The instruction to execute.
        position: Position,
    },
    /// Somebody has stepped.
    Stepped(Address),
    /// The time for it is over.
    Late {
        /// What honest players have used of it.
        used: Seconds,
    },
}

impl Reason {
    /// Whether honest players counter the claim.
    pub const fn counters(&self) -> bool {
        matches!(
            self,
            Self::WrongRoot | Self::WrongBlock | Self::AnswersHonest | Self::Freeloader { .. }
        )
    }
}

impl Reason {
    /// The rule, in words, and why it is one.
    pub const fn rule(&self) -> (&'static str, &'static str) {
        match self {
            Self::RightRoot => (
                "a right root claim is left to stand",
                "it stands in the end unless it is countered",
            ),
            Self::WrongRoot => {
                ("a wrong root claim is countered", "left alone it would stand, and be believed")
            }
            Self::WrongBlock => (
                "a right root of another block than the claimed one is challenged by its number",
                "every output below it is right as well, so no bisection would find a wrong instruction",
            ),
            Self::BlockChallenged => (
                "nothing is played once the root's block number is challenged",
                "the challenger has won, and further bonds would be put up for nothing",
            ),
            Self::Honest => (
                "honest claims are not countered",
                "one of the two bonds would be lost, and both are honest",
            ),
            Self::AnswersHonest => (
                "whatever answers an honest claim is countered",
                "a single answer that stands counters the honest claim and takes its bond",
            ),
            Self::Freeloader { .. } => (
                "an answer beside the honest one, or left of it, is countered",
                "of the answers that stand the leftmost is paid, and it would be in the honest one's place",
            ),
            Self::RightOfHonest { .. } => (
                "an answer right of the honest one is left alone",
                "the honest one is paid first, and this one may be right where it stands: then nothing counters it",
            ),
            Self::BelowIgnored => (
                "what answers a claim that is left alone is left alone",
                "whatever becomes of it changes nothing",
            ),
            Self::BelowLate => (
                "what answers a claim that can no longer be countered is left alone",
                "to counter it could only save a wrong claim",
            ),
        }
    }
}

impl Action {
    /// The claim that it is about.
    pub fn claim(&self) -> ClaimIndex {
        match self {
            Self::Move(action) => action.parent,
            Self::Step(action) => action.claim,
            Self::ChallengeL2Block(_) => ClaimIndex::ROOT,
        }
    }
}
