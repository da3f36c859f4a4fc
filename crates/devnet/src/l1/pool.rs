//! Transactions that wait for a block: in order of nonce for each sender, by fee between senders.
//!
//! The texts of errors begin as those of nodes do, because senders of transactions look for them.

use super::transaction::{DecodeError, L1Transaction, Pooled};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, U256, map::B256Map};
use std::{collections::BTreeMap, sync::Arc};

/// The most transactions that wait.
const POOL_LIMIT: usize = 8_192;
/// How far ahead of its account a nonce may be.
const NONCE_DISTANCE_LIMIT: u64 = 1_024;
/// By how many percent a replacement must raise the fees.
const PRICE_BUMP_PERCENT: u128 = 10;
/// The same when there are blobs.
const BLOB_PRICE_BUMP_PERCENT: u128 = 100;

/// Why a transaction is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The bytes are no valid transaction.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It waits already, or is in a block.
    #[error("already known")]
    AlreadyKnown,
    /// It is signed for another chain, or for any.
    #[error("invalid chain id: the transaction is for {found:?}, this is chain {expected}")]
    ChainId {
        /// As signed.
        found: Option<u64>,
        /// This chain's.
        expected: u64,
    },
    /// A transaction with this nonce was executed.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The transaction's.
        nonce: u64,
        /// The account's.
        next: u64,
    },
    /// Too many transactions are missing before this one.
    #[error("nonce too high: next nonce {next}, tx nonce {nonce}")]
    NonceTooHigh {
        /// The transaction's.
        nonce: u64,
        /// The account's.
        next: u64,
    },
    /// The sender cannot pay for it.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    Funds {
        /// The sender's, in wei.
        balance: U256,
        /// At most, in wei.
        cost: U256,
    },
    /// It needs more gas than any block has.
    #[error("exceeds block gas limit: {gas_limit} of {available}")]
    GasLimit {
        /// The transaction's.
        gas_limit: u64,
        /// A block's.
        available: u64,
    },
    /// Another transaction with this nonce waits, and this one does not pay enough more.
    #[error("replacement transaction underpriced")]
    Underpriced,
    /// The rules in force know no such transaction.
    #[error("{0}")]
    Rules(String),
    /// Too many transactions wait.
    #[error("txpool is full")]
    Full,
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] crate::state::StoreError),
}

/// A transaction and when it came.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) pooled: Arc<Pooled>,
    /// Transactions that came before it.
    pub(super) arrival: u64,
}

/// The transactions that wait. A clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    senders: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    by_hash: B256Map<(Address, u64)>,
    arrivals: u64,
}

impl Pool {
    /// How many transactions wait.
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// The transaction with this hash.
    pub fn get(&self, hash: B256) -> Option<&Arc<Pooled>> {
        let (sender, nonce) = self.by_hash.get(&hash)?;
        Some(&self.senders.get(sender)?.get(nonce)?.pooled)
    }

    /// All transactions, by sender and nonce.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Pooled>> {
        self.senders.values().flat_map(BTreeMap::values).map(|waiting| &waiting.pooled)
    }

    /// The nonce after those that wait for a sender without a gap, from the account's on.
    pub fn next_nonce(&self, sender: Address, nonce: u64) -> u64 {
        let Some(queue) = self.senders.get(&sender) else { return nonce };
        (nonce..).find(|nonce| !queue.contains_key(nonce)).unwrap_or(nonce)
    }

    /// Takes a transaction whose sender's account has `next` as its nonce.
    ///
    /// # Errors
    /// [`PoolError`]; nothing is changed then.
    pub(super) fn insert(&mut self, pooled: Arc<Pooled>, next: u64) -> Result<(), PoolError> {
        let (sender, nonce) = (pooled.sender, pooled.transaction.nonce());
        if self.by_hash.contains_key(&pooled.hash) {
            return Err(PoolError::AlreadyKnown);
        }
        if nonce < next {
            return Err(PoolError::NonceTooLow { nonce, next });
        }
        if nonce - next > NONCE_DISTANCE_LIMIT {
            return Err(PoolError::NonceTooHigh { nonce, next });
        }
        let old = self.senders.get(&sender).and_then(|queue| queue.get(&nonce));
        let mut arrival = self.arrivals;
        match old {
            Some(old) if !replaces(&pooled.transaction, &old.pooled.transaction) => {
                return Err(PoolError::Underpriced);
            }
            Some(old) => {
                arrival = old.arrival;
                self.by_hash.remove(&old.pooled.hash);
            }
            None if self.by_hash.len() >= POOL_LIMIT => return Err(PoolError::Full),
            None => {}
        }
        self.arrivals += 1;
        self.by_hash.insert(pooled.hash, (sender, nonce));
        self.senders.entry(sender).or_default().insert(nonce, Waiting { pooled, arrival });
        Ok(())
    }

    /// Drops a transaction.
    pub fn remove(&mut self, hash: B256) -> Option<Arc<Pooled>> {
        let (sender, nonce) = self.by_hash.remove(&hash)?;
        let queue = self.senders.get_mut(&sender)?;
        let removed = queue.remove(&nonce);
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
        removed.map(|waiting| waiting.pooled)
    }

    /// Drops what can no longer be executed: every transaction below the account's nonce.
    pub(super) fn forget_below(&mut self, sender: Address, nonce: u64) {
        let Some(queue) = self.senders.get_mut(&sender) else { return };
        let rest = queue.split_off(&nonce);
        for waiting in std::mem::replace(queue, rest).into_values() {
            self.by_hash.remove(&waiting.pooled.hash);
        }
        if self.senders.get(&sender).is_some_and(BTreeMap::is_empty) {
            self.senders.remove(&sender);
        }
    }

    /// Everyone for whom a transaction waits.
    pub(super) fn senders(&self) -> impl Iterator<Item = Address> {
        self.senders.keys().copied()
    }

    /// The transaction of a sender with this nonce.
    pub(super) fn at(&self, sender: Address, nonce: u64) -> Option<&Waiting> {
        self.senders.get(&sender)?.get(&nonce)
    }
}

/// Whether `new` pays enough more than `old`, in every fee that it offers.
fn replaces(new: &L1Transaction, old: &L1Transaction) -> bool {
    let has_blobs = |tx: &L1Transaction| tx.max_fee_per_blob_gas().is_some();
    if has_blobs(new) != has_blobs(old) {
        // As nodes keep the two apart: a sender has blobs waiting or has not.
        return false;
    }
    let percent = if has_blobs(new) { BLOB_PRICE_BUMP_PERCENT } else { PRICE_BUMP_PERCENT };
    let enough = |new: u128, old: u128| {
        new >= old.saturating_add(old.saturating_mul(percent).div_ceil(100)) && new > old
    };
    let tip =
        |tx: &L1Transaction| tx.max_priority_fee_per_gas().unwrap_or_else(|| tx.max_fee_per_gas());
    let blob_fee = |tx: &L1Transaction| tx.max_fee_per_blob_gas();
    enough(new.max_fee_per_gas(), old.max_fee_per_gas())
        && (enough(tip(new), tip(old)) || (tip(new), tip(old)) == (0, 0))
        && match (blob_fee(new), blob_fee(old)) {
            (Some(new), Some(old)) => enough(new, old),
            _ => true,
        }
}

#[cfg(test)]
mod tests;
