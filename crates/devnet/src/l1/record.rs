//! What is known of L1: its blocks, their blobs, and the headers by hash.
//!
//! The rollup follows a record, wherever L1 runs. The embedded [`Chain`](super::Chain) writes its own; a
//! [`Remote`](super::Remote) node's is copied from it.

use super::{L1, L1Block, Pooled};
use crate::{
    ledger::{Ledger, LedgerError},
    state::{self, StateStore},
};
use alloy_primitives::{B256, map::B256Map};
use std::sync::Arc;

/// The record of an L1 chain.
#[derive(Debug)]
pub struct Record {
    store: StateStore,
    pub(super) ledger: Ledger<L1>,
    /// By block hash: the transactions of the block that carry blobs, with these.
    blobs: B256Map<Vec<Arc<Pooled>>>,
}

impl Record {
    /// The record of a chain of which no block before `first` is of interest.
    pub(super) fn new(first: L1Block, store: StateStore) -> Self {
        state::insert_header(&store, first.header.inner());
        Self { store, ledger: Ledger::new(first), blobs: B256Map::default() }
    }

    /// Blocks, receipts, transactions, logs and heads.
    pub const fn ledger(&self) -> &Ledger<L1> {
        &self.ledger
    }

    /// Where headers are by their hash, and the states of an embedded chain.
    pub const fn store(&self) -> &StateStore {
        &self.store
    }

    /// The latest block.
    pub fn latest(&self) -> &Arc<L1Block> {
        self.ledger.latest()
    }

    /// The transactions with blobs of a block, in order, with these.
    pub fn blob_transactions(&self, block: B256) -> &[Arc<Pooled>] {
        self.blobs.get(&block).map_or(&[], Vec::as_slice)
    }

    /// Forgets the blobs of a block. Returns whether there were any.
    pub(super) fn drop_blobs(&mut self, block: B256) -> bool {
        self.blobs.remove(&block).is_some()
    }

    /// Adds the next block, with those of its transactions that carry blobs.
    pub(super) fn append(
        &mut self,
        block: L1Block,
        with_blobs: Vec<Arc<Pooled>>,
    ) -> Result<Arc<L1Block>, LedgerError> {
        let block = self.ledger.append(block)?;
        state::insert_header(&self.store, block.header.inner());
        if !with_blobs.is_empty() {
            self.blobs.insert(block.hash(), with_blobs);
        }
        Ok(block)
    }
}
