//! What a chain has recorded: blocks with their transactions, receipts and logs, and its heads.
//!
//! Generic over the chain's transactions and receipts, so that whatever reads a chain is written
//! once. Blocks that a reorg replaced stay known by their hash, as nodes keep them.
//!
//! Invariant: the canonical blocks are numbered without a gap from genesis on, each the parent of
//! the next, and finalized ≤ safe ≤ latest.

use alloy_consensus::{Block as ConsensusBlock, BlockBody, Header, Sealed, Transaction, TxReceipt};
use alloy_eips::{
    BlockId, BlockNumberOrTag,
    eip2718::{Decodable2718, Encodable2718},
    eip4895::{Withdrawal, Withdrawals},
};
use alloy_primitives::{Address, B256, Bytes, Log, map::B256Map};
use alloy_rlp::{Decodable, Encodable};
use alloy_rpc_types_eth::{Filter, FilterBlockOption};
use std::{fmt::Debug, sync::Arc};

/// What differs between the blocks of L1 and of L2.
pub trait Primitives: Debug + Send + Sync + 'static {
    /// A transaction with its signature, as blocks hold it.
    type Transaction: Transaction + Encodable2718 + Decodable2718 + Encodable + Decodable + Clone;
    /// A receipt with its bloom.
    type Receipt: TxReceipt<Log = Log> + Encodable2718 + Decodable2718 + Clone;
}

/// A block and what came up when it was executed.
#[derive(Clone, Debug)]
pub struct Block<P: Primitives> {
    /// The header with its hash.
    pub header: Sealed<Header>,
    /// In order.
    pub transactions: Vec<P::Transaction>,
    /// Who sent each transaction.
    pub senders: Vec<Address>,
    /// One for each transaction.
    pub receipts: Vec<P::Receipt>,
    /// From Shanghai on.
    pub withdrawals: Option<Vec<Withdrawal>>,
}

impl<P: Primitives> Block<P> {
    /// The block's number.
    pub fn number(&self) -> u64 {
        self.header.number
    }

    /// The block's hash.
    pub fn hash(&self) -> B256 {
        self.header.hash()
    }

    /// The block in RLP, as `debug_getRawBlock` gives it.
    pub fn encoded(&self) -> Vec<u8> {
        alloy_rlp::encode(self.to_consensus())
    }

    /// The block as Ethereum defines it.
    pub fn to_consensus(&self) -> ConsensusBlock<P::Transaction> {
        ConsensusBlock {
            header: self.header.inner().clone(),
            body: BlockBody {
                transactions: self.transactions.clone(),
                ommers: Vec::new(),
                withdrawals: self.withdrawals.clone().map(Withdrawals::new),
            },
        }
    }

    /// Each receipt in its EIP-2718 form, as `debug_getRawReceipts` gives them.
    pub fn encoded_receipts(&self) -> Vec<Bytes> {
        self.receipts.iter().map(|receipt| receipt.encoded_2718().into()).collect()
    }

    /// The hash of the transaction at a position.
    pub fn transaction_hash(&self, index: usize) -> Option<B256> {
        self.transactions.get(index).map(Encodable2718::trie_hash)
    }

    /// The gas that the transaction at a position used by itself.
    pub fn gas_used(&self, index: usize) -> Option<u64> {
        let up_to = |index: usize| self.receipts.get(index).map(TxReceipt::cumulative_gas_used);
        let before = index.checked_sub(1).map_or(Some(0), up_to)?;
        up_to(index)?.checked_sub(before)
    }

    /// Logs of the block before those of the transaction at a position.
    pub fn logs_before(&self, index: usize) -> usize {
        self.receipts.iter().take(index).map(|receipt| receipt.logs().len()).sum()
    }
}

/// A block that does not continue the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It follows another block than the latest.
    #[error("block {number} has the parent {parent}, the latest block is {latest}")]
    Parent {
        /// Its number.
        number: u64,
        /// The hash of its parent.
        parent: B256,
        /// The hash of the latest block.
        latest: B256,
    },
    /// It has not the number after that of the latest block.
    #[error("block {number} does not follow block {latest}")]
    Number {
        /// Its number.
        number: u64,
        /// That of the latest block.
        latest: u64,
    },
    /// A log of what was not recorded was asked for.
    #[error("the range of blocks {from} to {to} is reversed")]
    Range {
        /// The first block.
        from: u64,
        /// The last block.
        to: u64,
    },
    /// A block was asked for that is not known.
    #[error("unknown block")]
    Unknown,
    /// More logs than one answer holds.
    #[error("more than {limit} logs; ask for fewer blocks")]
    TooManyLogs {
        /// The most there may be.
        limit: usize,
    },
}

/// The most logs that one question is answered with.
const LOGS_LIMIT: usize = 20_000;

/// A log and where it stands.
#[derive(Clone, Debug)]
pub struct FoundLog<P: Primitives> {
    /// The block it is in.
    pub block: Arc<Block<P>>,
    /// The transaction's position in the block.
    pub transaction: usize,
    /// The log's position in the block.
    pub index: usize,
    /// The log.
    pub log: Log,
}

/// The blocks of one chain.
#[derive(Debug)]
pub struct Ledger<P: Primitives> {
    /// Canonical, from genesis on. Never empty.
    blocks: Vec<Arc<Block<P>>>,
    /// Also those that a reorg removed.
    by_hash: B256Map<Arc<Block<P>>>,
    /// Block and position of canonical transactions.
    transactions: B256Map<(u64, usize)>,
    safe: u64,
    finalized: u64,
}

impl<P: Primitives> Ledger<P> {
    /// A chain that begins with this block, whatever its number.
    pub fn new(genesis: Block<P>) -> Self {
        let number = genesis.number();
        let genesis = Arc::new(genesis);
        let by_hash = B256Map::from_iter([(genesis.hash(), Arc::clone(&genesis))]);
        let transactions = B256Map::default();
        Self { blocks: vec![genesis], by_hash, transactions, safe: number, finalized: number }
    }

    /// The number of the first block.
    pub fn first(&self) -> u64 {
        self.blocks.first().map_or(0, |block| block.number())
    }

    /// The latest block.
    pub fn latest(&self) -> &Arc<Block<P>> {
        // A ledger begins with its genesis and never loses it.
        &self.blocks[self.blocks.len() - 1]
    }

    /// The latest block that is safe.
    pub fn safe(&self) -> &Arc<Block<P>> {
        self.block(self.safe).unwrap_or_else(|| self.latest())
    }

    /// The latest block that is finalized.
    pub fn finalized(&self) -> &Arc<Block<P>> {
        self.block(self.finalized).unwrap_or_else(|| self.latest())
    }

    /// Sets the safe and the finalized head, each at most the one above it.
    pub fn set_heads(&mut self, safe: u64, finalized: u64) {
        self.safe = safe.clamp(self.first(), self.latest().number());
        self.finalized = finalized.clamp(self.first(), self.safe);
    }

    /// The canonical block with this number.
    pub fn block(&self, number: u64) -> Option<&Arc<Block<P>>> {
        let index = usize::try_from(number.checked_sub(self.first())?).ok()?;
        self.blocks.get(index)
    }

    /// The canonical block of exactly this time.
    pub fn at_time(&self, timestamp: u64) -> Option<&Arc<Block<P>>> {
        // Each block is later than the one before.
        let index = self.blocks.binary_search_by_key(&timestamp, |block| block.header.timestamp);
        self.blocks.get(index.ok()?)
    }

    /// The block with this hash, canonical or not.
    pub fn by_hash(&self, hash: B256) -> Option<&Arc<Block<P>>> {
        self.by_hash.get(&hash)
    }

    /// Whether a block is part of the chain as it is.
    pub fn is_canonical(&self, block: &Block<P>) -> bool {
        self.block(block.number()).is_some_and(|canonical| canonical.hash() == block.hash())
    }

    /// The block by number or tag. There is no pending block: the latest stands for it.
    pub fn by_tag(&self, tag: BlockNumberOrTag) -> Option<&Arc<Block<P>>> {
        match tag {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(self.latest()),
            BlockNumberOrTag::Safe => Some(self.safe()),
            BlockNumberOrTag::Finalized => Some(self.finalized()),
            BlockNumberOrTag::Earliest => self.blocks.first(),
            BlockNumberOrTag::Number(number) => self.block(number),
        }
    }

    /// The block by number, tag or hash.
    pub fn by_id(&self, id: BlockId) -> Option<&Arc<Block<P>>> {
        match id {
            BlockId::Number(tag) => self.by_tag(tag),
            BlockId::Hash(hash) => {
                let block = self.by_hash(hash.block_hash)?;
                let wanted = !hash.require_canonical.unwrap_or(false) || self.is_canonical(block);
                wanted.then_some(block)
            }
        }
    }

    /// The block of a canonical transaction, and its position there.
    pub fn transaction(&self, hash: B256) -> Option<(&Arc<Block<P>>, usize)> {
        let (number, index) = self.transactions.get(&hash)?;
        Some((self.block(*number)?, *index))
    }

    /// Adds the next block.
    ///
    /// # Errors
    /// [`LedgerError`] when it does not follow the latest block.
    pub fn append(&mut self, block: Block<P>) -> Result<Arc<Block<P>>, LedgerError> {
        let (number, latest) = (block.number(), self.latest());
        if latest.number().checked_add(1) != Some(number) {
            return Err(LedgerError::Number { number, latest: latest.number() });
        }
        if block.header.parent_hash != latest.hash() {
            let (parent, latest) = (block.header.parent_hash, latest.hash());
            return Err(LedgerError::Parent { number, parent, latest });
        }
        let block = Arc::new(block);
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.transactions.insert(transaction.trie_hash(), (number, index));
        }
        self.by_hash.insert(block.hash(), Arc::clone(&block));
        self.blocks.push(Arc::clone(&block));
        Ok(block)
    }

    /// Removes every block above `number`, genesis aside, and returns them in order. The heads go back
    /// as far as they have to.
    pub fn truncate(&mut self, number: u64) -> Vec<Arc<Block<P>>> {
        let keep = number.saturating_sub(self.first()).saturating_add(1);
        let keep = usize::try_from(keep).unwrap_or(usize::MAX).min(self.blocks.len());
        let removed = self.blocks.split_off(keep);
        for block in &removed {
            for transaction in &block.transactions {
                self.transactions.remove(&transaction.trie_hash());
            }
        }
        self.set_heads(self.safe, self.finalized);
        removed
    }

    /// The logs that a filter selects, in order.
    ///
    /// # Errors
    /// [`LedgerError`] for a block that is not known, a reversed range, and too many logs.
    pub fn logs(&self, filter: &Filter) -> Result<Vec<FoundLog<P>>, LedgerError> {
        let blocks = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                std::slice::from_ref(self.by_hash(hash).ok_or(LedgerError::Unknown)?)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let latest = BlockNumberOrTag::Latest;
                let number = |tag| match tag {
                    // What is yet to come holds nothing yet.
                    BlockNumberOrTag::Number(number) => number,
                    tag => self.by_tag(tag).unwrap_or_else(|| self.latest()).number(),
                };
                let from = number(from_block.unwrap_or(latest));
                let to = number(to_block.unwrap_or(latest));
                if from > to {
                    return Err(LedgerError::Range { from, to });
                }
                let index = |number: u64| {
                    let index = number.saturating_sub(self.first());
                    usize::try_from(index).unwrap_or(usize::MAX).min(self.blocks.len())
                };
                &self.blocks[index(from)..index(to.saturating_add(1))]
            }
        };
        let mut found = Vec::new();
        for block in blocks.iter().filter(|block| filter.matches_bloom(block.header.logs_bloom)) {
            let mut index = 0;
            for (transaction, receipt) in block.receipts.iter().enumerate() {
                for log in receipt.logs() {
                    if filter.matches(log) {
                        let (block, log) = (Arc::clone(block), log.clone());
                        found.push(FoundLog { block, transaction, index, log });
                    }
                    index += 1;
                }
            }
            if found.len() > LOGS_LIMIT {
                return Err(LedgerError::TooManyLogs { limit: LOGS_LIMIT });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
