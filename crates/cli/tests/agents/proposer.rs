//! `rebut proposer` as a process on the embedded chain with its rollup.

use crate::asterisc::Lying;
use crate::world::{HONEST, STARTING_BLOCK, World, scrape};
use alloy_primitives::{Address, B256, U256};
use rebut_contracts::bindings::{DisputeGameFactory as Factory, FaultDisputeGame as Game};
use rebut_contracts::deployment::{GameConfig, Vm};
use rebut_devnet::keys::Key;
use rebut_devnet::rpc::Server;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const INTERVAL: u64 = 120;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running proposer. It is killed with this value.
struct Running {
    child: Child,
    metrics: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(world: &World, rollups: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rebut"))
            .args(["proposer", "--l1-eth-rpc", &world.devnet.l1_url()])
            .args(["--rollup-rpc", &rollups.join(",")])
            .args(["--game-factory-address", &world.at.dispute_game_factory.to_string()])
            .args(["--private-key", &HONEST.to_string(), "--game-type", "asterisc"])
            .args(["--proposal-interval", &format!("{INTERVAL}s"), "--poll-interval", "50ms"])
            .args(["--num-confirmations", "1", "--txmgr.receipt-query-interval", "20ms"])
            .args(["--metrics.enabled", "--metrics.addr", "127.0.0.1", "--metrics.port", "0"])
            .env_remove("RUST_LOG")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let metrics = loop {
            let line = lines.next().expect("it says where its metrics are").expect("text");
            let bound = line.split_once("bound=").map(|(_, rest)| rest.to_owned());
            log.lock().expect("no panic").push(line);
            if let Some(rest) = bound {
                let address = rest.split_whitespace().next().expect("an address");
                break format!("http://{address}/metrics");
            }
        };
        let more = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                more.lock().expect("no panic").push(line);
            }
        });
        Self { child, metrics, log }
    }

    /// Waits until a metric is at least so much. Gives all of them.
    fn until(&self, name: &str, least: f64) -> std::collections::BTreeMap<String, f64> {
        let begin = Instant::now();
        loop {
            let metrics = scrape(&self.metrics);
            if metrics.get(name).is_some_and(|value| *value >= least) {
                return metrics;
            }
            let log = self.log.lock().expect("no panic").join("\n");
            assert!(begin.elapsed() < PATIENCE, "{name} stays below {least}: {metrics:?}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a line of the log has these words.
    fn says(&self, words: &str) {
        let begin = Instant::now();
        let said = || self.log.lock().expect("no panic").iter().any(|line| line.contains(words));
        while !said() {
            assert!(begin.elapsed() < PATIENCE, "it does not say {words:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL: nothing is finished first.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Root and block of all games, and who created them.
async fn games(world: &World) -> Vec<(B256, u64, Address)> {
    let factory = world.at.dispute_game_factory;
    let count = world.view(factory, Factory::gameCountCall {}).await.to::<u64>();
    let mut games = Vec::new();
    for index in 0..count {
        let game = Factory::gameAtIndexCall { _index: U256::from(index) };
        let game = world.view(factory, game).await.proxy_;
        games.push((
            world.view(game, Game::rootClaimCall {}).await,
            world.view(game, Game::l2SequenceNumberCall {}).await.to(),
            world.view(game, Game::gameCreatorCall {}).await,
        ));
    }
    games
}

/// Metrics of deployed proposers that dashboards show and alarms watch, as they are after a proposal.
const METRICS: &[&str] = &[
    "op_proposer_default_up",
    "op_proposer_default_balance",
    "op_proposer_default_proposed_sequence_number",
    "op_proposer_default_refs_number{layer=\"l2\",type=\"proposed\"}",
    "op_proposer_default_refs_number{layer=\"l1_origin\",type=\"proposed\"}",
    "op_proposer_default_refs_time{layer=\"l2\",type=\"proposed\"}",
    "op_proposer_default_refs_hash{layer=\"l2\",type=\"proposed\"}",
    "op_proposer_default_refs_latency{layer=\"l2\",type=\"proposed\"}",
    "op_proposer_default_refs_seqnr{type=\"proposed\"}",
    "op_proposer_default_txmgr_confirm_total{status=\"success\"}",
    "op_proposer_default_txmgr_publish_total",
    "op_proposer_default_txmgr_last_publish_unix",
    "op_proposer_default_txmgr_current_nonce",
    "op_proposer_default_txmgr_pending_txs",
    "op_proposer_default_txmgr_tx_fee_gwei",
    "op_proposer_default_txmgr_tx_fee_gwei_total",
    "op_proposer_default_txmgr_tx_gas_bump",
    "op_proposer_default_txmgr_tx_confirmed_latency_ms",
    "op_proposer_default_txmgr_basefee_wei",
    "op_proposer_default_txmgr_tipcap_wei",
];

/// The newest final block is proposed, once, over lives; where nodes disagree nothing is.
#[tokio::test(flavor = "multi_thread")]
async fn final_blocks_are_proposed_by_a_process() {
    let world = World::start(|_, _| {
        let absolute_prestate = B256::repeat_byte(0x99);
        let vm = Vm::Asterisc;
        vec![GameConfig { game_type: 2, vm, absolute_prestate, ..GameConfig::default() }]
    })
    .await;
    let proposed = "op_proposer_default_proposed_sequence_number";
    let ours = Key::new(HONEST).expect("a key").address();
    let first = STARTING_BLOCK + 1;
    world.finalize(first).await;

    let node = Arc::clone(world.devnet.l2().expect("a rollup").node());
    let lying = Lying { node, from: first };
    let lying = Server::rpc(([127, 0, 0, 1], 0).into(), Arc::new(lying)).expect("a server");
    let torn = Running::start(&world, &[world.l2_url(), lying.url()]);
    torn.until("op_proposer_default_not_proposed{reason=\"disagreement\"}", 2.0);
    assert_eq!(games(&world).await, []);
    torn.says(" says ");
    drop(torn);

    let alone = [world.l2_url()];
    let running = Running::start(&world, &alone);
    let metrics = running.until(proposed, 1.0);
    let (root, block, creator) = games(&world).await[0];
    assert_eq!((root, creator), (world.output(block), ours));
    assert!(block >= first && metrics[proposed] == block as f64, "{block}");
    let missing: Vec<_> = METRICS.iter().filter(|name| !metrics.contains_key(**name)).collect();
    assert!(missing.is_empty(), "{missing:?} among {metrics:?}");
    assert_eq!(
        metrics["op_proposer_default_refs_number{layer=\"l2\",type=\"proposed\"}"],
        block as f64
    );
    assert!(metrics.keys().any(|name| name.starts_with("op_proposer_default_info{version=")));
    drop(running);

    // Killed and started again it finds what it has done.
    let running = Running::start(&world, &alone);
    running.until("op_proposer_default_up", 1.0);
    assert_eq!(games(&world).await.len(), 1);
    // There are no further blocks, and the same one is not proposed twice.
    world.pass(INTERVAL + 1).await;
    running.says("that block's root is proposed already");
    assert_eq!(games(&world).await.len(), 1);
}
