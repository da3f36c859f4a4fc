//! The binary, and the block files it is given.

use alloy_primitives::B256;
use rebut_host::BlockWitness;
use rebut_host::demo::{DEMO_BLOCK, demo_block};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the binary. Its streams are no terminals.
pub fn rebut(arguments: &[&str]) -> Ended {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_rebut"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    Ended { code: status.code(), stdout, stderr }
}

impl Ended {
    /// What was printed, as one JSON object, after the expected exit code and in silence otherwise.
    pub fn json(&self, code: i32) -> Value {
        assert_eq!((self.code, self.stderr.as_str()), (Some(code), ""), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Checks that there is no verdict, and why in one line that contains `text`.
    pub fn fails(&self, text: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.starts_with("error: "), "{self:?}");
        assert!(self.stderr.contains(text), "no {text:?} in {self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
    }
}

/// A folder for files of a test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().into()
    }

    /// Writes a file; its path.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The demo block as a file.
    pub fn demo(&self) -> String {
        self.file("demo.json.zst", DEMO_BLOCK)
    }

    /// The demo block after a change.
    pub fn changed(&self, change: impl FnOnce(&mut BlockWitness)) -> String {
        let mut witness = demo_block().unwrap();
        change(&mut witness);
        let path = self.path("changed.json.zst");
        witness.write(Path::new(&path)).unwrap();
        path
    }
}

/// The block hash of the demo block with one bit changed.
pub fn wrong_hash() -> B256 {
    let mut hash = demo_block().unwrap().expected_block_hash;
    hash[20] ^= 1;
    hash
}

/// A recorded block. `None`, after one line that says so, where the recordings are absent.
pub fn recorded(number: u64) -> Option<String> {
    let file = rebut_recordings::path(&format!("blocks/{number}.json.zst"))?;
    Some(file.to_str().unwrap().into())
}
