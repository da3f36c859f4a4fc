//! Stores on disk: one database file, or a directory that other software reads as well.
//!
//! ```text
//!   redb        <data-dir>/preimages.redb       one file, survives crashes, one process at a time
//!   directory   <data-dir>/<4 digits>/<60>.txt  one file a key: what challengers read
//!   file        <data-dir>/0x<64 digits>.txt    the same, flat
//! ```
//!
//! Invariant: as of every store, no value leaves it that does not verify against its key.

use rebut_preimage::{
    PreimageKey, PreimageStore, StoreError,
    store::{DirectoryStore, Layout, MemoryStore},
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The file of a database below its data directory.
pub const DATABASE_FILE: &str = "preimages.redb";

const TABLE: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("preimages");

/// How preimages lie on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataFormat {
    /// One file a key, in directories by the first digits.
    #[default]
    Directory,
    /// One file a key, in one directory.
    File,
    /// One database file.
    Redb,
}

/// A word that names no [`DataFormat`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data format {0:?} is not known; known are directory, file, redb")]
pub struct DataFormatError(String);

impl FromStr for DataFormat {
    type Err = DataFormatError;

    fn from_str(text: &str) -> Result<Self, DataFormatError> {
        match text {
            "directory" => Ok(Self::Directory),
            "file" => Ok(Self::File),
            "redb" => Ok(Self::Redb),
            _ => Err(DataFormatError(text.into())),
        }
    }
}

/// Where preimages are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DataLocation {
    /// In memory, until the process ends.
    #[default]
    Memory,
    /// In a directory, which is made where it does not exist.
    Disk {
        /// The directory.
        path: PathBuf,
        /// What lies in it, when it is new. What is there already decides otherwise.
        format: DataFormat,
    },
}

/// A store of any kind.
pub type AnyStore = Box<dyn PreimageStore + Send>;

impl DataLocation {
    /// Opens the store, makes it where there is none.
    ///
    /// # Errors
    /// [`StoreError`] names the file or directory.
    pub fn open(&self) -> Result<AnyStore, StoreError> {
        let Self::Disk { path, format } = self else { return Ok(Box::new(MemoryStore::new())) };
        let layout = match format {
            _ if path.join(DATABASE_FILE).is_file() => None,
            DataFormat::Redb => None,
            DataFormat::Directory => Some(Layout::Directory),
            DataFormat::File => Some(Layout::File),
        };
        Ok(match layout {
            Some(layout) => Box::new(DirectoryStore::create(path, layout)?),
            None => Box::new(RedbStore::create(path)?),
        })
    }

    /// Opens a store that is there already.
    ///
    /// # Errors
    /// [`StoreError`] when it is not.
    pub fn open_existing(path: &Path) -> Result<AnyStore, StoreError> {
        Ok(match path.join(DATABASE_FILE).is_file() {
            true => Box::new(RedbStore::create(path)?),
            false => Box::new(DirectoryStore::open(path)?),
        })
    }
}

/// Values in a database of one file. Each change is on disk when it returns.
#[derive(Debug)]
pub struct RedbStore {
    database: Database,
    path: PathBuf,
}

impl RedbStore {
    /// Opens the database in `directory`, made where it does not exist. The whole file is checked
    /// first, because a damaged one cannot be worked with.
    ///
    /// # Errors
    /// [`StoreError::Database`] when the file is no database, is damaged, or is open elsewhere.
    pub fn create(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(|source| StoreError::Io {
            path: directory.into(),
            action: "create",
            source,
        })?;
        let path = directory.join(DATABASE_FILE);
        let failed = |source| StoreError::Database { path: path.clone(), source };
        let database = Database::builder()
            .set_check_integrity_on_open(true)
            .create(&path)
            .map_err(|error| failed(Box::new(error)))?;
        Ok(Self { database, path })
    }

    fn failed<E: Into<redb::Error>>(&self) -> impl Fn(E) -> StoreError {
        |error| StoreError::Database { path: self.path.clone(), source: Box::new(error.into()) }
    }

    fn read<R>(
        &self,
        read: impl FnOnce(redb::ReadOnlyTable<&[u8; 32], &[u8]>) -> Result<R, StoreError>,
    ) -> Result<Option<R>, StoreError> {
        let transaction = self.database.begin_read().map_err(self.failed())?;
        match transaction.open_table(TABLE) {
            Ok(table) => read(table).map(Some),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.failed()(error)),
        }
    }

    fn write<'a>(
        &self,
        entries: impl Iterator<Item = (PreimageKey, &'a [u8])>,
    ) -> Result<(), StoreError> {
        let transaction = self.database.begin_write().map_err(self.failed())?;
        {
            let mut table = transaction.open_table(TABLE).map_err(self.failed())?;
            for (key, value) in entries {
                key.verify(value).map_err(|source| StoreError::Refused { key, source })?;
                table.insert(key.as_bytes(), value).map_err(self.failed())?;
            }
        }
        transaction.commit().map_err(self.failed())
    }
}

impl PreimageStore for RedbStore {
    fn get(&self, key: PreimageKey) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.read(|table| {
            let value = table.get(key.as_bytes()).map_err(self.failed())?;
            Ok(value.map(|value| value.value().to_vec()))
        })?;
        let Some(value) = value.flatten() else { return Ok(None) };
        match key.verify(&value) {
            Ok(()) => Ok(Some(value)),
            Err(source) => Err(StoreError::Value { path: self.path.clone(), key, source }),
        }
    }

    fn put(&mut self, key: PreimageKey, value: &[u8]) -> Result<(), StoreError> {
        self.write(std::iter::once((key, value)))
    }

    /// All values or none.
    fn put_all(&mut self, entries: &[(PreimageKey, Vec<u8>)]) -> Result<(), StoreError> {
        self.write(entries.iter().map(|(key, value)| (*key, value.as_slice())))
    }

    fn keys(&self) -> Result<Vec<PreimageKey>, StoreError> {
        let keys = self.read(|table| {
            let mut keys = Vec::new();
            for entry in table.iter().map_err(self.failed())? {
                let (key, _) = entry.map_err(self.failed())?;
                let bytes = *key.value();
                keys.push(PreimageKey::parse(bytes).map_err(|error| StoreError::Key {
                    path: self.path.clone(),
                    text: error.bytes().to_string(),
                    source: error.into(),
                })?);
            }
            Ok(keys)
        })?;
        Ok(keys.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
