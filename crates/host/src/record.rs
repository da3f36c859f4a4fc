//! Which preimages a run uses.

use rebut_preimage::{Hint, OracleError, PreimageKey, PreimageOracle};
use std::collections::BTreeMap;

/// How often a key was asked for, and what it gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Requests that were answered.
    pub requests: u64,
    /// Length of the value.
    pub value_bytes: usize,
}

/// What passed through a [`RecordingOracle`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Every key that was answered.
    pub keys: BTreeMap<PreimageKey, Use>,
    /// Every hint that was accepted, counted by name. Hints that are no text count under "".
    pub hints: BTreeMap<String, u64>,
}

impl Record {
    /// Requests that were answered, repeated ones included.
    pub fn requests(&self) -> u64 {
        self.keys.values().map(|used| used.requests).sum()
    }

    /// Bytes that were answered, repeated ones included, without length prefixes.
    pub fn value_bytes(&self) -> u64 {
        self.keys.values().map(|used| used.requests * used.value_bytes as u64).sum()
    }
}

/// Keeps a [`Record`] of what passes through.
#[derive(Clone, Debug)]
pub struct RecordingOracle<O> {
    inner: O,
    record: Record,
}

impl<O> RecordingOracle<O> {
    /// Starts with an empty record.
    pub fn new(inner: O) -> Self {
        Self { inner, record: Record::default() }
    }

    /// What was used so far.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The oracle inside and what was used of it.
    pub fn into_parts(self) -> (O, Record) {
        (self.inner, self.record)
    }
}

impl<O: PreimageOracle> PreimageOracle for RecordingOracle<O> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let value = self.inner.get(key)?;
        let used = self.record.keys.entry(key).or_default();
        used.requests += 1;
        used.value_bytes = value.len();
        Ok(value)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.inner.hint(hint)?;
        let name = Hint::parse(hint).map(|hint| hint.name).unwrap_or_default();
        *self.record.hints.entry(name).or_default() += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;
    use rebut_preimage::{MemoryStore, StoreOracle};

    #[test]
    fn what_was_answered_is_recorded() {
        let mut store = MemoryStore::new();
        let [used, unused, missing] =
            [b"used", b"idle", b"none"].map(|value| PreimageKey::keccak256(keccak256(value)));
        store.insert(used, b"used".to_vec()).unwrap();
        store.insert(unused, b"idle".to_vec()).unwrap();

        let mut oracle = RecordingOracle::new(StoreOracle(store));
        oracle.get(used).unwrap();
        oracle.get(used).unwrap();
        oracle.get(missing).unwrap_err();
        oracle.hint(b"l2-code 0x00").unwrap();
        oracle.hint(b"l2-code 0x01").unwrap();

        let (_, record) = oracle.into_parts();
        assert_eq!(record.keys, BTreeMap::from([(used, Use { requests: 2, value_bytes: 4 })]));
        assert_eq!(record.hints, BTreeMap::from([("l2-code".to_owned(), 2)]));
        assert_eq!((record.requests(), record.value_bytes()), (2, 8));
    }
}
