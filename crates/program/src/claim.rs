//! The fault proof program: is this the output root of that L2 block?
//!
//! ```text
//!   boot ─► agreed output ─► safe chain: derive attributes, execute, repeat ─► output root ─► verdict
//! ```
//!
//! [`run`] is the whole program; [`SafeChain`] the same step by step, for callers that want to see the
//! blocks.
//!
//! The claim rule: the output root that decides is the one of the claimed block or, where L1 data does
//! not reach that far, of the last block that can be derived. So a true root stays true at every later
//! block number, which is what makes a bisection over a tree of fixed depth well defined.
//!
//! Source: fault proof program specification, "Main content" and "Epilogue"; Holocene, "Engine queue"
//! for blocks of deposits only.

use crate::{Boot, BootError, Output, OutputError, SourceError, Verdict, chains::Chains};
use alloc::{boxed::Box, vec::Vec};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, address};
use alloy_trie::EMPTY_ROOT_HASH;
use rebut_derivation::{
    DerivedAttributes, L2Block, L2BlockRef, L2Source, Pipeline, PipelineError, ResetError,
    RollupConfig,
};
use rebut_execution::{
    ExecutedBlock, ExecutionError, Fork, PayloadAttributes, State, StateError, execute_block,
};
use rebut_preimage::{OracleError, PreimageOracle};

/// Whose storage an output root commits to.
const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");
/// The type byte of a deposit.
const DEPOSIT: u8 = 0x7e;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError<C> {
    /// The prologue failed.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The chain's parameters are not known.
    #[error(transparent)]
    Config(C),
    /// The chain could not be followed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Why the chain could not be followed from the agreed output.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The oracle lacks something; its error names the key.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// The agreed output is malformed.
    #[error("the agreed output {root}: {source}")]
    Output {
        /// The agreed output root.
        root: B256,
        /// What is wrong.
        source: OutputError,
    },
    /// Data of a chain could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The agreed block is older than the chain.
    #[error("L2 block {number} is before the chain's first, {genesis}")]
    BeforeGenesis {
        /// The block.
        number: u64,
        /// The chain's first block.
        genesis: u64,
    },
    /// Derivation is impossible.
    #[error(transparent)]
    Pipeline(#[from] PipelineError<SourceError>),
    /// Starting again from the safe head did not help.
    #[error("derivation does not get past L2 block {number}: {reason}")]
    Stuck {
        /// The safe head.
        number: u64,
        /// Why it had to start again.
        reason: ResetError,
    },
    /// A block can neither be built nor be left out.
    #[error("L2 block {number} cannot be built: {source}")]
    Execution {
        /// The block.
        number: u64,
        /// Why.
        source: Box<ExecutionError<OracleError>>,
    },
    /// The state could not be read.
    #[error(transparent)]
    State(#[from] StateError<OracleError>),
}

/// Decides the claim that the oracle's local values make. `config` gives the parameters of the chain
/// with an id; `observe` sees each block that became safe.
///
/// The values that `oracle` returns must be verified: by the machine that runs this code, or by a
/// [`VerifyingOracle`](rebut_preimage::VerifyingOracle) around an oracle that does not do it.
///
/// # Errors
/// [`ClaimError`]; what is missing is named by its key.
pub fn run<O: PreimageOracle, C>(
    oracle: &mut O,
    config: impl FnOnce(u64) -> Result<RollupConfig, C>,
    mut observe: impl FnMut(&Derived),
) -> Result<Verdict, ClaimError<C>> {
    let boot = Boot::load(oracle)?;
    let config = config(boot.chain_id).map_err(ClaimError::Config)?;
    let (claimed, number) = (boot.claimed_output, boot.claimed_number);
    let mut chain = SafeChain::start(oracle, &config, &boot)?;
    if number < chain.head().id.number {
        // A claim about a block before the agreed one is about no block of this dispute.
        return Ok(Verdict { claimed, computed: None });
    }
    let mut output = None;
    while chain.head().id.number < number
        && let Some(blocks) = chain.extend(|block| block == number)?
    {
        blocks.iter().for_each(&mut observe);
        output = blocks.into_iter().find_map(|block| block.output);
    }
    let output = match output {
        Some(output) => output,
        None => chain.output()?,
    };
    Ok(Verdict { claimed, computed: Some(output.root()) })
}

/// A block that was derived and executed.
#[derive(Debug)]
pub struct Derived {
    /// The block's place in both chains.
    pub block: L2BlockRef,
    /// What was executed.
    pub executed: ExecutedBlock,
    /// The block's output, where it was asked for.
    pub output: Option<Output>,
    /// The batch's transactions made the block invalid and were left out (Holocene).
    pub deposits_only: bool,
}

/// The safe L2 chain, from the agreed block on.
pub struct SafeChain<'a, O> {
    config: &'a RollupConfig,
    chains: Chains<'a, O>,
    /// From the safe head on, once it is needed.
    pipeline: Option<Pipeline>,
    head: Head,
    /// Number of the safe head at the last restart of derivation.
    restarted_at: Option<u64>,
}

/// The last block, and what the next one is built on.
#[derive(Clone, Debug)]
struct Head {
    block: L2BlockRef,
    header: Sealed<Header>,
    state: State,
    /// The agreed output, while its block is the last one.
    agreed: Option<Output>,
}

impl<'a, O: PreimageOracle> SafeChain<'a, O> {
    /// The chain as far as it is agreed on.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn start(
        oracle: &'a mut O,
        config: &'a RollupConfig,
        boot: &Boot,
    ) -> Result<Self, ChainError> {
        let agreed = agreed_output(oracle, boot.agreed_output)?;
        let genesis = config.genesis.l2.number;
        let mut chains = Chains::new(oracle, boot.l1_head, agreed.block_hash, genesis)?;
        let number = chains.l2_head_number();
        let block = L2Source::block(&mut chains, number)?
            .ok_or(ChainError::BeforeGenesis { number, genesis })?;
        let reference = L2BlockRef::from_block(config, &block).map_err(PipelineError::Critical)?;
        let state = State::new(block.header.state_root);
        let head = Head { block: reference, header: block.header, state, agreed: Some(agreed) };
        Ok(Self { config, chains, pipeline: None, head, restarted_at: None })
    }

    /// The safe head.
    pub const fn head(&self) -> &L2BlockRef {
        &self.head.block
    }

    /// The safe head's output.
    ///
    /// # Errors
    /// [`ChainError`] when the state could not be read.
    pub fn output(&mut self) -> Result<Output, ChainError> {
        let Head { header, state, agreed, .. } = &mut self.head;
        if let Some(agreed) = *agreed {
            return Ok(agreed);
        }
        let storage = state.storage_root(MESSAGE_PASSER, &mut self.chains)?;
        Ok(Output {
            state_root: header.state_root,
            message_passer_storage_root: storage.unwrap_or(EMPTY_ROOT_HASH),
            block_hash: header.hash(),
        })
    }

    /// Derives and executes the next block or, before Holocene, the blocks of the next span batch:
    /// they become safe together. `None` when L1 data ends before that. `wants` says of which blocks,
    /// by number, the output is needed.
    ///
    /// # Errors
    /// [`ChainError`]. The chain cannot be used any further then.
    pub fn extend(
        &mut self,
        wants: impl Fn(u64) -> bool,
    ) -> Result<Option<Vec<Derived>>, ChainError> {
        let mut blocks = Vec::new();
        // The head before the span, while its end has not been reached.
        let mut before: Option<Head> = None;
        loop {
            let pipeline = match &mut self.pipeline {
                Some(pipeline) => pipeline,
                none => none.insert(begin(self.config, &self.head.block, &mut self.chains)?),
            };
            let next = match pipeline.next(self.config, &self.head.block, &mut self.chains) {
                Err(PipelineError::Reset(reason)) => {
                    self.go_back(before.take());
                    blocks.clear();
                    self.restart(reason)?;
                    continue;
                }
                next => next?,
            };
            let Some(DerivedAttributes { attributes, concludes }) = next else {
                self.go_back(before);
                return Ok(None);
            };
            // As all rules of derivation, Holocene's begin with the L1 block that is being read.
            let is_holocene = self.config.is_active(Fork::Holocene, pipeline.origin().timestamp);
            if !concludes && before.is_none() {
                before = Some(self.head.clone());
            }
            match self.execute(attributes, is_holocene, &wants)? {
                Some(block) => {
                    blocks.push(block);
                    if concludes {
                        return Ok(Some(blocks));
                    }
                }
                // Another batch may have been posted for the same block.
                None => {
                    self.flush();
                    self.go_back(before.take());
                    blocks.clear();
                }
            }
        }
    }

    /// Makes an earlier block the safe head again.
    fn go_back(&mut self, head: Option<Head>) {
        if let Some(head) = head {
            self.chains.truncate(head.block.id.number);
            self.head = head;
        }
    }

    /// Lets derivation start again from the safe head.
    fn restart(&mut self, reason: ResetError) -> Result<(), ChainError> {
        let number = self.head.block.id.number;
        if self.restarted_at == Some(number) {
            return Err(ChainError::Stuck { number, reason });
        }
        self.restarted_at = Some(number);
        self.pipeline = None;
        Ok(())
    }

    /// Drops what came with the batch of the last attributes, which made no valid block.
    fn flush(&mut self) {
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.flush();
        }
    }

    /// Executes attributes and makes the block the head. `None` when the block is invalid and has to be
    /// left out.
    fn execute(
        &mut self,
        mut attributes: PayloadAttributes,
        is_holocene: bool,
        wants: &impl Fn(u64) -> bool,
    ) -> Result<Option<Derived>, ChainError> {
        let mut deposits_only = false;
        let executed = match self.build(&attributes) {
            Err(ExecutionError::Transaction { .. }) if !is_holocene => return Ok(None),
            Err(ExecutionError::Transaction { .. }) => {
                self.flush();
                deposits_only = true;
                attributes.transactions.retain(|transaction| transaction.first() == Some(&DEPOSIT));
                self.build(&attributes)
            }
            result => result,
        };
        let executed = executed.map_err(|error| self.failed(error))?;

        let header = executed.header.clone();
        let block = L2Block { header: header.clone(), transactions: attributes.transactions };
        let reference =
            L2BlockRef::from_block(self.config, &block).map_err(PipelineError::Critical)?;
        self.chains.extend(block);
        self.head.block = reference;
        self.head.header = header;
        self.head.agreed = None;
        let output = if wants(reference.id.number) { Some(self.output()?) } else { None };
        Ok(Some(Derived { block: reference, executed, output, deposits_only }))
    }

    fn build(
        &mut self,
        attributes: &PayloadAttributes,
    ) -> Result<ExecutedBlock, ExecutionError<OracleError>> {
        let Head { header, state, .. } = &mut self.head;
        execute_block(&self.config.chain, header, attributes, state, &mut self.chains)
    }

    fn failed(&self, error: ExecutionError<OracleError>) -> ChainError {
        match error {
            ExecutionError::State(error) => error.into(),
            error => ChainError::Execution {
                number: self.head.block.id.number.saturating_add(1),
                source: Box::new(error),
            },
        }
    }
}

/// A pipeline that goes on after the safe head.
fn begin<O: PreimageOracle>(
    config: &RollupConfig,
    head: &L2BlockRef,
    chains: &mut Chains<'_, O>,
) -> Result<Pipeline, ChainError> {
    let (number, genesis) = (head.id.number, config.genesis.l2.number);
    let block = L2Source::block(chains, number)?;
    let block = block.ok_or(ChainError::BeforeGenesis { number, genesis })?;
    Ok(Pipeline::start(config, &block, chains)?)
}

/// The preimage of the agreed output root.
fn agreed_output<O: PreimageOracle>(oracle: &mut O, root: B256) -> Result<Output, ChainError> {
    let bytes = crate::oracle::hinted(oracle, "starting-l2-output", root)?;
    Output::decode(&bytes).map_err(|source| ChainError::Output { root, source })
}
