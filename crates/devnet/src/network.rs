//! A devnet as a whole: its nodes, their servers and its accounts.

mod elsewhere;
mod l2;

pub use elsewhere::{ElsewhereError, L1Elsewhere};
pub use l2::{L2Error, L2Options, RunningL2};

use crate::{
    disk::{Disk, DiskError},
    keys::{DEV_KEYS, Key, KeyError},
    l1::{self, Chain, GenesisError, Mining, Node, TimeError, funded},
    l2::L1Access,
    rollup::{CONTRACTS, Rollup},
    rpc::{Server, ServerError, beacon::Beacon},
    state::StateStore,
};
use alloy_primitives::{Address, B256};
use rebut_execution::Fork;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Ether that each account has at genesis.
const ETHER_EACH: u64 = 10_000;

/// An account that has ether at genesis, and what it is there for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its part in the devnet.
    pub role: &'static str,
    /// Its address.
    pub address: Address,
    /// Its private key, which everyone knows.
    pub key: B256,
}

/// What the accounts of [`DEV_KEYS`] are there for.
const DEV_ROLES: [&str; DEV_KEYS.len()] =
    ["user", "user", "user", "user", "user", "user", "challenger", "proposer", "user", "user"];
/// Accounts of the rollup's own, by the names of their keys.
const OWN: [&str; 3] = ["batcher", "owner", "depositor"];

/// The accounts that have ether at genesis: those of [`DEV_KEYS`], then those of the rollup's own.
///
/// # Errors
/// None: the keys are keys.
pub fn accounts() -> Result<Vec<Account>, KeyError> {
    let mut accounts = Vec::new();
    for (role, key) in DEV_ROLES.into_iter().zip(DEV_KEYS) {
        accounts.push(Account { role, address: Key::new(key)?.address(), key });
    }
    accounts.extend(OWN.map(|role| {
        let key = Key::named(role);
        Account { role, address: key.address(), key: key.secret() }
    }));
    Ok(accounts)
}

/// Where the nodes listen; 0 stands for any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// JSON-RPC of L1.
    pub l1: u16,
    /// Beacon API of L1.
    pub beacon: u16,
    /// JSON-RPC of L2.
    pub l2: u16,
}

/// What a devnet is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// L1 elsewhere; without, it is embedded, as `l1` and `mining` have it.
    pub elsewhere: Option<L1Elsewhere>,
    /// The L1 chain, without the accounts that every devnet has.
    pub l1: l1::Config,
    /// When L1 blocks come.
    pub mining: Mining,
    /// Where the nodes listen.
    pub ports: Ports,
    /// Where both chains are kept; in memory without. L1 elsewhere keeps itself, and a rollup on it is always
    /// in memory.
    pub datadir: Option<PathBuf>,
    /// The rollup; L1 alone without.
    pub l2: Option<L2Options>,
}

impl Options {
    /// A devnet that begins now, with a block of L1 each `block_time` seconds.
    pub fn beginning_now(block_time: u64, ports: Ports) -> Self {
        let l1 = l1::Config { genesis_time: now(), block_time, ..l1::Config::default() };
        let mining = Mining::Interval(Duration::from_secs(block_time));
        Self { elsewhere: None, l1, mining, ports, datadir: None, l2: None }
    }
}

/// What must not change on a chain that is kept, in words.
fn settings(l2: Option<&L2Options>) -> Vec<(&'static str, String)> {
    let Some(l2) = l2 else { return vec![("a rollup on it:", "no".into())] };
    let name = |fork: &Fork| format!("{fork:?}").to_lowercase();
    let mut later = l2.later.clone();
    later.sort_unstable();
    let later = later.iter().map(|(fork, after)| format!("{}={after}", name(fork)));
    let later = later.collect::<Vec<_>>().join(",");
    vec![
        ("a rollup on it:", "yes".into()),
        ("the fork", name(&l2.fork)),
        ("later forks", if later.is_empty() { "none".into() } else { later }),
        ("seconds between blocks of L2:", l2.block_time.to_string()),
    ]
}

/// Seconds since 1970.
fn now() -> u64 {
    // A clock before 1970 is one that is not set.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Why a devnet does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There can be no such chain.
    #[error("L1: {0}")]
    Genesis(#[from] GenesisError),
    /// The directory cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The clock is behind the chain.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A port cannot be had.
    #[error("{name}: {source}")]
    Server {
        /// Which server.
        name: &'static str,
        /// What is wrong.
        source: ServerError,
    },
    /// A key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// L1 elsewhere cannot be settled on.
    #[error(transparent)]
    Elsewhere(#[from] ElsewhereError),
    /// The rollup does not start.
    #[error("L2: {0}")]
    L2(#[from] L2Error),
}

/// Where L1 is.
#[derive(Debug)]
enum RunningL1 {
    Here { rpc: Server, beacon: Server, node: Arc<Node> },
    Elsewhere { url: String },
}

/// A running devnet. It ends when it is dropped, the rollup first.
#[derive(Debug)]
pub struct Devnet {
    l2: Option<RunningL2>,
    l1: RunningL1,
    l1_config: l1::Config,
}

impl Devnet {
    /// Starts all parts.
    ///
    /// # Errors
    /// [`StartError`]; nothing keeps running then.
    pub fn start(mut options: Options) -> Result<Self, StartError> {
        match options.elsewhere.take() {
            None => Self::embedded(options),
            Some(elsewhere) => Self::elsewhere(elsewhere, options),
        }
    }

    fn embedded(mut options: Options) -> Result<Self, StartError> {
        let Options { ports, l2, .. } = options;
        // What is wrong with the options shows before anything is written.
        if let Some(l2) = &l2 {
            l2.setup_on(&options.l1, CONTRACTS)?;
            options.l1.accounts.extend(Rollup::l1_accounts().map_err(L2Error::from)?);
        }
        for account in accounts()? {
            options.l1.accounts.entry(account.address).or_insert_with(|| funded(ETHER_EACH));
        }
        let (mut chain, l2_disk) = match options.datadir {
            None => (Chain::new(options.l1, StateStore::new())?, None),
            Some(directory) => {
                let disk = Disk::open(&directory)?;
                disk.settle(&settings(l2.as_ref()))?;
                let l2_disk =
                    l2.is_some().then(|| Disk::open(&directory.join("l2"))).transpose()?;
                (Chain::open(options.l1, disk.store()?, disk)?, l2_disk)
            }
        };
        // A chain that stood still while nobody ran it goes on in the present.
        if matches!(options.mining, Mining::Interval(_)) && now() > chain.next_timestamp() {
            chain.set_next_timestamp(now())?;
        }
        let l1_config = chain.config().clone();
        let height = chain.latest().number();
        let origin = chain.ledger().block(0).unwrap_or_else(|| chain.latest()).header.clone();
        let node = Arc::new(Node::new(chain, options.mining));
        let named = |name| move |source| StartError::Server { name, source };
        let rpc = Server::rpc(loopback(ports.l1), Arc::clone(&node) as _);
        let rpc = rpc.map_err(named("L1 JSON-RPC"))?;
        let beacon = Server::get(loopback(ports.beacon), Arc::new(Beacon(Arc::clone(&node))));
        let beacon = beacon.map_err(named("L1 beacon API"))?;
        let start = |l2: L2Options| {
            let mut setup = l2.setup_on(&l1_config, CONTRACTS)?;
            // So that nothing random comes again after a restart, the names of channels above all.
            setup.seed = height;
            let access = L1Access::Embedded(Arc::clone(&node));
            RunningL2::start(access, setup, &origin, l2.blocks, ports.l2, l2_disk)
        };
        let l2 = l2.map(start).transpose()?;
        Ok(Self { l2, l1: RunningL1::Here { rpc, beacon, node }, l1_config })
    }

    /// The rollup on L1 elsewhere: its contracts first, then a chain that begins behind them.
    fn elsewhere(elsewhere: L1Elsewhere, options: Options) -> Result<Self, StartError> {
        let url = elsewhere.url.to_string();
        // What is wrong with the options shows before anything is sent.
        if let Some(l2) = &options.l2 {
            l2.setup(&options.l1, CONTRACTS)?;
        }
        let settled = elsewhere.settle()?;
        let l1_config = settled.config.clone();
        let start = |l2: L2Options| {
            let mut setup = l2.setup(&settled.config, settled.contracts)?;
            setup.form.blobs = false;
            let access = L1Access::Remote(Box::new(Mutex::new(settled.remote)));
            RunningL2::start(access, setup, &settled.origin, l2.blocks, options.ports.l2, None)
        };
        let l2 = options.l2.map(start).transpose()?;
        Ok(Self { l2, l1: RunningL1::Elsewhere { url }, l1_config })
    }

    /// The rollup, if there is one.
    pub const fn l2(&self) -> Option<&RunningL2> {
        self.l2.as_ref()
    }

    /// The L1 node, if it is embedded.
    pub const fn l1(&self) -> Option<&Arc<Node>> {
        match &self.l1 {
            RunningL1::Here { node, .. } => Some(node),
            RunningL1::Elsewhere { .. } => None,
        }
    }

    /// The rules of L1.
    pub const fn l1_config(&self) -> &l1::Config {
        &self.l1_config
    }

    /// Where JSON-RPC of L1 is.
    pub fn l1_url(&self) -> String {
        match &self.l1 {
            RunningL1::Here { rpc, .. } => rpc.url(),
            RunningL1::Elsewhere { url } => url.clone(),
        }
    }

    /// Where the beacon API of L1 is. There is none of L1 elsewhere, on which batches are calldata.
    pub fn beacon_url(&self) -> Option<String> {
        match &self.l1 {
            RunningL1::Here { beacon, .. } => Some(beacon.url()),
            RunningL1::Elsewhere { .. } => None,
        }
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
