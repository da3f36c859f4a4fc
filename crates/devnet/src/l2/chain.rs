//! The blocks of L2 and the states after them.
//!
//! Invariant: every block was executed on its parent, its state is in the store, and its place in the
//! sequence of L1 origins is known.

use crate::{
    disk::{Disk, DiskError, Kept},
    ledger::{self, Ledger, LedgerError, Primitives},
    state::{self, StateStore, StoreError},
};
use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, Bytes, address};
use alloy_trie::EMPTY_ROOT_HASH;
use op_alloy_consensus::{OpReceiptEnvelope, OpTxEnvelope};
use rebut_derivation::{CriticalError, L2Block, L2BlockRef, RollupConfig, SystemConfig};
use rebut_execution::{
    ExecutedBlock, ExecutionError, Fork, PayloadAttributes, State, execute_block,
};
use rebut_host::block_attributes;
use rebut_program::Output;
use std::sync::Arc;

/// Whose storage an output commits to.
pub(super) const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// What L2 blocks are made of.
#[derive(Clone, Copy, Debug)]
pub enum L2 {}

/// A transaction of L2.
pub type Transaction = OpTxEnvelope;
/// A receipt of L2.
pub type Receipt = OpReceiptEnvelope;
/// A block of L2.
pub type Block = ledger::Block<L2>;

impl Primitives for L2 {
    type Transaction = Transaction;
    type Receipt = Receipt;
}

/// Why a block cannot be added or understood.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It cannot be executed.
    #[error("L2 block {number} cannot be built: {source}")]
    Execution {
        /// Its number.
        number: u64,
        /// Why.
        source: Box<ExecutionError<StoreError>>,
    },
    /// It is no block that derivation makes.
    #[error(transparent)]
    Derivation(#[from] CriticalError),
    /// It does not follow the latest block.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A transaction's signature is nobody's.
    #[error("transaction {index} of L2 block {number} is signed by nobody")]
    Signature {
        /// The block.
        number: u64,
        /// Position in the block.
        index: usize,
    },
    /// The state is not stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain cannot be read from disk, or written there.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The L2 chain.
#[derive(Debug)]
pub struct Chain {
    config: RollupConfig,
    store: StateStore,
    ledger: Ledger<L2>,
    disk: Option<Disk>,
}

/// The name of the chain on disk.
const ON_DISK: u64 = 2;

impl Chain {
    /// A chain that begins with `genesis`, the block that `config` names, whose state is in `store`.
    pub fn new(config: RollupConfig, genesis: Block, store: StateStore) -> Self {
        state::insert_header(&store, genesis.header.inner());
        Self { config, store, ledger: Ledger::new(genesis), disk: None }
    }

    /// The chain that is on disk, or a new one that will be there; of either `genesis` is the first block.
    ///
    /// # Errors
    /// [`ChainError`] when the chain on disk is damaged, or began otherwise.
    pub fn open(
        config: RollupConfig,
        genesis: Block,
        store: StateStore,
        disk: Disk,
    ) -> Result<Self, ChainError> {
        let mut chain = Self::new(config, genesis, store);
        let genesis = Arc::clone(chain.latest());
        let mut kept = disk.blocks::<L2>(ON_DISK)?.into_iter();
        match kept.next() {
            None => disk.replace(ON_DISK, 0, [(genesis.as_ref(), Vec::new())], &chain.store)?,
            Some(Kept { block, .. }) if block.hash() != genesis.hash() => {
                return Err(disk.other_chain(block.hash(), genesis.hash()).into());
            }
            Some(_) => {}
        }
        for Kept { block, .. } in kept {
            chain.place(&block)?;
            chain.ledger.append(block)?;
        }
        chain.disk = Some(disk);
        Ok(chain)
    }

    /// The chain's parameters.
    pub const fn config(&self) -> &RollupConfig {
        &self.config
    }

    /// The blocks.
    pub const fn ledger(&self) -> &Ledger<L2> {
        &self.ledger
    }

    /// The states.
    pub const fn store(&self) -> &StateStore {
        &self.store
    }

    /// The latest block.
    pub fn latest(&self) -> &Arc<Block> {
        self.ledger.latest()
    }

    /// The block's place in the sequence of L1 origins.
    ///
    /// # Errors
    /// When it is no block of this chain.
    pub fn place(&self, block: &Block) -> Result<L2BlockRef, CriticalError> {
        L2BlockRef::from_block(&self.config, &beginning(block))
    }

    /// The system config as of the block.
    ///
    /// # Errors
    /// When it is no block of this chain.
    pub fn system_config(&self, block: &Block) -> Result<SystemConfig, CriticalError> {
        SystemConfig::from_block(&self.config, &beginning(block))
    }

    /// What an output root of the block is the hash of.
    ///
    /// # Errors
    /// When its state is not stored.
    pub fn output(&self, block: &Block) -> Result<Output, StoreError> {
        let state_root = block.header.state_root;
        let account = self.store.account(state_root, MESSAGE_PASSER)?;
        Ok(Output {
            state_root,
            message_passer_storage_root: account
                .map_or(EMPTY_ROOT_HASH, |account| account.storage_root),
            block_hash: block.hash(),
        })
    }

    /// Executes what is to follow `parent`. Nothing is kept but the state, if it gets to be one.
    ///
    /// # Errors
    /// As [`execute_block`].
    pub fn execute(
        &self,
        parent: &Block,
        attributes: &PayloadAttributes,
    ) -> Result<ExecutedBlock, ExecutionError<StoreError>> {
        let mut state = State::new(parent.header.state_root);
        let mut oracle = self.store.clone();
        let chain = &self.config.chain;
        let executed = execute_block(chain, &parent.header, attributes, &mut state, &mut oracle)?;
        self.store.absorb(&mut state);
        Ok(executed)
    }

    /// Adds an executed block.
    ///
    /// # Errors
    /// When it does not follow the latest block, or derivation could not go on from it.
    pub fn append(&mut self, executed: ExecutedBlock) -> Result<Arc<Block>, ChainError> {
        let ExecutedBlock { header, transactions, receipts } = executed;
        let number = header.number;
        let senders = transactions
            .iter()
            .enumerate()
            .map(|(index, transaction)| {
                transaction.recover_signer().map_err(|_| ChainError::Signature { number, index })
            })
            .collect::<Result<_, _>>()?;
        let is_canyon = self.config.is_active(Fork::Canyon, header.timestamp);
        let withdrawals = is_canyon.then(Vec::new);
        let block = Block { header, transactions, senders, receipts, withdrawals };
        self.place(&block)?;
        state::insert_header(&self.store, block.header.inner());
        let block = self.ledger.append(block)?;
        if let Some(disk) = &self.disk {
            let written =
                disk.replace(ON_DISK, number, [(block.as_ref(), Vec::new())], &self.store);
            if let Err(error) = written {
                self.ledger.truncate(number.saturating_sub(1));
                return Err(error.into());
            }
        }
        Ok(block)
    }

    /// Executes what is to follow the latest block, and adds it.
    ///
    /// # Errors
    /// [`ChainError`]; the chain is as before then.
    pub fn extend(&mut self, attributes: &PayloadAttributes) -> Result<Arc<Block>, ChainError> {
        let parent = Arc::clone(self.latest());
        let executed = self.execute(&parent, attributes).map_err(|source| {
            let number = parent.number().saturating_add(1);
            ChainError::Execution { number, source: Box::new(source) }
        })?;
        self.append(executed)
    }

    /// Removes the blocks above `number` and returns them. On disk they stay until others take their place.
    pub fn truncate(&mut self, number: u64) -> Vec<Arc<Block>> {
        self.ledger.truncate(number)
    }

    /// Sets which blocks are safe and which final.
    pub fn set_heads(&mut self, safe: u64, finalized: u64) {
        self.ledger.set_heads(safe, finalized);
    }

    /// What the block was built from, besides its parent.
    pub fn attributes(&self, block: &Block) -> PayloadAttributes {
        block_attributes(&self.config.chain, &block.header, raw(block))
    }
}

/// As much of a block as says where it belongs.
fn beginning(block: &Block) -> L2Block {
    let first = block.transactions.first().map(|tx| tx.encoded_2718().into());
    L2Block { header: block.header.clone(), transactions: first.into_iter().collect() }
}

/// The transactions of a block in their EIP-2718 form.
pub(super) fn raw(block: &Block) -> Vec<Bytes> {
    block.transactions.iter().map(|tx| tx.encoded_2718().into()).collect()
}
