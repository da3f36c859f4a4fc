//! One L1 execution node: typed calls with a time limit each.

use alloy_json_rpc::{RpcError, RpcRecv};
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256, hex};
use alloy_rpc_client::RpcClient;
use alloy_transport::TransportErrorKind;
use rebut_contracts::Revert;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;

/// The longest text of a node that is repeated in a message, in characters.
const MESSAGE_LIMIT_CHARS: usize = 200;

/// How often a request is made, and the pause after the first time; it doubles.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// An L1 node. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Node {
    client: RpcClient,
    timeout: Duration,
    calls: Arc<AtomicU64>,
}

/// What is wrong with one answer, or why there is none.
#[derive(Clone, Debug, Error)]
#[error("{method}: {fault}")]
pub struct NodeError {
    /// What was asked.
    pub method: &'static str,
    /// What went wrong.
    pub fault: NodeFault,
}

/// What a node can do wrong.
#[derive(Clone, Debug, Error)]
pub enum NodeFault {
    /// The address is none.
    #[error("`{0}` is no URL")]
    Url(String),
    /// No answer, or none that is JSON-RPC.
    #[error("no answer: {0}; check the address, and that the node is up")]
    Transport(String),
    /// No complete answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The call reverts.
    #[error("the contract reverts: {0}")]
    Reverted(Revert),
    /// The node answers with another error.
    #[error("error {code}: {message}")]
    Refused {
        /// The number.
        code: i64,
        /// The text, shortened.
        message: String,
    },
    /// The node does not have it.
    #[error("the node does not have it")]
    Absent,
    /// The answer has another shape.
    #[error("the answer has the wrong shape: {0}")]
    Shape(String),
}

impl NodeFault {
    /// Whether the same node, or its neighbour behind the same address, may do better a moment later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Transport(_) | Self::TimedOut(_) => true,
            // What nodes say of a block that a neighbour has told of already.
            Self::Refused { message, .. } => {
                let message = message.to_ascii_lowercase();
                [
                    "header not found",
                    "unknown block",
                    "block not found",
                    "rate limit",
                    "too many requests",
                ]
                .iter()
                .any(|phrase| message.contains(phrase))
            }
            _ => false,
        }
    }

    /// Whether a call takes more than the node grants one. What calls of placed code revert with is that as well.
    pub(super) fn is_too_much(&self) -> bool {
        match self {
            Self::Reverted(_) => true,
            Self::Refused { message, .. } => {
                let message = message.to_ascii_lowercase();
                ["out of gas", "outofgas", "gas limit", "gas cap"]
                    .iter()
                    .any(|phrase| message.contains(phrase))
            }
            _ => false,
        }
    }
}

impl NodeError {
    /// The revert, if that is what it is.
    pub fn revert(&self) -> Option<&Revert> {
        match &self.fault {
            NodeFault::Reverted(revert) => Some(revert),
            _ => None,
        }
    }
}

/// A block, as far as agents look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// Its hash.
    pub hash: B256,
    /// Its parent's hash.
    pub parent_hash: B256,
    /// Its number.
    #[serde(deserialize_with = "quantity")]
    pub number: u64,
    /// Unix time in seconds.
    #[serde(deserialize_with = "quantity")]
    pub timestamp: u64,
    /// Base fee in wei; absent before London.
    pub base_fee_per_gas: Option<U128>,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The transaction.
    pub transaction_hash: B256,
    /// The block that holds it.
    pub block_hash: B256,
    /// Its number.
    #[serde(deserialize_with = "quantity")]
    pub block_number: u64,
    /// Gas it used.
    #[serde(deserialize_with = "quantity")]
    pub gas_used: u64,
    /// Wei per gas.
    #[serde(default)]
    pub effective_gas_price: U128,
    /// 1 for success, 0 for a revert.
    #[serde(deserialize_with = "quantity")]
    status: u64,
}

impl Receipt {
    /// Whether the transaction did what it says.
    pub const fn succeeded(&self) -> bool {
        self.status == 1
    }

    /// What its gas cost, in wei.
    pub fn gas_cost(&self) -> U256 {
        U256::from(self.gas_used).saturating_mul(U256::from(self.effective_gas_price))
    }
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    U64::deserialize(deserializer).map(|word| word.to())
}

/// A call or a transaction to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Who calls; the zero address where it does not matter.
    pub from: Address,
    /// What is called.
    pub to: Address,
    /// Wei that go with it.
    pub value: U256,
    /// The call.
    pub data: Bytes,
}

impl Request {
    fn json(&self) -> Value {
        json!({ "from": self.from, "to": self.to, "value": self.value, "data": self.data })
    }
}

/// At which state a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After the block with this hash, which must be on the node's chain.
    Block(B256),
    /// After the newest block.
    Latest,
    /// After the transactions that the node knows of.
    Pending,
}

impl At {
    fn json(self) -> Value {
        match self {
            Self::Block(hash) => json!({ "blockHash": hash, "requireCanonical": true }),
            Self::Latest => "latest".into(),
            Self::Pending => "pending".into(),
        }
    }
}

impl Node {
    /// A node at an HTTP address. Does not connect. `timeout` is that of each request.
    ///
    /// # Errors
    /// [`NodeFault::Url`].
    pub fn new(url: &str, timeout: Duration) -> Result<Self, NodeError> {
        let parsed = url
            .parse()
            .map_err(|_| NodeError { method: "connect", fault: NodeFault::Url(url.into()) })?;
        let calls = Arc::default();
        Ok(Self { client: RpcClient::new_http(parsed), timeout, calls })
    }

    /// Requests made so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Calls any method. What may be better a moment later is asked again, up to three times.
    ///
    /// # Errors
    /// [`NodeFault::Absent`] where the answer is `null`.
    pub async fn ask<T: RpcRecv>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, NodeError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.ask_once(method, params.clone()).await {
                Err(error) if error.fault.is_passing() => tracing::debug!(%error, "asking again"),
                answer => return answer,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ask_once(method, params).await
    }

    async fn ask_once<T: RpcRecv>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, NodeError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rebut_rpc_requests_total", "method" => method).increment(1);
        let fault = |fault| NodeError { method, fault };
        let answer = tokio::time::timeout(
            self.timeout,
            self.client.request::<Value, Option<T>>(method, params),
        );
        let answer = match answer.await {
            Ok(answer) => answer,
            Err(_) => return Err(fault(NodeFault::TimedOut(self.timeout))),
        };
        match answer {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(fault(NodeFault::Absent)),
            Err(error) => Err(fault(error.into())),
        }
    }

    /// The chain's id.
    pub async fn chain_id(&self) -> Result<u64, NodeError> {
        Ok(self.ask::<U64>("eth_chainId", json!([])).await?.to())
    }

    /// The newest block.
    pub async fn head(&self) -> Result<Block, NodeError> {
        self.ask("eth_getBlockByNumber", json!(["latest", false])).await
    }

    /// The block at a height.
    pub async fn block_at(&self, number: u64) -> Result<Block, NodeError> {
        self.ask("eth_getBlockByNumber", json!([U64::from(number), false])).await
    }

    /// The block of a hash.
    pub async fn block(&self, hash: B256) -> Result<Block, NodeError> {
        let block: Block = self.ask("eth_getBlockByHash", json!([hash, false])).await?;
        if block.hash == hash {
            return Ok(block);
        }
        let fault = NodeFault::Shape("a block with another hash".into());
        Err(NodeError { method: "eth_getBlockByHash", fault })
    }

    /// What a call answers.
    ///
    /// # Errors
    /// [`NodeFault::Reverted`] where the contract refuses.
    pub async fn call(&self, request: &Request, at: At) -> Result<Bytes, NodeError> {
        self.ask("eth_call", json!([request.json(), at.json()])).await
    }

    /// What a call answers while `code` stands at `request.to`.
    pub async fn call_code(
        &self,
        code: &Bytes,
        request: &Request,
        at: At,
    ) -> Result<Bytes, NodeError> {
        let overrides = HashMap::from([(request.to, json!({ "code": code }))]);
        self.ask("eth_call", json!([request.json(), at.json(), overrides])).await
    }

    /// Gas that a transaction would take.
    ///
    /// # Errors
    /// [`NodeFault::Reverted`] where it would fail.
    pub async fn estimate_gas(&self, request: &Request, at: At) -> Result<u64, NodeError> {
        let params = json!([request.json(), at.json()]);
        Ok(self.ask::<U64>("eth_estimateGas", params).await?.to())
    }

    /// Number of the account's transactions on chain, or known of.
    pub async fn nonce(&self, account: Address, at: At) -> Result<u64, NodeError> {
        let params = json!([account, at.json()]);
        Ok(self.ask::<U64>("eth_getTransactionCount", params).await?.to())
    }

    /// The account's code; empty where there is no contract.
    pub async fn code(&self, account: Address, at: At) -> Result<Bytes, NodeError> {
        self.ask("eth_getCode", json!([account, at.json()])).await
    }

    /// The account's balance in wei.
    pub async fn balance(&self, account: Address, at: At) -> Result<U256, NodeError> {
        self.ask("eth_getBalance", json!([account, at.json()])).await
    }

    /// What the node takes for a tip that gets a transaction in, in wei per gas.
    pub async fn suggested_tip(&self) -> Result<u128, NodeError> {
        Ok(self.ask::<U128>("eth_maxPriorityFeePerGas", json!([])).await?.to())
    }

    /// Publishes a signed transaction.
    pub async fn publish(&self, raw: &Bytes) -> Result<B256, NodeError> {
        // Once: whether an unanswered one arrived is for the caller to find out.
        self.ask_once("eth_sendRawTransaction", json!([raw])).await
    }

    /// What became of a transaction; none while it is in no block.
    pub async fn receipt(&self, transaction: B256) -> Result<Option<Receipt>, NodeError> {
        match self.ask("eth_getTransactionReceipt", json!([transaction])).await {
            Ok(receipt) => Ok(Some(receipt)),
            Err(NodeError { fault: NodeFault::Absent, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl From<RpcError<TransportErrorKind>> for NodeFault {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        match error {
            RpcError::ErrorResp(payload) => match payload.as_revert_data() {
                Some(data) => Self::Reverted(Revert::decode(&data)),
                None if payload.code == 3 || payload.message.starts_with("execution reverted") => {
                    Self::Reverted(Revert::Empty)
                }
                None => Self::Refused { code: payload.code, message: shortened(&payload.message) },
            },
            RpcError::NullResp => Self::Absent,
            RpcError::DeserError { err, .. } => Self::Shape(shortened(&err.to_string())),
            other => Self::Transport(shortened(&cause(&other))),
        }
    }
}

/// The innermost cause: what is around it repeats the node's address, and with it the key that may be part of it.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// A text of a node on one line, and not longer than a line.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MESSAGE_LIMIT_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.replace(['\n', '\r'], " ")
}

/// An unused address for code that is placed for the length of a call: the hash of a text, so nobody's.
pub(super) const PLACE: Address = Address::new(hex!("f7cb3ae0cd84d0ffa2a7b5b1a5cbe86b3c9e7d11"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_of_nodes_are_cut() {
        assert_eq!(shortened("a\nb"), "a b");
        assert_eq!(shortened(&"ä".repeat(1000)).chars().count(), 201);
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        assert!(Node::new("not a url", Duration::from_secs(1)).is_err());
        assert!(Node::new("http://127.0.0.1:8545", Duration::from_secs(1)).is_ok());
    }

    /// Addresses of nodes may hold keys, and messages go to logs.
    #[tokio::test]
    async fn a_node_that_is_not_there_is_said_without_its_address() {
        // Nobody listens where somebody has just stopped to.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret-key", listener.local_addr().unwrap());
        drop(listener);
        let node = Node::new(&url, Duration::from_secs(5)).unwrap();
        let error = node.head().await.unwrap_err().to_string();
        assert!(error.contains("refused") && !error.contains("secret-key"), "{error}");
    }

    #[test]
    fn blocks_and_receipts_are_read() {
        let block = json!({
            "hash": B256::repeat_byte(1), "parentHash": B256::repeat_byte(2), "number": "0x10",
            "timestamp": "0x20", "baseFeePerGas": "0x7", "miner": "0x00"
        });
        let block: Block = serde_json::from_value(block).unwrap();
        assert_eq!((block.number, block.timestamp), (16, 32));
        let receipt = json!({
            "transactionHash": B256::ZERO, "blockHash": B256::ZERO, "blockNumber": "0x1",
            "gasUsed": "0x5208", "effectiveGasPrice": "0x2", "status": "0x0"
        });
        let receipt: Receipt = serde_json::from_value(receipt).unwrap();
        assert!(!receipt.succeeded());
        assert_eq!(receipt.gas_cost(), U256::from(42_000));
    }
}
