//! `rebut host` and `rebut witness` from outside.

mod host;
mod program;
mod trace;
mod witness;

use std::{path::Path, process::Command};
use tempfile::TempDir;

/// How a run of the binary ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn rebut(arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_rebut"))
        .args(arguments)
        .env("RUST_LOG", "warn")
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|t| String::from_utf8(t).unwrap());
    Ended { code: output.status.code(), stdout, stderr }
}

impl Ended {
    /// One line of error that contains `text`, and the exit code.
    fn fails(&self, code: i32, text: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(text), "no {text:?} in {self:?}");
    }

    fn succeeds(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        &self.stdout
    }
}

/// A folder for files of a test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().into()
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// A JSON object's text, packed or not.
fn unpack(path: &str) -> Vec<u8> {
    rebut_preimage::store::read_decompressed(Path::new(path), 1 << 30).unwrap()
}
