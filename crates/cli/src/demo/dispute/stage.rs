//! The chains that games are played on: L1 in this process or a development chain elsewhere, a rollup on it, and the
//! dispute contracts, deployed by transactions.
//!
//! ```text
//!   L1 block ──► genesis of L2 ──► rollup configuration ──► prestate ──► contracts
//!                                        ▲
//!     account and nonce ─► addresses ────┘   of the portal and the system config, known before they are there
//! ```
//!
//! No clock is looked at but that of L1: the rollup goes on when it is told to, and time is moved.

use crate::guest::VmName;
use crate::log::print;
use crate::prestate::{self, Inputs};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, U64, U256};
use anyhow::{Context, bail};
use rebut_challenger::chain::{At, Lens, Node, NodeError, NodeFault};
use rebut_challenger::deploy::{self, Deployed, Deployer};
use rebut_challenger::sender::{FeeLimits, KeySource};
use rebut_challenger::trace::vm::Limits;
use rebut_challenger::trace::{
    ChainNodes, Engine, OutputSource, Prestates, RollupNode, Setup, SyncStatus, TraceError,
};
use rebut_contracts::deployment::{
    Addresses, Anchor, DeploymentConfig, DeploymentPlan, GameConfig, SystemParameters, Vm,
};
use rebut_devnet::batcher::{Compression, Form};
use rebut_devnet::keys::{DEV_KEYS, Key};
use rebut_devnet::l1::{self, Client, Mining, Remote, funded};
use rebut_devnet::l2::{self, L1Access};
use rebut_devnet::rollup::{Rollup, Setup as RollupSetup, l1_config_json, rollup_config};
use rebut_devnet::rpc::{Server, beacon::Beacon};
use rebut_devnet::state::StateStore;
use rebut_devnet::{network, rollup::BATCH_INBOX};
use rebut_dispute::GameType;
use rebut_execution::Fork;
use rebut_host::source::{NodeUrl, Policy};
use rebut_program::config::json as configuration;
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// Mainnet's depth, which the game about the true root has. Leaves are claims of one side, and the other steps on them;
/// one level more makes them the liar's in the game about the false root.
const MAX_DEPTH: u64 = 73;
/// The L2 chain's gas limit, as its system config has it.
const L2_GAS_LIMIT: u64 = 30_000_000;
/// Blocks of L2 that are built.
pub const L2_BLOCKS: u64 = 12;
/// Most transactions of users in each of them.
const TRANSACTIONS: u64 = 4;
/// Looks at L1 within which they must be safe.
const PATIENCE: u32 = 200;
const ETHER_EACH: u64 = 10_000;
const TIMEOUT: Duration = Duration::from_secs(30);
const RECEIPT_INTERVAL: Duration = Duration::from_millis(5);

/// Accounts of the demonstration, by their places in the well-known mnemonic.
const DEPLOYER: usize = 0;
const LIAR: usize = 2;
const CHALLENGER: usize = 6;
const PROPOSER: usize = 7;

/// Servers and state of an L1 chain of this process.
struct Embedded {
    rpc: Server,
    beacon: Server,
    node: Arc<l1::Node>,
}

/// The machines that games are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GameVm {
    /// Cannon, 64-bit and multithreaded
    #[default]
    Cannon,
    /// Asterisc, RISC-V
    Asterisc,
}

impl GameVm {
    /// As the other commands call it.
    pub const fn name(self) -> VmName {
        match self {
            Self::Cannon => VmName::Cannon,
            Self::Asterisc => VmName::Asterisc,
        }
    }

    /// The type of the game about the true root.
    pub const fn true_game(self) -> u32 {
        match self {
            Self::Cannon => GameType::CANNON.0,
            Self::Asterisc => GameType::ASTERISC.0,
        }
    }

    /// The type of the game about the false root.
    pub const fn false_game(self) -> u32 {
        match self {
            Self::Cannon => GameType::CANNON_KONA.0,
            Self::Asterisc => GameType::ASTERISC_KONA.0,
        }
    }

    /// Its verifier.
    const fn verifier(self) -> Vm {
        match self {
            Self::Cannon => Vm::Cannon,
            Self::Asterisc => Vm::Asterisc,
        }
    }
}

/// Chains, contracts, and what the sides need to play.
pub struct Stage {
    l2_rpc: Server,
    l2: Arc<l2::Node>,
    embedded: Option<Embedded>,
    l1_url: String,
    /// Reads of L1, and what steers it.
    pub lens: Lens,
    rollup: RollupAnswers,
    /// Where the contracts are.
    pub at: Addresses,
    /// What was deployed, transaction by transaction.
    pub deployed: Vec<Deployed>,
    /// What it was deployed from.
    pub config: DeploymentConfig,
    /// The machine that games are about.
    pub vm: GameVm,
    /// Hash of the absolute prestate.
    pub prestate: B256,
    rollup_config: Value,
    l1_config: Value,
    folder: TempDir,
}

/// The rollup node, for those who wait for its answers.
#[derive(Clone)]
struct RollupAnswers(Arc<Mutex<RollupNode>>);

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Challenger,
    Proposer,
    Liar,
}

impl Who {
    /// Its key.
    pub fn keys(self) -> KeySource {
        keys(match self {
            Self::Challenger => CHALLENGER,
            Self::Proposer => PROPOSER,
            Self::Liar => LIAR,
        })
    }
}

fn keys(place: usize) -> KeySource {
    let key = DEV_KEYS.get(place).copied().unwrap_or_default();
    KeySource { private_key: Some(key.to_string()), ..KeySource::default() }
}

fn any_port() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)
}

impl Stage {
    /// Starts the chains, lets the rollup go on until its blocks are safe, and deploys.
    pub async fn set(l1_rpc: Option<&NodeUrl>, seed: u64, vm: GameVm) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a folder for caches")?;
        let (embedded, l1_url) = match l1_rpc {
            None => {
                let embedded = Embedded::start()?;
                let url = embedded.rpc.url();
                (Some(embedded), url)
            }
            Some(url) => (None, url.full()),
        };
        let node = Node::new(&l1_url, TIMEOUT)?;
        let own = ["batcher", "owner", "depositor"].map(|name| Key::named(name).address());
        if embedded.is_none() {
            fund(&node, &own).await?;
        }
        let (access, origin, l1_config) = connect(embedded.as_ref(), l1_rpc)?;
        let fork = if l1_config.prague_time.is_some() { "Prague" } else { "Cancun" };
        print(&format!("L1 chain {} at {l1_url}, {fork}\n", l1_config.chain_id));

        // What the contracts' addresses follow from is known before anything is deployed.
        let signer = keys(DEPLOYER).open(TIMEOUT)?;
        let deployer = Deployer {
            node: node.clone(),
            signer,
            fees: FeeLimits::default(),
            confirmations: 1,
            receipt_interval: RECEIPT_INTERVAL,
            patience: TIMEOUT,
        };
        let first = deployer.nonce().await?;
        let anything = B256::repeat_byte(1);
        let draft = deployment(vm, own, anything, anything);
        let at = DeploymentPlan::new(&draft, deployer.address(), first)?.addresses;

        let setup = rollup_setup(seed, l1_config.clone(), &at, embedded.is_some());
        let accounts =
            network::accounts()?.into_iter().map(|one| (one.address, funded(ETHER_EACH)));
        let rollup = Rollup::new(setup, &origin, accounts.collect())?;
        let (rollup_config, l1_config) =
            (configuration::write(rollup.config())?, l1_config_json(&l1_config));
        let l2 = Arc::new(l2::Node::new(access, rollup));
        let l2_rpc = Server::rpc(any_port(), Arc::clone(&l2) as _)?;
        let rollup = RollupAnswers::new(&l2_rpc.url(), draft.l2_chain_id)?;

        let built = build_prestate(vm.name(), folder.path(), &rollup_config, &l1_config)?;
        print(&format!(
            "prestate {built} of {}, carrying chain {}\n",
            vm.name(),
            draft.l2_chain_id
        ));
        let genesis = rollup.output(0).await?;
        let config = deployment(vm, own, built, genesis);
        let plan = DeploymentPlan::new(&config, deployer.address(), first)?;
        if plan.addresses != at {
            bail!("the addresses of the contracts depend on what they are configured with");
        }
        let deployed = deployer.deploy(&plan, first, |_| {}).await?;
        let lens = Lens::new(node);
        let block = lens.node().head().await?;
        let findings = deploy::check(&lens, &plan, &config, &block).await?;
        if let Some(wrong) = findings.iter().find(|finding| !finding.ok) {
            bail!("the deployment: {}: {}", wrong.what, wrong.found);
        }
        let gas: u64 = deployed.iter().filter_map(|one| one.gas).sum();
        let (sent, read) = (deployed.len(), findings.len());
        print(&format!(
            "contracts deployed: {sent} transactions, {gas} gas; {read} facts read back\n"
        ));
        let prestate = built;
        let stage = Self {
            l2_rpc,
            l2,
            embedded,
            l1_url,
            lens,
            rollup,
            at,
            deployed,
            config,
            vm,
            prestate,
            rollup_config,
            l1_config,
            folder,
        };
        stage.build_blocks().await?;
        Ok(stage)
    }

    /// Lets the rollup go on until its blocks are safe.
    async fn build_blocks(&self) -> anyhow::Result<()> {
        for _ in 0..PATIENCE {
            self.follow(L2_BLOCKS).await?;
            if self.rollup.status().await?.safe_l2.number >= L2_BLOCKS {
                let rollup = self.l2.rollup();
                let blocks = rollup.l2().ledger().latest().number();
                print(&format!(
                    "L2 chain {}: {blocks} blocks, all safe\n",
                    self.config.l2_chain_id
                ));
                return Ok(());
            }
            self.pass(2).await?;
        }
        bail!("block {L2_BLOCKS} of L2 does not become safe")
    }

    /// Lets the rollup node follow L1, and build blocks up to this number.
    pub async fn follow(&self, blocks: u64) -> anyhow::Result<()> {
        let time = self.lens.node().head().await?.timestamp;
        let l2 = Arc::clone(&self.l2);
        // It may wait for an L1 node elsewhere.
        tokio::task::spawn_blocking(move || {
            let end = {
                let rollup = l2.rollup();
                let config = rollup.config();
                config.genesis.l2_time + config.block_time * blocks
            };
            l2.tick(time.min(end) + 1)
        })
        .await??;
        Ok(())
    }

    /// Moves the time of L1, and mines a block.
    pub async fn pass(&self, seconds: u64) -> anyhow::Result<()> {
        steer(self.lens.node(), "evm_increaseTime", json!([U64::from(seconds)])).await?;
        steer(self.lens.node(), "evm_mine", json!([])).await?;
        Ok(())
    }

    /// The true output root of an L2 block.
    pub async fn output(&self, number: u64) -> anyhow::Result<B256> {
        self.rollup.output(number).await
    }

    /// Where the rollup node is.
    pub fn rollup_url(&self) -> anyhow::Result<NodeUrl> {
        Ok(self.l2_rpc.url().parse()?)
    }

    /// Where L1 is.
    pub fn l1(&self) -> &str {
        match self.embedded {
            Some(_) => "embedded",
            None => &self.l1_url,
        }
    }

    /// Where one side's traces come from. Each has caches of its own.
    pub fn traces(&self, name: &str) -> anyhow::Result<Setup> {
        let beacon = self.embedded.as_ref().map(|embedded| embedded.beacon.url().parse());
        let nodes = ChainNodes {
            l1: vec![self.l1_url.parse()?],
            l1_beacon: beacon.transpose()?.into_iter().collect(),
            l2: vec![self.l2_rpc.url().parse()?],
            rollup: vec![self.l2_rpc.url().parse()?],
            derive: false,
            l1_chain_id: None,
            rollup_config: Some(self.rollup_config.to_string().into_bytes()),
            l1_config: Some(self.l1_config.to_string().into_bytes()),
            policy: Policy::default(),
        };
        let prestates = self.prestates()?;
        let folder = self.folder.path().join(name);
        Ok(Setup::new(nodes, prestates, folder, Engine::InProcess(Limits::default())))
    }

    /// Where the absolute prestate is.
    pub fn prestates(&self) -> anyhow::Result<Prestates> {
        Ok(Prestates::named(self.folder.path().join("prestates"), None)?)
    }
}

impl RollupAnswers {
    fn new(url: &str, chain_id: u64) -> anyhow::Result<Self> {
        let node = RollupNode::new(url.parse()?, Some(chain_id), &Policy::default());
        Ok(Self(Arc::new(Mutex::new(node))))
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut RollupNode) -> Result<T, TraceError> + Send + 'static,
    ) -> anyhow::Result<T> {
        let node = Arc::clone(&self.0);
        let asked = tokio::task::spawn_blocking(move || {
            question(&mut node.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(asked.await??)
    }

    async fn status(&self) -> anyhow::Result<SyncStatus> {
        self.ask(RollupNode::sync_status).await
    }

    async fn output(&self, number: u64) -> anyhow::Result<B256> {
        Ok(self.ask(move |node| node.output(number)).await?.root())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // No block comes while the servers end.
        self.node.set_mining(Mining::Manual);
    }
}

impl Embedded {
    fn start() -> anyhow::Result<Self> {
        let mut config = l1::Config::default();
        config.accounts.extend(Rollup::l1_accounts()?);
        for account in network::accounts()? {
            config.accounts.entry(account.address).or_insert_with(|| funded(ETHER_EACH));
        }
        let chain = l1::Chain::new(config, StateStore::new())?;
        let node = Arc::new(l1::Node::new(chain, Mining::Automatic));
        let rpc = Server::rpc(any_port(), Arc::clone(&node) as _)?;
        let beacon = Server::get(any_port(), Arc::new(Beacon(Arc::clone(&node))))?;
        Ok(Self { rpc, beacon, node })
    }
}

/// How the rollup reaches L1, the block that it begins on, and the rules of L1.
fn connect(
    embedded: Option<&Embedded>,
    url: Option<&NodeUrl>,
) -> anyhow::Result<(L1Access, Sealed<Header>, l1::Config)> {
    match (embedded, url) {
        (Some(Embedded { node, .. }), _) => {
            let (origin, config) = {
                let chain = node.chain();
                (chain.latest().header.clone(), chain.config().clone())
            };
            Ok((L1Access::Embedded(Arc::clone(node)), origin, config))
        }
        (None, Some(url)) => {
            let remote = Remote::connect(url.clone(), StateStore::new())?;
            let origin = remote.record().latest().header.clone();
            let config = l1::Config {
                chain_id: remote.chain_id(),
                genesis_time: origin.timestamp,
                // The field came with that fork.
                prague_time: origin.requests_hash.map(|_| 0),
                ..l1::Config::default()
            };
            Ok((L1Access::Remote(Box::new(Mutex::new(remote))), origin, config))
        }
        (None, None) => bail!("there is no L1"),
    }
}

/// Gives ether to accounts that have none, as only a development chain can.
async fn fund(node: &Node, accounts: &[Address]) -> anyhow::Result<()> {
    let ether = U256::from(ETHER_EACH).saturating_mul(U256::from(10).pow(U256::from(18)));
    for account in accounts {
        if node.balance(*account, At::Latest).await?.is_zero() {
            let set = steer(node, "anvil_setBalance", json!([account, ether])).await;
            set.context("L1 is no development chain")?;
        }
    }
    Ok(())
}

/// Calls a method that changes the chain and may answer nothing.
async fn steer(node: &Node, method: &'static str, params: Value) -> Result<(), NodeError> {
    match node.ask::<Value>(method, params).await {
        Ok(_) | Err(NodeError { fault: NodeFault::Absent, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn rollup_setup(seed: u64, l1: l1::Config, at: &Addresses, blobs: bool) -> RollupSetup {
    let usual = RollupSetup::at_fork(seed, Fork::Jovian);
    let mut rollup = rollup_config(&l1, usual.rollup.chain.forks);
    rollup.deposit_contract = at.optimism_portal;
    rollup.l1_system_config = at.system_config;
    rollup.genesis.system_config.gas_limit = L2_GAS_LIMIT;
    let form = Form { span: true, compression: Compression::Brotli, blobs, ..Form::default() };
    RollupSetup { l1, rollup, form, transactions_per_block: TRANSACTIONS, ..usual }
}

/// The fast preset for this rollup; `own` are its batcher, owner and depositor.
fn deployment(vm: GameVm, own: [Address; 3], prestate: B256, genesis: B256) -> DeploymentConfig {
    let [batcher, owner, _] = own;
    let fast = DeploymentConfig::fast();
    let preset = fast.games.first().cloned().unwrap_or_default();
    let game = |game_type, max_depth| GameConfig {
        game_type,
        vm: vm.verifier(),
        max_depth,
        absolute_prestate: prestate,
        // A development chain elsewhere may go by the clock on the wall while states are computed.
        max_clock_duration_seconds: 3600,
        ..preset.clone()
    };
    DeploymentConfig {
        l2_chain_id: 901,
        owner,
        guardian: owner,
        anchor: Anchor { output_root: genesis, l2_block_number: 0 },
        respected_game_type: vm.true_game(),
        system: SystemParameters {
            batcher,
            batch_inbox: BATCH_INBOX,
            unsafe_block_signer: owner,
            gas_limit: L2_GAS_LIMIT,
            ..SystemParameters::default()
        },
        games: vec![game(vm.true_game(), MAX_DEPTH), game(vm.false_game(), MAX_DEPTH + 1)],
        ..fast
    }
}

/// Builds the program's absolute prestate for this chain, as `rebut prestate build` does, and keeps it by its hash.
fn build_prestate(vm: VmName, folder: &Path, rollup: &Value, l1: &Value) -> anyhow::Result<B256> {
    let [rollup_file, l1_file] = ["rollup.json", "l1.json"].map(|name| folder.join(name));
    fs::write(&rollup_file, rollup.to_string())?;
    fs::write(&l1_file, l1.to_string())?;
    let inputs = Inputs::of_chain(vm, rollup_file, l1_file);
    let prestates = folder.join("prestates");
    fs::create_dir_all(&prestates)?;
    Ok(prestate::keep(&inputs, &prestates)?)
}
