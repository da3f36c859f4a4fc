//! Transactions that wait for an L2 block: each sender's in the order of nonces, senders in the order in
//! which they came.
//!
//! The texts of errors begin as those of nodes do, because senders of transactions look for them.

use super::Transaction;
use alloy_consensus::{Transaction as _, transaction::SignerRecoverable};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, U256, map::B256Map};
use std::collections::BTreeMap;

/// The most transactions that wait.
const POOL_LIMIT: usize = 16_384;
/// How far ahead of its account a nonce may be.
const NONCE_DISTANCE_LIMIT: u64 = 1_024;
/// The longest transaction, in bytes.
const TRANSACTION_LIMIT_BYTES: usize = 128 * 1024;

/// Why a transaction is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// The bytes are no transaction.
    #[error("typed transaction too short or malformed: {0}")]
    Encoding(alloy_eips::eip2718::Eip2718Error),
    /// More bytes than a pool takes.
    #[error("oversized data: {0} bytes, limit {TRANSACTION_LIMIT_BYTES}")]
    TooLong(usize),
    /// Deposits come from L1 alone.
    #[error("transaction type not supported")]
    Type,
    /// The signature is nobody's.
    #[error("invalid sender")]
    Signature,
    /// It is signed for another chain.
    #[error("invalid chain id: the transaction is for {found:?}, this is chain {expected}")]
    ChainId {
        /// As signed.
        found: Option<u64>,
        /// This chain's.
        expected: u64,
    },
    /// It waits already, or is in a block.
    #[error("already known")]
    AlreadyKnown,
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
    /// Another transaction with this nonce waits, and this one does not offer a tenth more.
    #[error("replacement transaction underpriced")]
    Underpriced,
    /// The sender cannot pay for it.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    Funds {
        /// The sender's, in wei.
        balance: U256,
        /// At most, in wei, without the cost of L1.
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
    /// Too many transactions wait.
    #[error("txpool is full")]
    Full,
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] crate::state::StoreError),
}

/// A transaction that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) bytes: Bytes,
    pub(super) hash: B256,
    pub(super) sender: Address,
    pub(super) nonce: u64,
    pub(super) gas_limit: u64,
    max_fee: u128,
    cost: U256,
    arrival: u64,
}

impl Waiting {
    /// Reads a signed transaction for this chain.
    pub(super) fn decode(bytes: &[u8], chain_id: u64) -> Result<Self, PoolError> {
        if bytes.len() > TRANSACTION_LIMIT_BYTES {
            return Err(PoolError::TooLong(bytes.len()));
        }
        let transaction = Transaction::decode_2718_exact(bytes).map_err(PoolError::Encoding)?;
        Self::new(&transaction, chain_id)
    }

    pub(super) fn new(transaction: &Transaction, chain_id: u64) -> Result<Self, PoolError> {
        match transaction {
            Transaction::Legacy(_)
            | Transaction::Eip2930(_)
            | Transaction::Eip1559(_)
            | Transaction::Eip7702(_) => {}
            _ => return Err(PoolError::Type),
        }
        if let Some(found) = transaction.chain_id()
            && found != chain_id
        {
            return Err(PoolError::ChainId { found: Some(found), expected: chain_id });
        }
        let gas = U256::from(transaction.gas_limit());
        let max_fee = transaction.max_fee_per_gas();
        Ok(Self {
            bytes: transaction.encoded_2718().into(),
            hash: transaction.trie_hash(),
            sender: transaction.recover_signer().map_err(|_| PoolError::Signature)?,
            nonce: transaction.nonce(),
            gas_limit: transaction.gas_limit(),
            max_fee,
            cost: gas.saturating_mul(U256::from(max_fee)).saturating_add(transaction.value()),
            arrival: 0,
        })
    }

    /// What the sender must own, in wei, without the cost of L1.
    pub(super) const fn cost(&self) -> U256 {
        self.cost
    }
}

/// The transactions that wait.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    senders: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    by_hash: B256Map<(Address, u64)>,
    arrivals: u64,
}

impl Pool {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// The transaction with this hash, in its EIP-2718 form.
    pub fn get(&self, hash: B256) -> Option<&Bytes> {
        let (sender, nonce) = self.by_hash.get(&hash)?;
        Some(&self.senders.get(sender)?.get(nonce)?.bytes)
    }

    /// The nonce after those that wait for a sender without a gap, from the account's on.
    pub fn next_nonce(&self, sender: Address, nonce: u64) -> u64 {
        let Some(queue) = self.senders.get(&sender) else { return nonce };
        (nonce..).find(|nonce| !queue.contains_key(nonce)).unwrap_or(nonce)
    }

    /// Takes a transaction whose sender's account has `next` as its nonce.
    pub(super) fn insert(&mut self, mut waiting: Waiting, next: u64) -> Result<(), PoolError> {
        let Waiting { sender, nonce, hash, .. } = waiting;
        if self.by_hash.contains_key(&hash) {
            return Err(PoolError::AlreadyKnown);
        }
        if nonce < next {
            return Err(PoolError::NonceTooLow { nonce, next });
        }
        if nonce - next > NONCE_DISTANCE_LIMIT {
            return Err(PoolError::NonceTooHigh { nonce, next });
        }
        let old = self.senders.get(&sender).and_then(|queue| queue.get(&nonce));
        waiting.arrival = match old {
            Some(old) if waiting.max_fee < old.max_fee.saturating_add(old.max_fee / 10) => {
                return Err(PoolError::Underpriced);
            }
            Some(old) => {
                self.by_hash.remove(&old.hash);
                old.arrival
            }
            None if self.by_hash.len() >= POOL_LIMIT => return Err(PoolError::Full),
            None => self.arrivals,
        };
        self.arrivals += 1;
        self.by_hash.insert(hash, (sender, nonce));
        self.senders.entry(sender).or_default().insert(nonce, waiting);
        Ok(())
    }

    /// Drops a transaction.
    pub fn remove(&mut self, hash: B256) -> bool {
        let Some((sender, nonce)) = self.by_hash.remove(&hash) else { return false };
        if let Some(queue) = self.senders.get_mut(&sender) {
            queue.remove(&nonce);
            if queue.is_empty() {
                self.senders.remove(&sender);
            }
        }
        true
    }

    /// Drops every transaction below the account's nonce.
    pub(super) fn forget_below(&mut self, sender: Address, nonce: u64) {
        let Some(queue) = self.senders.get_mut(&sender) else { return };
        let rest = queue.split_off(&nonce);
        for waiting in std::mem::replace(queue, rest).into_values() {
            self.by_hash.remove(&waiting.hash);
        }
        if self.senders.get(&sender).is_some_and(BTreeMap::is_empty) {
            self.senders.remove(&sender);
        }
    }

    /// The transactions for a block with this much gas: those that could be next, in the order in which
    /// they came, as far as the gas reaches. `nonce` is that of an account.
    pub(super) fn ready<E>(
        &self,
        mut gas: u64,
        mut nonce: impl FnMut(Address) -> Result<u64, E>,
    ) -> Result<Vec<Waiting>, E> {
        let mut ready = Vec::new();
        for (sender, queue) in &self.senders {
            let first = nonce(*sender)?;
            // A transaction cannot come before those with lower nonces, whenever they came.
            let mut arrival = 0;
            for (waiting, nonce) in queue.range(first..).map(|(_, waiting)| waiting).zip(first..) {
                if waiting.nonce != nonce {
                    break;
                }
                arrival = waiting.arrival.max(arrival);
                ready.push((arrival, waiting));
            }
        }
        ready.sort_by_key(|(arrival, waiting)| (*arrival, waiting.sender, waiting.nonce));
        let mut full: Vec<Address> = Vec::new();
        let mut chosen = Vec::new();
        for (_, waiting) in ready {
            if full.contains(&waiting.sender) {
                continue;
            }
            match gas.checked_sub(waiting.gas_limit) {
                Some(rest) => {
                    gas = rest;
                    chosen.push(waiting.clone());
                }
                None => full.push(waiting.sender),
            }
        }
        Ok(chosen)
    }
}
