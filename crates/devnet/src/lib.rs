//! A living rollup in one process.
//!
//! ```text
//!   l1        an Ethereum chain over revm: pool, blocks, reorgs, time
//!   l2        the rollup: genesis, sequencer           batcher   its blocks to L1
//!   ledger    what a chain has recorded, generic over its transactions
//!   state     trie nodes, code and headers by hash, shared by both chains
//!   disk      both of these kept in a file
//!   rpc       JSON-RPC and the beacon API on loopback: plain functions over the above
//!   traffic   users
//!   rollup    sequencer, derivation, batcher and users, a step at a time
//!   network   all of it, started together
//! ```
//!
//! The parts below know nothing of those above: `state` knows no chain, `ledger` no rules, `l1` nothing
//! of the rollup, and none of them knows that it is served.

pub mod batcher;
pub mod call;
pub mod disk;
pub mod keys;
pub mod l1;
pub mod l2;
pub mod ledger;
pub mod network;
pub mod random;
pub mod rollup;
pub mod rpc;
pub mod settlement;
pub mod state;
pub mod traffic;
mod view;
