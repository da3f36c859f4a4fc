//! Preimages in files and stores.

use crate::{Folder, rebut, unpack};
use alloy_primitives::{Address, keccak256};
use rebut_preimage::{
    MemoryStore, PreimageKey, PreimageStore,
    store::{DirectoryStore, Layout, write_kv},
};
use serde_json::Value;
use std::path::Path;

/// The recorded runs and the number of their preimages, as counted by other means.
const RUNS: [(&str, usize); 4] =
    [("311b533", 63), ("b1504b1", 59), ("da047d3", 45), ("ffed1bd", 51)];

#[test]
fn recorded_runs_survive_every_form() {
    let Some(recordings) = rebut_recordings::path("fpp-devnet") else { return };
    for (format, (name, count)) in ["directory", "file", "redb", "redb"].into_iter().zip(RUNS) {
        let folder = Folder::new();
        let file = recordings.join(name).with_extension("json.zst");
        let file = file.to_str().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path(name));
        let [packed, last] = ["run.kv.zst", "last.json"].map(|name| folder.path(name));
        let import = |file: &str, data_dir: &str, format: &str| {
            let arguments =
                ["witness", "import", file, "--data-dir", data_dir, "--data-format", format];
            let printed = rebut(&arguments).succeeds().to_owned();
            assert!(printed.starts_with(&format!("{count} preimages")), "{printed}");
        };
        import(file, &first, format);
        rebut(&["witness", "export", &packed, "--data-dir", &first]).succeeds();
        import(&packed, &second, "directory");
        rebut(&["witness", "export", &last, "--db", &second]).succeeds();

        let [expected, found] =
            [file, &last].map(|f| serde_json::from_slice::<Value>(&unpack(f)).unwrap());
        assert_eq!(found, expected, "{name}");
        for path in [file, &first, &packed, &second, &last] {
            let printed = rebut(&["witness", "check", path]).succeeds().to_owned();
            let line = printed.lines().find(|line| line.starts_with("keccak")).unwrap();
            let numbers: Vec<&str> = line.split_whitespace().skip(1).take(3).collect();
            assert_eq!(numbers, [&count.to_string(), "0", "0"], "{printed}");
        }
    }
}

#[test]
fn a_wrong_value_is_named() {
    let folder = Folder::new();
    let path = folder.path("store");
    let mut store = DirectoryStore::create(&path, Layout::File).unwrap();
    let [right, wrong] = [b"right", b"wrong"].map(|value| PreimageKey::keccak256(keccak256(value)));
    store.put(right, b"right").unwrap();
    std::fs::write(store.file(&wrong), "00").unwrap();
    let ended = rebut(&["witness", "check", &path]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&wrong.to_string()), "{ended:?}");
    assert!(!ended.stderr.contains(&right.to_string()), "{ended:?}");
    let line = ended.stdout.lines().find(|line| line.starts_with("keccak")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["keccak", "1", "0", "1", "5"]);
    // What is wrong does not travel.
    let file = folder.path("out.kv.zst");
    rebut(&["witness", "export", &file, "--data-dir", &path]).fails(1, &wrong.to_string());
    assert!(!Path::new(&file).exists());

    let text = format!(r#"{{"preimages": {{"{wrong}": "0x00"}}}}"#);
    let file = folder.file("wrong.json", text.as_bytes());
    rebut(&["witness", "check", &file]).fails(1, &wrong.to_string());
    let data_dir = folder.path("new");
    rebut(&["witness", "import", &file, "--data-dir", &data_dir]).fails(1, &wrong.to_string());
    assert!(!Path::new(&data_dir).exists());
}

/// A result of ecrecover that is none, beside the call: no key tells, running it again does.
#[test]
fn precompile_results_are_run_again() {
    let folder = Folder::new();
    let address = Address::with_last_byte(1);
    let call = [address.as_slice(), &3000_u64.to_be_bytes()].concat();
    let key = PreimageKey::precompile(address, 3000, &[]);
    let check = |name: &str, result: &[u8], with_call: bool, expected: [&str; 3]| {
        let mut store = MemoryStore::new();
        store.insert(key, result.to_vec()).unwrap();
        if with_call {
            store.insert(key.inputs_key(), call.clone()).unwrap();
        }
        let path = folder.path(&format!("{name}.kv.zst"));
        write_kv(Path::new(&path), &store).unwrap();
        let ended = rebut(&["witness", "check", &path]);
        assert_eq!(ended.code, Some(i32::from(expected[2] == "1")), "{ended:?}");
        let line = ended.stdout.lines().find(|line| line.starts_with("precompile")).unwrap();
        let numbers: Vec<&str> = line.split_whitespace().skip(1).take(3).collect();
        assert_eq!(numbers, expected, "{name}");
    };
    check("right", &[1], true, ["1", "0", "0"]);
    check("unproven", &[1], false, ["0", "1", "0"]);
    check("wrong", &[0], true, ["0", "0", "1"]);
}

#[test]
fn names_and_places_that_do_not_do() {
    let folder = Folder::new();
    let file = folder.file("file.txt", b"{}");
    let data_dir = folder.path("none");
    rebut(&["witness", "check", &file]).fails(1, ".json.zst");
    rebut(&["witness", "check", &data_dir]).fails(1, "none");
    rebut(&["witness", "export", &file, "--data-dir", &data_dir]).fails(1, ".kv.zst");
    let out = folder.path("out.json");
    rebut(&["witness", "export", &out, "--data-dir", &data_dir]).fails(1, &data_dir);
    // A folder that is there, but not a store's.
    let empty = folder.path("");
    rebut(&["witness", "check", &empty]).fails(1, "no preimages");
    rebut(&["witness", "export", &out, "--data-dir", &empty]).fails(1, "no preimages");
    assert!(!Path::new(&out).exists());
    let format = ["witness", "import", &file, "--data-dir", &data_dir, "--data-format", "rocksdb"];
    rebut(&format).fails(2, "directory, file, redb");
}
