//! Preimages as a JSON object, in a member `preimages` of a larger one.
//!
//! ```text
//!   typed keys       { "preimages": { "0x02<31 bytes>": "0x<value>", … }, … }
//!   keccak256 keys   { "preimages": { "0x<hash, 32 bytes>": "0x<value>", … }, … }
//! ```
//!
//! Recorded program runs use the first form, block witnesses the second. Nothing inside tells which
//! it is, so the reader has to say.

use super::{FILE_LIMIT_BYTES, MemoryStore, StoreError, file};
use crate::{KeyTextError, PreimageKey};
use alloy_primitives::{B256, hex};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
    ser::{Serialize, SerializeMap, Serializer},
};
use std::{borrow::Cow, fmt, path::Path};

/// What the member names of `preimages` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKeys {
    /// Preimage keys with their type byte.
    Typed,
    /// keccak256 hashes of the values.
    Keccak256,
}

impl JsonKeys {
    fn parse(self, text: &str) -> Result<PreimageKey, KeyTextError> {
        match self {
            Self::Typed => text.parse(),
            Self::Keccak256 => {
                let digits = text.strip_prefix("0x").ok_or(KeyTextError::Hex)?;
                let mut hash = B256::ZERO;
                if digits.len() != 64 || hex::decode_to_slice(digits, &mut hash.0).is_err() {
                    return Err(KeyTextError::Hex);
                }
                Ok(PreimageKey::keccak256(hash))
            }
        }
    }
}

/// The members of `preimages` as written, unchecked.
///
/// Deserialise it as part of a larger object, then [`check`](Self::check) it.
#[derive(Debug)]
pub struct JsonPreimages<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl JsonPreimages<'_> {
    /// Turns texts into keys and values and checks each value against its key.
    ///
    /// # Errors
    /// [`StoreError`] with `path` and the key.
    pub fn check(&self, keys: JsonKeys, path: &Path) -> Result<MemoryStore, StoreError> {
        let mut store = MemoryStore::new();
        for (text, digits) in &self.0 {
            let key = keys.parse(text).map_err(|source| StoreError::Key {
                path: path.into(),
                text: abbreviate(text),
                source,
            })?;
            let value = digits.strip_prefix("0x").filter(|digits| hex::check_raw(digits));
            let value = value
                .and_then(|digits| hex::decode(digits).ok())
                .ok_or_else(|| StoreError::Hex { path: path.into(), key })?;
            // With a plain hash as member name the first byte is checked here, not by the key.
            if keys == JsonKeys::Keccak256 {
                check_first_byte(text, &value, key, path)?;
            }
            key.verify(&value).map_err(|source| StoreError::Value {
                path: path.into(),
                key,
                source,
            })?;
            if store.0.insert(key, value).is_some() {
                return Err(StoreError::Order { path: path.into(), key });
            }
        }
        Ok(store)
    }
}

/// Keys in messages stay readable however long the text is that should have been one.
fn abbreviate(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

fn check_first_byte(
    text: &str,
    value: &[u8],
    key: PreimageKey,
    path: &Path,
) -> Result<(), StoreError> {
    let digest = alloy_primitives::keccak256(value);
    if text[2..].eq_ignore_ascii_case(&hex::encode(digest)) {
        return Ok(());
    }
    let source = crate::ValueError::Hash { digest };
    Err(StoreError::Value { path: path.into(), key, source })
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonPreimages<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, Cow<'de, str>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from keys to values, both hexadecimal text")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), Text(value))) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Self)
    }
}

/// A string that borrows from the input where it holds no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Writes as the typed form.
impl Serialize for MemoryStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(&key.to_string(), &hex::encode_prefixed(value))?;
        }
        map.end()
    }
}

/// Reads the member `preimages` of a JSON file, unpacked first when its name ends in `.zst`. Other
/// members are ignored.
///
/// # Errors
/// [`StoreError`] names the file and, where there is one, the key.
pub fn read_json(path: &Path, keys: JsonKeys) -> Result<MemoryStore, StoreError> {
    parse_json(&file::read_decompressed(path, FILE_LIMIT_BYTES)?, keys, path)
}

/// Reads the member `preimages` of a JSON text; `path` is for messages.
///
/// # Errors
/// As [`read_json`].
pub fn parse_json(text: &[u8], keys: JsonKeys, path: &Path) -> Result<MemoryStore, StoreError> {
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        preimages: JsonPreimages<'a>,
    }
    let file: File<'_> = serde_json::from_slice(text)
        .map_err(|source| StoreError::Json { path: path.into(), source })?;
    file.preimages.check(keys, path)
}

/// Writes `{"preimages": …}` with typed keys, packed when the name ends in `.zst`.
///
/// # Errors
/// [`StoreError::Io`] when the file cannot be written.
pub fn write_json(path: &Path, store: &MemoryStore) -> Result<(), StoreError> {
    #[derive(serde::Serialize)]
    struct File<'a> {
        preimages: &'a MemoryStore,
    }
    let file = File { preimages: store };
    file::replace(path, |writer| {
        if path.extension().is_none_or(|extension| extension != "zst") {
            return Ok(serde_json::to_writer(writer, &file)?);
        }
        let mut encoder = zstd::Encoder::new(writer, 0)?;
        serde_json::to_writer(&mut encoder, &file)?;
        encoder.finish().map(drop)
    })
}
