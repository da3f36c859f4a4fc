//! The blocks of L2 and the states after them.
//!
//! Invariant: every block was executed on its parent, its state is in the store, and its place in the
//! sequence of L1 origins is known.

use crate::{
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
}

/// The L2 chain.
#[derive(Debug)]
pub struct Chain {
    config: RollupConfig,
    store: StateStore,
    ledger: Ledger<L2>,
}

impl Chain {
    /// A chain that begins with `genesis`, the block that `config` names, whose state is in `store`.
    pub fn new(config: RollupConfig, genesis: Block, store: StateStore) -> Self {
        state::insert_header(&store, genesis.header.inner());
        Self { config, store, ledger: Ledger::new(genesis) }
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
        Ok(self.ledger.append(block)?)
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

    /// Removes the blocks above `number` and returns them.
    pub fn truncate(&mut self, number: u64) -> Vec<Arc<Block>> {
        self.ledger.truncate(number)
    }

    /// Sets which blocks are safe and which final.
    pub fn set_heads(&mut self, safe: u64, finalized: u64) {
        self.ledger.set_heads(safe, finalized);
    }

    /// What the block was built from, besides its parent.
    pub fn attributes(&self, block: &Block) -> PayloadAttributes {
        attributes_of(&self.config, &block.header, raw(block))
    }
}

/// What a block with this header and these transactions was built from.
///
/// The parameters of the base fee are those of the header: where the attributes had zeros, which stand
/// for the chain's constants, these have the constants.
pub(super) fn attributes_of(
    config: &RollupConfig,
    header: &alloy_consensus::Header,
    transactions: Vec<Bytes>,
) -> PayloadAttributes {
    let fork = config.fork(header.timestamp);
    // The executor wrote the extra data: a version, 8 bytes, and from Jovian on 8 more.
    let part = |at: usize| {
        let bytes = header.extra_data.get(at..at + 8).and_then(|part| part.try_into().ok());
        bytes.unwrap_or_default()
    };
    PayloadAttributes {
        timestamp: header.timestamp,
        prev_randao: header.mix_hash,
        suggested_fee_recipient: header.beneficiary,
        gas_limit: header.gas_limit,
        parent_beacon_block_root: header.parent_beacon_block_root,
        eip_1559_params: (fork >= Fork::Holocene).then(|| part(1)),
        min_base_fee: (fork >= Fork::Jovian).then(|| u64::from_be_bytes(part(9))),
        transactions,
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
