//! The preimages of recorded program runs.

use rebut_preimage::{
    KeyType, StoreError,
    store::{JsonKeys, read_json},
};

/// The number of entries as counted in the files by other means.
#[test]
fn recorded_runs_hold_typed_preimages() {
    let Some(folder) = rebut_recordings::path("fpp-devnet") else { return };
    for (name, count) in [("311b533", 63), ("b1504b1", 59), ("da047d3", 45), ("ffed1bd", 51)] {
        let path = folder.join(name).with_extension("json.zst");
        let store = read_json(&path, JsonKeys::Typed).unwrap();
        assert_eq!(store.len(), count, "{name}");
        assert!(store.iter().all(|(key, _)| key.key_type() == KeyType::Keccak256), "{name}");
    }
}

#[test]
fn block_witnesses_hold_plain_hashes() {
    let Some(folder) = rebut_recordings::path("blocks") else { return };
    for (number, count) in [(120_794_432, 79), (26_207_960, 331), (132_795_025, 2218)] {
        let path = folder.join(format!("{number}.json.zst"));
        assert_eq!(read_json(&path, JsonKeys::Keccak256).unwrap().len(), count, "{number}");
        // Read as typed keys, most hashes name no type and the rest another value.
        let wrong = read_json(&path, JsonKeys::Typed).unwrap_err();
        assert!(matches!(wrong, StoreError::Key { .. } | StoreError::Value { .. }), "{wrong}");
    }
}
