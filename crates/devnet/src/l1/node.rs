//! The chain with a heart: shared between threads, and mining by itself if it is told to.

use super::{Chain, L1Block, MineError, PoolError};
use alloy_primitives::B256;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// When blocks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// When they are asked for.
    Manual,
    /// One for each transaction, as soon as it comes.
    Automatic,
    /// One after each interval.
    Interval(Duration),
}

/// What the miner is to do.
#[derive(Debug)]
struct Orders {
    mining: Mining,
    stop: bool,
}

#[derive(Debug)]
struct Shared {
    chain: Mutex<Chain>,
    orders: Mutex<Orders>,
    /// The orders have changed.
    changed: Condvar,
}

/// An embedded L1 node. Its miner ends with it.
#[derive(Debug)]
pub struct Node {
    shared: Arc<Shared>,
    miner: Option<JoinHandle<()>>,
}

/// Why a transaction was not taken, or not mined at once.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// It was not taken.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// It waits, for there is no block.
    #[error("no block can be mined: {0}")]
    Mine(#[from] MineError),
}

impl Node {
    /// A node of this chain.
    pub fn new(chain: Chain, mining: Mining) -> Self {
        let shared = Arc::new(Shared {
            chain: Mutex::new(chain),
            orders: Mutex::new(Orders { mining, stop: false }),
            changed: Condvar::new(),
        });
        let for_miner = Arc::clone(&shared);
        let miner = thread::Builder::new().name("l1 miner".into()).spawn(move || mine(&for_miner));
        // Without a thread nothing is mined but on demand; the system is out of threads then.
        let miner = miner.inspect_err(|error| tracing::error!(%error, "no thread for the miner"));
        Self { shared, miner: miner.ok() }
    }

    /// The chain. Nothing else happens to it while this is held.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        self.shared.chain()
    }

    /// When blocks come.
    pub fn mining(&self) -> Mining {
        self.shared.orders().mining
    }

    /// Changes when blocks come.
    pub fn set_mining(&self, mining: Mining) {
        self.shared.orders().mining = mining;
        self.shared.changed.notify_all();
    }

    /// Takes a transaction, and mines it at once if mining is automatic. Returns its hash.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub fn submit(&self, bytes: &[u8]) -> Result<B256, SubmitError> {
        let automatic = self.mining() == Mining::Automatic;
        let mut chain = self.chain();
        let hash = chain.submit(bytes)?;
        if automatic {
            chain.mine()?;
        }
        Ok(hash)
    }

    /// Mines a block now.
    ///
    /// # Errors
    /// As [`Chain::mine`].
    pub fn mine(&self) -> Result<Arc<L1Block>, MineError> {
        self.chain().mine()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.orders().stop = true;
        self.shared.changed.notify_all();
        if let Some(miner) = self.miner.take() {
            // A miner that panicked has said so.
            let _ = miner.join();
        }
    }
}

impl Shared {
    fn chain(&self) -> MutexGuard<'_, Chain> {
        // A call that fails leaves the chain as it was, also one that panics.
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mines at each interval until it is told to stop. Intervals are counted from the first on, so that
/// the time a block takes does not add up.
fn mine(shared: &Shared) {
    let mut due: Option<(Duration, Instant)> = None;
    let mut orders = shared.orders();
    while !orders.stop {
        let Mining::Interval(interval) = orders.mining else {
            due = None;
            orders = shared.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let now = Instant::now();
        let next = match due {
            Some((same, next)) if same == interval => next,
            _ => now + interval,
        };
        if next > now {
            due = Some((interval, next));
            let waited = shared.changed.wait_timeout(orders, next - now);
            orders = waited.unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        drop(orders);
        if let Err(error) = shared.chain().mine() {
            tracing::error!(%error, "no L1 block");
        }
        // A machine that slept has nothing to catch up with.
        due = Some((interval, (next + interval).max(now)));
        orders = shared.orders();
    }
}
