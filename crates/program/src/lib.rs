//! The fault proof program: a pure function of the preimage oracle.
//!
//! For now it proves one block: [`block::run`] reads what to execute from the oracle, executes it
//! and compares the block hash. The same code runs natively and, as a guest, inside the machine
//! whose steps a verifier contract can check.
//!
//! Invariant: the verdict depends on the oracle's answers alone, and every answer is committed to
//! by the local values the program starts from.
//!
//! Source: OP Stack specification, "Fault Proof", sections "Fault Proof Program" and "Pre-image
//! Oracle".

#![no_std]

extern crate alloc;

pub mod block;
mod boot;
pub mod config;
mod input;
mod oracle;
mod output;
mod verdict;

pub use boot::{
    AGREED_OUTPUT_IDENTIFIER, Boot, BootError, CHAIN_ID_IDENTIFIER, CLAIMED_NUMBER_IDENTIFIER,
    CLAIMED_OUTPUT_IDENTIFIER, L1_HEAD_IDENTIFIER, LocalError,
};
pub use input::{BlockInput, InputError};
pub use output::{Output, OutputError};
pub use verdict::{EXIT_ERROR, EXIT_INVALID, EXIT_VALID, Verdict};
