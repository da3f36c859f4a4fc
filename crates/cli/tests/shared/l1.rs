//! An L1 without contracts, in a process that ends with this value.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub struct L1 {
    pub child: Child,
    pub url: String,
}

impl L1 {
    /// Starts one with these further options, separated by spaces.
    pub fn spawn(options: &str) -> Self {
        let always = "devnet --l1-only --l1-port 0 --beacon-port 0 --json";
        let mut child = Command::new(env!("CARGO_BIN_EXE_rebut"))
            .args(always.split(' ').chain(options.split_whitespace()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .env_remove("RUST_LOG")
            .spawn()
            .unwrap();
        let mut text = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let report: Value = serde_json::from_str(&text).unwrap();
        Self { child, url: report["l1"]["rpc"].as_str().unwrap().to_owned() }
    }
}

impl Drop for L1 {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
