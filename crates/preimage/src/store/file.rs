//! Whole files: bounded reading, and writing that never leaves a part behind.

use super::StoreError;
use std::{
    fs::{File, Permissions},
    io::{self, BufWriter, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Reads `reader` to its end, `None` when it holds more than `limit_bytes`.
fn read_bounded(reader: impl Read, limit_bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take((limit_bytes as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit_bytes).then_some(bytes))
}

fn open(path: &Path) -> Result<File, StoreError> {
    File::open(path).map_err(|source| StoreError::Io { path: path.into(), action: "open", source })
}

/// Reads a file as it is.
pub(super) fn read(file: File, path: &Path, limit_bytes: usize) -> Result<Vec<u8>, StoreError> {
    read_bounded(file, limit_bytes)
        .map_err(|source| StoreError::Io { path: path.into(), action: "read", source })?
        .ok_or_else(|| StoreError::TooLarge { path: path.into(), limit_bytes })
}

/// Reads a file; one whose name ends in `.zst` is unpacked. At most `limit_bytes` come out.
///
/// # Errors
/// [`StoreError`] when the file cannot be read, is damaged or too large.
pub fn read_decompressed(path: &Path, limit_bytes: usize) -> Result<Vec<u8>, StoreError> {
    let file = open(path)?;
    if path.extension().is_none_or(|extension| extension != "zst") {
        return read(file, path, limit_bytes);
    }
    decompress(file, path, limit_bytes)
}

/// Unpacks what `reader` holds; `path` is for messages. At most `limit_bytes` come out.
///
/// # Errors
/// [`StoreError::Decompress`] for what is no complete zstd frame, [`StoreError::TooLarge`].
pub fn decompress(
    reader: impl Read,
    path: &Path,
    limit_bytes: usize,
) -> Result<Vec<u8>, StoreError> {
    zstd::Decoder::new(reader)
        .and_then(|decoder| read_bounded(decoder, limit_bytes))
        .map_err(|source| StoreError::Decompress { path: path.into(), source })?
        .ok_or_else(|| StoreError::TooLarge { path: path.into(), limit_bytes })
}

/// Writes a file under a temporary name beside `path` and renames it once `write` has succeeded, so
/// that nobody ever sees a part of it.
///
/// # Errors
/// [`StoreError::Io`]; the temporary file is gone then and what was at `path` untouched.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let failed = |action| move |source| StoreError::Io { path: path.into(), action, source };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(".rebut-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)
        .map_err(failed("create a temporary file beside it"))?;
    let mut writer = BufWriter::new(temporary);
    write(&mut writer).map_err(failed("write"))?;
    let temporary = writer.into_inner().map_err(|error| failed("write")(error.into_error()))?;
    temporary.persist(path).map_err(|error| failed("rename into place")(error.error))?;
    Ok(())
}
