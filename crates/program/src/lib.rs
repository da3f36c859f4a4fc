//! The fault proof program: a pure function of the preimage oracle.
//!
//! [`claim::run`] decides a claim about an L2 output root from L1 data: it reads from the oracle what
//! is claimed, derives and executes L2 blocks, and compares. [`block::run`] decides about a single
//! block whose attributes are given. The same code runs natively and, as a guest, inside the machine
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
mod chains;
pub mod claim;
pub mod config;
mod input;
mod list;
mod oracle;
mod output;
mod verdict;

pub use boot::{
    AGREED_OUTPUT_IDENTIFIER, Boot, BootError, CHAIN_ID_IDENTIFIER, CLAIMED_NUMBER_IDENTIFIER,
    CLAIMED_OUTPUT_IDENTIFIER, L1_HEAD_IDENTIFIER, LocalError,
};
pub use chains::SourceError;
pub use input::{BlockInput, InputError};
pub use list::ListError;
pub use output::{Output, OutputError};
pub use verdict::{EXIT_ERROR, EXIT_INVALID, EXIT_VALID, Verdict};
