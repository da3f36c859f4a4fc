//! The challenger: follows games, answers what is wrong in them, resolves them, collects what they pay.
//!
//! ```text
//!   poll ──► scheduler ──► player (one game) ──► moves, then resolve
//!                 ├──────► claimer             bonds of finished games
//!                 └──────► auditor             large preimages of others
//! ```
//!
//! One job a game at a time, and no job can end another: a failure or a panic stays in its game, is reported, counted,
//! and tried again later.

mod auditor;
mod claimer;
mod player;
mod scheduler;
mod upload;

pub use auditor::Auditor;
pub use claimer::{Claimer, claim_credit};
pub use player::{Player, Rules, Turn, answer, resolve_claim, resolve_game, step};
pub use scheduler::{Agent, Options};

use crate::chain::{Facts, NodeError};
use crate::preimage::{AuditError, PlanError, ProposalError};
use crate::sender::SendError;
use crate::trace::{GameSetup, L1Head, Setup, TraceError};
use alloy_primitives::{Address, B256};
use rebut_contracts::Revert;
use rebut_dispute::{
    ClaimIndex, Game, GameError, L2BlockChallenge, Position, SolveError, StepData, Trace,
};
use std::error::Error;

/// Why a trace has no answer.
pub type TraceFailure = Box<dyn Error + Send + Sync>;

/// The trace of one game, whatever it is made of.
pub struct BoxedTrace(Box<dyn Trace<Error = TraceFailure> + Send>);

/// A trace whose failures are no longer told apart.
struct Erased<T>(T);

impl BoxedTrace {
    /// Any trace.
    pub fn new<T>(trace: T) -> Self
    where
        T: Trace<Error: Into<TraceFailure>> + Send + 'static,
    {
        Self(Box::new(Erased(trace)))
    }
}

impl<T: Trace<Error: Into<TraceFailure>>> Trace for Erased<T> {
    type Error = TraceFailure;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, TraceFailure> {
        self.0.claim(game, reference, position).map_err(Into::into)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, TraceFailure> {
        self.0.step_data(game, reference, position).map_err(Into::into)
    }

    fn l2_block_challenge(
        &mut self,
        game: &Game,
    ) -> Result<Option<L2BlockChallenge>, TraceFailure> {
        self.0.l2_block_challenge(game).map_err(Into::into)
    }
}

impl Trace for BoxedTrace {
    type Error = TraceFailure;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, TraceFailure> {
        self.0.claim(game, reference, position)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, TraceFailure> {
        self.0.step_data(game, reference, position)
    }

    fn l2_block_challenge(
        &mut self,
        game: &Game,
    ) -> Result<Option<L2BlockChallenge>, TraceFailure> {
        self.0.l2_block_challenge(game)
    }
}

/// Where traces come from.
pub trait Traces: Send + Sync {
    /// Opens the trace of a game; `l1_head` is the number of the game's L1 head. Called on a thread that can wait.
    ///
    /// # Errors
    /// Whatever makes it unsafe to play: a prestate that is not the game's, a starting output that is not on the
    /// chain, nodes that lag or disagree, a kind of game without a trace.
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure>;

    /// Clears away what is kept for a game in which nothing is left to do. Called on a thread that can wait; it may be
    /// asked for again.
    fn forget(&self, _game: Address) {}
}

/// What the trace of a game depends on, of its facts; `l1_head` is the number of its L1 head.
pub fn game_setup(facts: &Facts, l1_head: u64) -> GameSetup {
    GameSetup {
        address: facts.listing.address,
        game_type: facts.listing.game_type,
        l1_head: L1Head { hash: facts.l1_head, number: l1_head },
        starting: facts.starting,
        l2_sequence_number: facts.l2_sequence_number,
        absolute_prestate: facts.absolute_prestate,
        chain_id: facts.l2_chain_id,
    }
}

impl Traces for Setup {
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        let game = game_setup(facts, l1_head);
        Ok(BoxedTrace::new(Self::open(self, &game)?))
    }

    fn forget(&self, game: Address) {
        Self::forget(self, game);
    }
}

/// Why something was not done. Nothing was done instead.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// L1 is not readable.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A transaction is not done.
    #[error(transparent)]
    Send(#[from] SendError),
    /// Nobody is sure what is true.
    #[error("no honest answer is known: {0}")]
    Trace(TraceFailure),
    /// The game is not one that can be played.
    #[error(transparent)]
    Game(#[from] GameError),
    /// The oracle refuses a preimage.
    #[error("the oracle refuses a preimage: {0}")]
    Upload(Revert),
    /// A preimage that the oracle would refuse.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A large preimage that cannot be proposed.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// A large preimage of somebody else that cannot be judged.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A getter without an answer.
    #[error("{0} has no answer")]
    Unreadable(&'static str),
    /// The job ended without a result.
    #[error("the work was interrupted")]
    Interrupted,
}

impl Failure {
    /// Counts it.
    fn report(&self) {
        metrics::counter!("op_challenger_not_acted", "reason" => self.reason()).increment(1);
    }

    /// A word for the metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Node(_) | Self::Unreadable(_) => "l1",
            Self::Send(SendError::Spending(_)) => "spending_cap",
            Self::Send(SendError::Funds { .. }) => "funds",
            Self::Send(SendError::Signer(_)) => "signer",
            Self::Send(_) => "transaction",
            Self::Trace(why) => trace_reason(why),
            Self::Game(_) => "game",
            Self::Upload(_) | Self::Plan(_) | Self::Proposal(_) => "preimage",
            Self::Audit(_) => "audit",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The same for a trace without an answer.
fn trace_reason(why: &TraceFailure) -> &'static str {
    // The solver says of which claim it was.
    let of_claim = why.downcast_ref::<rebut_dispute::Failure<TraceFailure>>();
    let why = match of_claim.map(|failure| &failure.error) {
        Some(SolveError::Trace(why)) => why,
        _ => why,
    };
    match why.downcast_ref::<TraceError>() {
        Some(TraceError::Disagreement { .. }) => "disagreement",
        Some(TraceError::NotSynced { .. }) => "not_synced",
        Some(TraceError::Setup(_)) => "setup",
        _ => "trace",
    }
}
