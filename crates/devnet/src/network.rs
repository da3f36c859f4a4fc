//! A devnet as a whole: its nodes, their servers and its accounts.

mod l2;

pub use l2::{L2Error, L2Options, RunningL2};

use crate::{
    disk::{Disk, DiskError},
    keys::{DEV_KEYS, Key, KeyError},
    l1::{self, Chain, GenesisError, Mining, Node, funded},
    l2::L1Access,
    rollup::Rollup,
    rpc::{Server, ServerError, beacon::Beacon},
    state::StateStore,
};
use alloy_primitives::{Address, B256};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
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
    /// The L1 chain, without the accounts that every devnet has.
    pub l1: l1::Config,
    /// When L1 blocks come.
    pub mining: Mining,
    /// Where the nodes listen.
    pub ports: Ports,
    /// Where L1 is kept; in memory without. A rollup is always in memory, and would not find itself on a
    /// chain that goes on.
    pub datadir: Option<PathBuf>,
    /// The rollup; L1 alone without.
    pub l2: Option<L2Options>,
}

impl Options {
    /// A devnet that begins now, with a block of L1 each `block_time` seconds.
    pub fn beginning_now(block_time: u64, ports: Ports) -> Self {
        let l1 = l1::Config { genesis_time: now(), block_time, ..l1::Config::default() };
        let mining = Mining::Interval(Duration::from_secs(block_time));
        Self { l1, mining, ports, datadir: None, l2: None }
    }
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
    /// The rollup does not start.
    #[error("L2: {0}")]
    L2(#[from] L2Error),
}

/// A running devnet. It ends when it is dropped, servers first.
#[derive(Debug)]
pub struct Devnet {
    l2: Option<RunningL2>,
    l1_rpc: Server,
    beacon: Server,
    l1: Arc<Node>,
}

impl Devnet {
    /// Starts all parts.
    ///
    /// # Errors
    /// [`StartError`]; nothing keeps running then.
    pub fn start(mut options: Options) -> Result<Self, StartError> {
        let setup = options.l2.as_ref().map(|l2| l2.setup(&options.l1)).transpose()?;
        if setup.is_some() {
            options.l1.accounts.extend(Rollup::l1_accounts().map_err(L2Error::from)?);
        }
        for account in accounts()? {
            options.l1.accounts.entry(account.address).or_insert_with(|| funded(ETHER_EACH));
        }
        let chain = match options.datadir {
            None => Chain::new(options.l1, StateStore::new())?,
            Some(directory) => {
                let disk = Disk::open(&directory)?;
                Chain::open(options.l1, disk.store()?, disk)?
            }
        };
        let origin = chain.latest().header.clone();
        let l1 = Arc::new(Node::new(chain, options.mining));
        let named = |name| move |source| StartError::Server { name, source };
        let l1_rpc = Server::rpc(loopback(options.ports.l1), Arc::clone(&l1) as _);
        let l1_rpc = l1_rpc.map_err(named("L1 JSON-RPC"))?;
        let beacon = Server::get(loopback(options.ports.beacon), Arc::new(Beacon(Arc::clone(&l1))));
        let beacon = beacon.map_err(named("L1 beacon API"))?;
        let start = |setup| {
            let blocks = options.l2.as_ref().and_then(|l2| l2.blocks);
            let access = L1Access::Embedded(Arc::clone(&l1));
            RunningL2::start(access, setup, &origin, blocks, options.ports.l2)
        };
        let l2 = setup.map(start).transpose()?;
        Ok(Self { l2, l1_rpc, beacon, l1 })
    }

    /// The rollup, if there is one.
    pub const fn l2(&self) -> Option<&RunningL2> {
        self.l2.as_ref()
    }

    /// The L1 node.
    pub const fn l1(&self) -> &Arc<Node> {
        &self.l1
    }

    /// Where JSON-RPC of L1 is.
    pub fn l1_url(&self) -> String {
        self.l1_rpc.url()
    }

    /// Where the beacon API of L1 is.
    pub fn beacon_url(&self) -> String {
        self.beacon.url()
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
