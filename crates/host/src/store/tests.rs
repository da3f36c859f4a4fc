use super::*;
use alloy_primitives::keccak256;
use std::io::{Seek, SeekFrom, Write};

fn key(value: &[u8]) -> PreimageKey {
    PreimageKey::keccak256(keccak256(value))
}

fn disk(path: &Path, format: DataFormat) -> AnyStore {
    DataLocation::Disk { path: path.into(), format }.open().unwrap()
}

#[test]
fn every_format_keeps_values_over_a_restart() {
    for format in ["directory", "file", "redb"] {
        let format: DataFormat = format.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let mut store = disk(&path, format);
        assert_eq!(store.keys().unwrap(), []);
        assert_eq!(store.get(key(b"one")).unwrap(), None);
        store.put(key(b"one"), b"one").unwrap();
        store.put_all(&[(key(b"two"), b"two".to_vec()), (key(b""), Vec::new())]).unwrap();
        drop(store);

        let store = DataLocation::open_existing(&path).unwrap();
        let mut expected = vec![key(b""), key(b"one"), key(b"two")];
        expected.sort_unstable();
        assert_eq!(store.keys().unwrap(), expected, "{format:?}");
        for value in [&b"one"[..], b"two", b""] {
            assert_eq!(store.get(key(value)).unwrap().as_deref(), Some(value), "{format:?}");
        }
    }
}

/// What lies there decides, so that a later start with other flags finds the same data.
#[test]
fn the_format_of_an_existing_store_wins() {
    let formats = [DataFormat::Directory, DataFormat::File, DataFormat::Redb];
    for format in formats {
        let folder = tempfile::tempdir().unwrap();
        disk(folder.path(), format).put(key(b"one"), b"one").unwrap();
        for other in formats.into_iter().filter(|_| format != DataFormat::File) {
            if format == DataFormat::Redb || other != DataFormat::Redb {
                let store = disk(folder.path(), other);
                assert!(store.get(key(b"one")).unwrap().is_some(), "{format:?} as {other:?}");
            }
        }
    }
    assert!("rocksdb".parse::<DataFormat>().is_err());
}

#[test]
fn a_refused_value_leaves_a_database_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RedbStore::create(folder.path()).unwrap();
    let entries = [(key(b"one"), b"one".to_vec()), (key(b"two"), b"three".to_vec())];
    let error = store.put_all(&entries).unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert_eq!(store.keys().unwrap(), []);
}

#[test]
fn a_wrong_value_in_a_database_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::create(folder.path()).unwrap();
    let transaction = store.database.begin_write().unwrap();
    transaction.open_table(TABLE).unwrap().insert(key(b"one").as_bytes(), &b"other"[..]).unwrap();
    transaction.commit().unwrap();
    let error = store.get(key(b"one")).unwrap_err();
    assert!(matches!(error, StoreError::Value { key: k, .. } if k == key(b"one")), "{error}");
}

#[test]
fn a_database_has_one_user_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = RedbStore::create(folder.path()).unwrap();
    let error = RedbStore::create(folder.path()).unwrap_err();
    assert!(error.to_string().contains("preimages.redb"), "{error}");
    drop(first);
    RedbStore::create(folder.path()).unwrap();
}

/// Whatever byte is changed, the file either still gives right values or is refused.
#[test]
fn damaged_databases_give_no_wrong_values() {
    let folder = tempfile::tempdir().unwrap();
    let value = vec![0xab; 3000];
    let mut store = RedbStore::create(folder.path()).unwrap();
    store.put(key(&value), &value).unwrap();
    drop(store);
    let path = folder.path().join(DATABASE_FILE);
    let good = fs::read(&path).unwrap();
    let mut refused = 0;
    for position in (0..good.len()).step_by(good.len() / 29) {
        fs::write(&path, &good).unwrap();
        let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(position as u64)).unwrap();
        file.write_all(&[!good[position]]).unwrap();
        drop(file);
        match RedbStore::create(folder.path()).and_then(|store| store.get(key(&value))) {
            Ok(None) | Err(_) => refused += 1,
            Ok(Some(found)) => assert_eq!(found, value),
        }
    }
    assert!(refused > 0, "no damage was noticed");
    for length in [1, 100, good.len() / 2] {
        fs::write(&path, &good[..length]).unwrap();
        let found = RedbStore::create(folder.path()).and_then(|store| store.get(key(&value)));
        assert!(found.is_err(), "{length} bytes: {found:?}");
    }
}
