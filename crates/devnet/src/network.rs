//! A devnet as a whole: its nodes, their servers and its accounts.

use crate::{
    disk::{Disk, DiskError},
    keys::{DEV_KEYS, Key, KeyError},
    l1::{self, Chain, GenesisError, Mining, Node, funded},
    rpc::{Server, ServerError, beacon::Beacon},
    state::StateStore,
};
use alloy_primitives::{Address, B256};
use std::{
    net::{Ipv4Addr, SocketAddr},
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
const ROLES: [&str; DEV_KEYS.len()] = [
    "user",
    "user",
    "user",
    "user",
    "user",
    "traffic",
    "challenger",
    "proposer",
    "batcher",
    "owner",
];

/// The accounts that have ether at genesis.
///
/// # Errors
/// None: the keys are keys.
pub fn accounts() -> Result<Vec<Account>, KeyError> {
    let account = |(role, key): (&&'static str, &B256)| {
        Ok(Account { role, address: Key::new(*key)?.address(), key: *key })
    };
    ROLES.iter().zip(&DEV_KEYS).map(account).collect()
}

/// Where the nodes listen; 0 stands for any free port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// JSON-RPC of L1.
    pub l1: u16,
    /// Beacon API of L1.
    pub beacon: u16,
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
    /// Where the chains are kept; in memory without.
    pub datadir: Option<PathBuf>,
}

impl Options {
    /// A devnet that begins now, with a block of L1 each `block_time` seconds.
    pub fn beginning_now(block_time: u64, ports: Ports, datadir: Option<PathBuf>) -> Self {
        // A clock before 1970 is one that is not set.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let l1 = l1::Config { genesis_time: now.as_secs(), block_time, ..l1::Config::default() };
        Self { l1, mining: Mining::Interval(Duration::from_secs(block_time)), ports, datadir }
    }
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
}

/// A running devnet. It ends when it is dropped, servers first.
#[derive(Debug)]
pub struct Devnet {
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
        let l1 = Arc::new(Node::new(chain, options.mining));
        let listen = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let named = |name| move |source| StartError::Server { name, source };
        let l1_rpc = Server::rpc(listen(options.ports.l1), Arc::clone(&l1) as _);
        let l1_rpc = l1_rpc.map_err(named("L1 JSON-RPC"))?;
        let beacon = Server::get(listen(options.ports.beacon), Arc::new(Beacon(Arc::clone(&l1))));
        let beacon = beacon.map_err(named("L1 beacon API"))?;
        Ok(Self { l1_rpc, beacon, l1 })
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
