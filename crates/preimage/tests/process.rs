//! A program and a preimage server in two processes, over descriptors 3 to 6.
//!
//! Started with the argument `serve` and a file, this executable is the server; otherwise it is the
//! test that starts itself as one.

use rebut_preimage::{
    MemoryStore, OracleError, Pipes, PreimageKey, PreimageOracle, ProcessOptions, ProcessOracle,
    StoreOracle, serve,
    store::{read_kv, write_kv},
};
use std::{ffi::OsString, path::Path, process::Command};

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let [role, file] = arguments.as_slice()
        && role == "serve"
    {
        std::process::exit(run_server(Path::new(file)));
    }
    a_server_process_answers_and_ends_with_its_client();
    a_server_process_without_the_key_is_named_with_its_status();
    a_server_without_pipes_says_so();
    println!("test result: ok. 3 passed");
}

fn run_server(file: &Path) -> i32 {
    let pipes = match Pipes::inherited() {
        Ok(pipes) => pipes,
        Err(error) => {
            eprintln!("{error}");
            return 3;
        }
    };
    match serve(&mut StoreOracle(read_kv(file).unwrap()), pipes) {
        Ok(served) => {
            println!("served {}", served.preimages);
            0
        }
        Err(_) => 4,
    }
}

fn sample() -> MemoryStore {
    let mut store = MemoryStore::new();
    for length in [0_usize, 1, 31, 32, 33, 70_000, 300_000] {
        let value: Vec<u8> = (0..length).map(|i| (i % 253) as u8).collect();
        let key = PreimageKey::keccak256(alloy_primitives::keccak256(&value));
        store.insert(key, value).unwrap();
    }
    store.insert(PreimageKey::local(2), vec![9; 32]).unwrap();
    store
}

fn start(directory: &tempfile::TempDir) -> ProcessOracle {
    let file = directory.path().join("sample.kv.zst");
    write_kv(&file, &sample()).unwrap();
    let command = [std::env::current_exe().unwrap().into(), "serve".into(), file.into()];
    ProcessOracle::start(&command, ProcessOptions::default()).unwrap()
}

fn a_server_process_answers_and_ends_with_its_client() {
    let directory = tempfile::tempdir().unwrap();
    let mut oracle = start(&directory);
    for (key, value) in sample().iter() {
        oracle.hint(b"l2-state-node 0x00").unwrap();
        assert!(oracle.get(key).unwrap() == value, "{key}");
    }
    assert_eq!(oracle.finish().unwrap().code(), Some(0));
}

fn a_server_process_without_the_key_is_named_with_its_status() {
    let directory = tempfile::tempdir().unwrap();
    let mut oracle = start(&directory);
    let missing = PreimageKey::keccak256(alloy_primitives::keccak256(b"missing"));
    match oracle.get(missing) {
        Err(error @ OracleError::PreimageChannel { .. }) => {
            let message = error.to_string();
            assert!(message.contains(&missing.to_string()), "{message}");
            assert!(message.contains("exit status: 4"), "{message}");
        }
        result => panic!("{result:?}"),
    }
    assert_eq!(oracle.finish().unwrap().code(), Some(4));
}

fn a_server_without_pipes_says_so() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["serve", "unused.kv.zst"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("descriptor 3"), "{message}");
}
