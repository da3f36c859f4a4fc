//! An execution node behind JSON-RPC: calls, and what the node offers.

use super::{Failure, Failures, Fault, Http, NodeUrl, Policy};
use alloy_primitives::U64;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// The longest text of a node that is repeated in a message, in characters.
const MESSAGE_LIMIT_CHARS: usize = 200;

/// What a node said when it was first asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The chain it serves.
    pub chain_id: u64,
    /// Of the methods it was asked about, those it has.
    pub offered: BTreeSet<&'static str>,
    /// Those it does not have.
    pub missing: BTreeSet<&'static str>,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |methods: &BTreeSet<&'static str>| {
            let methods: Vec<_> = methods.iter().copied().collect();
            if methods.is_empty() { "none".to_owned() } else { methods.join(" ") }
        };
        let Self { chain_id, offered, missing } = self;
        write!(f, "chain {chain_id}, offers {}, lacks {}", list(offered), list(missing))
    }
}

/// One execution node. Its chain id is checked before anything it says is looked at.
#[derive(Debug)]
pub struct RpcNode {
    http: Http,
    next_id: AtomicU64,
    expected_chain: Option<u64>,
    /// The methods the host can use but does not depend on.
    asked: &'static [&'static str],
    profile: OnceLock<Profile>,
    pub(crate) in_flight: usize,
}

impl RpcNode {
    /// A node at `url` that should serve the chain `expected_chain`; it will be asked which of the
    /// methods `asked` it has. Does not connect.
    pub fn new(
        url: NodeUrl,
        expected_chain: Option<u64>,
        asked: &'static [&'static str],
        policy: &Policy,
    ) -> Self {
        Self {
            http: Http::new(url, policy, policy.rpc_limit_bytes),
            next_id: AtomicU64::new(1),
            expected_chain,
            asked,
            profile: OnceLock::new(),
            in_flight: policy.in_flight,
        }
    }

    /// The node's address.
    pub const fn url(&self) -> &NodeUrl {
        self.http.url()
    }

    /// What the node offers; asks it the first time.
    ///
    /// # Errors
    /// [`Fault::Chain`] for a node of another chain, others when it does not answer.
    pub fn profile(&self) -> Result<&Profile, Failure> {
        if let Some(profile) = self.profile.get() {
            return Ok(profile);
        }
        let profile = self.detect()?;
        Ok(self.profile.get_or_init(|| profile))
    }

    fn detect(&self) -> Result<Profile, Failure> {
        let chain_id: u64 = self.request::<U64>("eth_chainId", &json!([]))?.to();
        if let Some(expected) = self.expected_chain.filter(|expected| *expected != chain_id) {
            let fault = Fault::Chain { expected, found: chain_id };
            return Err(Failure { method: "eth_chainId", fault });
        }
        let mut profile = Profile { chain_id, offered: BTreeSet::new(), missing: BTreeSet::new() };
        for method in self.asked {
            // Without parameters no method does anything; a node that has it complains about them.
            match self.request::<Value>(method, &json!([])) {
                Err(Failure { fault: Fault::Unsupported, .. }) => profile.missing.insert(method),
                Err(failure) if failure.fault.is_of_the_connection() => return Err(failure),
                _ => profile.offered.insert(method),
            };
        }
        Ok(profile)
    }

    /// Calls a method of a node that is known to serve the right chain. The answer is unverified.
    ///
    /// # Errors
    /// [`Failure`]; [`Fault::Unsupported`] without a request when the node lacks the method, and
    /// [`Fault::Absent`] when it answers `null`.
    pub fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<T, Failure> {
        if self.profile()?.missing.contains(method) {
            return Err(Failure { method, fault: Fault::Unsupported });
        }
        self.request(method, params)
    }

    /// Calls a method without having asked the node for its chain: for nodes whose chain is told in another
    /// way, as rollup nodes do. The answer is unverified.
    ///
    /// # Errors
    /// [`Failure`]; [`Fault::Absent`] when the node answers `null`.
    pub fn request<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<T, Failure> {
        self.exchange(method, params).map_err(|fault| Failure { method, fault })
    }

    fn exchange<T: DeserializeOwned>(&self, method: &str, params: &Value) -> Result<T, Fault> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let answer = self.http.post_json(request.to_string().as_bytes())?;
        let message = match parse::<Message<T>>(&answer.body) {
            Ok(message) => message,
            // Whatever a failing server wraps its status in is not worth reporting.
            Err(_) if answer.status >= 300 => return Err(status(answer.status, answer.pause)),
            Err(fault) => return Err(fault),
        };
        if let Some(error) = message.error {
            return Err(error.into());
        }
        if answer.status >= 300 {
            return Err(status(answer.status, answer.pause));
        }
        if message.id != Some(Value::from(id)) {
            return Err(Fault::Stray);
        }
        message.result.ok_or(Fault::Absent)
    }
}

fn status(status: u16, pause: Option<std::time::Duration>) -> Fault {
    match (status, pause) {
        (503, Some(pause)) => Fault::RateLimited { pause: Some(pause) },
        _ => Fault::Status(status),
    }
}

/// Reads JSON; tells text that is none from another shape.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Fault::Shape(error),
        _ => Fault::NotJson(error),
    })
}

#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Message<T> {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    result: Option<T>,
    #[serde(default)]
    error: Option<ErrorObject>,
}

#[derive(Deserialize)]
struct ErrorObject {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

impl From<ErrorObject> for Fault {
    fn from(ErrorObject { code, message }: ErrorObject) -> Self {
        let lower = message.to_ascii_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
        // -32005 is the limit of most providers, 429 that of some.
        if code == -32005 || code == 429 || says(&["rate limit", "too many requests"]) {
            return Self::RateLimited { pause: None };
        }
        let missing = [
            "method not found",
            "method not supported",
            "not whitelisted",
            "method is not available",
            "method not available",
            "unsupported method",
            "unknown method",
            "does not exist/is not available",
        ];
        if code == -32601 || code == -32004 || says(&missing) {
            return Self::Unsupported;
        }
        let message = match message.char_indices().nth(MESSAGE_LIMIT_CHARS) {
            Some((end, _)) => format!("{}…", &message[..end]),
            None => message,
        };
        Self::Rpc { code, message: message.replace(['\n', '\r'], " ") }
    }
}

impl super::Node for RpcNode {
    fn url(&self) -> &NodeUrl {
        self.url()
    }

    fn greet(&self) -> Result<String, Failures> {
        Ok(self.profile()?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_apart() {
        let fault =
            |code, message: &str| Fault::from(ErrorObject { code, message: message.into() });
        for (code, message) in [
            (-32601, "the method debug_dbGet does not exist/is not available"),
            (-32000, "Method not found"),
            (-32600, "rpc method is not whitelisted"),
        ] {
            assert!(matches!(fault(code, message), Fault::Unsupported), "{message}");
        }
        for (code, message) in
            [(-32005, "limit exceeded"), (429, ""), (-32000, "Too Many Requests, slow down")]
        {
            assert!(matches!(fault(code, message), Fault::RateLimited { .. }), "{message}");
        }
        assert!(matches!(
            fault(-32602, "missing value for required argument 0"),
            Fault::Rpc { .. }
        ));
        match fault(-32000, &"ä".repeat(1000)) {
            Fault::Rpc { message, .. } => assert_eq!(message.chars().count(), 201),
            fault => panic!("{fault}"),
        }
    }

    #[test]
    fn text_and_shape_are_told_apart() {
        assert!(matches!(parse::<Vec<u8>>(b"<html>"), Err(Fault::NotJson(_))));
        assert!(matches!(parse::<Vec<u8>>(b"[1, 2"), Err(Fault::NotJson(_))));
        assert!(matches!(parse::<Vec<u8>>(b"{}"), Err(Fault::Shape(_))));
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(matches!(parse::<Value>(&deep), Err(Fault::NotJson(_))));
    }
}
