//! What is true in a game: output roots above the split depth, states of a machine below it.
//!
//! ```text
//!   OutputSource ─► Outputs ──┐  depth 0 to split          rollup nodes, our own derivation, or all of them
//!                             ├─► GameTrace: rebut_dispute::Trace
//!   Executions ─► StateTrace ─┘  below                     our machine, another program, letters
//! ```
//!
//! Between two neighbouring outputs runs one trace; [`GameTrace`] finds the two from the claims, and keeps the
//! traces that were asked for last.
//!
//! Invariant: an answer is either the same at every time and on every honest side, or an error. Where sources
//! disagree, lag or lack something, nothing is claimed.
//!
//! Source: honest challenger specification, "Traces"; the deployed challenger for the rule of the safe head.

mod derivation;
#[cfg(test)]
mod fixtures;
mod outputs;
mod prestate;
mod rollup;
mod server;
mod setup;
pub mod vm;

pub use derivation::{DerivationError, Derived};
pub use outputs::{Agreeing, HeaderNodes, HeaderSource, L1Head, OutputSource, Outputs};
pub use prestate::{PrestateError, Prestates, Stored, Supply};
pub use rollup::{BlockId, L2Block, LAG_LIMIT_BLOCKS, RollupNode, SyncStatus};
pub use server::{PreimageServer, ServerForm};
pub use setup::{ChainNodes, Engine, ExternalProgram, GameSetup, Machinery, Setup};

use alloy_primitives::B256;
use rebut_dispute::{
    ClaimIndex, Game, GameError, GameType, L2BlockChallenge, Position, PositionError, Proposal,
    StepData, Trace,
};
use rebut_fpvm::machine::state::VmStatus;
use rebut_host::source::SourceError;
use rebut_preimage::StoreError;
use rebut_program::Boot;
use std::collections::VecDeque;
use std::time::Duration;
use vm::{EvidenceError, Executions, ExternalError, Report, RunInputs, StateTrace, VmError};

/// Execution traces of one game that are kept open.
const OPEN_TRACES: usize = 4;

/// Why there is no answer. No move depends on a question that ended so; it may be asked again.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The question does not fit the game.
    #[error(transparent)]
    Game(#[from] GameError),
    /// A position off the tree.
    #[error(transparent)]
    Position(#[from] PositionError),
    /// No node gave an answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A node's answer contradicts itself or the question.
    #[error("{source_name}: {what}")]
    Answer {
        /// The node.
        source_name: String,
        /// What is wrong.
        what: String,
    },
    /// A node has not yet seen all of the L1 data that the game goes by.
    #[error("{source_name}: it has processed L1 up to block {at}, the game's L1 head is {head}")]
    NotSynced {
        /// The node.
        source_name: String,
        /// Where it is.
        at: u64,
        /// Where it has to have been.
        head: u64,
    },
    /// Two sources say different things.
    #[error("{what}: {one} says {said}, {other} says {but}")]
    Disagreement {
        /// What they were asked for.
        what: String,
        /// The first source.
        one: String,
        /// What it says.
        said: Box<str>,
        /// Another source.
        other: String,
        /// What that says.
        but: Box<str>,
    },
    /// The safe head at the game's L1 head is before the game's starting block, which cannot be.
    #[error("the safe head at the game's L1 head is {safe}, before the starting block {starting}")]
    SafeHead {
        /// The safe head.
        safe: u64,
        /// The starting block.
        starting: u64,
    },
    /// Our own derivation failed.
    #[error(transparent)]
    Derivation(#[from] DerivationError),
    /// The starting output of the game is not the one of its block.
    #[error("the game starts from the output {claimed} of block {number}, which has {ours}")]
    Starting {
        /// The block.
        number: u64,
        /// In the game.
        claimed: B256,
        /// By the sources.
        ours: B256,
    },
    /// A kind of game about another machine, or about none.
    #[error("{0} games are not played")]
    GameType(GameType),
    /// More instructions than the tree has places.
    #[error("the program takes more than the 2^{depth} instructions that the game has room for")]
    TooLong {
        /// Levels of an execution trace.
        depth: u8,
    },
    /// The machine did not get through.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// The program that runs the machine failed.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// A preimage that a step reads cannot be shown.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A store of preimages cannot be used.
    #[error(transparent)]
    Store(StoreError),
    /// What runs the program cannot be set up.
    #[error("a trace cannot be prepared: {0}")]
    Setup(Box<dyn std::error::Error + Send + Sync>),
    /// The run was ended from outside.
    #[error("interrupted at step {step}")]
    Interrupted {
        /// How far it got.
        step: u64,
    },
}

/// What is true in one game.
pub struct GameTrace {
    outputs: Outputs,
    headers: Box<dyn HeaderSource>,
    executions: Box<dyn Executions>,
    chain_id: u64,
    /// The traces asked for last, the latest at the end.
    open: VecDeque<(RunInputs, Box<dyn StateTrace>)>,
    /// What those took that are closed again.
    closed: Work,
}

/// What it took to know the execution traces of a game so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How many there were, each as often as it was opened.
    pub traces: u32,
    /// Instructions of the longest that has been run to its end.
    pub longest: u64,
    /// Instructions executed, those that were executed again included.
    pub executed: u64,
    /// Time spent on executing, hashing and proving.
    pub time: Duration,
}

impl Work {
    fn add(&mut self, report: &Report) {
        self.traces = self.traces.saturating_add(1);
        self.longest = self.longest.max(report.length.unwrap_or(0));
        self.executed = self.executed.saturating_add(report.executed);
        self.time = self.time.saturating_add(report.time);
    }
}

impl std::fmt::Debug for GameTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GameTrace")
            .field("chain_id", &self.chain_id)
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

impl GameTrace {
    /// Truth by these sources, in a game about the chain `chain_id`.
    pub fn new(
        outputs: Outputs,
        headers: Box<dyn HeaderSource>,
        executions: Box<dyn Executions>,
        chain_id: u64,
    ) -> Self {
        Self {
            outputs,
            headers,
            executions,
            chain_id,
            open: VecDeque::new(),
            closed: Work::default(),
        }
    }

    /// Compares a game's starting output with what the sources say of its block. A game that starts
    /// elsewhere cannot be played.
    ///
    /// # Errors
    /// [`TraceError::Starting`], or why there is no answer.
    pub fn check_starting(&mut self, starting: Proposal) -> Result<(), TraceError> {
        let number = starting.l2_sequence_number;
        let ours = self.outputs.output(number)?.root();
        match ours == starting.root {
            true => Ok(()),
            false => Err(TraceError::Starting { number, claimed: starting.root, ours }),
        }
    }

    /// What the execution traces took.
    pub fn work(&self) -> Work {
        let mut work = self.closed;
        for (_, trace) in &self.open {
            work.add(&trace.report());
        }
        work
    }

    /// What the execution trace is about that `position` belongs to.
    ///
    /// # Errors
    /// [`TraceError`] where the claims do not fit, or the agreed block is not known.
    pub fn run_inputs(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<RunInputs, TraceError> {
        let span = game.span(reference, position)?;
        let disputed = game.claim(span.disputed)?;
        let (agreed_output, agreed_number) = match span.starting {
            Some(index) => {
                let claim = game.claim(index)?;
                // A claim beyond the safe head agrees on the last block that can be derived.
                (claim.value, self.outputs.honest_block(game, claim.position)?)
            }
            None => (game.starting().root, game.starting().l2_sequence_number),
        };
        let agreed_l2_head = self.outputs.output(agreed_number)?.block_hash;
        let boot = Boot {
            l1_head: self.outputs.l1_head().hash,
            agreed_output,
            claimed_output: disputed.value,
            claimed_number: game.l2_block_at(disputed.position)?,
            chain_id: self.chain_id,
        };
        Ok(RunInputs { boot, agreed_l2_head, context: game.local_context(span)? })
    }

    /// The execution trace that `position` belongs to.
    fn execution(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<&mut dyn StateTrace, TraceError> {
        let inputs = self.run_inputs(game, reference, position)?;
        let there = self.open.iter().position(|(known, _)| *known == inputs);
        let entry = match there.and_then(|at| self.open.remove(at)) {
            Some(entry) => entry,
            None => (inputs, self.executions.open(&inputs)?),
        };
        while self.open.len() >= OPEN_TRACES
            && let Some((_, trace)) = self.open.pop_front()
        {
            self.closed.add(&trace.report());
        }
        Ok(self.open.push_back_mut(entry).1.as_mut())
    }
}

/// Instructions executed where a claim at `position` stands, which is below the split depth.
fn steps_at(game: &Game, position: Position) -> Result<u64, TraceError> {
    let parameters = game.parameters();
    let levels = parameters.execution_depth();
    let index = position.relative_to(parameters.split_depth().below())?.trace_index(levels)?;
    let steps = index.0.checked_add(1).and_then(|steps| u64::try_from(steps).ok());
    // No program runs for 2^64 steps: past that every state is the last one.
    Ok(steps.unwrap_or(u64::MAX))
}

impl Trace for GameTrace {
    type Error = TraceError;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, TraceError> {
        let parameters = *game.parameters();
        if position.depth() <= parameters.split_depth() {
            let number = self.outputs.honest_block(game, position)?;
            return Ok(self.outputs.output(number)?.root());
        }
        let steps = steps_at(game, position)?;
        let trace = self.execution(game, reference, position)?;
        let hash = trace.state_hash(steps)?;
        let is_root = position.depth() == parameters.split_depth().below();
        if is_root && hash[0] == VmStatus::Unfinished as u8 {
            return Err(TraceError::TooLong { depth: parameters.execution_depth().get() });
        }
        Ok(hash)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, TraceError> {
        // A claim commits to the state after its instruction, a step starts from the one before.
        let steps = steps_at(game, position)?.saturating_sub(1);
        self.execution(game, reference, position)?.step_data(steps)
    }

    fn l2_block_challenge(&mut self, game: &Game) -> Result<Option<L2BlockChallenge>, TraceError> {
        let honest = self.outputs.honest_block(game, Position::ROOT)?;
        if honest == game.l2_sequence_number() {
            return Ok(None);
        }
        let output = self.outputs.output(honest)?;
        let header_rlp = self.headers.header(output.block_hash)?;
        Ok(Some(L2BlockChallenge {
            version: B256::ZERO,
            state_root: output.state_root,
            message_passer_storage_root: output.message_passer_storage_root,
            latest_block_hash: output.block_hash,
            header_rlp,
        }))
    }
}

#[cfg(test)]
mod tests;
