//! Preimages in files that one can ship, with what belongs to them.
//!
//! ```text
//!   X.json, X.json.zst     { …, "preimages": { … } }         one file for everything
//!   X.kv.zst               the preimages alone …
//!   boot.json              … and beside them everything else of such a file
//! ```
//!
//! What else there is (the claim, the chain's configuration, or the block of a block witness) is kept
//! as it is, so that a recording survives a change of its form. Files of block witnesses name their
//! preimages by plain keccak256 hashes, all others by keys with a type.

use crate::FORMAT as BLOCK_FORMAT;
use rebut_preimage::{
    KeyType, MemoryStore, PreimageKey, StoreError,
    store::{
        FILE_LIMIT_BYTES, JsonKeys, JsonPreimages, read_decompressed, read_kv, replace, write_kv,
    },
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, value::RawValue};
use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The file beside a `.kv.zst`.
pub const BOOT_FILE: &str = "boot.json";

/// The longest [`BOOT_FILE`], in bytes.
const BOOT_LIMIT_BYTES: usize = 8 << 20;

const PREIMAGES: &str = "preimages";

/// Why a recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read or written, or one of its preimages is wrong.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is no JSON object.
    #[error("{path}: {source}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The object has no preimages.
    #[error("{path}: it has no member \"preimages\"", path = path.display())]
    NoPreimages {
        /// The file.
        path: PathBuf,
    },
    /// A name that tells no form.
    #[error("{path}: the name ends in none of .json, .json.zst and .kv.zst", path = path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// Another recording's [`BOOT_FILE`] stands where this one's belongs.
    #[error("{path}: it belongs to another recording; choose another folder", path = path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
    },
    /// A block witness with a key that its form cannot name.
    #[error("key {key}: a block witness holds keccak256 preimages alone")]
    BlockKey {
        /// The key.
        key: PreimageKey,
    },
}

/// How a file holds preimages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Packed,
}

impl Form {
    fn of(path: &Path) -> Result<Self, RecordingError> {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.ends_with(b".kv.zst") {
            Ok(Self::Packed)
        } else if name.ends_with(b".json") || name.ends_with(b".json.zst") {
            Ok(Self::Json)
        } else {
            Err(RecordingError::Name { path: path.into() })
        }
    }
}

/// Preimages, and what they are of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Every member of the file but the preimages; empty where nothing is known.
    pub about: Map<String, Value>,
    /// The preimages, each checked against its key.
    pub preimages: MemoryStore,
}

impl Recording {
    /// Whether a file of this name could be a recording.
    pub fn is_named(path: &Path) -> bool {
        Form::of(path).is_ok()
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// [`RecordingError`] names the file and, where there is one, the key.
    pub fn read(path: &Path) -> Result<Self, RecordingError> {
        match Form::of(path)? {
            Form::Json => Self::parse(&read_decompressed(path, FILE_LIMIT_BYTES)?, path),
            Form::Packed => {
                let about = read_about(&beside(path))?.unwrap_or_default();
                Ok(Self { about, preimages: read_kv(path)? })
            }
        }
    }

    /// Reads the text of a JSON recording; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, RecordingError> {
        let json = |source| RecordingError::Json { path: path.into(), source };
        let mut members: BTreeMap<String, &RawValue> =
            serde_json::from_slice(text).map_err(json)?;
        let preimages = members
            .remove(PREIMAGES)
            .ok_or_else(|| RecordingError::NoPreimages { path: path.into() })?;
        let about = members
            .into_iter()
            .map(|(name, raw)| Ok((name, serde_json::from_str(raw.get())?)))
            .collect::<Result<Map<String, Value>, _>>()
            .map_err(json)?;
        let preimages: JsonPreimages<'_> = serde_json::from_str(preimages.get()).map_err(json)?;
        Ok(Self { preimages: preimages.check(keys(&about), path)?, about })
    }

    /// Writes a recording in the form that the name tells. Equal recordings give equal files.
    ///
    /// # Errors
    /// [`RecordingError`]; nothing new is at `path` then.
    pub fn write(&self, path: &Path) -> Result<(), RecordingError> {
        if keys(&self.about) == JsonKeys::Keccak256 {
            let mut keys = self.preimages.iter().map(|(key, _)| key);
            if let Some(key) = keys.find(|key| key.key_type() != KeyType::Keccak256) {
                return Err(RecordingError::BlockKey { key });
            }
        }
        match Form::of(path)? {
            Form::Json => Ok(self.write_json(path)?),
            Form::Packed => {
                if !self.about.is_empty() {
                    write_about(&beside(path), &self.about)?;
                }
                Ok(write_kv(path, &self.preimages)?)
            }
        }
    }

    fn write_json(&self, path: &Path) -> Result<(), StoreError> {
        replace(path, |writer| {
            if path.extension().is_none_or(|extension| extension != "zst") {
                return Ok(serde_json::to_writer(writer, self)?);
            }
            let mut encoder = zstd::Encoder::new(writer, COMPRESSION_LEVEL)?;
            serde_json::to_writer(&mut encoder, self)?;
            encoder.finish().map(drop)
        })
    }
}

/// Favours size: a recording is packed once.
const COMPRESSION_LEVEL: i32 = 19;

/// As the JSON form.
impl Serialize for Recording {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.about.len() + 1))?;
        for (name, value) in &self.about {
            map.serialize_entry(name, value)?;
        }
        match keys(&self.about) {
            JsonKeys::Typed => map.serialize_entry(PREIMAGES, &self.preimages)?,
            JsonKeys::Keccak256 => map.serialize_entry(PREIMAGES, &Hashed(&self.preimages))?,
        }
        map.end()
    }
}

/// Preimages by the keccak256 hashes of their values.
struct Hashed<'a>(&'a MemoryStore);

impl Serialize for Hashed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use alloy_primitives::{hex, keccak256};
        let entry = |value: &[u8]| (keccak256(value).to_string(), hex::encode_prefixed(value));
        let entries: BTreeMap<_, _> = self.0.iter().map(|(_, value)| entry(value)).collect();
        entries.serialize(serializer)
    }
}

/// How a recording about this names its preimages.
fn keys(about: &Map<String, Value>) -> JsonKeys {
    match about.get("format").and_then(Value::as_str) {
        Some(BLOCK_FORMAT) => JsonKeys::Keccak256,
        _ => JsonKeys::Typed,
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name(BOOT_FILE)
}

/// What a recording is of, as its [`BOOT_FILE`] says; `None` where there is no such file.
///
/// # Errors
/// [`RecordingError`] names the file.
pub fn read_about(path: &Path) -> Result<Option<Map<String, Value>>, RecordingError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let text = read_decompressed(path, BOOT_LIMIT_BYTES)?;
    let about = serde_json::from_slice(&text);
    about.map(Some).map_err(|source| RecordingError::Json { path: path.into(), source })
}

/// Writes a [`BOOT_FILE`]. One that says the same may be there already.
///
/// # Errors
/// [`RecordingError::Occupied`] when it says something else.
pub fn write_about(path: &Path, about: &Map<String, Value>) -> Result<(), RecordingError> {
    match read_about(path)? {
        Some(there) if there == *about => Ok(()),
        Some(_) => Err(RecordingError::Occupied { path: path.into() }),
        None => Ok(replace(path, |writer| {
            serde_json::to_writer_pretty(&mut *writer, about)?;
            writer.write_all(b"\n")
        })?),
    }
}

#[cfg(test)]
mod tests;
