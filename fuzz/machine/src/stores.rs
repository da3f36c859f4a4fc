//! Oracles for stores. What is read verifies against its keys, and is written and read again the same.

use rebut_preimage::store::{
    DirectoryStore, JsonKeys, Layout, MemoryStore, PreimageStore, decompress, read_json, read_kv,
    write_json, write_kv,
};
use rebut_preimage::{PreimageKey, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A folder for files that are overwritten by each input. In memory where the system has such a place:
/// a disk would be waited for.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("the temporary folder can be written")
});

fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = FOLDER.path().join(name);
    fs::write(&path, content).expect("the temporary folder can be written");
    path
}

fn check_values(store: &MemoryStore) {
    for (key, value) in store.iter() {
        assert_eq!(key.verify(value), Ok(()), "{key}");
    }
}

/// An error names the file it is about.
fn check_error(error: &StoreError, path: &Path) {
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
}

/// Reads records that are not compressed.
pub fn kv(bytes: &[u8]) {
    let path = file("records.kv", bytes);
    match read_kv(&path) {
        Ok(store) => {
            check_values(&store);
            let records: Vec<u8> = store
                .iter()
                .flat_map(|(key, value)| {
                    [key.as_bytes(), &(value.len() as u64).to_be_bytes()[..], value].concat()
                })
                .collect();
            assert_eq!(records, bytes, "a store has one form");
        }
        Err(error) => check_error(&error, &path),
    }
}

/// Reads compressed records, and unpacks the bytes under a tight limit.
pub fn packed(bytes: &[u8]) {
    const LIMIT_BYTES: usize = 64 << 10;
    let path = Path::new("packed.kv.zst");
    match decompress(bytes, path, LIMIT_BYTES) {
        Ok(unpacked) => {
            assert!(unpacked.len() <= LIMIT_BYTES);
            let path = file("packed.kv.zst", bytes);
            let Ok(store) = read_kv(&path) else { return };
            write_kv(&path, &store).expect("the temporary folder can be written");
            assert_eq!(read_kv(&path).expect("what was written"), store);
        }
        Err(error) => check_error(&error, path),
    }
}

/// Reads a JSON file with both kinds of member names.
pub fn json(text: &[u8]) {
    let path = file("preimages.json", text);
    for keys in [JsonKeys::Typed, JsonKeys::Keccak256] {
        match read_json(&path, keys) {
            Ok(store) => {
                check_values(&store);
                let again = FOLDER.path().join("again.json");
                write_json(&again, &store).expect("the temporary folder can be written");
                assert_eq!(read_json(&again, JsonKeys::Typed).expect("what was written"), store);
            }
            Err(error) => check_error(&error, &path),
        }
    }
}

/// Reads a value's file in both layouts; the first byte chooses the key and makes the rest the marker
/// file when it is odd.
pub fn directory(bytes: &[u8]) {
    let Some((&choice, content)) = bytes.split_first() else { return };
    if choice & 1 == 1 {
        let path = file("kvformat", content);
        let opened = DirectoryStore::open(FOLDER.path());
        let names = [Layout::File, Layout::Directory].map(Layout::name);
        assert_eq!(opened.is_ok(), names.iter().any(|name| name.as_bytes() == content));
        fs::remove_file(path).expect("it was just written");
        return;
    }
    let store = DirectoryStore::open(FOLDER.path()).expect("no marker means one file a key");
    let key = match choice >> 1 & 3 {
        0 => PreimageKey::local(1),
        1 => PreimageKey::keccak256(alloy_primitives::keccak256(b"value")),
        2 => PreimageKey::blob(&[1; 48], &[2; 32]),
        _ => PreimageKey::precompile([1; 20].into(), 3, b""),
    };
    let path = store.file(&key);
    fs::write(&path, content).expect("the temporary folder can be written");
    match store.get(key) {
        Ok(value) => {
            let value = value.expect("the file exists");
            assert_eq!(key.verify(&value), Ok(()));
            assert_eq!(
                alloy_primitives::hex::encode(value).as_bytes(),
                content.to_ascii_lowercase()
            );
        }
        Err(error) => check_error(&error, &path),
    }
    fs::remove_file(path).expect("it was just written");
}
