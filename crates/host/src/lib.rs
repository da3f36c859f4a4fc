//! The host side of the program: recorded witnesses, hint routes, precompile results.
//!
//! A host makes preimages available to a program that runs in a machine or natively. This part of
//! it works offline, from block witness files.
//!
//! Invariant: what is read from a file has been checked against its hash before a program sees it,
//! and precompile results are computed, never taken from anywhere.

pub mod demo;
mod oracle;
mod precompile;
mod record;
mod witness;

pub use oracle::WitnessOracle;
pub use precompile::{ACCELERATED, PayloadForm, PrecompileCall};
pub use rebut_preimage::VerifyingOracle;
pub use record::{Record, RecordingOracle, Use};
pub use witness::{BlockWitness, FORMAT, WITNESS_LIMIT_BYTES, WitnessError, serve_witness};
