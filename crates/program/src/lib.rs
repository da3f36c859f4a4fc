//! The fault proof program: a pure function of the preimage oracle.
//!
//! For now it proves one block: [`block::run`] reads what to execute from the oracle, executes it
//! and compares the block hash. The same code runs natively and, as a guest, inside the machine
//! whose steps a verifier contract can check.
//!
//! Invariant: the verdict depends on the oracle's answers alone, and every answer is committed to
//! by the two local values the program starts from.
//!
//! Source: OP Stack specification, "Fault Proof", sections "Fault Proof Program" and "Pre-image
//! Oracle".

#![no_std]

extern crate alloc;

pub mod block;
mod input;
mod oracle;

pub use input::{BlockInput, InputError};
