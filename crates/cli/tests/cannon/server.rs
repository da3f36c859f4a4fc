//! This executable as a preimage server: `serve ROLE [HINT FILE]`.

use alloy_primitives::{B256, keccak256};
use rebut_preimage::{
    MemoryStore, OracleError, Pipes, PreimageKey, PreimageOracle, StoreOracle, serve,
};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// The values that the server has.
pub const SHORT: &[u8] = b"first preimage";
pub const LONG: [u8; 100] = [7; 100];

pub fn short_key() -> B256 {
    keccak_key(SHORT)
}

pub fn long_key() -> B256 {
    keccak_key(&LONG)
}

pub fn local_key() -> B256 {
    B256::from(*PreimageKey::local(1).as_bytes())
}

fn keccak_key(value: &[u8]) -> B256 {
    let mut key = keccak256(value);
    key.0[0] = 2;
    key
}

fn store() -> MemoryStore {
    let mut store = MemoryStore::new();
    store.insert(PreimageKey::keccak256(keccak256(SHORT)), SHORT.to_vec()).unwrap();
    store.insert(PreimageKey::keccak256(keccak256(LONG)), LONG.to_vec()).unwrap();
    store.insert(PreimageKey::local(1), vec![1; 32]).unwrap();
    store
}

/// Serves as the arguments say.
pub fn main(mut arguments: impl Iterator<Item = String>) {
    let role = arguments.next().unwrap();
    if role == "absent" {
        std::process::exit(5);
    }
    println!("serving as {role}");
    let mut server =
        Scripted { honest: StoreOracle(store()), hints: arguments.next().map(PathBuf::from), role };
    if serve(&mut server, Pipes::inherited().unwrap()).is_err() {
        std::process::exit(4);
    }
}

struct Scripted {
    honest: StoreOracle<MemoryStore>,
    hints: Option<PathBuf>,
    role: String,
}

impl PreimageOracle for Scripted {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        match self.role.as_str() {
            "honest" => self.honest.get(key),
            "liar" => Ok(b"first PREIMAGE".to_vec()),
            "dying" => std::process::exit(7),
            "silent" => loop {
                std::thread::park();
            },
            role => panic!("unknown role {role}"),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        if let Some(file) = &self.hints {
            let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
            file.write_all(hint).unwrap();
            file.write_all(b"\n").unwrap();
        }
        Ok(())
    }
}
