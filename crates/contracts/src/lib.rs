//! The on-chain verifiers for Rust: bindings, creation code, and an embedded EVM to run them.
//!
//! A [`Verifier`] holds one deployed PreimageOracle and one verifier of a machine in memory. It is what decides whether
//! a step proof is right: the tests compare every engine with it, and the command line shows a proof
//! being accepted and its tamperings refused, without a chain.
//!
//! [`deployment`] lists the transactions that put a whole fault proof system on a chain.
//!
//! Invariant: a step never changes the verifier. Only loaded preimages are kept, as on chain.

pub mod bindings;
mod chain;
pub mod deployment;
mod preimage;
mod revert;
mod verifier;

pub use chain::{CallError, Chain, Receipt};
pub use preimage::Preimage;
pub use revert::Revert;
pub use verifier::{LoadOutcome, StepOutcome, Verifier};
