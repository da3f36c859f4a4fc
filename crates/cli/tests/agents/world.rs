//! An embedded L1, a rollup with some blocks on it, and the contracts of a deployment plan.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use alloy_sol_types::SolCall;
use metrics_exporter_prometheus::PrometheusHandle;
use rebut_challenger::agent::{Agent, Options, Player, Rules, Traces};
use rebut_challenger::chain::{At, Lens, Node, Reader, Request, Scope};
use rebut_challenger::health::{self, Health};
use rebut_challenger::sender::{KeySource, Policy, Sender};
use rebut_challenger::trace::ChainNodes;
use rebut_contracts::bindings::DisputeGameFactory as Factory;
use rebut_contracts::deployment::{
    Addresses, Anchor, DeploymentConfig, DeploymentPlan, GameConfig,
};
use rebut_devnet::batcher::Form;
use rebut_devnet::keys::{DEV_KEYS, Key};
use rebut_devnet::l1::{self, Mining};
use rebut_devnet::network::{Devnet, L2Options, Options as NetworkOptions, Ports};
use rebut_devnet::rollup::l1_config_json;
use rebut_execution::Fork;
use rebut_host::source;
use rebut_program::config::json;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

/// Blocks of L2, all of which become safe.
const L2_BLOCKS: u64 = 12;
/// The block that games start from.
pub const STARTING_BLOCK: u64 = 6;
/// The block that games are about.
pub const BLOCK: u64 = 9;
/// Looks at the rollup until it has to be where it should.
const PATIENCE: usize = 200;

/// Whose key is whose.
const DEPLOYER: B256 = DEV_KEYS[0];
pub const HONEST: B256 = DEV_KEYS[6];
pub const LIAR: B256 = DEV_KEYS[1];

/// All of it.
pub struct World {
    pub devnet: Devnet,
    pub node: Node,
    pub at: Addresses,
    /// Files: prestates, configurations, caches.
    pub folder: TempDir,
}

/// The metrics of this process, served as an agent serves them.
pub async fn metrics_url() -> String {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = METRICS.get_or_init(|| health::collect().expect("nobody else collects"));
    let health = Arc::new(Health::new(Duration::from_secs(60)));
    let any = ([127, 0, 0, 1], 0).into();
    let bound = health::serve(any, health, Some(handle.clone())).await.expect("a port");
    format!("http://{bound}/metrics")
}

/// What a page of metrics says, by name with labels.
pub fn scrape(url: &str) -> BTreeMap<String, f64> {
    let page = ureq::get(url).call().expect("an answer").body_mut().read_to_string();
    let page = page.expect("text");
    let lines = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(read).collect()
}

fn key(secret: B256) -> Key {
    Key::new(secret).expect("a key")
}

impl World {
    /// Starts the chains, and deploys contracts for the types of games that the configurations of rollup and L1 lead to.
    pub async fn start(games: impl FnOnce(&str, &str) -> Vec<GameConfig>) -> Self {
        // In the past, so that all blocks of L2 are due at once.
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let genesis_time = started.expect("a clock").as_secs() - 600;
        let l2 = L2Options {
            fork: Fork::Jovian,
            later: Vec::new(),
            block_time: 2,
            blocks: Some(L2_BLOCKS),
            load: 2,
            form: Form::default(),
            faults: Default::default(),
        };
        let options = NetworkOptions {
            l1: l1::Config { genesis_time, block_time: 2, ..l1::Config::default() },
            mining: Mining::Manual,
            ports: Ports { l1: 0, beacon: 0, l2: 0 },
            datadir: None,
            elsewhere: None,
            l2: Some(l2),
        };
        let devnet = Devnet::start(options).expect("a devnet");
        let node = Node::new(&devnet.l1_url(), Duration::from_secs(20)).expect("a URL");
        wait_for_safety(&devnet).await;
        l1(&devnet).set_mining(Mining::Automatic);
        let (rollup, l1) = (rollup_config(&devnet), l1_config(&devnet));
        let at = deploy(&devnet, games(&rollup, &l1));
        let folder = tempfile::tempdir().expect("a folder");
        let world = Self { devnet, node, at, folder };
        for (name, text) in [("rollup.json", rollup), ("l1.json", l1)] {
            std::fs::write(world.file(name), text).expect("a file");
        }
        world
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The L2 node's URL, of both its halves.
    pub fn l2_url(&self) -> String {
        self.devnet.l2().expect("a rollup").url()
    }

    /// The L1 node.
    pub fn l1(&self) -> &l1::Node {
        l1(&self.devnet)
    }

    /// The URL of L1's beacon API.
    pub fn beacon_url(&self) -> String {
        self.devnet.beacon_url().expect("L1 is embedded")
    }

    /// The true output root of a block.
    pub fn output(&self, number: u64) -> B256 {
        output(&self.devnet, number)
    }

    /// Creates a game by the liar's account.
    pub async fn create_game(&self, game_type: u32, root: B256) -> Address {
        let extra_data = Bytes::from(U256::from(BLOCK).to_be_bytes_vec());
        let create = Factory::createCall {
            _gameType: game_type,
            _rootClaim: root,
            _extraData: extra_data.clone(),
        };
        let liar = key(LIAR).address();
        let nonce = self.node.nonce(liar, At::Latest).await.expect("an answer");
        let factory = self.at.dispute_game_factory;
        let bond = GameConfig::default().init_bond_wei;
        submit(
            &self.devnet,
            LIAR,
            nonce,
            TxKind::Call(factory),
            bond,
            create.abi_encode().into(),
            "create",
        );
        let head = self.node.head().await.expect("an answer").number;
        l1(&self.devnet).mine().expect("a block");
        wait_for(&self.devnet, |status| status["current_l1"]["number"].as_u64() >= Some(head))
            .await;
        let games =
            Factory::gamesCall { _gameType: game_type, _rootClaim: root, _extraData: extra_data };
        self.view(factory, games).await.proxy_
    }

    /// What a view answers after the newest block.
    pub async fn view<C: SolCall>(&self, target: Address, call: C) -> C::Return {
        let request = Request { to: target, data: call.abi_encode().into(), ..Request::default() };
        let answer = self.node.call(&request, At::Latest).await.expect("an answer");
        C::abi_decode_returns(&answer).expect("the answer of this view")
    }

    /// Mines until the rollup node calls a block of L2 final.
    pub async fn finalize(&self, block: u64) {
        let is_final = |status: &Value| {
            l1(&self.devnet).mine().expect("a block");
            status["finalized_l2"]["number"].as_u64() >= Some(block)
        };
        wait_for(&self.devnet, is_final).await;
    }

    /// Lets time pass, and mines a block.
    pub async fn pass(&self, seconds: u64) {
        let _: Value =
            self.node.ask("evm_increaseTime", json!([U64::from(seconds)])).await.expect("time");
        l1(&self.devnet).mine().expect("a block");
    }

    /// Where traces of this chain come from; the rollup nodes are those given.
    pub fn nodes(&self, rollup: &[String]) -> ChainNodes {
        let url = |text: &String| text.parse().expect("a URL");
        ChainNodes {
            l1: vec![url(&self.devnet.l1_url())],
            l1_beacon: vec![url(&self.beacon_url())],
            l2: vec![url(&self.l2_url())],
            rollup: rollup.iter().map(url).collect(),
            derive: false,
            l1_chain_id: Some(900),
            rollup_config: Some(rollup_config(&self.devnet).into_bytes()),
            l1_config: Some(l1_config(&self.devnet).into_bytes()),
            policy: source::Policy { rounds: 2, ..source::Policy::default() },
        }
    }

    /// An agent with this key and this idea of the truth, for games of one type.
    pub async fn agent(&self, secret: B256, game_type: u32, traces: Arc<dyn Traces>) -> Agent {
        let policy = Policy {
            confirmations: 1,
            receipt_interval: Duration::from_millis(5),
            ..Policy::default()
        };
        let private_key = Some(secret.to_string());
        let keys = KeySource { private_key, ..KeySource::default() };
        let signer = keys.open(Duration::from_secs(1)).expect("a key");
        let sender = Sender::new(self.node.clone(), signer, policy).await.expect("a sender");
        let lens = Lens::new(self.node.clone());
        // The liar resolves nothing: two that resolve the same would make each other's transactions fail.
        let ours = if secret == LIAR { Vec::new() } else { vec![sender.address()] };
        let rules = Rules { selective_resolution: ours.is_empty(), ours, ..Rules::default() };
        let scope = Scope {
            factory: self.at.dispute_game_factory,
            game_types: [game_type].into(),
            allowed: Vec::new(),
            window_seconds: 0,
        };
        let player = Player { lens: lens.clone(), sender: Arc::new(sender), rules };
        let options = Options { poll_interval: Duration::from_millis(20), ..Options::default() };
        let health = Arc::new(Health::new(Duration::from_secs(60)));
        Agent::new(Reader::new(lens, scope), player, traces, options, health)
    }
}

fn l1(devnet: &Devnet) -> &l1::Node {
    devnet.l1().expect("L1 is embedded")
}

fn rollup_config(devnet: &Devnet) -> String {
    let rollup = devnet.l2().expect("a rollup").node().rollup();
    json::write(rollup.config()).expect("a configuration").to_string()
}

fn l1_config(devnet: &Devnet) -> String {
    l1_config_json(l1(devnet).chain().config()).to_string()
}

/// Mines until all blocks of L2 are safe.
async fn wait_for_safety(devnet: &Devnet) {
    let is_safe = |status: &Value| {
        l1(devnet).mine().expect("a block");
        status["safe_l2"]["number"].as_u64() >= Some(L2_BLOCKS)
    };
    wait_for(devnet, is_safe).await;
}

/// Waits until the rollup node's status is as wanted: it looks at L1 from time to time.
async fn wait_for(devnet: &Devnet, is_wanted: impl Fn(&Value) -> bool) {
    let url = devnet.l2().expect("a rollup").url();
    let rollup = Node::new(&url, Duration::from_secs(20)).expect("a URL");
    for _ in 0..PATIENCE {
        let status: Value = rollup.ask("optimism_syncStatus", json!([])).await.expect("an answer");
        if is_wanted(&status) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the rollup does not get there");
}

fn output(devnet: &Devnet, number: u64) -> B256 {
    let rollup = devnet.l2().expect("a rollup").node().rollup();
    let chain = rollup.l2();
    let block = chain.ledger().block(number).expect("a block");
    chain.output(block).expect("an output").root()
}

fn deploy(devnet: &Devnet, games: Vec<GameConfig>) -> Addresses {
    let owner = key(DEPLOYER).address();
    let config = DeploymentConfig {
        l2_chain_id: 901,
        owner,
        guardian: owner,
        anchor: Anchor {
            output_root: output(devnet, STARTING_BLOCK),
            l2_block_number: STARTING_BLOCK,
        },
        respected_game_type: games[0].game_type,
        games,
        ..DeploymentConfig::default()
    };
    let plan = DeploymentPlan::new(&config, owner, 0).expect("a sound configuration");
    for (nonce, planned) in (0..).zip(plan.transactions) {
        submit(devnet, DEPLOYER, nonce, planned.to, U256::ZERO, planned.data, &planned.what);
    }
    // Games of the block in which the registry started would count as retired.
    l1(devnet).mine().expect("a block");
    plan.addresses
}

/// Sends a transaction, which is mined at once.
fn submit(
    devnet: &Devnet,
    from: B256,
    nonce: u64,
    to: TxKind,
    value: U256,
    input: Bytes,
    what: &str,
) {
    let (base_fee, _) = l1(devnet).chain().next_fees();
    let transaction = TxEip1559 {
        chain_id: 900,
        nonce,
        gas_limit: if to.is_create() { 7_000_000 } else { 3_000_000 },
        max_fee_per_gas: u128::from(base_fee) * 2 + 1,
        max_priority_fee_per_gas: 1,
        to,
        value,
        input,
        ..TxEip1559::default()
    };
    let raw = key(from).sign_encoded(transaction).expect("a signature");
    let hash = l1(devnet).submit(&raw).expect("it is taken");
    let chain = l1(devnet).chain();
    let (block, index) = chain.ledger().transaction(hash).expect("it is mined");
    assert!(block.receipts[index].is_success(), "{what} fails");
}
