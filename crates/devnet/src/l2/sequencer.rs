//! The sequencer: chooses L1 origins and transactions, builds blocks, and builds them anew when L1 takes
//! back what they were built on.
//!
//! ```text
//!   next block's time ─┬─ origin: the next L1 block, once its time has come, else the parent's
//!                      └─ transactions: none beyond the drift, none in the first block of Jovian
//! ```
//!
//! Nothing happens by itself: a block is built when [`Sequencer::build`] is called.
//!
//! Specification: "Derivation", L1 origin and sequencer drift.

use super::{
    Block, Chain, ChainError,
    pool::{Pool, PoolError, Waiting},
};
use crate::state::StoreError;
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, map::B256Set};
use rebut_derivation::{
    BlockId, CriticalError, L1Source, L2BlockRef, PipelineError, SingularBatch, payload_attributes,
};
use rebut_execution::{ExecutedBlock, ExecutionError, Fork, PayloadAttributes, TransactionError};
use std::sync::Arc;

/// How often a block is built again without a transaction that was refused.
const ATTEMPTS: usize = 64;

/// Why there is no next block.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError<E> {
    /// L1 cannot be read, or holds what derivation refuses.
    #[error(transparent)]
    Derivation(#[from] PipelineError<E>),
    /// The block cannot be built, or not be added.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The latest block's L1 origin is gone: follow L1 first.
    #[error("L1 block {number} is not the origin of the latest L2 block any more")]
    Reorg {
        /// The origin's number.
        number: u64,
    },
    /// The parent's origin is so old that the next one must be known.
    #[error("the next L2 block needs L1 block {number}, which is not there yet")]
    Wait {
        /// The number of the L1 block.
        number: u64,
    },
}

impl<E> From<CriticalError> for SequenceError<E> {
    fn from(error: CriticalError) -> Self {
        Self::Derivation(error.into())
    }
}

impl<E> From<StoreError> for SequenceError<E> {
    fn from(error: StoreError) -> Self {
        Self::Chain(error.into())
    }
}

/// A new block, and what was left out of it for good.
#[derive(Clone, Debug)]
pub struct Built {
    /// The block.
    pub block: Arc<Block>,
    /// Transactions that cannot be executed and were dropped.
    pub dropped: Vec<B256>,
}

/// The L2 chain with its sequencer.
#[derive(Debug)]
pub struct Sequencer {
    chain: Chain,
    pool: Pool,
    /// The origin is at least so many L1 blocks behind the L1 head, as far as the rules let it.
    pub confirmations: u64,
}

/// What a block is built on in L1.
struct Origin {
    header: Sealed<Header>,
    takes_transactions: bool,
}

impl Sequencer {
    /// A sequencer that goes on after the latest block of `chain`.
    pub fn new(chain: Chain) -> Self {
        Self { chain, pool: Pool::default(), confirmations: 0 }
    }

    /// The chain.
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain, for whoever knows better what belongs to it: derivation.
    pub(super) const fn chain_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }

    /// The transactions that wait.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Takes a signed transaction in its EIP-2718 form. Returns its hash.
    ///
    /// # Errors
    /// [`PoolError`]; nothing is changed then.
    pub fn submit(&mut self, bytes: &[u8]) -> Result<B256, PoolError> {
        let waiting = Waiting::decode(bytes, self.chain.config().chain.chain_id)?;
        let hash = waiting.hash;
        self.admit(waiting)?;
        Ok(hash)
    }

    fn admit(&mut self, waiting: Waiting) -> Result<(), PoolError> {
        if self.chain.ledger().transaction(waiting.hash).is_some() {
            return Err(PoolError::AlreadyKnown);
        }
        let latest = &self.chain.latest().header;
        let (gas_limit, available) = (waiting.gas_limit, latest.gas_limit);
        if gas_limit > available {
            return Err(PoolError::GasLimit { gas_limit, available });
        }
        let account = self.chain.store().account(latest.state_root, waiting.sender)?;
        let account = account.unwrap_or_default();
        let (balance, cost) = (account.balance, waiting.cost());
        if waiting.nonce >= account.nonce && cost > balance {
            return Err(PoolError::Funds { balance, cost });
        }
        self.pool.insert(waiting, account.nonce)
    }

    /// The nonce of an account after the latest block.
    ///
    /// # Errors
    /// When the state is not stored.
    pub fn nonce(&self, address: Address) -> Result<u64, StoreError> {
        let root = self.chain.latest().header.state_root;
        let account = self.chain.store().account(root, address)?;
        Ok(account.map_or(0, |account| account.nonce))
    }

    /// The nonce of an account after the latest block and what waits.
    ///
    /// # Errors
    /// When the state is not stored.
    pub fn pending_nonce(&self, address: Address) -> Result<u64, StoreError> {
        Ok(self.pool.next_nonce(address, self.nonce(address)?))
    }

    /// The time of the next block, in seconds.
    pub fn next_timestamp(&self) -> u64 {
        let latest = self.chain.latest().header.timestamp;
        latest.saturating_add(self.chain.config().block_time)
    }

    /// Builds the next block and adds it.
    ///
    /// # Errors
    /// [`SequenceError`]; there is no new block then.
    pub fn build<S: L1Source>(&mut self, l1: &mut S) -> Result<Built, SequenceError<S::Error>> {
        let parent = Arc::clone(self.chain.latest());
        let place = self.chain.place(&parent)?;
        let Origin { header: origin, takes_transactions } = self.origin(&place, l1)?;
        let batch = SingularBatch {
            parent_hash: parent.hash(),
            epoch_number: origin.number,
            epoch_hash: origin.hash(),
            timestamp: self.next_timestamp(),
            transactions: Vec::new(),
        };
        let system_config = self.chain.system_config(&parent)?;
        let config = self.chain.config();
        let attributes = payload_attributes(config, &place, system_config, &batch, l1)?;
        let mut candidates = Vec::new();
        if takes_transactions {
            candidates = self.pool.ready(attributes.gas_limit, |sender| self.nonce(sender))?;
        }
        let (executed, dropped) = self.fill(&parent, &attributes, candidates)?;
        let block = self.chain.append(executed)?;
        self.tidy(&block);
        for hash in &dropped {
            self.pool.remove(*hash);
        }
        Ok(Built { block, dropped })
    }

    /// Executes the attributes with as many of the candidates as can be executed. Tells which of them
    /// never can.
    fn fill(
        &self,
        parent: &Block,
        attributes: &PayloadAttributes,
        mut candidates: Vec<Waiting>,
    ) -> Result<(ExecutedBlock, Vec<B256>), ChainError> {
        let given = attributes.transactions.len();
        let mut dropped = Vec::new();
        let mut attempts = 0;
        loop {
            attempts += 1;
            if attempts > ATTEMPTS {
                candidates.clear();
            }
            let mut filled = attributes.clone();
            filled.transactions.extend(candidates.iter().map(|waiting| waiting.bytes.clone()));
            let (index, refusal) = match self.chain.execute(parent, &filled) {
                Ok(executed) => return Ok((executed, dropped)),
                Err(ExecutionError::Transaction { index, source }) if index >= given => {
                    (index - given, source)
                }
                Err(source) => {
                    let number = parent.number().saturating_add(1);
                    return Err(ChainError::Execution { number, source: Box::new(source) });
                }
            };
            if index >= candidates.len() {
                candidates.clear();
                continue;
            }
            let refused = candidates.remove(index);
            if !may_fit_later(&refusal) {
                tracing::debug!(hash = %refused.hash, %refusal, "dropped");
                dropped.push(refused.hash);
            }
            candidates
                .retain(|other| other.sender != refused.sender || other.nonce < refused.nonce);
        }
    }

    /// The origin of the block after `parent`.
    fn origin<S: L1Source>(
        &self,
        parent: &L2BlockRef,
        l1: &mut S,
    ) -> Result<Origin, SequenceError<S::Error>> {
        let config = self.chain.config();
        let time = self.next_timestamp();
        let number = parent.l1_origin.number;
        let current = l1.header(number).map_err(PipelineError::Source)?;
        let current = current.filter(|header| header.hash() == parent.l1_origin.hash);
        let current = current.ok_or(SequenceError::Reorg { number })?;
        let takes_any = !config.is_first_block(Fork::Jovian, time);
        let within = |header: &Header| {
            time <= header.timestamp.saturating_add(config.max_sequencer_drift(header.timestamp))
        };
        let next_number = number.saturating_add(1);
        let next = l1.header(next_number).map_err(PipelineError::Source)?;
        let Some(next) = next else {
            // Beyond the drift an empty block is right only if the next origin is younger than it.
            if !within(&current) {
                return Err(SequenceError::Wait { number: next_number });
            }
            return Ok(Origin { header: current, takes_transactions: takes_any });
        };
        if next.parent_hash != current.hash() {
            return Err(SequenceError::Reorg { number });
        }
        let confirmed = next_number.saturating_add(self.confirmations);
        let is_confirmed = l1.header(confirmed).map_err(PipelineError::Source)?.is_some();
        let (header, is_late) = match time >= next.timestamp {
            true if is_confirmed || !within(&current) => (next, false),
            true => (current, false),
            false => {
                let is_late = !within(&current);
                (current, is_late)
            }
        };
        let takes_transactions = takes_any && !is_late && within(&header);
        Ok(Origin { header, takes_transactions })
    }

    /// Goes back to the last block whose origin L1 still has. Returns the number of blocks removed. Their
    /// transactions wait again.
    ///
    /// # Errors
    /// [`SequenceError`] when L1 cannot be read, or is not the chain that genesis is on.
    pub fn follow_l1<S: L1Source>(&mut self, l1: &mut S) -> Result<usize, SequenceError<S::Error>> {
        let ledger = self.chain.ledger();
        let mut block = Arc::clone(self.chain.latest());
        let mut checked: Option<BlockId> = None;
        loop {
            let origin = self.chain.place(&block)?.l1_origin;
            if checked != Some(origin) {
                let header = l1.header(origin.number).map_err(PipelineError::Source)?;
                if header.is_some_and(|header| header.hash() == origin.hash) {
                    break;
                }
                checked = Some(origin);
            }
            let parent = block.number().checked_sub(1).and_then(|number| ledger.block(number));
            block = Arc::clone(parent.ok_or(SequenceError::Reorg { number: origin.number })?);
        }
        Ok(self.rewind(block.number()))
    }

    /// Removes the blocks above `number`; their transactions wait again.
    pub(super) fn rewind(&mut self, number: u64) -> usize {
        let removed = self.chain.truncate(number);
        self.put_back(&removed);
        removed.len()
    }

    /// Lets the transactions of removed blocks wait again, as far as they still can.
    pub(super) fn put_back(&mut self, removed: &[Arc<Block>]) {
        let chain_id = self.chain.config().chain.chain_id;
        for transaction in removed.iter().flat_map(|block| &block.transactions) {
            let Ok(waiting) = Waiting::new(transaction, chain_id) else { continue };
            if let Err(error) = self.admit(waiting) {
                tracing::debug!(%error, "not taken back");
            }
        }
    }

    /// Drops from the pool what a block has made impossible.
    pub(super) fn tidy(&mut self, block: &Block) {
        let senders: B256Set = block.senders.iter().map(|sender| sender.into_word()).collect();
        for sender in senders {
            let sender = Address::from_word(sender);
            if let Ok(nonce) = self.nonce(sender) {
                self.pool.forget_below(sender, nonce);
            }
        }
    }
}

/// Whether a refused transaction may be right for a later block.
const fn may_fit_later(refusal: &TransactionError) -> bool {
    matches!(refusal, TransactionError::GasLimit { .. } | TransactionError::DaFootprint { .. })
}
