//! Where preimages are kept: in memory, as one file a key, as one compressed file, as JSON.
//!
//! Invariant: a store hands out no value that does not verify against its key. What lies on disk
//! was written by anyone, so it is checked when it is read, not only when it is written.

use crate::{KeyTextError, OracleError, PreimageKey, PreimageOracle, ValueError};
use std::{collections::BTreeMap, io, path::PathBuf};

mod directory;
mod file;
mod json;
mod kv;

pub use directory::{DirectoryStore, Layout};
pub use file::{decompress, read_decompressed, replace};
pub use json::{JsonKeys, JsonPreimages, parse_json, read_json, write_json};
pub use kv::{parse_kv, read_kv, write_kv};

/// The longest file a store reads, once unpacked, in bytes.
pub const FILE_LIMIT_BYTES: usize = 1 << 30;

/// Why a store failed. Each variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory cannot be read or written.
    #[error("{path}: cannot {action}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A compressed file is truncated or corrupt.
    #[error("{path}: not a complete zstd file: {source}", path = path.display())]
    Decompress {
        /// The file.
        path: PathBuf,
        /// What the decompressor says.
        source: io::Error,
    },
    /// A file is longer than it may be.
    #[error("{path}: larger than {limit_bytes} bytes once unpacked", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit_bytes: usize,
    },
    /// A directory's marker names a layout that cannot be read here.
    #[error("{path}: unsupported layout {found:?}, supported are \"file\" and \"directory\"", path = path.display())]
    Layout {
        /// The marker file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A file ends inside a record.
    #[error("{path}: ends inside the record at byte {offset}", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Where the record starts, in the unpacked file.
        offset: usize,
    },
    /// JSON of the wrong syntax or shape.
    #[error("{path}: {source}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What and where, as line and column.
        source: serde_json::Error,
    },
    /// A key that is none.
    #[error("{path}: key {text:?}: {source}", path = path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The key as written.
        text: String,
        /// What is wrong with it.
        source: KeyTextError,
    },
    /// A value that is not hexadecimal.
    #[error("{path}: the value of key {key} is not hexadecimal", path = path.display())]
    Hex {
        /// The file.
        path: PathBuf,
        /// The key.
        key: PreimageKey,
    },
    /// A value that does not belong to its key.
    #[error("{path}: key {key}: {source}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: PreimageKey,
        /// What is wrong with the value.
        source: ValueError,
    },
    /// The same key twice, or keys out of order where an order is laid down.
    #[error("{path}: key {key} is repeated or out of order", path = path.display())]
    Order {
        /// The file.
        path: PathBuf,
        /// The key.
        key: PreimageKey,
    },
    /// A database file cannot be opened, read or written.
    #[error("{path}: {source}", path = path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An attempt to store a value under a key it does not belong to.
    #[error("key {key} does not take this value: {source}")]
    Refused {
        /// The key.
        key: PreimageKey,
        /// What is wrong with the value.
        source: ValueError,
    },
}

/// Keeps values by their keys.
pub trait PreimageStore {
    /// The value of `key`, `None` when it was never stored.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or holds a wrong value.
    fn get(&self, key: PreimageKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores `value`, replacing what was there.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the value does not belong to the key, other variants when it
    /// cannot be written.
    fn put(&mut self, key: PreimageKey, value: &[u8]) -> Result<(), StoreError>;

    /// Stores many values, in one go where the store can.
    ///
    /// # Errors
    /// As [`put`](Self::put). Values before the refused one may have been stored.
    fn put_all(&mut self, entries: &[(PreimageKey, Vec<u8>)]) -> Result<(), StoreError> {
        entries.iter().try_for_each(|(key, value)| self.put(*key, value))
    }

    /// All keys, ascending.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn keys(&self) -> Result<Vec<PreimageKey>, StoreError>;
}

impl<S: PreimageStore + ?Sized> PreimageStore for Box<S> {
    fn get(&self, key: PreimageKey) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key)
    }

    fn put(&mut self, key: PreimageKey, value: &[u8]) -> Result<(), StoreError> {
        (**self).put(key, value)
    }

    fn put_all(&mut self, entries: &[(PreimageKey, Vec<u8>)]) -> Result<(), StoreError> {
        (**self).put_all(entries)
    }

    fn keys(&self) -> Result<Vec<PreimageKey>, StoreError> {
        (**self).keys()
    }
}

/// Refuses a value under a key it does not belong to.
fn check(key: PreimageKey, value: &[u8]) -> Result<(), StoreError> {
    key.verify(value).map_err(|source| StoreError::Refused { key, source })
}

/// Values in memory, ordered by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore(BTreeMap<PreimageKey, Vec<u8>>);

impl MemoryStore {
    /// A store without values.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Stores `value` without a copy. Gives back what was there.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the value does not belong to the key.
    pub fn insert(
        &mut self,
        key: PreimageKey,
        value: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        check(key, &value)?;
        Ok(self.0.insert(key, value))
    }

    /// The value of `key` in place.
    pub fn value(&self, key: &PreimageKey) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &PreimageKey) -> Option<Vec<u8>> {
        self.0.remove(key)
    }

    /// Keys and values, keys ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (PreimageKey, &[u8])> {
        self.0.iter().map(|(key, value)| (*key, value.as_slice()))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PreimageStore for MemoryStore {
    fn get(&self, key: PreimageKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&key).cloned())
    }

    fn put(&mut self, key: PreimageKey, value: &[u8]) -> Result<(), StoreError> {
        self.insert(key, value.to_vec()).map(drop)
    }

    fn keys(&self) -> Result<Vec<PreimageKey>, StoreError> {
        Ok(self.0.keys().copied().collect())
    }
}

/// A store as an oracle that knows no hints: everything has to be there.
#[derive(Clone, Debug)]
pub struct StoreOracle<S>(pub S);

impl<S: PreimageStore> PreimageOracle for StoreOracle<S> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.0.get(key)?.ok_or(OracleError::Missing { key })
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
