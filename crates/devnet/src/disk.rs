//! Chains on disk: one file with everything, one transaction for each block.
//!
//! ```text
//!   preimages   hash              ─► trie node, code or header, of all chains
//!   blocks      (chain, number)   ─► block ‖ senders ‖ receipts ‖ what else the chain keeps of it
//! ```
//!
//! Invariant: a block is on disk together with the state after it, or not at all. The canonical blocks of
//! a chain are there without a gap; what a reorg removed is not. What is read is checked: preimages
//! against their hashes, blocks against their parents.

use crate::{
    ledger::{Block, Primitives},
    state::StateStore,
};
use alloy_consensus::{Block as ConsensusBlock, Sealable};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file in the directory that is named.
pub(crate) const FILE: &str = "devnet.redb";

const PREIMAGES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("preimages");
const BLOCKS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("blocks");
/// By number of the L1 block: what derivation had come to.
const PROGRESS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("progress");
const SETTINGS: TableDefinition<'_, &str, &str> = TableDefinition::new("settings");

/// Why chains cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The directory cannot be made.
    #[error("{path}: {source}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database cannot be opened, read or written.
    #[error("{path}: {source}", path = path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: Box<redb::Error>,
    },
    /// What is in the file is not what was written.
    #[error("{path}: {what} is damaged", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was read.
        what: String,
    },
    /// The directory was begun with something else than it is opened with.
    #[error("{path}: begun with {name} {found}, not {expected}", path = path.display())]
    OtherSetting {
        /// The file.
        path: PathBuf,
        /// What it is about.
        name: &'static str,
        /// As it was.
        found: String,
        /// As it is to be now.
        expected: String,
    },
    /// The file holds a chain that began otherwise.
    #[error("{path}: holds a chain with other parameters; its genesis is {found}, not {expected}", path = path.display())]
    OtherChain {
        /// The file.
        path: PathBuf,
        /// Hash of the genesis in the file.
        found: B256,
        /// Hash of the genesis that the parameters lead to.
        expected: B256,
    },
}

/// A block in the file.
#[derive(RlpEncodable, RlpDecodable)]
struct Stored {
    block: Bytes,
    senders: Vec<Address>,
    receipts: Vec<Bytes>,
    extra: Vec<Bytes>,
}

/// A block as it is kept.
#[derive(Debug)]
pub struct Kept<P: Primitives> {
    /// The block.
    pub block: Block<P>,
    /// What else the chain keeps of it.
    pub extra: Vec<Bytes>,
}

/// The file of a devnet. A clone is another handle of the same file.
#[derive(Clone, Debug)]
pub struct Disk {
    path: PathBuf,
    database: Arc<Database>,
}

impl Disk {
    /// Opens the file in a directory, or begins one. One process at a time can.
    ///
    /// # Errors
    /// [`DiskError`] when the directory or the file cannot be used.
    pub fn open(directory: &Path) -> Result<Self, DiskError> {
        fs::create_dir_all(directory)
            .map_err(|source| DiskError::Directory { path: directory.into(), source })?;
        let path = directory.join(FILE);
        let open = Database::builder().set_check_integrity_on_open(true).create(&path);
        let database = open.map_err(|error| {
            let source = Box::new(redb::Error::from(error));
            DiskError::Database { path: path.clone(), source }
        })?;
        Ok(Self { path, database: Arc::new(database) })
    }

    fn failed<E: Into<redb::Error>>(&self) -> impl Fn(E) -> DiskError + use<'_, E> {
        |error| DiskError::Database { path: self.path.clone(), source: Box::new(error.into()) }
    }

    /// The error for what is not as it was written.
    pub(crate) fn damaged(&self, what: impl Into<String>) -> DiskError {
        DiskError::Damaged { path: self.path.clone(), what: what.into() }
    }

    /// Compares what must not change with what it was when the file was begun; keeps it for next time if it
    /// was not yet known.
    ///
    /// # Errors
    /// [`DiskError::OtherSetting`] for the first that differs.
    pub fn settle(&self, settings: &[(&'static str, String)]) -> Result<(), DiskError> {
        let transaction = self.database.begin_write().map_err(self.failed())?;
        {
            let mut table = transaction.open_table(SETTINGS).map_err(self.failed())?;
            for (name, expected) in settings {
                let found = table.get(*name).map_err(self.failed())?;
                let found = found.map(|found| found.value().to_owned());
                match found {
                    Some(found) if found != *expected => {
                        let (path, expected) = (self.path.clone(), expected.clone());
                        return Err(DiskError::OtherSetting { path, name, found, expected });
                    }
                    Some(_) => {}
                    None => {
                        table.insert(*name, expected.as_str()).map_err(self.failed())?;
                    }
                }
            }
        }
        transaction.commit().map_err(self.failed())
    }

    /// What derivation had come to, by the number of the L1 block, in order.
    ///
    /// # Errors
    /// [`DiskError`] when the file cannot be read.
    pub(crate) fn progress(&self) -> Result<Vec<(u64, Vec<u8>)>, DiskError> {
        let transaction = self.database.begin_read().map_err(self.failed())?;
        let table = match transaction.open_table(PROGRESS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed()(error)),
        };
        let mut all = Vec::new();
        for entry in table.iter().map_err(self.failed())? {
            let (number, value) = entry.map_err(self.failed())?;
            all.push((number.value(), value.value().to_vec()));
        }
        Ok(all)
    }

    /// Keeps what derivation has come to with an L1 block, and forgets what it had with later ones.
    ///
    /// # Errors
    /// [`DiskError`]; nothing is changed then.
    pub(crate) fn keep_progress(&self, number: u64, value: &[u8]) -> Result<(), DiskError> {
        let transaction = self.database.begin_write().map_err(self.failed())?;
        {
            let mut table = transaction.open_table(PROGRESS).map_err(self.failed())?;
            table.retain_in(number.., |_, _| false).map_err(self.failed())?;
            table.insert(number, value).map_err(self.failed())?;
        }
        transaction.commit().map_err(self.failed())
    }

    /// Every state, in a store that remembers what is new in it.
    ///
    /// # Errors
    /// [`DiskError`] when the file cannot be read or is damaged.
    pub fn store(&self) -> Result<StateStore, DiskError> {
        let store = StateStore::remembering();
        let transaction = self.database.begin_read().map_err(self.failed())?;
        let table = match transaction.open_table(PREIMAGES) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(store),
            Err(error) => return Err(self.failed()(error)),
        };
        for entry in table.iter().map_err(self.failed())? {
            let (key, value) = entry.map_err(self.failed())?;
            let (hash, value) = (B256::new(*key.value()), value.value());
            if keccak256(value) != hash {
                return Err(self.damaged(format!("preimage {hash}")));
            }
            store.restore(hash, Bytes::copy_from_slice(value));
        }
        Ok(store)
    }

    /// The blocks of a chain, from its first one on. None when it has yet to begin.
    ///
    /// # Errors
    /// [`DiskError`] when the file cannot be read or is damaged.
    pub fn blocks<P: Primitives>(&self, chain: u64) -> Result<Vec<Kept<P>>, DiskError> {
        let transaction = self.database.begin_read().map_err(self.failed())?;
        let table = match transaction.open_table(BLOCKS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(self.failed()(error)),
        };
        let mut blocks: Vec<Kept<P>> = Vec::new();
        for entry in table.range((chain, 0)..=(chain, u64::MAX)).map_err(self.failed())? {
            let (key, value) = entry.map_err(self.failed())?;
            let (_, number) = key.value();
            let damaged = || self.damaged(format!("block {number} of chain {chain}"));
            let kept: Kept<P> = read(value.value()).ok_or_else(damaged)?;
            let follows = blocks.last().is_none_or(|last| {
                last.block.number().checked_add(1) == Some(number)
                    && kept.block.header.parent_hash == last.block.hash()
            });
            if kept.block.number() != number || !follows {
                return Err(damaged());
            }
            blocks.push(kept);
        }
        Ok(blocks)
    }

    /// Replaces the blocks of a chain from `first` on by others, and adds what is new in the store.
    ///
    /// # Errors
    /// [`DiskError`]; nothing is changed then.
    pub fn replace<'a, P: Primitives>(
        &self,
        chain: u64,
        first: u64,
        blocks: impl IntoIterator<Item = (&'a Block<P>, Vec<Bytes>)>,
        store: &StateStore,
    ) -> Result<(), DiskError> {
        let transaction = self.database.begin_write().map_err(self.failed())?;
        {
            let mut table = transaction.open_table(BLOCKS).map_err(self.failed())?;
            table
                .retain_in((chain, first)..=(chain, u64::MAX), |_, _| false)
                .map_err(self.failed())?;
            for (block, extra) in blocks {
                let stored = Stored {
                    block: block.encoded().into(),
                    senders: block.senders.clone(),
                    receipts: block.encoded_receipts(),
                    extra,
                };
                let stored = alloy_rlp::encode(stored);
                table.insert((chain, block.number()), &stored[..]).map_err(self.failed())?;
            }
        }
        let new = store.new_values();
        {
            let mut table = transaction.open_table(PREIMAGES).map_err(self.failed())?;
            for (hash, value) in &new {
                let Some(value) = value else { continue };
                table.insert(&hash.0, &value[..]).map_err(self.failed())?;
            }
        }
        transaction.commit().map_err(self.failed())?;
        store.written(new.len());
        Ok(())
    }

    /// The error for a chain that began otherwise.
    pub(crate) fn other_chain(&self, found: B256, expected: B256) -> DiskError {
        DiskError::OtherChain { path: self.path.clone(), found, expected }
    }
}

fn read<P: Primitives>(bytes: &[u8]) -> Option<Kept<P>> {
    let Stored { block, senders, receipts, extra } = alloy_rlp::decode_exact(bytes).ok()?;
    let ConsensusBlock { header, body } =
        alloy_rlp::decode_exact::<ConsensusBlock<P::Transaction>>(&block).ok()?;
    let receipt = |bytes: &Bytes| {
        let mut rest = bytes.as_ref();
        let receipt = P::Receipt::decode_2718(&mut rest).ok()?;
        rest.is_empty().then_some(receipt)
    };
    let receipts = receipts.iter().map(receipt).collect::<Option<Vec<_>>>()?;
    let count = body.transactions.len();
    if senders.len() != count || receipts.len() != count {
        return None;
    }
    let block = Block {
        header: header.seal_slow(),
        transactions: body.transactions,
        senders,
        receipts,
        withdrawals: body.withdrawals.map(|list| list.into_inner()),
    };
    Some(Kept { block, extra })
}

#[cfg(test)]
mod tests;
