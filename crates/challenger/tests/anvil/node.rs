//! An anvil of this test's own, found where npm installs it.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use rebut_challenger::chain::{Node, Receipt};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Where npm puts anvil; none where it is not installed.
pub fn anvil() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Some(root.join("contracts/node_modules/.bin/anvil")).filter(|path| path.exists())
}

/// A running anvil. It ends with this value.
pub struct Anvil {
    process: Child,
    /// What it keeps on disk, gone with it.
    _cache: TempDir,
    /// Its address.
    pub url: String,
    /// A connection.
    pub node: Node,
}

impl Anvil {
    /// Starts one on a free port. `arguments` are further ones.
    pub fn start(arguments: &[&str]) -> Self {
        let program = anvil().expect("looked for before");
        let cache = tempfile::tempdir().expect("a folder");
        let mut process = Command::new(program)
            .args(["--port", "0", "--base-fee", "1000000000", "--cache-path"])
            .arg(cache.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("anvil starts");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let mut lines = output.lines().map_while(Result::ok);
        let url = lines
            .by_ref()
            .find_map(|line| line.strip_prefix("Listening on ").map(|at| format!("http://{at}")))
            .expect("anvil says where it listens");
        // It ends when nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        let node = Node::new(&url, Duration::from_secs(20)).expect("a URL");
        Self { process, _cache: cache, url, node }
    }

    /// Calls any method; its failure is the test's.
    pub async fn ask(&self, method: &'static str, params: Value) -> Value {
        match self.node.ask::<Value>(method, params).await {
            Ok(answer) => answer,
            // Methods without a result.
            Err(error) if error.to_string().ends_with("does not have it") => Value::Null,
            Err(error) => panic!("{error}"),
        }
    }

    /// A transaction of an account whose key anvil holds. Mines it if nobody else does.
    pub async fn transact(
        &self,
        from: Address,
        to: Option<Address>,
        value: U256,
        data: Bytes,
    ) -> Receipt {
        let hash = self.send(from, to, value, data, 25_000_000).await;
        for _ in 0..50 {
            if let Some(receipt) = self.node.receipt(hash).await.expect("an answer") {
                assert!(receipt.succeeded(), "a transaction of the test reverts");
                return receipt;
            }
            self.mine().await;
        }
        panic!("a transaction of the test is not mined");
    }

    /// Leaves a transaction of an account whose key anvil holds to whoever mines.
    pub async fn send(
        &self,
        from: Address,
        to: Option<Address>,
        value: U256,
        data: Bytes,
        gas: u64,
    ) -> B256 {
        let mut call = json!({
            "from": from, "value": value, "input": data, "gas": U64::from(gas)
        });
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        let hash = self.ask("eth_sendTransaction", json!([call])).await;
        serde_json::from_value(hash).expect("a hash")
    }

    /// Mines a block.
    pub async fn mine(&self) {
        self.ask("evm_mine", json!([])).await;
    }

    /// Lets time pass, and mines a block.
    pub async fn pass(&self, seconds: u64) {
        self.ask("evm_increaseTime", json!([U64::from(seconds)])).await;
        self.mine().await;
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
