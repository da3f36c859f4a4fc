//! A rollup node for these tests: one that answers as op-node does, and can be made to err or lie.

use alloy_primitives::{B256, keccak256};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rebut_challenger::chain::Node;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use crate::system::CHAIN_ID;

/// What it does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrong {
    #[default]
    Nothing,
    /// It answers with an error.
    Error,
    /// It answers, but not in JSON.
    Garbage,
    /// The state that it gives does not belong to the root.
    Unhashed,
    /// It answers for the block before.
    OtherBlock,
    /// Another state, and the root of that.
    OtherState,
    /// It has stopped so many L1 blocks ago.
    Behind(u64),
    /// Its blocks build on an L1 that nobody else has.
    OtherL1,
    /// It is of another L2 chain.
    OtherChain,
}

/// What it knows.
#[derive(Clone, Copy, Debug)]
pub struct Knows {
    pub finalized: u64,
    pub safe: u64,
    /// Whether both are one block further after each answer.
    pub grows: bool,
    pub wrong: Wrong,
}

#[derive(Clone)]
struct Shared {
    l1: Node,
    /// The L1 block that all blocks build on.
    origin: B256,
    knows: Arc<Mutex<Knows>>,
}

/// A running node. It ends with the test.
pub struct Rollup {
    pub url: String,
    knows: Arc<Mutex<Knows>>,
}

impl Rollup {
    /// A node on an L1.
    pub async fn start(l1: &Node, finalized: u64, safe: u64) -> Self {
        let origin = l1.block_at(1).await.expect("a block").hash;
        let knows = Knows { finalized, safe, grows: false, wrong: Wrong::Nothing };
        let knows = Arc::new(Mutex::new(knows));
        let shared = Shared { l1: l1.clone(), origin, knows: Arc::clone(&knows) };
        let router = axum::Router::new().route("/", axum::routing::post(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = router.with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, knows }
    }

    /// Changes what it knows.
    pub fn set(&self, change: impl FnOnce(&mut Knows)) {
        change(&mut self.knows.lock().expect("no panic"));
    }
}

/// State root, storage root and hash of a block.
fn parts(number: u64) -> [B256; 3] {
    let part = |name: &str| keccak256(format!("{name} of block {number}"));
    [part("state"), part("storage"), part("hash")]
}

/// The output root by its definition: the hash of version 0 and these three.
fn root_of([state, storage, hash]: [B256; 3]) -> B256 {
    keccak256([B256::ZERO, state, storage, hash].concat())
}

/// The true output root of a block.
pub fn root(number: u64) -> B256 {
    root_of(parts(number))
}

async fn answer(State(shared): State<Shared>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("the agent asks in JSON");
    let knows = {
        let mut knows = shared.knows.lock().expect("no panic");
        let step = u64::from(knows.grows);
        (knows.finalized, knows.safe) = (knows.finalized + step, knows.safe + step);
        *knows
    };
    let reply = |result: Value| {
        axum::Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
            .into_response()
    };
    match knows.wrong {
        Wrong::Garbage => return "<html>it works</html>".into_response(),
        Wrong::Error => {
            let error = json!({ "code": -32000, "message": "the engine is out" });
            let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "error": error });
            return axum::Json(answer).into_response();
        }
        _ => {}
    }
    let block = |number: u64| json!({ "number": number, "hash": parts(number)[2] });
    reply(match request["method"].as_str() {
        Some("optimism_rollupConfig") => {
            json!({ "l2_chain_id": CHAIN_ID + u64::from(knows.wrong == Wrong::OtherChain) })
        }
        Some("optimism_syncStatus") => {
            let head = shared.l1.head().await.expect("anvil answers").number;
            let behind = if let Wrong::Behind(blocks) = knows.wrong { blocks } else { 0 };
            json!({
                "current_l1": block(head - behind),
                "safe_l2": block(knows.safe),
                "finalized_l2": block(knows.finalized),
            })
        }
        Some("optimism_outputAtBlock") => {
            let number = request["params"][0].as_str().expect("a block");
            let number = u64::from_str_radix(&number[2..], 16).expect("a number");
            let number = number - u64::from(knows.wrong == Wrong::OtherBlock);
            let mut parts = parts(number);
            let mut root = root_of(parts);
            if [Wrong::OtherState, Wrong::Unhashed].contains(&knows.wrong) {
                parts[0] = B256::repeat_byte(0x66);
            }
            if knows.wrong == Wrong::OtherState {
                root = root_of(parts);
            }
            let is_elsewhere = knows.wrong == Wrong::OtherL1;
            let origin = if is_elsewhere { B256::repeat_byte(0x66) } else { shared.origin };
            let [state, storage, hash] = parts;
            json!({
                "version": B256::ZERO,
                "outputRoot": root,
                "blockRef": {
                    "hash": hash,
                    "number": number,
                    "parentHash": B256::ZERO,
                    "timestamp": number * 2,
                    "l1origin": { "hash": origin, "number": 1 },
                    "sequenceNumber": 3,
                },
                "withdrawalStorageRoot": storage,
                "stateRoot": state,
            })
        }
        method => panic!("{method:?}"),
    })
}
