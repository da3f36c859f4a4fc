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
mod chain_ids;
mod claim;
pub mod demo;
mod l2;
mod native;
mod online;
mod oracle;
mod precompile;
mod proven;
mod record;
mod recording;
mod routes;
pub mod source;
pub mod store;
mod verified;
mod witness;

pub use blob::{Commitment, preimages as blob_preimages};
pub use chain::{ListTrie, block_hash_at, header_rlp};
pub use chain_ids::{ChainIdError, ChainIds, l1_chain_id};
pub use claim::{CLAIM_FORMAT, ClaimWitness, ClaimWitnessError};
pub use native::NativeState;
pub use online::{Host, HostConfig, HostError, LocalValues};
pub use oracle::WitnessOracle;
pub use precompile::{ACCELERATED, PayloadForm, PrecompileCall};
pub use proven::block_attributes;
pub use rebut_preimage::VerifyingOracle;
pub use record::{Record, RecordingOracle, Use};
pub use recording::{BOOT_FILE, Recording, RecordingError, read_about, write_about};
pub use routes::precompile_preimages;
pub use verified::{Evidence, EvidenceError, VerifiedStore};
pub use witness::{BlockWitness, FORMAT, WITNESS_LIMIT_BYTES, WitnessError, serve_witness};
