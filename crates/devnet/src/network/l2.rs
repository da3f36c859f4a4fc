//! The rollup of a devnet: what it is made of, its server, and the thread that keeps it going.

use super::{ETHER_EACH, StartError, accounts, loopback, now};
use crate::{
    batcher::{Faults, Form},
    disk::Disk,
    l1::{self, funded},
    l2::{L1Access, Node},
    rollup::{Contracts, Rollup, RollupError, Setup, rollup_config},
    rpc::Server,
};
use alloy_consensus::{Header, Sealed};
use rebut_execution::{Fork, ForkTimes};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How often it is looked whether a block is due.
const PAUSE: Duration = Duration::from_millis(100);
/// Blocks of L1 in which what was sent becomes safe, unless it did not arrive.
const PATIENCE_BLOCKS: u64 = 12;
/// The most blocks that are built without a look around, when time has gone on without the chain.
const BLOCKS_AT_ONCE: u64 = 64;

/// What the rollup of a devnet is made of.
#[derive(Clone, Debug)]
pub struct L2Options {
    /// The fork that the chain begins with.
    pub fork: Fork,
    /// Forks that activate later, each with its seconds after genesis.
    pub later: Vec<(Fork, u64)>,
    /// Seconds between two blocks.
    pub block_time: u64,
    /// The number of the last block; without, there is none.
    pub blocks: Option<u64>,
    /// Transactions of users in a second, on average.
    pub load: u64,
    /// How batches are written, as far as the forks allow it.
    pub form: Form,
    /// What goes wrong between the batcher and L1.
    pub faults: Faults,
}

/// Why there is no rollup.
#[derive(Debug, thiserror::Error)]
pub enum L2Error {
    /// A fork is to activate that is active already.
    #[error("{fork:?} cannot activate later: the chain begins with {first:?}")]
    AlreadyActive {
        /// The fork.
        fork: Fork,
        /// The one that the chain begins with.
        first: Fork,
    },
    /// A fork has no time, or a later one, when the next has one.
    #[error("{fork:?} is to activate at second {time}, but needs {before:?} by then")]
    ForkOrder {
        /// The fork that comes too early.
        fork: Fork,
        /// When it is to activate, in seconds after genesis.
        time: u64,
        /// The fork before it.
        before: Fork,
    },
    /// L2 cannot keep up with its origins.
    #[error("a block of L2 each {l2} seconds cannot follow L1 with one each {l1}")]
    BlockTime {
        /// Seconds between blocks of L2.
        l2: u64,
        /// Seconds between blocks of L1.
        l1: u64,
    },
    /// All blocks of L2 at once.
    #[error("blocks of L2 cannot come each 0 seconds")]
    NoBlockTime,
    /// The rollup cannot be set up.
    #[error(transparent)]
    Rollup(#[from] RollupError),
    /// There is no thread for it.
    #[error("cannot start the sequencer: {0}")]
    Thread(io::Error),
}

impl L2Options {
    /// What this comes to on an embedded L1.
    pub(super) fn setup_on(&self, l1: &l1::Config, contracts: Contracts) -> Result<Setup, L2Error> {
        if self.block_time > l1.block_time {
            return Err(L2Error::BlockTime { l2: self.block_time, l1: l1.block_time });
        }
        self.setup(l1, contracts)
    }

    /// What this comes to on an L1 whose blocks come when they come. L2 begins at its genesis time.
    pub(super) fn setup(&self, l1: &l1::Config, contracts: Contracts) -> Result<Setup, L2Error> {
        if self.block_time == 0 {
            return Err(L2Error::NoBlockTime);
        }
        let forks = self.forks(l1.genesis_time)?;
        let mut rollup = rollup_config(l1, forks);
        rollup.block_time = self.block_time;
        rollup.deposit_contract = contracts.portal;
        rollup.l1_system_config = contracts.system_config;
        Ok(Setup {
            l1: l1.clone(),
            rollup,
            form: self.form,
            faults: self.faults,
            patience: PATIENCE_BLOCKS,
            // Their number in a block is any from none to this.
            transactions_per_block: self.load.saturating_mul(self.block_time).saturating_mul(2),
            deposits_percent: if self.load > 0 { 30 } else { 0 },
            ..Setup::with_forks(0, forks)
        })
    }

    /// The times of the forks of a chain that begins at `genesis`.
    fn forks(&self, genesis: u64) -> Result<ForkTimes, L2Error> {
        let first = self.fork;
        let mut times = ForkTimes::default();
        for timed in Fork::TIMED.into_iter().filter(|timed| *timed <= first) {
            times = times.with(timed, Some(genesis));
        }
        let mut later = self.later.clone();
        later.sort_unstable_by_key(|(fork, _)| *fork);
        for (fork, after) in later {
            if fork <= first {
                return Err(L2Error::AlreadyActive { fork, first });
            }
            let time = genesis.saturating_add(after);
            let before = Fork::TIMED.into_iter().rfind(|timed| *timed < fork);
            if let Some(before) = before
                && times.time(before).is_none_or(|earlier| earlier > time)
            {
                return Err(L2Error::ForkOrder { fork, time: after, before });
            }
            times = times.with(fork, Some(time));
        }
        Ok(times)
    }
}

/// A rollup that is served and goes on by itself. It ends when it is dropped.
#[derive(Debug)]
pub struct RunningL2 {
    rpc: Server,
    stop: Sender<()>,
    sequencer: Option<JoinHandle<()>>,
    node: Arc<Node>,
}

impl RunningL2 {
    /// Starts a rollup on L1 block `origin`, whose last block is number `blocks`.
    pub(super) fn start(
        l1: L1Access,
        setup: Setup,
        origin: &Sealed<Header>,
        blocks: Option<u64>,
        port: u16,
        disk: Option<Disk>,
    ) -> Result<Self, StartError> {
        let funded = accounts()?.into_iter().map(|account| (account.address, funded(ETHER_EACH)));
        let rollup = match disk {
            None => Rollup::new(setup, origin, funded.collect()),
            Some(disk) => Rollup::open(setup, origin, funded.collect(), disk),
        };
        let rollup = rollup.map_err(L2Error::from)?;
        let node = Arc::new(Node::new(l1, rollup));
        let rpc = Server::rpc(loopback(port), Arc::clone(&node) as _)
            .map_err(|source| StartError::Server { name: "L2 JSON-RPC", source })?;
        let (stop, stopped) = mpsc::channel();
        let for_sequencer = Arc::clone(&node);
        let sequencer = thread::Builder::new()
            .name("l2 sequencer".into())
            .spawn(move || keep_going(&for_sequencer, blocks, &stopped))
            .map_err(L2Error::Thread)?;
        Ok(Self { rpc, stop, sequencer: Some(sequencer), node })
    }

    /// The node.
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Where JSON-RPC is, of the execution node and of the rollup node.
    pub fn url(&self) -> String {
        self.rpc.url()
    }
}

impl Drop for RunningL2 {
    fn drop(&mut self) {
        // The thread may have ended by itself, and if it panicked it has said so.
        let _ = self.stop.send(());
        if let Some(sequencer) = self.sequencer.take() {
            let _ = sequencer.join();
        }
    }
}

/// Lets the rollup go on until it is told to stop.
fn keep_going(node: &Node, blocks: Option<u64>, stop: &Receiver<()>) {
    let mut complaint = String::new();
    loop {
        match node.tick(due(node, blocks)) {
            Ok(()) => complaint.clear(),
            // What is wrong may stay so; it is said once.
            Err(error) => {
                let error = error.to_string();
                if error != complaint {
                    tracing::error!(%error, "the rollup does not go on");
                    complaint = error;
                }
            }
        }
        if stop.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Blocks of L2 whose time comes before this are due: time by the clock, or by L1 if it is ahead.
fn due(node: &Node, blocks: Option<u64>) -> u64 {
    let l1_time = node.l1().with(|l1| l1.record().latest().header.timestamp);
    let rollup = node.rollup();
    let config = rollup.config();
    let span = |blocks: u64| config.block_time.saturating_mul(blocks);
    let end = blocks.map(|blocks| config.genesis.l2_time.saturating_add(span(blocks)));
    let at_once = rollup.sequencer.next_timestamp().saturating_add(span(BLOCKS_AT_ONCE));
    now().max(l1_time).min(at_once).min(end.unwrap_or(u64::MAX)).saturating_add(1)
}
