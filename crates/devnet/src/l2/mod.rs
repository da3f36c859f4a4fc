//! The rollup: blocks on L1 data, built by crate `execution`.
//!
//! ```text
//!   genesis     allocation and configuration to the first block
//!   chain       blocks and states; what a block was built from; outputs
//!   costs       what transactions pay besides gas
//!   pool        transactions that wait
//!   sequencer   the next block: L1 origin, deposits, transactions; follows reorgs of L1
//!   reader      the record of L1 as derivation reads it
//!   oracle      both chains as the preimages that the fault proof program asks for
//!   follower    derivation from L1: which blocks are safe, and blocks that nobody sequenced
//!   node        all of it, shared between threads
//!   witness     what executing a block touches
//! ```
//!
//! The sequencer's blocks and those of derivation meet in one function of crate `derivation`, which says
//! what a block is built from once origin and transactions are chosen, and in crate `execution`. Chosen
//! independently are the origin, the transactions and when a block may have any: that is where sequencers
//! and derivation disagree when one of them is wrong.

mod call;
mod chain;
mod costs;
mod follower;
pub mod genesis;
mod node;
mod oracle;
mod pool;
mod reader;
mod sequencer;
pub mod witness;

pub use chain::{Block, Chain, ChainError, L2, Receipt, Transaction};
pub use costs::Costs;
pub use follower::{Advance, FollowError, Follower};
pub use node::{L1Access, Node};
pub use oracle::{Cache, Oracle};
pub use pool::{Pool, PoolError};
pub use reader::L1Reader;
pub use sequencer::{Built, SequenceError, Sequencer};
