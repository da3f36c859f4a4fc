//! Stateless execution of one L2 block over a partial trie.
//!
//! Given the parent's header, the attributes of a new block and an oracle of trie nodes, code and
//! precompile results, [`execute_block`] produces the new block: exactly the one every honest node
//! of the chain produces, or an error.
//!
//! Invariants: the result depends on the arguments and the oracle's (verified) answers alone; no
//! input makes the code panic; what is missing is an error that names it and never a wrong block.
//!
//! Specification: OP Stack, "Execution engine" of every fork up to Karst.

#![no_std]

extern crate alloc;

mod base_fee;
mod block;
mod chain;
mod error;
mod forks;
mod handler;
mod jumps;
mod oracle;
mod precompiles;
mod state;
mod transaction;
mod trie;

pub use block::{ExecutedBlock, execute_block};
pub use chain::{BaseFeeDefaults, ChainParameters, PayloadAttributes};
pub use error::{AttributesError, ExecutionError, StateError, TransactionError};
pub use forks::{Fork, ForkTimes};
pub use oracle::StateOracle;
pub use state::{Roots, State, StateView};
pub use trie::{Trie, TrieError};
