//! Nodes that fail, lag, disagree, and change their minds.

use crate::games::{BLOCK, CHALLENGER_WINS, play_out};
use crate::machine::{Belief, output};
use crate::node::Anvil;
use crate::player::{agent, policy, sure_agent};
use crate::system::{CLOCK, HONEST, HONEST_KEY, LIAR_KEY, System, view};
use alloy_primitives::{Address, U64, U256};
use alloy_transport_http::reqwest::Client;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rebut_challenger::agent::{BoxedTrace, TraceFailure, Traces};
use rebut_challenger::chain::{At, Facts};
use rebut_contracts::bindings::FaultDisputeGame as Game;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A node between the agent and anvil that answers a part of the requests wrongly.
struct Faulty {
    target: String,
    client: Client,
    state: Mutex<Faults>,
}

struct Faults {
    random: u64,
    /// Answers of an earlier time, by method and parameters.
    old: HashMap<String, Vec<u8>>,
    counts: [u32; 4],
}

/// Which of ten requests fails how.
const ERROR: u64 = 0;
const STATUS: u64 = 1;
const HANG: u64 = 2;
const STALE: u64 = 3;
const HANG_TIME: Duration = Duration::from_millis(400);

impl Faults {
    /// Xorshift: the same faults in every run.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

async fn serve(target: String) -> (String, Arc<Faulty>) {
    let state = Faults { random: 0x5265_6275_7421, old: HashMap::new(), counts: [0; 4] };
    let faulty = Arc::new(Faulty { target, client: Client::new(), state: Mutex::new(state) });
    let router =
        axum::Router::new().route("/", axum::routing::post(answer)).with_state(Arc::clone(&faulty));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, faulty)
}

async fn answer(State(faulty): State<Arc<Faulty>>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("the agent asks in JSON");
    let id = request["id"].clone();
    let question = format!("{}{}", request["method"], request["params"]);
    let draw = faulty.state.lock().expect("no panic").draw() % 10;
    let count = |kind: u64| faulty.state.lock().expect("no panic").counts[kind as usize] += 1;
    match draw {
        ERROR => {
            count(ERROR);
            let error = json!({ "code": -32000, "message": "header not found" });
            return axum::Json(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
                .into_response();
        }
        STATUS => {
            count(STATUS);
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        HANG => {
            count(HANG);
            // The request arrives all the same, after which nobody hears of it.
            let _ = forward(&faulty, body).await;
            tokio::time::sleep(HANG_TIME).await;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        _ => {}
    }
    let stale = request["method"].as_str().is_some_and(|method| {
        ["eth_getBlockByNumber", "eth_getTransactionCount", "eth_getTransactionReceipt"]
            .contains(&method)
    });
    if draw == STALE && stale {
        let old = faulty.state.lock().expect("no panic").old.get(&question).cloned();
        if let Some(old) = old {
            count(STALE);
            let mut old: Value = serde_json::from_slice(&old).expect("anvil answers in JSON");
            old["id"] = id;
            return axum::Json(old).into_response();
        }
    }
    let fresh = forward(&faulty, body).await;
    faulty.state.lock().expect("no panic").old.insert(question, fresh.clone());
    ([("content-type", "application/json")], fresh).into_response()
}

async fn forward(faulty: &Faulty, body: Bytes) -> Vec<u8> {
    let request = faulty.client.post(&faulty.target).header("content-type", "application/json");
    let answer = request.body(body.to_vec()).send().await.expect("anvil answers");
    answer.bytes().await.expect("all of it").to_vec()
}

/// Transactions of an account that are on chain and failed.
pub async fn reverted(anvil: &Anvil, account: Address) -> usize {
    let head = anvil.node.head().await.expect("an answer").number;
    let mut reverted = 0;
    for number in 0..=head {
        let params = json!([U64::from(number), true]);
        let block = anvil.ask("eth_getBlockByNumber", params).await;
        for transaction in block["transactions"].as_array().into_iter().flatten() {
            let from: Address =
                serde_json::from_value(transaction["from"].clone()).expect("a sender");
            if from == account {
                let hash = serde_json::from_value(transaction["hash"].clone()).expect("a hash");
                let receipt = anvil.node.receipt(hash).await.expect("an answer");
                reverted += usize::from(!receipt.expect("it is on chain").succeeded());
            }
        }
    }
    reverted
}

/// Three of ten requests fail, some are answered with the past: the agent wins all the same, and pays for nothing twice.
pub async fn failing_nodes() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let (url, faulty) = serve(anvil.url.clone()).await;
    let mut honest = loop {
        // Even the first question may fail.
        let timeout = HANG_TIME / 2;
        let opened =
            agent(&url, system.factory, HONEST_KEY, Belief::TRUTH, timeout, policy()).await;
        if let Ok(agent) = opened {
            break agent;
        }
    };
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(4) };
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    let mut idle = 0;
    let status = loop {
        let before = view(&anvil, game, Game::claimDataLenCall {}).await;
        anvil.mine().await;
        // A round may fail, as may half of one; the next one goes on.
        let round = honest.round().await;
        anvil.mine().await;
        liar.round().await.expect("a readable chain");
        let status = view(&anvil, game, Game::statusCall {}).await;
        if status != 0 {
            break status;
        }
        let after = view(&anvil, game, Game::claimDataLenCall {}).await;
        idle = if before == after { idle + u32::from(round.is_ok()) } else { 0 };
        if idle > 15 {
            anvil.pass(CLOCK / 4).await;
            idle = 0;
        }
    };
    assert_eq!(status, CHALLENGER_WINS);
    let counts = faulty.state.lock().expect("no panic").counts;
    assert!(counts.iter().all(|count| *count > 0), "every fault occurs: {counts:?}");
    assert_eq!(reverted(&anvil, HONEST).await, 0, "nothing is paid twice");
}

/// The last three blocks are replaced by empty ones in the middle of the game, several times.
pub async fn reorg() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    for _ in 0..4 {
        anvil.mine().await;
    }
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(4) };
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    let mut lost = 0;
    for _ in 0..4 {
        honest.round().await.expect("a readable chain");
        liar.round().await.expect("a readable chain");
        let before = view(&anvil, game, Game::claimDataLenCall {}).await;
        anvil.ask("anvil_reorg", json!([3, []])).await;
        anvil.mine().await;
        let after = view(&anvil, game, Game::claimDataLenCall {}).await;
        lost += (before - after).to::<u64>();
        // Both have claims that are gone; whoever moves first afterwards takes another index.
        liar.round().await.expect("a readable chain");
    }
    assert!(lost > 0, "claims were lost");
    assert_eq!(play_out(&anvil, game, &mut honest, &mut liar).await, CHALLENGER_WINS);
    assert_eq!(reverted(&anvil, HONEST).await, 0, "nothing is paid twice");
}

/// Sources of one game's truth disagree.
struct Disagreeing(Address);

impl Traces for Disagreeing {
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        if facts.listing.address == self.0 {
            return Err("one node says this, another that".into());
        }
        Belief::TRUTH.open(facts, l1_head)
    }
}

/// Where sources disagree nothing is done; other games go on.
pub async fn disagreement() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let doubtful = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let clear = system.create_game(&anvil, output(BLOCK + 1, false), BLOCK + 1).await;
    let mut honest = crate::player::with_traces(
        &anvil.url,
        system.factory,
        HONEST_KEY,
        Arc::new(Disagreeing(doubtful)),
        Duration::from_secs(20),
        policy(),
    )
    .await
    .expect("an agent");
    for _ in 0..3 {
        honest.round().await.expect("a readable chain");
        anvil.mine().await;
    }
    assert_eq!(view(&anvil, doubtful, Game::claimDataLenCall {}).await, U256::from(1));
    assert_eq!(view(&anvil, clear, Game::claimDataLenCall {}).await, U256::from(2));
    assert_eq!(anvil.node.nonce(HONEST, At::Latest).await.expect("an answer"), 1);
}
