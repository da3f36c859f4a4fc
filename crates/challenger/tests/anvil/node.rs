//! An anvil of this test's own, and what is asked of it.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use rebut_challenger::chain::{Node, Receipt};
use serde_json::{Value, json};
use std::time::Duration;

/// A running anvil. It ends with this value.
pub struct Anvil {
    _process: rebut_foundry::Anvil,
    /// Its address.
    pub url: String,
    /// A connection.
    pub node: Node,
}

impl Anvil {
    /// Starts one on a free port. `arguments` are further ones.
    pub fn start(arguments: &[&str]) -> Self {
        let arguments = [&["--base-fee", "1000000000"], arguments].concat();
        let process = rebut_foundry::Anvil::start(&arguments).expect("looked for before");
        let url = process.url().to_owned();
        let node = Node::new(&url, Duration::from_secs(20)).expect("a URL");
        Self { _process: process, url, node }
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
