//! The host side of the program: recorded witnesses, hint routes, nodes, precompile results.
//!
//! A host makes preimages available to a program that runs in a machine or natively. [`Host`] gets
//! them from nodes of L1 and L2 and keeps them in a store; [`WitnessOracle`] has them from a file.
//! Both understand the same hints.
//!
//! Invariant: what comes from a node or a file has been checked against its hash before a program
//! sees it, and precompile results are computed, never taken from anywhere.

mod beacon;
mod blob;
mod blocks;
mod chain;
pub mod demo;
mod l2;
mod online;
mod oracle;
mod precompile;
mod record;
mod routes;
pub mod source;
pub mod store;
mod witness;

pub use online::{Boot, Host, HostConfig, HostError};
pub use oracle::WitnessOracle;
pub use precompile::{ACCELERATED, PayloadForm, PrecompileCall};
pub use rebut_preimage::VerifyingOracle;
pub use record::{Record, RecordingOracle, Use};
pub use witness::{BlockWitness, FORMAT, WITNESS_LIMIT_BYTES, WitnessError, serve_witness};
