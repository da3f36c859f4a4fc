//! The rollup as a node: shared between threads, on L1 wherever it is.
//!
//! Invariant: who holds both chains has locked the rollup first.

use crate::{
    l1::{self, Client},
    rollup::{Rollup, RollupError},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// L1 of this process, or a node elsewhere.
#[derive(Debug)]
pub enum L1Access {
    /// It has a node of its own here.
    Embedded(Arc<l1::Node>),
    /// It is somewhere else.
    Remote(Box<Mutex<l1::Remote>>),
}

impl L1Access {
    /// Does something with L1. Nothing else happens to it meanwhile, if it is of this process.
    pub fn with<T>(&self, act: impl FnOnce(&mut dyn Client) -> T) -> T {
        match self {
            Self::Embedded(node) => act(&mut *node.chain()),
            Self::Remote(remote) => {
                act(&mut *remote.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }
}

/// The rollup on L1.
#[derive(Debug)]
pub struct Node {
    l1: L1Access,
    rollup: Mutex<Rollup>,
}

impl Node {
    /// A node of this rollup, which begins on a block of `l1`.
    pub const fn new(l1: L1Access, rollup: Rollup) -> Self {
        Self { l1, rollup: Mutex::new(rollup) }
    }

    /// L1.
    pub const fn l1(&self) -> &L1Access {
        &self.l1
    }

    /// The rollup. Nothing else happens to it while this is held.
    pub fn rollup(&self) -> MutexGuard<'_, Rollup> {
        // A call that fails leaves the chains as they were, also one that panics.
        self.rollup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows L1 wherever it has gone, builds every block of L2 whose time comes before `time`, and sends
    /// to L1 what is due for its next block.
    ///
    /// # Errors
    /// [`RollupError`]. What was done before it stays done.
    pub fn tick(&self, time: u64) -> Result<(), RollupError> {
        let mut rollup = self.rollup();
        self.l1.with(|l1| {
            l1.update()?;
            rollup.follow(l1.record())?;
            rollup.build_until(l1.record(), time)?;
            rollup.post(l1)
        })
    }
}
