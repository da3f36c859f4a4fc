//! The embedded L1: an Ethereum chain in this process, from genesis to whatever is mined.
//!
//! Nothing happens by itself and no clock is looked at: blocks come by [`Chain::mine`], each
//! [`Config::block_time`] after its parent unless time is moved. So the same calls always give the same
//! chain. [`Chain::reorg`] replaces the last blocks by others.
//!
//! Invariant: every block is valid under the rules of its fork, executed when it was made, and its state
//! is in the store. A call that fails leaves the chain as it was.

mod block;
mod call;
mod client;
mod config;
mod node;
mod pool;
mod record;
mod remote;
mod transaction;

pub use block::{BlockError, Refusal};
pub use client::{Client, ClientError};
pub use config::{Config, ConfigError, Fork, funded};
pub use node::{Mining, Node, SubmitError};
pub use pool::{Pool, PoolError};
pub use record::Record;
pub use remote::{Remote, RemoteError};
pub use transaction::{DecodeError, L1Transaction, Pooled};

use crate::{
    disk::{Disk, DiskError, Kept},
    ledger::{self, Ledger, Primitives},
    state::{self, StateStore, StoreError},
};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, ReceiptEnvelope, Sealable, Transaction};
use alloy_eips::{eip4895::Withdrawal, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B256, U256};
use alloy_trie::EMPTY_ROOT_HASH;
use block::{Builder, Plan};
use rebut_execution::{State, StateView, TrieError};
use revm::handler::validation::validate_initial_tx_gas;
use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

/// What L1 blocks are made of.
#[derive(Clone, Copy, Debug)]
pub enum L1 {}

impl Primitives for L1 {
    type Transaction = L1Transaction;
    type Receipt = L1Receipt;
}

/// A receipt of L1.
pub type L1Receipt = ReceiptEnvelope;
/// A block of L1.
pub type L1Block = ledger::Block<L1>;

/// Why a chain cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// There can be no such chain.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state of genesis cannot be built.
    #[error(transparent)]
    State(#[from] TrieError<StoreError>),
    /// The chain cannot be read from disk, or written there.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A block on disk lacks blobs that it came with.
    #[error("the blobs of block {number} on disk are damaged: {source}")]
    Blobs {
        /// The block's number.
        number: u64,
        /// What is wrong.
        source: DecodeError,
    },
}

/// Why a block was not made.
#[derive(Debug, thiserror::Error)]
pub enum MineError {
    /// It cannot be built, whatever is in it.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A transaction that was to be in it is refused.
    #[error("transaction {index} ({hash}) of block {number}: {source}")]
    Transaction {
        /// The number of the block.
        number: u64,
        /// The transaction's position in the block.
        index: usize,
        /// The transaction's hash.
        hash: B256,
        /// What is wrong with it.
        source: Box<Refusal>,
    },
    /// It does not follow the latest block.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// It cannot be written to disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Blocks that were asked to be replaced are not there.
    #[error("block {first} cannot be replaced, the chain has blocks 1 to {latest}")]
    Range {
        /// The first block to be replaced.
        first: u64,
        /// The latest block.
        latest: u64,
    },
    /// Finalized blocks are not replaced.
    #[error("block {first} cannot be replaced, block {finalized} is finalized")]
    Finalized {
        /// The first block to be replaced.
        first: u64,
        /// The latest block that is finalized.
        finalized: u64,
    },
}

/// A time that no block can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time {timestamp} is not after that of the latest block, {latest}")]
pub struct TimeError {
    /// As asked for.
    pub timestamp: u64,
    /// Of the latest block.
    pub latest: u64,
}

/// What becomes of transactions that a reorg takes out of their blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// They wait for another block, as on a public network.
    Wait,
    /// They are gone.
    Dropped,
}

/// The chain as it was at some time.
#[derive(Clone, Debug)]
struct Snapshot {
    number: u64,
    hash: B256,
    pool: Pool,
}

/// The L1 chain.
#[derive(Debug)]
pub struct Chain {
    config: Config,
    record: Record,
    pool: Pool,
    /// For the next block.
    withdrawals: Vec<Withdrawal>,
    withdrawal_count: u64,
    /// Seconds that the next block comes later than it would.
    skipped: u64,
    /// The time of the next block, when it is laid down.
    next_time: Option<u64>,
    /// Counts reorgs, so that a block built again is another block.
    branch: u64,
    snapshots: BTreeMap<u64, Snapshot>,
    disk: Option<Disk>,
    /// The oldest block whose blobs may still be kept.
    with_blobs: u64,
}

/// The name of the chain on disk.
const ON_DISK: u64 = 1;

impl Chain {
    /// A chain with its genesis. The state goes into `store`.
    ///
    /// # Errors
    /// [`GenesisError`] for a configuration that is impossible.
    pub fn new(config: Config, store: StateStore) -> Result<Self, GenesisError> {
        config.check()?;
        let state_root = store.genesis(&config.genesis_accounts())?;
        let fork = config.fork(config.genesis_time);
        let header = Header {
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: config.fee_recipient,
            state_root,
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            gas_limit: config.gas_limit,
            timestamp: config.genesis_time,
            base_fee_per_gas: Some(config.base_fee),
            withdrawals_root: Some(EMPTY_ROOT_HASH),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            requests_hash: (fork >= Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        };
        let genesis = L1Block {
            header: header.seal_slow(),
            transactions: Vec::new(),
            senders: Vec::new(),
            receipts: Vec::new(),
            withdrawals: Some(Vec::new()),
        };
        Ok(Self {
            config,
            record: Record::new(genesis, store),
            pool: Pool::default(),
            withdrawals: Vec::new(),
            withdrawal_count: 0,
            skipped: 0,
            next_time: None,
            branch: 0,
            snapshots: BTreeMap::new(),
            disk: None,
            with_blobs: 0,
        })
    }

    /// The chain that is on disk, or a new one that will be there. Of a chain on disk the time of genesis
    /// is known. Transactions that waited are forgotten.
    ///
    /// # Errors
    /// [`GenesisError`] when the chain on disk is damaged or began with other parameters.
    pub fn open(mut config: Config, store: StateStore, disk: Disk) -> Result<Self, GenesisError> {
        let mut kept = disk.blocks::<L1>(ON_DISK)?.into_iter();
        let Some(genesis) = kept.next() else {
            let mut chain = Self::new(config, store)?;
            let genesis = [(chain.latest().as_ref(), Vec::new())];
            disk.replace(ON_DISK, 0, genesis, chain.store())?;
            chain.disk = Some(disk);
            return Ok(chain);
        };
        config.genesis_time = genesis.block.header.timestamp;
        let mut chain = Self::new(config, store)?;
        let (found, expected) = (genesis.block.hash(), chain.latest().hash());
        if found != expected {
            return Err(disk.other_chain(found, expected).into());
        }
        for Kept { block, extra } in kept {
            let number = block.number();
            let blobs = extra.iter().map(|raw| Pooled::decode(raw).map(Arc::new));
            let blobs = blobs.collect::<Result<Vec<_>, _>>();
            let blobs = blobs.map_err(|source| GenesisError::Blobs { number, source })?;
            chain.withdrawal_count += block.withdrawals.as_ref().map_or(0, Vec::len) as u64;
            chain.record.append(block, blobs).map_err(|_| disk.damaged("the chain"))?;
        }
        chain.set_heads();
        // Blocks that are built again are other blocks than those of before.
        chain.branch = chain.latest().header.timestamp;
        chain.disk = Some(disk);
        Ok(chain)
    }

    /// What the chain is made of.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What the rollup follows.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Blocks, receipts, transactions, logs and heads.
    pub const fn ledger(&self) -> &Ledger<L1> {
        self.record.ledger()
    }

    /// Where the states are.
    pub const fn store(&self) -> &StateStore {
        self.record.store()
    }

    /// The transactions that wait.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The latest block.
    pub fn latest(&self) -> &Arc<L1Block> {
        self.record.latest()
    }

    /// The nonce of an account after the latest block.
    ///
    /// # Errors
    /// [`StoreError`] when the state is not stored.
    pub fn nonce(&self, address: Address) -> Result<u64, StoreError> {
        let account = self.store().account(self.latest().header.state_root, address)?;
        Ok(account.map_or(0, |account| account.nonce))
    }

    /// The nonce of an account after the latest block and what waits for the next ones.
    ///
    /// # Errors
    /// [`StoreError`] when the state is not stored.
    pub fn pending_nonce(&self, address: Address) -> Result<u64, StoreError> {
        Ok(self.pool.next_nonce(address, self.nonce(address)?))
    }

    /// Takes a transaction in its EIP-2718 form, a blob transaction with its sidecar. It waits for the
    /// next block in which its nonce is next and its fees suffice. Returns its hash.
    ///
    /// # Errors
    /// [`PoolError`]; nothing is changed then.
    pub fn submit(&mut self, bytes: &[u8]) -> Result<B256, PoolError> {
        let pooled = Pooled::decode(bytes)?;
        let hash = pooled.hash;
        self.admit(Arc::new(pooled))?;
        Ok(hash)
    }

    fn admit(&mut self, pooled: Arc<Pooled>) -> Result<(), PoolError> {
        let tx = &pooled.transaction;
        let next = self.next_plan_rules();
        if self.ledger().transaction(pooled.hash).is_some() {
            return Err(PoolError::AlreadyKnown);
        }
        if let Some(found) = tx.chain_id()
            && found != self.config.chain_id
        {
            let (found, expected) = (Some(found), self.config.chain_id);
            return Err(PoolError::ChainId { found, expected });
        }
        let (gas_limit, available) = (tx.gas_limit(), self.config.gas_limit);
        if gas_limit > available {
            return Err(PoolError::GasLimit { gas_limit, available });
        }
        check_rules(&pooled, next)?;
        let root = self.latest().header.state_root;
        let account = self.store().account(root, pooled.sender)?.unwrap_or_default();
        let (balance, cost) = (account.balance, pooled.most_expensive());
        if tx.nonce() >= account.nonce && cost > balance {
            return Err(PoolError::Funds { balance, cost });
        }
        self.pool.insert(pooled, account.nonce)
    }

    /// The fork of the next block.
    fn next_plan_rules(&self) -> Fork {
        self.config.fork(self.next_timestamp())
    }

    /// Forgets a transaction that waits. Returns whether it did.
    pub fn drop_transaction(&mut self, hash: B256) -> bool {
        self.pool.remove(hash).is_some()
    }

    /// Credits an account in the next block by a withdrawal (EIP-4895) of this many gwei: ether out of
    /// nowhere, by the rules.
    pub fn withdraw(&mut self, address: Address, amount: u64) {
        let index = self.withdrawal_count;
        self.withdrawal_count += 1;
        self.withdrawals.push(Withdrawal { index, validator_index: 0, address, amount });
    }

    /// The time of the next block.
    pub fn next_timestamp(&self) -> u64 {
        self.next_time.unwrap_or_else(|| {
            let after = self.config.block_time.saturating_add(self.skipped);
            self.latest().header.timestamp.saturating_add(after)
        })
    }

    /// The base fee and the blob base fee of the next block, in wei for each gas. Without a next block
    /// they are those of the latest.
    pub fn next_fees(&self) -> (u64, u128) {
        let latest = self.latest();
        match Plan::new(&self.config, &latest.header, self.next_timestamp(), self.branch) {
            Ok(plan) => (plan.base_fee, plan.blob_base_fee()),
            Err(_) => {
                (latest.header.base_fee_per_gas.unwrap_or_default(), blob_base_fee(&latest.header))
            }
        }
    }

    /// Lets the next block come this many seconds later than it would.
    pub const fn increase_time(&mut self, seconds: u64) {
        self.skipped = self.skipped.saturating_add(seconds);
        if let Some(time) = self.next_time {
            self.next_time = Some(time.saturating_add(seconds));
        }
    }

    /// Lays down the time of the next block.
    ///
    /// # Errors
    /// [`TimeError`] when it is not after the latest block's.
    pub fn set_next_timestamp(&mut self, timestamp: u64) -> Result<(), TimeError> {
        let latest = self.latest().header.timestamp;
        if timestamp <= latest {
            return Err(TimeError { timestamp, latest });
        }
        self.next_time = Some(timestamp);
        Ok(())
    }

    /// Mines the next block from the transactions that wait.
    ///
    /// # Errors
    /// [`MineError::Block`]; there is no new block then.
    pub fn mine(&mut self) -> Result<Arc<L1Block>, MineError> {
        let parent = Arc::clone(self.latest());
        let plan = Plan::new(&self.config, &parent.header, self.next_timestamp(), self.branch)?;
        let mut state = State::new(parent.header.state_root);
        let mut oracle = self.store().clone();
        let view = StateView::new(&parent.header, &mut state, &mut oracle);
        let mut builder = Builder::new(plan, view)?;
        let filled = fill(&self.pool, &mut builder)?;
        let block = builder.seal(self.withdrawals.clone())?;
        self.store().absorb(&mut state);
        self.write(block.number(), [(&block, filled.included.as_slice())])?;
        for hash in filled.invalid {
            self.pool.remove(hash);
        }
        self.withdrawals.clear();
        self.append(block, filled.included)
    }

    /// Mines the next block from these transactions, in this order, and no others.
    ///
    /// # Errors
    /// [`MineError`]; there is no new block then.
    pub fn mine_with(&mut self, transactions: &[Arc<Pooled>]) -> Result<Arc<L1Block>, MineError> {
        let parent = Arc::clone(self.latest());
        let time = self.next_timestamp();
        let withdrawals = self.withdrawals.clone();
        let block = self.build(&parent, time, transactions, withdrawals)?;
        self.write(block.number(), [(&block, transactions)])?;
        self.withdrawals.clear();
        self.append(block, transactions.to_vec())
    }

    /// Replaces the blocks from `first` on by others, each made of the given transactions in their order.
    /// Blocks come at the times of those they replace, further ones after the usual time. Returns the
    /// new blocks.
    ///
    /// # Errors
    /// [`MineError`] when these are not blocks that can be replaced, or when a transaction is refused.
    pub fn reorg(
        &mut self,
        first: u64,
        blocks: &[Vec<Arc<Pooled>>],
        removed: Removed,
    ) -> Result<Vec<Arc<L1Block>>, MineError> {
        let latest = self.latest().number();
        let finalized = self.ledger().finalized().number();
        let parent = first.checked_sub(1).and_then(|parent| self.ledger().block(parent).cloned());
        let Some(parent) = parent.filter(|_| first <= latest) else {
            return Err(MineError::Range { first, latest });
        };
        if first <= finalized {
            return Err(MineError::Finalized { first, finalized });
        }
        // A failure leaves no more than a number that was skipped and states that nobody asks for.
        self.branch += 1;
        let mut parent = parent;
        let mut built = Vec::with_capacity(blocks.len());
        for transactions in blocks {
            let usual = parent.header.timestamp.saturating_add(self.config.block_time);
            let replaced = self.ledger().block(parent.number() + 1);
            let time = replaced.map_or(usual, |block| block.header.timestamp).max(usual);
            let block = self.build(&parent, time, transactions, Vec::new())?;
            parent = Arc::new(block.clone());
            built.push(block);
        }
        self.write(first, built.iter().zip(blocks.iter().map(Vec::as_slice)))?;
        let old = self.record.ledger.truncate(first - 1);
        self.next_time = None;
        let new = built
            .into_iter()
            .zip(blocks)
            .map(|(block, transactions)| self.append(block, transactions.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        if removed == Removed::Wait {
            for block in old {
                self.reinject(&block);
            }
        }
        self.tidy_pool();
        Ok(new)
    }

    /// A transaction that waits or that is in a block, in the form in which [`Self::mine_with`] and
    /// [`Self::reorg`] take it.
    pub fn pooled(&self, hash: B256) -> Option<Arc<Pooled>> {
        if let Some(waiting) = self.pool.get(hash) {
            return Some(Arc::clone(waiting));
        }
        let (block, index) = self.ledger().transaction(hash)?;
        self.pooled_of_block(block, index)
    }

    fn pooled_of_block(&self, block: &L1Block, index: usize) -> Option<Arc<Pooled>> {
        let transaction = block.transactions.get(index)?;
        let hash = *transaction.tx_hash();
        let mut with_blobs = self.blob_transactions(block.hash()).iter();
        if let Some(pooled) = with_blobs.find(|pooled| pooled.hash == hash) {
            return Some(Arc::clone(pooled));
        }
        // Its blobs were dropped: no block can take it any more.
        if transaction.blob_versioned_hashes().is_some() {
            return None;
        }
        let sender = *block.senders.get(index)?;
        Some(Arc::new(Pooled::removed(transaction.clone(), sender, hash, None)))
    }

    /// The transactions with blobs of a block, in order, with these.
    pub fn blob_transactions(&self, block: B256) -> &[Arc<Pooled>] {
        self.record.blob_transactions(block)
    }

    /// Forgets the blobs of a block, as beacon nodes do after some weeks. Returns whether there were any.
    pub fn drop_blobs(&mut self, block: B256) -> bool {
        self.record.drop_blobs(block)
    }

    /// Remembers the chain as it is, for [`Self::revert`].
    pub fn snapshot(&mut self) -> u64 {
        let id = self.snapshots.last_key_value().map_or(1, |(id, _)| id + 1);
        let latest = self.latest();
        let (number, hash) = (latest.number(), latest.hash());
        self.snapshots.insert(id, Snapshot { number, hash, pool: self.pool.clone() });
        id
    }

    /// Goes back to a snapshot, which is used up by it, as are later ones. Returns whether that was
    /// possible: a reorg may have removed the block that was the latest.
    ///
    /// # Errors
    /// [`DiskError`] when the chain cannot be written to disk; nothing is changed then.
    pub fn revert(&mut self, id: u64) -> Result<bool, DiskError> {
        let mut later = self.snapshots.split_off(&id);
        let Some(snapshot) = later.remove(&id) else {
            self.snapshots.append(&mut later);
            return Ok(false);
        };
        let known = self.ledger().block(snapshot.number);
        if known.is_none_or(|block| block.hash() != snapshot.hash) {
            return Ok(false);
        }
        self.write(snapshot.number.saturating_add(1), [])?;
        self.record.ledger.truncate(snapshot.number);
        self.pool = snapshot.pool;
        self.skipped = 0;
        self.next_time = None;
        self.branch += 1;
        Ok(true)
    }

    /// Builds a block of exactly these transactions, without adding it to the chain.
    fn build(
        &self,
        parent: &L1Block,
        timestamp: u64,
        transactions: &[Arc<Pooled>],
        withdrawals: Vec<Withdrawal>,
    ) -> Result<L1Block, MineError> {
        let plan = Plan::new(&self.config, &parent.header, timestamp, self.branch)?;
        let mut state = State::new(parent.header.state_root);
        let mut oracle = self.store().clone();
        let view = StateView::new(&parent.header, &mut state, &mut oracle);
        let mut builder = Builder::new(plan, view)?;
        for (index, pooled) in transactions.iter().enumerate() {
            let (number, hash) = (parent.number() + 1, pooled.hash);
            builder.push(pooled).map_err(|source| {
                let source = Box::new(source);
                MineError::Transaction { number, index, hash, source }
            })?;
        }
        let block = builder.seal(withdrawals)?;
        self.store().absorb(&mut state);
        // Further blocks of a reorg look for it before it is part of the chain.
        state::insert_header(self.store(), block.header.inner());
        Ok(block)
    }

    fn append(
        &mut self,
        block: L1Block,
        mut transactions: Vec<Arc<Pooled>>,
    ) -> Result<Arc<L1Block>, MineError> {
        for pooled in &transactions {
            self.pool.remove(pooled.hash);
            let next = pooled.transaction.nonce().saturating_add(1);
            self.pool.forget_below(pooled.sender, next);
        }
        transactions.retain(|pooled| pooled.sidecar.is_some());
        let block = self.record.append(block, transactions)?;
        self.skipped = 0;
        self.next_time = None;
        self.set_heads();
        self.drop_old_blobs();
        Ok(block)
    }

    /// Forgets the blobs of blocks that have left the window.
    fn drop_old_blobs(&mut self) {
        let now = self.latest().header.timestamp;
        while let Some(block) = self.ledger().block(self.with_blobs) {
            if block.header.timestamp.saturating_add(self.config.blob_window) >= now {
                break;
            }
            let hash = block.hash();
            self.drop_blobs(hash);
            self.with_blobs += 1;
        }
    }

    fn set_heads(&mut self) {
        let latest = self.latest().number();
        let behind = |distance| latest.saturating_sub(distance);
        let (safe, finalized) = (self.config.safe_distance, self.config.finalized_distance);
        self.record.ledger.set_heads(behind(safe), behind(finalized));
    }

    /// Writes to disk that the blocks from `first` on are these now.
    fn write<'a>(
        &self,
        first: u64,
        blocks: impl IntoIterator<Item = (&'a L1Block, &'a [Arc<Pooled>])>,
    ) -> Result<(), DiskError> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let blocks = blocks.into_iter().map(|(block, transactions)| {
            (block, transactions.iter().filter_map(|pooled| pooled.with_blobs()).collect())
        });
        disk.replace(ON_DISK, first, blocks, self.store())
    }

    /// Lets the transactions of a removed block wait again, as far as they still can.
    fn reinject(&mut self, block: &L1Block) {
        for index in 0..block.transactions.len() {
            let Some(pooled) = self.pooled_of_block(block, index) else { continue };
            let hash = pooled.hash;
            if let Err(error) = self.admit(pooled) {
                tracing::debug!(%hash, %error, "not taken back");
            }
        }
    }

    /// Drops what the accounts have gone past. A state that cannot be read drops nothing.
    fn tidy_pool(&mut self) {
        for sender in self.pool.senders().collect::<Vec<_>>() {
            if let Ok(nonce) = self.nonce(sender) {
                self.pool.forget_below(sender, nonce);
            }
        }
    }
}

/// What a block was filled with.
#[derive(Default)]
struct Filled {
    included: Vec<Arc<Pooled>>,
    invalid: Vec<B256>,
}

/// Fills a block from the pool: who pays most per gas comes first, earlier before later.
fn fill(pool: &Pool, builder: &mut Builder<'_>) -> Result<Filled, BlockError> {
    let mut filled = Filled::default();
    let mut next = BTreeMap::new();
    for sender in pool.senders() {
        next.insert(sender, builder.nonce(sender)?);
    }
    loop {
        let best = next
            .iter()
            .filter_map(|(sender, nonce)| {
                let waiting = pool.at(*sender, *nonce)?;
                let tip = waiting.pooled.transaction.effective_tip_per_gas(builder.base_fee())?;
                Some(((tip, Reverse(waiting.arrival)), &waiting.pooled))
            })
            .max_by_key(|(key, _)| *key);
        let Some((_, pooled)) = best else { return Ok(filled) };
        match builder.push(pooled) {
            Ok(()) => {
                filled.included.push(Arc::clone(pooled));
                next.insert(pooled.sender, pooled.transaction.nonce().saturating_add(1));
                continue;
            }
            Err(Refusal::Block(error)) => return Err(error),
            Err(Refusal::Invalid(invalid)) if !may_fit_later(&invalid) => {
                tracing::debug!(hash = %pooled.hash, %invalid, "dropped");
                filled.invalid.push(pooled.hash);
            }
            Err(Refusal::Full | Refusal::Invalid(_)) => {}
        }
        next.remove(&pooled.sender);
    }
}

/// Whether a refused transaction may be right for a later block.
const fn may_fit_later(invalid: &revm::context::result::InvalidTransaction) -> bool {
    use revm::context::result::InvalidTransaction as Invalid;
    matches!(
        invalid,
        Invalid::GasPriceLessThanBasefee
            | Invalid::BlobGasPriceGreaterThanMax { .. }
            | Invalid::LackOfFundForMaxFee { .. }
    )
}

/// What no state is needed to tell.
fn check_rules(pooled: &Pooled, fork: Fork) -> Result<(), PoolError> {
    use alloy_eips::eip7594::BlobTransactionSidecarVariant as Sidecar;
    let tx = &pooled.transaction;
    let refuse = |why: &str| Err(PoolError::Rules(why.to_owned()));
    if tx.max_priority_fee_per_gas().is_some_and(|tip| tip > tx.max_fee_per_gas()) {
        return refuse("max priority fee per gas higher than max fee per gas");
    }
    if tx.is_eip7702() && fork < Fork::Prague {
        return refuse("transaction type not supported");
    }
    let blobs = tx.blob_versioned_hashes().map_or(0, <[B256]>::len) as u64;
    if tx.is_eip4844() && (blobs == 0 || blobs > fork.blob_params().max_blobs_per_tx) {
        return refuse("the transaction has no blobs or more than a block may have");
    }
    match (&pooled.sidecar, fork) {
        (Some(Sidecar::Eip7594(_)), Fork::Cancun | Fork::Prague) => {
            return refuse("blobs come with cell proofs, which are not known before Osaka");
        }
        (Some(Sidecar::Eip4844(_)), Fork::Osaka) => {
            return refuse("blobs come without cell proofs, which Osaka needs");
        }
        _ => {}
    }
    let env = transaction::env(tx, pooled.sender);
    let spec = fork.spec();
    // EIP-7825.
    const GAS_LIMIT_CAP: u64 = 1 << 24;
    let cap = if fork >= Fork::Osaka { GAS_LIMIT_CAP } else { u64::MAX };
    if tx.gas_limit() > cap {
        return refuse("transaction gas limit too high");
    }
    // EIP-3860.
    const INIT_CODE_LIMIT_BYTES: usize = 49_152;
    if tx.kind().is_create() && tx.input().len() > INIT_CODE_LIMIT_BYTES {
        return refuse("max initcode size exceeded");
    }
    match validate_initial_tx_gas(&env, spec, false, false, cap) {
        Ok(_) => Ok(()),
        Err(error) => Err(PoolError::Rules(format!("intrinsic gas too low: {error}"))),
    }
}

/// What a block charges for blob gas, in wei.
pub fn blob_base_fee(header: &Header) -> u128 {
    // Osaka kept the parameters that Prague brought together with the requests.
    let fork = if header.requests_hash.is_some() { Fork::Prague } else { Fork::Cancun };
    fork.blob_params().calc_blob_fee(header.excess_blob_gas.unwrap_or_default())
}

/// What an account owns after a block, in wei.
///
/// # Errors
/// [`StoreError`] when the state is not stored.
pub fn balance(store: &StateStore, root: B256, address: Address) -> Result<U256, StoreError> {
    Ok(store.account(root, address)?.map_or(U256::ZERO, |account| account.balance))
}

#[cfg(test)]
mod tests;
