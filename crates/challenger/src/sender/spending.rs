//! What an account has spent, against a cap.
//!
//! ```text
//!   reserve ──► publish ──► settle: what it did cost
//!                     └───► release: it is certain that it costs nothing
//! ```
//!
//! The sum counts from the start of the process, or goes on from a file. The file holds what is spent and what is
//! reserved: a process that is killed in between leaves its reservation counted, so a restart never makes the cap
//! larger.

use alloy_primitives::{Address, U256};
use rebut_preimage::{StoreError, store::replace};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// Most bytes of a file with a sum.
const LIMIT_BYTES: u64 = 4096;

/// Why nothing may be spent.
#[derive(Debug, Error)]
pub enum SpendingError {
    /// It would exceed the cap.
    #[error("spending cap: {spent} wei are spent, {wanted} more would exceed {cap}")]
    Cap {
        /// Spent so far, what is in flight included.
        spent: U256,
        /// What this takes.
        wanted: U256,
        /// The limit.
        cap: U256,
    },
    /// The sum cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file holds no sum. Whoever deletes it lets the cap count anew.
    #[error("{}: it holds no sum of what is spent: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The sum of another account, or on another chain.
    #[error("{}: it is about {account} on chain {chain_id}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// Its account.
        account: Address,
        /// Its chain.
        chain_id: u64,
    },
    /// The sum cannot be kept, so nothing is added to it.
    #[error("what is spent cannot be kept: {0}")]
    Keep(#[from] StoreError),
}

/// What lies in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    account: Address,
    chain_id: u64,
    spent_wei: U256,
}

/// What an account may still spend.
#[derive(Debug)]
pub(super) struct Spending {
    cap: Option<U256>,
    account: Address,
    chain_id: u64,
    file: Option<PathBuf>,
    sums: Mutex<Sums>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    spent: U256,
    reserved: U256,
}

impl Sums {
    fn total(&self) -> U256 {
        self.spent.saturating_add(self.reserved)
    }
}

impl Spending {
    /// Nothing is spent yet.
    pub(super) fn new(cap: Option<U256>, account: Address, chain_id: u64) -> Self {
        Self { cap, account, chain_id, file: None, sums: Mutex::default() }
    }

    /// Goes on from what a file says, and keeps it there from now on.
    pub(super) fn keep(&mut self, file: &Path) -> Result<(), SpendingError> {
        let path = || file.to_owned();
        let read = || {
            let mut text = Vec::new();
            let file = File::open(file)?;
            file.take(LIMIT_BYTES + 1).read_to_end(&mut text)?;
            Ok::<_, std::io::Error>(text)
        };
        let text = match read() {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(SpendingError::Read { path: path(), source }),
        };
        if let Some(text) = text {
            let record: Record = serde_json::from_slice(&text)
                .map_err(|source| SpendingError::Content { path: path(), source })?;
            let Record { account, chain_id, spent_wei } = record;
            if (account, chain_id) != (self.account, self.chain_id) {
                return Err(SpendingError::Other { path: path(), account, chain_id });
            }
            self.sums().spent = spent_wei;
        }
        self.file = Some(path());
        // What cannot be kept is better known before anything is spent.
        let sums = *self.sums();
        self.store(&sums)
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, sums: &Sums) -> Result<(), SpendingError> {
        let Some(file) = &self.file else { return Ok(()) };
        let Self { account, chain_id, .. } = *self;
        let record = Record { account, chain_id, spent_wei: sums.total() };
        Ok(replace(file, |out| Ok(serde_json::to_writer(out, &record)?))?)
    }

    /// Wei spent, without what is in flight.
    pub(super) fn spent(&self) -> U256 {
        self.sums().spent
    }

    /// Counts wei before they are spent: two intents at once must not exceed the cap together.
    pub(super) fn reserve(&self, wanted: U256) -> Result<(), SpendingError> {
        let mut sums = self.sums();
        if let Some(cap) = self.cap
            && sums.total().saturating_add(wanted) > cap
        {
            return Err(SpendingError::Cap { spent: sums.total(), wanted, cap });
        }
        let next = Sums { reserved: sums.reserved.saturating_add(wanted), ..*sums };
        self.store(&next)?;
        *sums = next;
        Ok(())
    }

    /// What was reserved has cost something else.
    pub(super) fn settle(&self, reserved: U256, cost: U256) {
        let mut sums = self.sums();
        sums.reserved = sums.reserved.saturating_sub(reserved);
        sums.spent = sums.spent.saturating_add(cost);
        // The file then counts too much rather than too little.
        if let Err(error) = self.store(&sums) {
            tracing::warn!(%error, "the sum of what is spent is out of date");
        }
    }

    /// What was reserved is not spent.
    pub(super) fn release(&self, reserved: U256) {
        self.settle(reserved, U256::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: Address = Address::repeat_byte(7);

    fn wei(n: u64) -> U256 {
        U256::from(n)
    }

    fn open(cap: u64, file: &Path) -> Result<Spending, SpendingError> {
        let mut spending = Spending::new(Some(wei(cap)), ACCOUNT, 1);
        spending.keep(file).map(|()| spending)
    }

    #[test]
    fn two_at_once_do_not_exceed_the_cap_together() {
        let spending = Spending::new(Some(wei(100)), ACCOUNT, 1);
        spending.reserve(wei(60)).expect("below the cap");
        let error = spending.reserve(wei(41)).unwrap_err().to_string();
        assert_eq!(error, "spending cap: 60 wei are spent, 41 more would exceed 100");
        spending.settle(wei(60), wei(50));
        assert_eq!(spending.spent(), wei(50));
        spending.reserve(wei(50)).expect("exactly the cap");
        spending.release(wei(50));
        spending.reserve(wei(50)).expect("given back");
    }

    #[test]
    fn the_cap_holds_over_restarts_and_kills() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spending.json");
        let first = open(100, &file).unwrap();
        first.reserve(wei(30)).unwrap();
        first.settle(wei(30), wei(25));
        first.reserve(wei(40)).unwrap();
        // Killed with a transaction in flight: nobody knows what became of it.
        drop(first);
        let second = open(100, &file).unwrap();
        assert_eq!(second.spent(), wei(65));
        assert!(second.reserve(wei(36)).is_err());
        second.reserve(wei(35)).unwrap();
    }

    #[test]
    fn a_file_that_is_no_sum_of_this_account_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spending.json");
        let check = |content: &str, want: &str| {
            std::fs::write(&file, content).unwrap();
            let error = open(100, &file).map(|s| s.spent()).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), content, "it stays as it is");
        };
        check("", "holds no sum");
        check("{\"account\":", "holds no sum");
        let other = Address::repeat_byte(8);
        check(
            &format!("{{\"account\":\"{other}\",\"chainId\":1,\"spentWei\":\"0x1\"}}"),
            "on chain 1",
        );
        let own = format!("{{\"account\":\"{ACCOUNT}\",\"chainId\":2,\"spentWei\":\"0x1\"}}");
        check(&own, "on chain 2");
        check(&" ".repeat(5000), "holds no sum");
        let nowhere = folder.path().join("absent/spending.json");
        assert!(open(100, &nowhere).is_err(), "it could not be kept");
    }
}
