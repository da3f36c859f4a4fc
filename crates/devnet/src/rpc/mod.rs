//! JSON-RPC: requests to answers, without a network. [`Server`] puts it behind HTTP.
//!
//! A chain answers through plain functions, one module a namespace: each takes what it reads, the
//! method and its parameters. [`eth`] and [`debug`] are the same on L1 and L2, by way of [`ChainView`].
//!
//! Invariant: no request makes a node panic or answer something that is not JSON-RPC 2.0.
//!
//! Specification: JSON-RPC 2.0; the Ethereum execution API; for error codes also EIP-1474.

pub mod beacon;
pub mod debug;
pub mod eth;
mod forms;
pub mod l1;
pub mod l2;
mod params;
mod server;

pub use forms::{JsonForms, Place, header_json, log_json, receipt_fields};
pub use params::Params;
pub use server::{Get, HttpAnswer, Server, ServerError};

use crate::{
    call::{Call, CallError, CallOutcome},
    ledger::{Block, Ledger, LedgerError},
    state::{StateStore, StoreError},
};
use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

/// An error as JSON-RPC gives it.
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct RpcError {
    /// By JSON-RPC 2.0 and EIP-1474; 3 for a call that reverted.
    pub code: i64,
    /// What is wrong.
    pub message: String,
    /// What a reverted call returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Bytes>,
}

impl RpcError {
    const fn new(code: i64, message: String) -> Self {
        Self { code, message, data: None }
    }

    /// The method is not known here.
    pub fn unknown(method: &str) -> Self {
        Self::new(-32601, format!("the method {method} does not exist/is not available"))
    }

    /// The parameters are not those of the method.
    pub fn params(why: impl Into<String>) -> Self {
        Self::new(-32602, why.into())
    }

    /// The request is right, but there is no result for it.
    pub fn failed(error: &impl ToString) -> Self {
        Self::new(-32000, error.to_string())
    }

    /// What the request is about is not known.
    pub fn absent(what: &str) -> Self {
        Self::new(-32001, format!("{what} not found"))
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        Self::failed(&error)
    }
}

impl From<LedgerError> for RpcError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Range { .. } => Self::params("invalid block range"),
            LedgerError::TooManyLogs { .. } => Self::new(-32005, error.to_string()),
            error => Self::failed(&error),
        }
    }
}

impl From<CallError> for RpcError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Reverted(data) => {
                let reason = alloy_sol_types::decode_revert_reason(&data);
                let message = match reason.as_deref() {
                    // The decoder's word for `Error(string)`, which nodes leave out.
                    Some(reason) => {
                        let reason = reason.strip_prefix("revert: ").unwrap_or(reason);
                        format!("execution reverted: {reason}")
                    }
                    None => "execution reverted".to_owned(),
                };
                Self { code: 3, message, data: Some(data) }
            }
            error => Self::failed(&error),
        }
    }
}

/// The result of a method.
pub type RpcResult = Result<Value, RpcError>;

/// Turns a value into the result of a method.
///
/// # Errors
/// [`RpcError`] for a value that JSON cannot hold; none of ours is.
pub fn to_result<T: Serialize>(value: T) -> RpcResult {
    serde_json::to_value(value).map_err(|error| RpcError::new(-32603, error.to_string()))
}

/// Answers requests. `None` stands for a method that is not known.
pub trait Methods: Send + Sync + 'static {
    /// The result of a method.
    fn call(&self, method: &str, params: &Params) -> Option<RpcResult>;
}

/// A chain as the namespaces see it.
pub trait ChainView: Send + Sync {
    /// What its blocks are made of.
    type Forms: JsonForms;

    /// The chain's id.
    fn chain_id(&self) -> u64;

    /// Shows the chain's record.
    fn read<T>(&self, read: impl FnOnce(&Ledger<Self::Forms>) -> T) -> T;

    /// Where the states of the chain's blocks are.
    fn store(&self) -> StateStore;

    /// The receipt of the transaction at a place, null if there is none.
    ///
    /// # Errors
    /// When the state of the block is not stored.
    fn receipt_json(&self, place: Place<'_, Self::Forms>) -> RpcResult;

    /// Takes a transaction in its EIP-2718 form and returns its hash.
    ///
    /// # Errors
    /// When it is refused.
    fn submit(&self, bytes: &[u8]) -> Result<B256, RpcError>;

    /// Executes a call on the state after a block.
    ///
    /// # Errors
    /// [`CallError`] when it does not succeed.
    fn call(&self, block: &Block<Self::Forms>, call: &Call) -> Result<CallOutcome, CallError>;

    /// The least gas limit with which a call succeeds.
    ///
    /// # Errors
    /// [`CallError`] when it does not succeed with any.
    fn estimate_gas(&self, block: &Block<Self::Forms>, call: &Call) -> Result<u64, CallError>;

    /// The nonce after everything that waits.
    ///
    /// # Errors
    /// [`StoreError`] when the state is not stored.
    fn pending_nonce(&self, address: Address) -> Result<u64, StoreError>;

    /// A transaction that waits for a block, and its sender.
    fn waiting(
        &self,
        hash: B256,
    ) -> Option<(<Self::Forms as crate::ledger::Primitives>::Transaction, Address)>;

    /// What the next block charges for gas and for blob gas, in wei.
    fn next_fees(&self) -> Fees;
}

/// Prices in the next block, in wei for each gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// For gas.
    pub base_fee: u64,
    /// For blob gas.
    pub blob_base_fee: u128,
}

/// The most requests in one batch.
const BATCH_LIMIT: usize = 1_000;
/// The most bytes of results in one answer.
const ANSWER_LIMIT_BYTES: usize = 100 << 20;

#[derive(Deserialize)]
struct Request<'a> {
    jsonrpc: Option<String>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    #[serde(default)]
    params: Option<Value>,
}

/// The answer to the body of a request, single or batch. Empty if nothing was asked that wants one.
pub fn answer(methods: &dyn Methods, body: &[u8]) -> String {
    let parse_error = |error: serde_json::Error| {
        failure(None, &RpcError::new(-32700, format!("parse error: {error}")))
    };
    let Ok(text) = std::str::from_utf8(body) else {
        return failure(None, &RpcError::new(-32700, "parse error: not UTF-8".into()));
    };
    if !text.trim_start().starts_with('[') {
        return match serde_json::from_str::<&RawValue>(text) {
            Ok(request) => answer_one(methods, request).unwrap_or_default(),
            Err(error) => parse_error(error),
        };
    }
    let requests: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(requests) => requests,
        Err(error) => return parse_error(error),
    };
    let invalid = |why: &str| failure(None, &RpcError::new(-32600, why.to_owned()));
    match requests.len() {
        0 => return invalid("empty batch"),
        1..=BATCH_LIMIT => {}
        _ => return invalid("batch too large"),
    }
    let mut answers = Vec::with_capacity(requests.len());
    let mut length_bytes = 0_usize;
    for request in requests {
        let answer = match length_bytes > ANSWER_LIMIT_BYTES {
            false => answer_one(methods, request),
            true => Some(failure(None, &RpcError::new(-32003, "response too large".into()))),
        };
        length_bytes += answer.as_ref().map_or(0, String::len);
        answers.extend(answer);
    }
    if answers.is_empty() { String::new() } else { format!("[{}]", answers.join(",")) }
}

/// `None` for a notification.
fn answer_one(methods: &dyn Methods, text: &RawValue) -> Option<String> {
    let invalid = |why: String| failure(None, &RpcError::new(-32600, why));
    if !text.get().starts_with('{') {
        return Some(invalid("invalid request: no object".into()));
    }
    let request: Request<'_> = match serde_json::from_str(text.get()) {
        Ok(request) => request,
        Err(error) => return Some(invalid(format!("invalid request: {error}"))),
    };
    let id = request.id.map(RawValue::get);
    let plain = |id: &str| !id.starts_with(['{', '[', 't', 'f']);
    if !id.is_none_or(plain) {
        return Some(invalid("invalid request: the id is neither text nor number".into()));
    }
    let refused =
        |why: &str| Some(failure(id, &RpcError::new(-32600, format!("invalid request: {why}"))));
    if request.jsonrpc.as_deref() != Some("2.0") {
        return refused("jsonrpc is not \"2.0\"");
    }
    let Some(method) = request.method else { return refused("no method") };
    let result = Params::new(request.params).and_then(|params| {
        methods.call(&method, &params).unwrap_or_else(|| Err(RpcError::unknown(&method)))
    });
    // Without an id nobody wants to hear of it.
    let id = id?;
    Some(match result {
        Ok(result) => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
        Err(error) => failure(Some(id), &error),
    })
}

fn failure(id: Option<&str>, error: &RpcError) -> String {
    let id = id.unwrap_or("null");
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{}}}"#, json!(error))
}

#[cfg(test)]
mod tests;
