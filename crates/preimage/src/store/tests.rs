use super::*;
use alloy_primitives::{Address, keccak256};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

fn keccak(value: &[u8]) -> PreimageKey {
    PreimageKey::keccak256(keccak256(value))
}

fn sample() -> MemoryStore {
    let mut store = MemoryStore::new();
    let result = PreimageKey::precompile(Address::with_last_byte(1), 3000, b"");
    for (key, value) in [
        (PreimageKey::local(1), vec![1; 32]),
        (keccak(b"hello world"), b"hello world".to_vec()),
        (keccak(b""), Vec::new()),
        (PreimageKey::sha256(Sha256::digest([7; 48]).into()), vec![7; 48]),
        (PreimageKey::blob(&[1; 48], &[2; 32]), vec![3; 32]),
        (result, vec![1]),
    ] {
        assert_eq!(store.insert(key, value).unwrap(), None);
    }
    store
}

/// Any store must give back what was put, say `None` for the rest and refuse wrong values.
fn check_store(store: &mut impl PreimageStore) {
    let missing = keccak(b"never stored");
    assert_eq!(store.get(missing).unwrap(), None);
    for (key, value) in sample().iter() {
        store.put(key, value).unwrap();
        store.put(key, value).unwrap();
    }
    for (key, value) in sample().iter() {
        assert_eq!(store.get(key).unwrap().as_deref(), Some(value), "{key}");
    }
    assert_eq!(store.get(missing).unwrap(), None);
    let refused = store.put(missing, b"something else");
    assert!(matches!(refused, Err(StoreError::Refused { key, .. }) if key == missing));
    assert_eq!(store.get(missing).unwrap(), None);

    let expected: Vec<PreimageKey> = sample().iter().map(|(key, _)| key).collect();
    assert_eq!(store.keys().unwrap(), expected);
    let more = [keccak(b"one"), keccak(b"two")];
    store.put_all(&[(more[0], b"one".to_vec()), (more[1], b"two".to_vec())]).unwrap();
    assert_eq!(store.get(more[1]).unwrap().as_deref(), Some(&b"two"[..]));
    assert_eq!(store.keys().unwrap().len(), expected.len() + 2);
}

#[test]
fn every_store_keeps_what_it_was_given() {
    let directory = tempfile::tempdir().unwrap();
    check_store(&mut MemoryStore::new());
    for layout in [Layout::File, Layout::Directory] {
        let path = directory.path().join(layout.name());
        check_store(&mut DirectoryStore::create(path, layout).unwrap());
    }
}

#[test]
fn a_store_as_an_oracle_names_the_missing_key() {
    let mut oracle = StoreOracle(sample());
    assert_eq!(oracle.get(keccak(b"hello world")).unwrap(), b"hello world");
    oracle.hint(b"l2-code 0x00").unwrap();
    let missing = keccak(b"never stored");
    match oracle.get(missing) {
        Err(error @ OracleError::Missing { .. }) => {
            assert!(error.to_string().contains(&missing.to_string()), "{error}");
        }
        result => panic!("{result:?}"),
    }
}

#[test]
fn file_names_and_contents_of_both_layouts() {
    let directory = tempfile::tempdir().unwrap();
    let key = "02173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad";
    for (layout, file) in [
        (Layout::File, format!("0x{key}.txt")),
        (Layout::Directory, format!("0217/{}.txt", &key[4..])),
    ] {
        let path = directory.path().join(layout.name());
        let mut store = DirectoryStore::create(&path, layout).unwrap();
        store.put(key.parse().unwrap(), b"hello world").unwrap();
        assert_eq!(fs::read(path.join(file)).unwrap(), b"68656c6c6f20776f726c64");
        assert_eq!(fs::read(path.join("kvformat")).unwrap(), layout.name().as_bytes());
        let left = walk(&path).into_iter().filter(|name| name.contains("rebut")).count();
        assert_eq!(left, 0, "temporary files are left");
    }
}

fn walk(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            names.extend(walk(&entry.path()));
        }
    }
    names
}

#[test]
fn the_marker_decides_the_layout() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert_eq!(DirectoryStore::open(path).unwrap().layout(), Layout::File);
    assert!(!path.join("kvformat").exists(), "opening writes nothing");
    DirectoryStore::create(path, Layout::Directory).unwrap();
    assert_eq!(DirectoryStore::create(path, Layout::File).unwrap().layout(), Layout::Directory);
    assert_eq!(DirectoryStore::open(path).unwrap().layout(), Layout::Directory);
    fs::write(path.join("kvformat"), "pebble").unwrap();
    assert!(matches!(
        DirectoryStore::open(path),
        Err(StoreError::Layout { found, .. }) if found == "pebble"
    ));
    assert!(matches!(DirectoryStore::open(path.join("none")), Err(StoreError::Io { .. })));
}

#[test]
fn damaged_files_of_a_directory_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::create(directory.path(), Layout::File).unwrap();
    let check = |key: PreimageKey, content: &[u8], expected: fn(&StoreError) -> bool| {
        fs::write(store.file(&key), content).unwrap();
        let error = store.get(key).unwrap_err();
        assert!(expected(&error), "{error}");
        assert!(error.to_string().contains(&key.to_string()), "{error}");
    };
    let key = keccak(b"hello world");
    let is_hex = |error: &StoreError| matches!(error, StoreError::Hex { .. });
    let is_value = |error: &StoreError| matches!(error, StoreError::Value { .. });
    check(key, b"68656c6c6f20776f726c6", is_hex);
    check(key, b"0x68656c6c6f20776f726c64", is_hex);
    check(key, b"0X68656c6c6f20776f726c64", is_hex);
    check(key, b"68656c6c6f20776f726c64\n", is_hex);
    check(key, b"\xff\xfe", is_hex);
    check(key, b"68656c6c6f20776f726c65", is_value);
    check(key, b"", is_value);
    check(PreimageKey::blob(&[0; 48], &[0; 32]), b"00", is_value);
    check(PreimageKey::precompile(Address::ZERO, 0, b""), b"", is_value);
}

#[test]
fn a_store_that_cannot_write_says_where() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = DirectoryStore::create(file.join("below"), Layout::File).unwrap_err();
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

fn kv_bytes(store: &MemoryStore) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in store.iter() {
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
        bytes.extend_from_slice(value);
    }
    bytes
}

#[test]
fn kv_files_hold_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.kv.zst");
    for store in [MemoryStore::new(), sample()] {
        write_kv(&path, &store).unwrap();
        assert_eq!(read_kv(&path).unwrap(), store);
        let unpacked = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(unpacked, kv_bytes(&store));
    }
}

#[test]
fn truncated_and_damaged_kv_files_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.kv.zst");
    write_kv(&path, &sample()).unwrap();
    let packed = fs::read(&path).unwrap();
    for length in 0..packed.len() {
        fs::write(&path, &packed[..length]).unwrap();
        let result = read_kv(&path);
        assert!(matches!(result, Err(StoreError::Decompress { .. })), "{length}: {result:?}");
    }
    for position in 0..packed.len() {
        let mut damaged = packed.clone();
        damaged[position] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        // A bit may be one the format ignores; what is read is then what was written.
        if let Ok(store) = read_kv(&path) {
            assert_eq!(store, sample(), "byte {position}");
        }
    }
}

#[test]
fn records_that_are_wrong() {
    let path = Path::new("a.kv.zst");
    let good = kv_bytes(&sample());
    assert_eq!(parse_kv(&good, path).unwrap(), sample());
    let ends: Vec<usize> = sample()
        .iter()
        .scan(0, |end, (_, value)| {
            *end += 40 + value.len();
            Some(*end)
        })
        .collect();
    for length in (1..good.len()).filter(|length| !ends.contains(length)) {
        let result = parse_kv(&good[..length], path);
        assert!(matches!(result, Err(StoreError::Truncated { .. })), "{length}: {result:?}");
    }

    let record = |key: [u8; 32], length: u64, value: &[u8]| {
        [&key[..], &length.to_be_bytes(), value].concat()
    };
    let key = keccak(b"abc");
    let one = record(*key.as_bytes(), 3, b"abc");
    let is_order = |error: &StoreError| matches!(error, StoreError::Order { .. });
    let is_value = |error: &StoreError| matches!(error, StoreError::Value { .. });
    let is_key = |error: &StoreError| matches!(error, StoreError::Key { .. });
    let is_truncated = |error: &StoreError| matches!(error, StoreError::Truncated { .. });
    let check = |bytes: Vec<u8>, expected: fn(&StoreError) -> bool| {
        let error = parse_kv(&bytes, path).unwrap_err();
        assert!(expected(&error), "{error}");
    };
    check([one.clone(), one].concat(), is_order);
    check(record(*key.as_bytes(), 3, b"abd"), is_value);
    check(record([3; 32], 3, b"abd"), is_key);
    check(record(*key.as_bytes(), u64::MAX, b"abc"), is_truncated);
}

#[test]
fn files_above_the_limit_are_refused_unpacked() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.json", "a.json.zst"] {
        let path = directory.path().join(name);
        let content = vec![b' '; 1000];
        let packed = match name {
            "a.json" => content.clone(),
            _ => zstd::encode_all(&content[..], 0).unwrap(),
        };
        fs::write(&path, packed).unwrap();
        assert_eq!(read_decompressed(&path, 1000).unwrap(), content);
        assert!(matches!(
            read_decompressed(&path, 999),
            Err(StoreError::TooLarge { limit_bytes: 999, .. })
        ));
    }
}

#[test]
fn json_files_hold_what_was_written() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.json", "a.json.zst"] {
        let path = directory.path().join(name);
        write_json(&path, &sample()).unwrap();
        assert_eq!(read_json(&path, JsonKeys::Typed).unwrap(), sample());
    }
}

#[test]
fn json_that_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.json");
    let check = |keys, text: &str, expected: fn(&StoreError) -> bool| {
        fs::write(&path, text).unwrap();
        let error = read_json(&path, keys).unwrap_err();
        assert!(expected(&error), "{text}: {error}");
        assert!(error.to_string().contains("a.json"), "{error}");
    };
    let members = |members: &str| format!(r#"{{"preimages": {{{members}}}, "other": [1]}}"#);
    let hash = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
    let plain = |value: &str| members(&format!(r#""0x{hash}": "{value}""#));
    let typed = |value: &str| members(&format!(r#""0x02{}": "{value}""#, &hash[2..]));

    // keccak256("abc"), as in the test vectors of Keccak.
    for (keys, text) in
        [(JsonKeys::Keccak256, plain("0x616263")), (JsonKeys::Typed, typed("0x616263"))]
    {
        fs::write(&path, text).unwrap();
        let store = read_json(&path, keys).unwrap();
        assert_eq!(store.value(&keccak(b"abc")), Some(&b"abc"[..]));
    }

    let is_json = |error: &StoreError| matches!(error, StoreError::Json { .. });
    let is_key = |error: &StoreError| matches!(error, StoreError::Key { .. });
    let is_hex = |error: &StoreError| matches!(error, StoreError::Hex { .. });
    let is_value = |error: &StoreError| matches!(error, StoreError::Value { .. });
    let is_order = |error: &StoreError| matches!(error, StoreError::Order { .. });
    for text in ["", "{", "[]", "{}", r#"{"preimages": []}"#, r#"{"preimages": {"a": 1}}"#] {
        check(JsonKeys::Typed, text, is_json);
    }
    check(JsonKeys::Typed, &members(r#""0x02": "0x""#), is_key);
    check(JsonKeys::Typed, &plain("0x616263"), is_key);
    check(JsonKeys::Keccak256, &members(&format!(r#""{hash}": "0x616263""#)), is_key);
    for value in ["616263", "0x61626", "0x6162zz", "0x0x616263", "0x0X616263", ""] {
        check(JsonKeys::Keccak256, &plain(value), is_hex);
        check(JsonKeys::Typed, &typed(value), is_hex);
    }
    check(JsonKeys::Keccak256, &plain("0x616264"), is_value);
    check(JsonKeys::Typed, &typed("0x616264"), is_value);
    // A key with the right 31 bytes behind a wrong first one is a wrong hash.
    check(JsonKeys::Keccak256, &typed("0x616263"), is_value);
    let twice = format!(r#""0x{hash}": "0x616263""#);
    check(JsonKeys::Keccak256, &members(&format!("{twice}, {twice}")), is_order);
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a");
    fs::write(&path, "old").unwrap();
    let result = replace(&path, |writer| {
        writer.write_all(b"half of the new")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    assert!(matches!(result, Err(StoreError::Io { action: "write", .. })), "{result:?}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(walk(directory.path()), ["a"]);
    replace(&path, |writer| writer.write_all(b"new")).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_records_never_panic(bytes: Vec<u8>, position: usize, byte: u8) {
        let path = Path::new("a.kv.zst");
        drop(parse_kv(&bytes, path));
        let mut damaged = kv_bytes(&sample());
        let position = position % damaged.len();
        damaged[position] = byte;
        drop(parse_kv(&damaged, path));
    }

    #[test]
    fn values_survive_every_form(values in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let mut store = MemoryStore::new();
        for value in values {
            store.insert(keccak(&value), value).unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let (kv, json) = (directory.path().join("a.kv.zst"), directory.path().join("a.json"));
        write_kv(&kv, &store).unwrap();
        write_json(&json, &store).unwrap();
        prop_assert_eq!(&read_kv(&kv).unwrap(), &store);
        prop_assert_eq!(&read_json(&json, JsonKeys::Typed).unwrap(), &store);
    }
}
