//! One compressed file for many preimages: `.kv.zst`.
//!
//! A zstd frame with a content checksum around records without a header, keys strictly ascending:
//!
//! ```text
//!  ┌──────────────┬──────────────────────────┬───────┐
//!  │ key 32 bytes │ length u64 big-endian    │ value │   … to the end of the file
//!  └──────────────┴──────────────────────────┴───────┘
//! ```
//!
//! A record is what passes over the preimage channel for one key: request, then answer. The order
//! makes equal contents equal files.

use super::{FILE_LIMIT_BYTES, MemoryStore, StoreError, file};
use crate::PreimageKey;
use alloy_primitives::hex;
use std::path::Path;

/// Favours size: these files are written once and shipped.
const COMPRESSION_LEVEL: i32 = 19;

/// Reads a `.kv.zst` file, every value checked against its key.
///
/// # Errors
/// [`StoreError`] names the file and, where there is one, the key.
pub fn read_kv(path: &Path) -> Result<MemoryStore, StoreError> {
    parse_kv(&file::read_decompressed(path, FILE_LIMIT_BYTES)?, path)
}

/// Reads unpacked records; `path` is for messages.
///
/// # Errors
/// As [`read_kv`].
pub fn parse_kv(bytes: &[u8], path: &Path) -> Result<MemoryStore, StoreError> {
    let mut store = MemoryStore::new();
    let mut last = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let truncated = || StoreError::Truncated { path: path.into(), offset };
        let (key, after_key) = rest.split_first_chunk::<32>().ok_or_else(truncated)?;
        let (length, after_length) = after_key.split_first_chunk::<8>().ok_or_else(truncated)?;
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| truncated())?;
        let (value, after_value) = after_length.split_at_checked(length).ok_or_else(truncated)?;

        let key = PreimageKey::parse(*key).map_err(|error| StoreError::Key {
            path: path.into(),
            text: hex::encode_prefixed(key),
            source: error.into(),
        })?;
        if last.is_some_and(|last| last >= key) {
            return Err(StoreError::Order { path: path.into(), key });
        }
        key.verify(value).map_err(|source| StoreError::Value { path: path.into(), key, source })?;
        store.0.insert(key, value.to_vec());
        last = Some(key);
        rest = after_value;
    }
    Ok(store)
}

/// Writes a `.kv.zst` file.
///
/// # Errors
/// [`StoreError::Io`] when it cannot be written; nothing is left at `path` then that was not there.
pub fn write_kv(path: &Path, store: &MemoryStore) -> Result<(), StoreError> {
    file::replace(path, |writer| {
        let mut encoder = zstd::Encoder::new(writer, COMPRESSION_LEVEL)?;
        encoder.include_checksum(true)?;
        for (key, value) in store.iter() {
            use std::io::Write;
            encoder.write_all(key.as_bytes())?;
            encoder.write_all(&(value.len() as u64).to_be_bytes())?;
            encoder.write_all(value)?;
        }
        encoder.finish().map(drop)
    })
}
